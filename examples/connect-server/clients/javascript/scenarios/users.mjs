import { randomUUID } from 'node:crypto'
import { assert, at, guest, ids, notFound, office, refused, same, scenario, seam, unique, until } from './_hotel.mjs'

const system = async () => (await office()).acs_system_id
const user = async (more = {}) => seam.acs.users.create({ acs_system_id: await system(), full_name: unique('Clerk'), ...more })
const groups = async () => ids(await seam.acs.accessGroups.list({ acs_system_id: await system() }), 'acs_access_group_id')
const groupsOf = async (acs_user_id) => ids(await seam.acs.accessGroups.list({ acs_user_id }), 'acs_access_group_id')

scenario('create_and_get', async () => {
  const full_name = unique('Clerk')
  const made = await user({ full_name, email_address: `${full_name}@example.com`, phone_number: '+15555550101' })
  assert.equal(made.full_name, full_name)
  assert.equal(made.email_address, `${full_name}@example.com`)
  assert.equal(made.phone_number, '+15555550101')
  assert.equal(made.is_managed, true)
  const got = await seam.acs.users.get({ acs_user_id: made.acs_user_id })
  assert.equal(got.acs_user_id, made.acs_user_id)
  assert.equal(got.full_name, full_name)
  await notFound(() => seam.acs.users.get({ acs_user_id: randomUUID() }), 'acs_user_not_found')
  await notFound(() => seam.acs.users.create({ acs_system_id: randomUUID(), full_name }), 'acs_system_not_found')
})

scenario('update', async () => {
  const { acs_user_id } = await user()
  await seam.acs.users.update({ acs_user_id, full_name: 'Other Name', email_address: `${unique('other')}@example.com` })
  const got = await seam.acs.users.get({ acs_user_id })
  assert.equal(got.full_name, 'Other Name')
  assert.match(got.email_address, /^other-/)
})

scenario('access_schedule', async () => {
  const schedule = { starts_at: at(1), ends_at: at(5) }
  const { acs_user_id, access_schedule } = await user({ access_schedule: schedule })
  assert.ok(same(access_schedule.starts_at, schedule.starts_at) && same(access_schedule.ends_at, schedule.ends_at))
  await seam.acs.users.update({ acs_user_id, access_schedule: { starts_at: at(2), ends_at: at(6) } })
  assert.ok(same((await seam.acs.users.get({ acs_user_id })).access_schedule.ends_at, at(6)))
  await seam.acs.users.update({ acs_user_id, access_schedule: null })
  assert.equal((await seam.acs.users.get({ acs_user_id })).access_schedule, undefined)
})

scenario('groups', async () => {
  const [one, two] = await groups()
  const { acs_user_id } = await user({ acs_access_group_ids: [one] })
  assert.deepEqual(await groupsOf(acs_user_id), [one])
  await seam.acs.users.addToAccessGroup({ acs_user_id, acs_access_group_id: two })
  assert.deepEqual(await groupsOf(acs_user_id), [one, two].sort())
  const entrances = async () => seam.acs.users.listAccessibleEntrances({ acs_user_id })
  const open = await until('the doors of both groups', async () => (await entrances()).length > 0 && (await entrances()))
  assert.ok(open.every((door) => door.acs_system_id))
  await seam.acs.users.removeFromAccessGroup({ acs_user_id, acs_access_group_id: one })
  await until('one group is left', async () => (await groupsOf(acs_user_id)).join() === two)
  await seam.acs.users.revokeAccessToAllEntrances({ acs_user_id })
  await until('no door is left', async () => (await entrances()).length === 0)
})

scenario('suspend_and_unsuspend', async () => {
  const { acs_user_id } = await user()
  const is = async (wanted) => until(`is_suspended is ${wanted}`, async () => (await seam.acs.users.get({ acs_user_id })).is_suspended === wanted)
  await seam.acs.users.suspend({ acs_user_id })
  await is(true)
  await seam.acs.users.unsuspend({ acs_user_id })
  await is(false)
})

scenario('by_identity_and_system', async () => {
  const acs_system_id = await system()
  const { user_identity_id } = await guest()
  const made = await user({ user_identity_id })
  const who = { user_identity_id, acs_system_id }
  assert.equal((await seam.acs.users.get(who)).acs_user_id, made.acs_user_id)
  // Name and contacts of a person's user are hers, as docs/compatibility.md says: they change with the person.
  await refused(() => seam.acs.users.update({ ...who, full_name: 'By User' }), 400, 'invalid_input')
  await seam.userIdentities.update({ user_identity_id, full_name: 'By Identity' })
  assert.equal((await seam.acs.users.get(who)).full_name, 'By Identity')
  await seam.acs.users.suspend(who)
  await until('suspended', async () => (await seam.acs.users.get(who)).is_suspended)
  await seam.acs.users.unsuspend(who)
  await seam.acs.users.delete(who)
  await until('gone', async () => (await seam.acs.users.list({ user_identity_id })).length === 0)
  await notFound(() => seam.acs.users.get(who), 'acs_user_not_found')
})

scenario('list_filters', async () => {
  const mark = unique('Searched')
  const person = await guest({ phone_number: '+15555550177', full_name: mark })
  const { acs_user_id } = await user({ user_identity_id: person.user_identity_id })
  const found = async (filter) => ids(await seam.acs.users.list(filter), 'acs_user_id')
  assert.deepEqual(await found({ search: mark }), [acs_user_id])
  assert.deepEqual(await found({ user_identity_id: person.user_identity_id }), [acs_user_id])
  assert.deepEqual(await found({ user_identity_email_address: person.email_address }), [acs_user_id])
  assert.deepEqual(await found({ user_identity_phone_number: person.phone_number }), [acs_user_id])
  assert.ok((await found({ acs_system_id: await system() })).includes(acs_user_id))
  assert.deepEqual(await found({ acs_system_id: randomUUID() }), [])
  assert.ok(!(await found({ created_before: at(-1) })).includes(acs_user_id))
  assert.ok((await found({ created_before: at(1) })).includes(acs_user_id))
})

scenario('pages', async () => {
  for (let i = 0; i < 5; i++) await user()
  const all = ids(await seam.acs.users.list(), 'acs_user_id')
  const paged = await seam.createPaginator(seam.acs.users.list({ limit: 2 })).flattenToArray()
  assert.deepEqual(ids(paged, 'acs_user_id'), all)
})

scenario('delete', async () => {
  const { acs_user_id } = await user()
  await seam.acs.users.delete({ acs_user_id })
  await until('gone from the list', async () => !ids(await seam.acs.users.list(), 'acs_user_id').includes(acs_user_id))
  await notFound(() => seam.acs.users.get({ acs_user_id }), 'acs_user_not_found')
  await refused(() => seam.acs.users.update({ acs_user_id, full_name: 'Late' }), 404, 'acs_user_not_found')
})
