import { assert, at, cardAt, encode, guest, methodsOf, opens, ready, refused, same, scenario, seam, stay, staysShut, unique, until } from './_hotel.mjs'

/** The refusal with its stable type, and the title of the guides at the head of the message. */
async function ruled(call, status, type, title) {
  const error = await refused(call, status, type)
  assert.ok(error.message.startsWith(title), error.message)
  return error
}
const count = async (reservation_key) => (await seam.accessGrants.list({ reservation_key })).length
const card = (doors, reservation_key, more = {}) => stay({ doors, modes: ['card'], reservation_key, ...more })

scenario('r1_a_key_without_a_door_for_it', async () => {
  const key = unique('stay')
  await ruled(() => stay({ doors: ['gym'], modes: ['code'], reservation_key: key }), 400, 'reservation_key_not_supported', 'reservation_key not supported.')
  assert.equal(await count(key), 0)
})

scenario('r1b_a_guest_without_a_key', async () => {
  const who = await guest()
  await ruled(() => stay({ doors: ['room-101'], modes: ['card'], who }), 400, 'reservation_key_required', 'reservation_key required')
  assert.deepEqual(await seam.accessGrants.list({ user_identity_id: who.user_identity_id }), [])
})

scenario('r2_another_door', async () => {
  const key = unique('stay')
  await card(['room-101'], key)
  await ruled(() => card(['room-102'], key), 409, 'reservation_entrance_change', 'Reservation entrance change requires cleanup.')
  assert.equal(await count(key), 1)
})

scenario('r3_one_door_more', async () => {
  const key = unique('stay')
  await card(['room-101'], key)
  await ruled(() => card(['room-101', 'room-102'], key), 409, 'reservation_joiner_entrance_set', 'Reservation joiner entrance set conflict.')
  assert.equal(await count(key), 1)
})

scenario('r4_times_that_do_not_overlap', async () => {
  const key = unique('stay')
  await card(['room-101'], key, { from: 0, to: 24 })
  await ruled(() => card(['room-101'], key, { from: 100, to: 124 }), 409, 'reservation_time_frames', 'Reservation time frames must overlap.')
  assert.equal(await count(key), 1)
})

scenario('the_same_or_fewer_doors_join', async () => {
  const key = unique('stay')
  await card(['room-101', 'room-102'], key)
  await card(['room-101', 'room-102'], key)
  await card(['room-102'], key)
  assert.equal(await count(key), 3)
})

scenario('other_doors_do_not_count', async () => {
  const key = unique('stay')
  await card(['room-101', 'gym'], key)
  await card(['room-101'], key)
  const grant = await card(['room-101', 'gym'], key)
  assert.equal(grant.reservation_key, key)
  assert.equal(await count(key), 3)
})

scenario('a_move_deletes_and_creates_again', async () => {
  const key = unique('stay')
  const first = await card(['room-101'], key)
  await seam.accessGrants.delete({ access_grant_id: first.access_grant_id })
  await until('the stay is cleaned up', async () => (await count(key)) === 0)
  await card(['room-102'], key)
  assert.equal(await count(key), 1)
})

scenario('a_joiner_opens_beside_the_first', async () => {
  const key = unique('stay')
  const first = await cardAt({ doors: ['room-101'], reservation_key: key })
  await opens('room-101', first.method)
  const second = await cardAt({ doors: ['room-101'], reservation_key: key })
  await opens('room-101', second.method)
  await opens('room-101', first.method)
  await staysShut('room-102', second.method)
})

scenario('two_cards_of_one_grant', async () => {
  const grant = await stay({ doors: ['room-101'], modes: ['card', 'card'], reservation_key: unique('stay') })
  const methods = await ready(grant, 2)
  assert.equal(methods.length, 2)
  for (const method of methods) await encode(method)
  for (const method of methods) await opens('room-101', method)
})

scenario('the_next_stay_overrides_at_the_door', async () => {
  const before = await cardAt({ doors: ['room-102'], reservation_key: unique('stay') })
  await opens('room-102', before.method)
  const after = await cardAt({ doors: ['room-102'], reservation_key: unique('stay') })
  await opens('room-102', before.method)
  await opens('room-102', after.method)
  await staysShut('room-102', before.method)
  await opens('room-102', after.method)
})

scenario('a_stay_that_has_not_begun', async () => {
  const early = await cardAt({ doors: ['room-102'], reservation_key: unique('stay'), from: 24, to: 48 })
  await staysShut('room-102', early.method)
})

scenario('other_doors_are_not_overridden', async () => {
  const one = await cardAt({ doors: ['room-101', 'gym'], reservation_key: unique('stay') })
  await opens('gym', one.method)
  const two = await cardAt({ doors: ['room-101', 'gym'], reservation_key: unique('stay') })
  await opens('room-101', two.method)
  await opens('gym', two.method)
  await staysShut('room-101', one.method)
  await opens('gym', one.method)
})

scenario('a_longer_stay_asks_for_the_card_again', async () => {
  const { grant, method } = await cardAt({ doors: ['room-101'], reservation_key: unique('stay'), to: 3 })
  const { access_grant_id } = grant
  await seam.accessGrants.update({ access_grant_id, ends_at: at(30) })
  assert.ok(same((await seam.accessGrants.get({ access_grant_id })).ends_at, at(30)))
  const again = await until('the card has to be written again', async () => {
    const [now] = await methodsOf(grant)
    return now.is_encoding_required && now.is_ready_for_encoding && now
  })
  assert.equal(again.access_method_id, method.access_method_id)
  const types = async () => (await seam.events.list({ access_method_id: method.access_method_id, since: at(-1) })).map(({ event_type }) => event_type)
  await until('it is told', async () => (await types()).filter((type) => type === 'access_method.card_encoding_required').length >= 2)
  await encode(again)
  await opens('room-101', method)
  await until('it is told', async () => (await types()).includes('access_method.reissued'))
})

scenario('all_methods_of_a_stay_are_deleted', async () => {
  const key = unique('stay')
  const grants = [await card(['room-101'], key), await card(['room-101'], key)]
  for (const grant of grants) await ready(grant)
  await seam.accessMethods.delete({ reservation_key: key })
  for (const grant of grants) await until('the methods are gone', async () => (await methodsOf(grant)).length === 0)
  assert.equal(await count(key), 2, 'the grants stay')
})

scenario('a_deleted_grant_opens_nothing_that_is_written_later', async () => {
  const grant = await card(['room-101'], unique('stay'))
  const [{ access_method_id }] = await ready(grant)
  await seam.accessGrants.delete({ access_grant_id: grant.access_grant_id })
  const { acs_encoder_id } = (await seam.acs.encoders.list())[0]
  await refused(() => seam.accessMethods.encode({ access_method_id, acs_encoder_id }), [404, 409])
})
