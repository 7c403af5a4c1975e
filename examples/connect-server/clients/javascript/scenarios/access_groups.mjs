import { randomUUID } from 'node:crypto'
import { assert, guest, ids, notFound, office, refused, scenario, seam, unique, until } from './_hotel.mjs'

const groups = async () => seam.acs.accessGroups.list({ acs_system_id: (await office()).acs_system_id })
const clerk = async () => seam.acs.users.create({ acs_system_id: (await office()).acs_system_id, full_name: unique('Clerk') })
const members = async (acs_access_group_id) => ids(await seam.acs.accessGroups.listUsers({ acs_access_group_id }), 'acs_user_id')

scenario('list', async () => {
  const two = await groups()
  assert.equal(two.length, 2)
  assert.ok(two.every((group) => group.is_managed && group.name && group.external_type))
  assert.deepEqual(ids(await seam.acs.accessGroups.list({ search: two[0].name }), 'acs_access_group_id').includes(two[0].acs_access_group_id), true)
  assert.deepEqual(await seam.acs.accessGroups.list({ acs_system_id: randomUUID() }), [])
})

scenario('get', async () => {
  const [group] = await groups()
  const { acs_access_group_id } = group
  assert.deepEqual(await seam.acs.accessGroups.get({ acs_access_group_id }), group)
  await notFound(() => seam.acs.accessGroups.get({ acs_access_group_id: randomUUID() }), 'acs_access_group_not_found')
})

scenario('accessible_entrances', async () => {
  const { acs_system_id } = await office()
  for (const { acs_access_group_id } of await groups()) {
    const doors = await seam.acs.accessGroups.listAccessibleEntrances({ acs_access_group_id })
    assert.ok(doors.length > 0 && doors.every((one) => one.acs_system_id === acs_system_id))
  }
})

scenario('members_by_user', async () => {
  const [{ acs_access_group_id }] = await groups()
  const { acs_user_id } = await clerk()
  await seam.acs.accessGroups.addUser({ acs_access_group_id, acs_user_id })
  // Added twice is added once: the clients repeat a PUT whose answer was lost.
  await seam.acs.accessGroups.addUser({ acs_access_group_id, acs_user_id })
  await until('the user is a member', async () => (await members(acs_access_group_id)).filter((id) => id === acs_user_id).length === 1)
  assert.deepEqual(ids(await seam.acs.accessGroups.list({ acs_user_id }), 'acs_access_group_id'), [acs_access_group_id])
  await seam.acs.accessGroups.removeUser({ acs_access_group_id, acs_user_id })
  await until('the user is no member any more', async () => !(await members(acs_access_group_id)).includes(acs_user_id))
  await notFound(() => seam.acs.accessGroups.addUser({ acs_access_group_id, acs_user_id: randomUUID() }), 'acs_user_not_found')
})

scenario('members_by_identity', async () => {
  const [{ acs_access_group_id }] = await groups()
  const { user_identity_id, full_name } = await guest()
  await seam.acs.accessGroups.addUser({ acs_access_group_id, user_identity_id })
  const user = await until('a user was made for the person', async () =>
    (await seam.acs.accessGroups.listUsers({ acs_access_group_id })).find((one) => one.user_identity_id === user_identity_id))
  assert.equal(user.user_identity_full_name ?? user.full_name, full_name)
  assert.deepEqual(ids(await seam.acs.accessGroups.list({ user_identity_id }), 'acs_access_group_id'), [acs_access_group_id])
  await seam.acs.accessGroups.removeUser({ acs_access_group_id, user_identity_id })
  await until('the person is no member any more', async () => !(await members(acs_access_group_id)).includes(user.acs_user_id))
})

scenario('z_delete', async () => {
  const [, { acs_access_group_id }] = await groups()
  // The groups of this system are made and deleted in the system itself: refused, and nothing is gone.
  await refused(() => seam.acs.accessGroups.delete({ acs_access_group_id }), 400, 'acs_access_group_read_only')
  assert.ok(ids(await groups(), 'acs_access_group_id').includes(acs_access_group_id))
})
