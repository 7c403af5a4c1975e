import { randomUUID } from 'node:crypto'
import { assert, door, guest, hotel, ids, notFound, office, raw, ready, refused, scenario, seam, stay, unique, until } from './_hotel.mjs'

const can = (entrance) =>
  ['code', 'card', 'mobile_key', 'cloud_key'].filter((mode) => entrance[`can_unlock_with_${mode}`]).join() + (entrance.can_belong_to_reservation ? ' reservation' : '')

scenario('the_doors_of_the_sandbox', async () => {
  const { acs_system_id } = await hotel()
  const doors = await seam.acs.entrances.list({ acs_system_id })
  assert.deepEqual(Object.fromEntries(doors.map((one) => [one.display_name, can(one)])), {
    'room-101': 'card,mobile_key reservation',
    'room-102': 'card,mobile_key reservation',
    gym: 'code,card',
    lobby: 'code,cloud_key',
  })
})

scenario('list_filters', async () => {
  const [gym, lobby] = [await door('gym'), await door('lobby')]
  const listed = async (filter) => ids(await seam.acs.entrances.list(filter), 'acs_entrance_id')
  const both = [gym.acs_entrance_id, lobby.acs_entrance_id].sort()
  assert.deepEqual(await listed({ acs_entrance_ids: both }), both)
  assert.deepEqual(await listed({ acs_entrance_ids: [gym.acs_entrance_id] }), [gym.acs_entrance_id])
  assert.deepEqual(await listed({ search: 'gym' }), [gym.acs_entrance_id])
  assert.equal((await listed({ connected_account_id: gym.connected_account_id })).includes(gym.acs_entrance_id), true)
  const space = await seam.spaces.create({ name: unique('Ground floor'), acs_entrance_ids: both, customer_key: 'ground' })
  assert.deepEqual(await listed({ space_id: space.space_id }), both)
  assert.deepEqual(await listed({ customer_key: 'nobody' }), [])
  const inOffice = await seam.acs.entrances.list({ acs_system_id: (await office()).acs_system_id })
  assert.ok(inOffice.length > 0 && inOffice.every(({ acs_entrance_id }) => !both.includes(acs_entrance_id)))
})

scenario('list_by_what_opens_it', async () => {
  const grant = await stay({ doors: ['gym'], modes: ['code'] })
  const [{ access_method_id }] = await ready(grant)
  const { acs_entrance_id } = await door('gym')
  assert.deepEqual(ids(await seam.acs.entrances.list({ access_method_id }), 'acs_entrance_id'), [acs_entrance_id])
  const [{ acs_credential_id }] = (await seam.accessMethods.getRelated({ access_method_ids: [access_method_id], include: ['acs_credentials'] })).acs_credentials
  assert.deepEqual(ids(await seam.acs.entrances.list({ acs_credential_id }), 'acs_entrance_id'), [acs_entrance_id])
})

scenario('pages', async () => {
  const all = ids(await seam.acs.entrances.list(), 'acs_entrance_id')
  const pages = seam.createPaginator(seam.acs.entrances.list({ limit: 2 }))
  assert.deepEqual(ids(await pages.flattenToArray(), 'acs_entrance_id'), all)
})

scenario('get', async () => {
  const gym = await door('gym')
  assert.deepEqual(await seam.acs.entrances.get({ acs_entrance_id: gym.acs_entrance_id }), gym)
  await notFound(() => seam.acs.entrances.get({ acs_entrance_id: randomUUID() }), 'acs_entrance_not_found')
})

scenario('grant_access', async () => {
  // Nothing says which doors of which system can be granted alone: either the person can enter afterwards, or the refusal is typed.
  const [entrance] = await seam.acs.entrances.list({ acs_system_id: (await office()).acs_system_id })
  const { user_identity_id } = await guest()
  const { acs_entrance_id } = entrance
  try {
    await seam.acs.entrances.grantAccess({ acs_entrance_id, user_identity_id })
  } catch {
    await refused(() => seam.acs.entrances.grantAccess({ acs_entrance_id, user_identity_id }), 400, 'not_supported')
    return
  }
  await until('the door is among those of the person', async () =>
    ids(await seam.userIdentities.listAccessibleEntrances({ user_identity_id }), 'acs_entrance_id').includes(acs_entrance_id))
})

scenario('credentials_with_access', async () => {
  const grant = await stay({ doors: ['gym'], modes: ['code'] })
  const [method] = await ready(grant)
  const { acs_entrance_id } = await door('gym')
  const found = await until('the code is among what opens the gym', async () =>
    (await seam.acs.entrances.listCredentialsWithAccess({ acs_entrance_id })).find(({ code }) => code === method.code))
  assert.equal(found.access_method, 'code')
})

scenario('unlock_with_a_cloud_key', async () => {
  const grant = await stay({ doors: ['lobby'], modes: ['cloud_key'] })
  const [{ access_method_id }] = await ready(grant)
  const [{ acs_credential_id }] = (await seam.accessMethods.getRelated({ access_method_ids: [access_method_id] })).acs_credentials
  const { acs_entrance_id } = await door('lobby')
  const attempt = await seam.acs.entrances.unlock({ acs_credential_id, acs_entrance_id })
  assert.equal(attempt.action_type, 'UNLOCK_DOOR')
  assert.equal(attempt.status, 'success')
})

scenario('use_credential_of_nobody', async () => {
  const { acs_entrance_id } = await door('gym')
  for (const body of [{ acs_entrance_id, access_method_id: randomUUID() }, { acs_entrance_id, acs_credential_id: randomUUID() }]) {
    const answer = await raw('/acs/entrances/simulate/use_credential', { body })
    assert.ok(answer.status === 404 || answer.body.use.opened === false, JSON.stringify(answer.body))
  }
  const nothing = await raw('/acs/entrances/simulate/use_credential', { body: { acs_entrance_id } })
  assert.equal(nothing.status, 400)
  assert.equal(nothing.body.error.type, 'invalid_input')
})
