import { assert, at, door, ids, notFound, refused, same, scenario, seam, unique, until } from './_hotel.mjs'

const grantsOf = (reservation_key) => seam.accessGrants.list({ reservation_key })
const some = (reservation_key) => until('the reservation has a grant', async () => {
  const grants = await grantsOf(reservation_key)
  return grants.length > 0 && grants
})

/** A house with two rooms, each a space with its door, and a guest; none of them known before. */
async function house() {
  const customer_key = unique('house')
  const rooms = [unique('room'), unique('room')]
  const user_identity_key = unique('guest')
  await seam.customers.pushData({
    customer_key,
    spaces: rooms.map((space_key) => ({ space_key, name: space_key })),
    user_identities: [{ user_identity_key, name: 'Alan Turing', email_address: `${user_identity_key}@example.com` }],
  })
  for (const [i, name] of ['room-101', 'room-102'].entries()) {
    const { space_id } = await seam.spaces.get({ space_key: rooms[i] })
    await seam.spaces.addAcsEntrances({ space_id, acs_entrance_ids: [(await door(name)).acs_entrance_id] })
  }
  return { customer_key, rooms, user_identity_key }
}

scenario('create_change_delete', async () => {
  const { customer_key, rooms, user_identity_key } = await house()
  const reservation_key = unique('booking')
  const push = (more) => seam.customers.pushData({
    customer_key,
    reservations: [{ reservation_key, user_identity_key, space_keys: [rooms[0]], starts_at: at(2), ends_at: at(26), ...more }],
  })
  await push({ name: 'Two nights' })
  const [grant] = await some(reservation_key)
  const person = await seam.userIdentities.get({ user_identity_key })
  assert.equal(person.full_name, 'Alan Turing')
  assert.equal(grant.user_identity_id, person.user_identity_id)
  assert.deepEqual(grant.space_ids, [(await seam.spaces.get({ space_key: rooms[0] })).space_id])
  assert.ok(same(grant.starts_at, at(2)) && same(grant.ends_at, at(26)))
  assert.ok(grant.requested_access_methods.length > 0)

  await push({ name: 'Two nights' })
  assert.deepEqual(ids(await grantsOf(reservation_key), 'access_grant_id'), [grant.access_grant_id], 'pushed twice is there once')

  await push({ ends_at: at(50) })
  await until('the stay is longer', async () => (await grantsOf(reservation_key)).every(({ ends_at }) => same(ends_at, at(50))))

  await seam.customers.deleteData({ reservation_keys: [reservation_key] })
  await until('the grants are gone', async () => (await grantsOf(reservation_key)).length === 0)
  assert.ok(await seam.userIdentities.get({ user_identity_key }), 'the person stays')
})

scenario('a_move_to_another_room', async () => {
  const { customer_key, rooms, user_identity_key } = await house()
  const reservation_key = unique('booking')
  const push = (room) => seam.customers.pushData({
    customer_key,
    reservations: [{ reservation_key, user_identity_key, space_keys: [room], starts_at: at(2), ends_at: at(26) }],
  })
  await push(rooms[0])
  await some(reservation_key)
  await push(rooms[1])
  const { space_id } = await seam.spaces.get({ space_key: rooms[1] })
  await until('the grants are for the other room', async () => {
    const grants = await grantsOf(reservation_key)
    return grants.length > 0 && grants.every(({ space_ids }) => space_ids.join() === space_id)
  })
})

scenario('other_names_for_the_same', async () => {
  const [customer_key, room_key, guest_key, reservation_key] = [unique('house'), unique('room'), unique('guest'), unique('booking')]
  await seam.customers.pushData({ customer_key, rooms: [{ room_key, name: 'Room' }], guests: [{ guest_key, name: 'Guest' }] })
  const { space_id } = await seam.spaces.get({ space_key: room_key })
  await seam.spaces.addAcsEntrances({ space_id, acs_entrance_ids: [(await door('room-102')).acs_entrance_id] })
  await seam.customers.pushData({ customer_key, reservations: [{ reservation_key, guest_key, room_keys: [room_key], starts_at: at(2), ends_at: at(26) }] })
  const [grant] = await some(reservation_key)
  assert.deepEqual(grant.space_ids, [space_id])
  assert.equal((await seam.userIdentities.get({ user_identity_key: guest_key })).user_identity_id, grant.user_identity_id)
})

scenario('people_and_spaces_change', async () => {
  const { customer_key, rooms, user_identity_key } = await house()
  await seam.customers.pushData({
    customer_key,
    spaces: [{ space_key: rooms[0], name: 'Suite' }],
    user_identities: [{ user_identity_key, name: 'A. M. Turing' }],
  })
  await until('the names are the new ones', async () =>
    (await seam.spaces.get({ space_key: rooms[0] })).name === 'Suite' && (await seam.userIdentities.get({ user_identity_key })).full_name === 'A. M. Turing')
  assert.deepEqual(ids(await seam.spaces.list({ customer_key }), 'space_key'), rooms.toSorted())
})

scenario('delete_everything_of_a_customer', async () => {
  const { customer_key, rooms, user_identity_key } = await house()
  const reservation_key = unique('booking')
  await seam.customers.pushData({
    customer_key,
    reservations: [{ reservation_key, user_identity_key, space_keys: [rooms[0]], starts_at: at(2), ends_at: at(26) }],
  })
  await some(reservation_key)
  await seam.customers.deleteData({ customer_keys: [customer_key] })
  await until('the grants are gone', async () => (await grantsOf(reservation_key)).length === 0)
  await until('the spaces are gone', async () => (await seam.spaces.list({ customer_key })).length === 0)
})

scenario('delete_people_and_spaces', async () => {
  const { rooms, user_identity_key } = await house()
  await seam.customers.deleteData({ user_identity_keys: [user_identity_key], space_keys: [rooms[1]] })
  await until('the person is gone', async () => notFound(() => seam.userIdentities.get({ user_identity_key })).then(() => true, () => false))
  await until('the space is gone', async () => notFound(() => seam.spaces.get({ space_key: rooms[1] })).then(() => true, () => false))
  assert.ok(await seam.spaces.get({ space_key: rooms[0] }))
})

scenario('what_cannot_be', async () => {
  const error = await refused(() => seam.customers.pushData({ customer_key: '', reservations: [] }), 400, 'invalid_input')
  assert.ok(error.validationErrors.some(({ parameterName }) => parameterName === 'customer_key'))
  await refused(() => seam.customers.pushData({ customer_key: 'house', reservations: [{ name: 'no key' }] }), 400, 'invalid_input')
})
