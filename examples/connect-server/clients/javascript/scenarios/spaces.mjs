import { randomUUID } from 'node:crypto'
import { assert, at, door, ids, methodsOf, notFound, opens, ready, refused, scenario, seam, stay, staysShut, unique, until } from './_hotel.mjs'

const doorIds = async (...names) => (await Promise.all(names.map(door))).map(({ acs_entrance_id }) => acs_entrance_id).sort()
const space = (more = {}) => seam.spaces.create({ name: unique('Floor'), ...more })
const doorsIn = async (space_id) => ids(await seam.acs.entrances.list({ space_id }), 'acs_entrance_id')

scenario('create_and_get', async () => {
  const space_key = unique('floor')
  const acs_entrance_ids = await doorIds('gym', 'lobby')
  const made = await space({ name: 'Ground floor', space_key, acs_entrance_ids, customer_key: 'house' })
  assert.equal(made.name, 'Ground floor')
  assert.equal(made.display_name, 'Ground floor')
  assert.equal(made.space_key, space_key)
  assert.equal(made.acs_entrance_count, 2)
  assert.equal(made.device_count, 0)
  assert.deepEqual(await seam.spaces.get({ space_id: made.space_id }), made)
  assert.deepEqual(await seam.spaces.get({ space_key }), made)
  assert.ok((await door('gym')).space_ids.includes(made.space_id))
  await notFound(() => seam.spaces.get({ space_id: randomUUID() }), 'space_not_found')
  await notFound(() => seam.spaces.get({ space_key: unique('none') }), 'space_not_found')
  await refused(() => space({ space_key }), [400, 409])
})

scenario('update', async () => {
  const [gym, lobby] = [...(await doorIds('gym')), ...(await doorIds('lobby'))]
  const { space_id } = await space({ acs_entrance_ids: [gym] })
  const changed = await seam.spaces.update({ space_id, name: 'Renamed', acs_entrance_ids: [lobby] })
  assert.equal(changed.name, 'Renamed')
  assert.deepEqual(await doorsIn(space_id), [lobby], 'a list replaces the set')
  const emptied = await seam.spaces.update({ space_id, acs_entrance_ids: [] })
  assert.equal(emptied.acs_entrance_count, 0)
  assert.equal(emptied.name, 'Renamed')
})

scenario('customer_data_is_merged', async () => {
  const { space_id, customer_data } = await space({ customer_data: { address: '1 Main St', default_checkin_time: '15:00', time_zone: 'Europe/Paris' } })
  assert.deepEqual(customer_data, { address: '1 Main St', default_checkin_time: '15:00', time_zone: 'Europe/Paris' })
  const changed = await seam.spaces.update({ space_id, customer_data: { default_checkin_time: '16:30', address: null } })
  assert.equal(changed.customer_data.default_checkin_time, '16:30')
  assert.equal(changed.customer_data.time_zone, 'Europe/Paris')
  assert.equal(changed.customer_data.address ?? null, null)
  const error = await refused(() => seam.spaces.update({ space_id, customer_data: { default_checkin_time: '25:00' } }), 400, 'invalid_input')
  assert.ok(error.validationErrors?.length > 0)
})

scenario('doors_come_and_go', async () => {
  const both = await doorIds('gym', 'lobby')
  const { space_id } = await space()
  await seam.spaces.addAcsEntrances({ space_id, acs_entrance_ids: both })
  await seam.spaces.addAcsEntrances({ space_id, acs_entrance_ids: both })
  assert.deepEqual(await doorsIn(space_id), both)
  assert.equal((await seam.spaces.get({ space_id })).acs_entrance_count, 2)
  await seam.spaces.removeAcsEntrances({ space_id, acs_entrance_ids: [both[0]] })
  await seam.spaces.removeAcsEntrances({ space_id, acs_entrance_ids: [both[0]] })
  assert.deepEqual(await doorsIn(space_id), [both[1]])
  await notFound(() => seam.spaces.addAcsEntrances({ space_id, acs_entrance_ids: [randomUUID()] }), 'acs_entrance_not_found')
  await notFound(() => seam.spaces.addAcsEntrances({ space_id: randomUUID(), acs_entrance_ids: both }), 'space_not_found')
  await notFound(() => seam.spaces.addDevices({ space_id, device_ids: [randomUUID()] }), ['device_not_found', 'acs_entrance_not_found'])
})

scenario('an_entrance_is_a_device_by_its_second_name', async () => {
  const both = await doorIds('gym', 'lobby')
  const { space_id } = await space()
  await seam.spaces.addDevices({ space_id, device_ids: both })
  assert.deepEqual(await doorsIn(space_id), both)
  await seam.spaces.removeDevices({ space_id, device_ids: [both[0]] })
  assert.deepEqual(await doorsIn(space_id), [both[1]])
})

scenario('connected_accounts_come_and_go', async () => {
  const { connected_account_id } = await door('gym')
  const { space_id } = await space()
  await seam.spaces.addConnectedAccount({ space_id, connected_account_id })
  const listed = async () => ids(await seam.spaces.list({ connected_account_id }), 'space_id').includes(space_id)
  assert.equal(await listed(), true)
  await seam.spaces.removeConnectedAccount({ space_id, connected_account_id })
  assert.equal(await listed(), false)
})

scenario('grants_follow_the_space', async () => {
  const { space_id } = await space({ acs_entrance_ids: await doorIds('gym') })
  const grant = await stay({ modes: ['code'], space_ids: [space_id] })
  assert.deepEqual(grant.space_ids, [space_id])
  const [code] = await ready(grant)
  await opens('gym', code)
  await staysShut('lobby', code)
  const held = async (name) => {
    const [{ acs_entrance_id }] = [await door(name)]
    const methods = await seam.accessMethods.list({ access_grant_id: grant.access_grant_id, acs_entrance_id })
    return methods.some(({ is_issued }) => is_issued)
  }
  await seam.spaces.addAcsEntrances({ space_id, acs_entrance_ids: await doorIds('lobby') })
  await until('the lobby belongs to the grant', () => held('lobby'))
  await until('the code opens the lobby', async () => {
    const [method] = await methodsOf(grant)
    return method.is_issued && (await opens('lobby', method).then(() => true, () => false))
  })
  await seam.spaces.removeAcsEntrances({ space_id, acs_entrance_ids: await doorIds('gym') })
  await until('the gym is lost', async () => {
    const [method] = await methodsOf(grant)
    return staysShut('gym', method).then(() => true, () => false)
  })
  const events = await seam.events.list({ space_id, since: at(-1) })
  const changed = events.filter(({ event_type }) => event_type === 'space.device_membership_changed')
  assert.ok(changed.length >= 2)
})

scenario('get_related', async () => {
  const space_key = unique('floor')
  const { space_id } = await space({ space_key, acs_entrance_ids: await doorIds('gym') })
  const batch = await seam.spaces.getRelated({ space_keys: [space_key], include: ['acs_entrances', 'acs_systems'] })
  assert.deepEqual(ids(batch.acs_entrances, 'acs_entrance_id'), await doorIds('gym'))
  assert.equal(batch.acs_systems.length, 1)
  assert.equal(batch.spaces, undefined)
  const rest = await seam.spaces.getRelated({ space_ids: [space_id], exclude: ['acs_entrances'] })
  assert.equal(rest.acs_entrances, undefined)
  await notFound(() => seam.spaces.getRelated({ space_ids: [randomUUID()] }), 'space_not_found')
})

scenario('list_filters', async () => {
  const [space_key, name, customer_key] = [unique('key'), unique('Name'), unique('house')]
  const { space_id } = await space({ space_key, name, customer_key })
  for (const filter of [{ space_key }, { search: name }, { customer_key }]) {
    assert.deepEqual(ids(await seam.spaces.list(filter), 'space_id'), [space_id], JSON.stringify(filter))
  }
  const all = ids(await seam.spaces.list(), 'space_id')
  assert.deepEqual(ids(await seam.createPaginator(seam.spaces.list({ limit: 2 })).flattenToArray(), 'space_id'), all)
})

scenario('delete', async () => {
  const { space_id } = await space({ acs_entrance_ids: await doorIds('gym') })
  await seam.spaces.delete({ space_id })
  await until('the space is gone', async () => !ids(await seam.spaces.list(), 'space_id').includes(space_id))
  await notFound(() => seam.spaces.get({ space_id }), 'space_not_found')
  assert.ok(!(await door('gym')).space_ids.includes(space_id))
})
