import { randomUUID } from 'node:crypto'
import { assert, at, door, ids, notFound, ready, refused, scenario, seam, stay, unique, until } from './_hotel.mjs'

const since = at(-1)
const types = (events) => events.map(({ event_type }) => event_type)

/** A grant whose events are complete, and they. */
async function story() {
  const grant = await stay({ doors: ['lobby'], modes: ['code'] })
  const [method] = await ready(grant)
  const { access_grant_id } = grant
  const events = await until('the last event is there', async () => {
    const all = await seam.events.list({ access_grant_id, since })
    return types(all).includes('access_grant.access_granted_to_all_doors') && all
  })
  return { grant, method, access_grant_id, events }
}

scenario('of_a_grant', async () => {
  const { access_grant_id, events } = await story()
  assert.ok(events.every((event) => event.access_grant_id === access_grant_id || event.access_grant_ids?.includes(access_grant_id)))
  const instants = events.map(({ created_at }) => new Date(created_at).getTime())
  assert.deepEqual(instants, instants.toSorted((a, b) => a - b), 'they come in order')
  await seam.accessGrants.delete({ access_grant_id })
  await until('the end is told', async () => types(await seam.events.list({ access_grant_id, since })).includes('access_grant.deleted'))
})

scenario('of_a_method', async () => {
  const { method } = await story()
  const { access_method_id } = method
  const told = types(await seam.events.list({ access_method_id, since }))
  assert.deepEqual([told.includes('access_method.created'), told.includes('access_method.issued')], [true, true])
  assert.deepEqual(types(await seam.events.list({ access_method_ids: [access_method_id], since })), told)
})

scenario('of_a_card', async () => {
  const grant = await stay({ doors: ['room-101'], modes: ['card'], reservation_key: unique('stay') })
  const [{ access_method_id }] = await ready(grant)
  await until('a card is asked for', async () => types(await seam.events.list({ access_method_id, since })).includes('access_method.card_encoding_required'))
})

scenario('never_with_a_code', async () => {
  const { method, events } = await story()
  assert.ok(!JSON.stringify(events).includes(`"${method.code}"`), 'events go to many places; a code does not')
})

scenario('by_type', async () => {
  const { access_grant_id } = await story()
  const one = await seam.events.list({ access_grant_id, since, event_type: 'access_grant.created' })
  assert.deepEqual(types(one), ['access_grant.created'])
  const two = await seam.events.list({ access_grant_id, since, event_types: ['access_grant.created', 'access_method.created'] })
  assert.deepEqual(types(two).toSorted(), ['access_grant.created', 'access_method.created'])
})

scenario('by_ids', async () => {
  const [one, two] = [await story(), await story()]
  const both = await seam.events.list({ access_grant_ids: [one.access_grant_id, two.access_grant_id], since, event_type: 'access_grant.created' })
  assert.deepEqual(ids(both, 'access_grant_id'), [one.access_grant_id, two.access_grant_id].sort())
  const [{ event_id }] = one.events
  assert.deepEqual(ids(await seam.events.list({ event_ids: [event_id], since }), 'event_id'), [event_id])
  await refused(() => seam.events.list({ access_grant_ids: Array.from({ length: 101 }, randomUUID), since }), 400, 'invalid_input')
})

scenario('by_door_system_and_space', async () => {
  const { acs_entrance_id, acs_system_id } = await door('lobby')
  const { access_grant_id } = await story()
  assert.ok(types(await seam.events.list({ acs_entrance_id, since })).includes('access_grant.access_granted_to_door'))
  // Two kinds of ids are two conditions.
  const both = await seam.events.list({ acs_entrance_id, access_grant_id, since })
  assert.ok(both.length > 0 && both.every((one) => one.acs_entrance_id === acs_entrance_id && one.access_grant_id === access_grant_id))
  assert.ok((await seam.events.list({ acs_system_id, since, event_type: 'acs_system.added' })).length <= 1)
  const { space_id } = await seam.spaces.create({ name: unique('Floor') })
  assert.ok(types(await seam.events.list({ space_id, since })).includes('space.created'))
})

scenario('since_and_between', async () => {
  const { events, access_grant_id } = await story()
  assert.deepEqual(await seam.events.list({ access_grant_id, since: at(1) }), [])
  assert.deepEqual(ids(await seam.events.list({ access_grant_id, between: [at(-1), at(1)] }), 'event_id'), ids(events, 'event_id'))
  // The interval is open at both ends.
  const [{ created_at, event_id }] = events
  const from = async (...between) => ids(await seam.events.list({ access_grant_id, between }), 'event_id').includes(event_id)
  assert.deepEqual([await from(created_at, at(1)), await from(at(-1), created_at)], [false, false])
  await refused(() => seam.events.list({ access_grant_id }), 400, 'invalid_input')
  await refused(() => seam.events.list({ access_grant_id, between: [at(1)] }), 400, 'invalid_input')
})

scenario('limit', async () => {
  const { events, access_grant_id } = await story()
  const two = await seam.events.list({ access_grant_id, since, limit: 2 })
  assert.deepEqual(two.map(({ event_id }) => event_id), events.slice(0, 2).map(({ event_id }) => event_id))
  for (const unstable_offset of [0, 1]) {
    const [first] = await seam.events.list({ access_grant_id, since, unstable_offset })
    assert.equal(first.event_id, events[unstable_offset].event_id)
  }
  await refused(() => seam.events.list({ since, event_type: 'no.such_event' }), 400, 'invalid_input')
})

scenario('get', async () => {
  const { events } = await story()
  assert.deepEqual(await seam.events.get({ event_id: events[0].event_id }), events[0])
  await notFound(() => seam.events.get({ event_id: randomUUID() }), 'event_not_found')
})
