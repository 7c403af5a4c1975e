import { randomUUID } from 'node:crypto'
import { SeamActionAttemptFailedError } from 'seam'
import { assert, at, door, encode, guest, ids, isDead, methodsOf, notFound, opens, ready, refused, scenario, seam, stay, staysShut, unique, until } from './_hotel.mjs'

const get = (access_method_id) => seam.accessMethods.get({ access_method_id })

scenario('code', async () => {
  const grant = await stay({ doors: ['gym', 'lobby'], modes: [{ mode: 'code', code: '713265' }] })
  const [method] = await ready(grant)
  assert.equal(method.mode, 'code')
  assert.equal(method.is_issued, true)
  assert.ok(method.issued_at)
  assert.equal(method.code, '713265')
  await opens('gym', method)
  await opens('lobby', method)
  const types = async () => (await seam.events.list({ access_grant_id: grant.access_grant_id, since: at(-1) })).map(({ event_type }) => event_type)
  await until('all doors are told', async () => (await types()).includes('access_grant.access_granted_to_all_doors'))
  const told = await types()
  assert.equal(told[0], 'access_grant.created')
  assert.equal(told.filter((type) => type === 'access_grant.access_granted_to_door').length, 2)
  assert.equal(told.at(-1), 'access_grant.access_granted_to_all_doors')
})

scenario('codes_differ', async () => {
  const codes = []
  for (let i = 0; i < 3; i++) codes.push((await ready(await stay({ doors: ['gym'], modes: ['code'] })))[0].code)
  assert.equal(new Set(codes).size, 3)
  assert.ok(codes.every((code) => /^\d{4,9}$/.test(code)), codes.join())
})

scenario('a_code_that_is_taken', async () => {
  const request = [{ mode: 'code', code: '502917' }]
  const [first] = await ready(await stay({ doors: ['gym'], modes: request }))
  const [second] = await ready(await stay({ doors: ['gym'], modes: request }))
  assert.equal(first.code, '502917')
  assert.notEqual(second.code, '502917', 'a wish, not a promise: no two people share a code')
})

scenario('a_code_that_cannot_be', async () => {
  for (const code of ['12', '1234567890', '12ab']) {
    const error = await refused(() => stay({ doors: ['gym'], modes: [{ mode: 'code', code }] }), 400, 'invalid_input')
    assert.ok(error.validationErrors.length > 0)
  }
})

scenario('card', async () => {
  const grant = await stay({ doors: ['room-101', 'gym'], modes: ['card'], reservation_key: unique('stay') })
  const [method] = await ready(grant)
  assert.equal(method.mode, 'card')
  assert.equal(method.is_issued, false)
  assert.equal(method.is_encoding_required, true)
  const written = await encode(method)
  assert.equal(written.is_encoding_required, false)
  await opens('room-101', written)
  await opens('gym', written)
  await staysShut('lobby', written)
})

scenario('a_lost_card', async () => {
  const grant = await stay({ doors: ['room-101'], modes: ['card'], reservation_key: unique('stay') })
  const [lost] = await ready(grant)
  await encode(lost)
  await opens('room-101', lost)
  await seam.accessMethods.delete({ access_method_id: lost.access_method_id })
  await until('the method is gone', async () => !ids(await methodsOf(grant), 'access_method_id').includes(lost.access_method_id))
  await seam.accessGrants.requestAccessMethods({ access_grant_id: grant.access_grant_id, requested_access_methods: [{ mode: 'card' }] })
  const [fresh] = await ready(grant, 1)
  await encode(fresh)
  await opens('room-101', fresh)
  await isDead('room-101', lost)
})

scenario('cloud_key', async () => {
  const grant = await stay({ doors: ['lobby'], modes: ['cloud_key'] })
  const [{ access_method_id, is_issued }] = await ready(grant)
  assert.equal(is_issued, true)
  const { acs_entrance_id } = await door('lobby')
  const attempt = await seam.accessMethods.unlockDoor({ access_method_id, acs_entrance_id })
  assert.equal(attempt.action_type, 'UNLOCK_DOOR')
  assert.equal(attempt.status, 'success')
  const gym = (await door('gym')).acs_entrance_id
  const foreign = await seam.accessMethods.unlockDoor({ access_method_id, acs_entrance_id: gym }).then(() => undefined, (error) => error)
  assert.ok(foreign, 'another door is not unlocked')
  const [code] = await ready(await stay({ doors: ['lobby'], modes: ['code'] }))
  await refused(() => seam.accessMethods.unlockDoor({ access_method_id: code.access_method_id, acs_entrance_id }), 400)
})

scenario('a_cloud_key_before_its_time', async () => {
  const early = await stay({ doors: ['lobby'], modes: ['cloud_key'], from: 24, to: 48 })
  const [{ access_method_id }] = await until('the method is there', async () => {
    const methods = await methodsOf(early)
    return methods.length > 0 && methods
  })
  const { acs_entrance_id } = await door('lobby')
  const error = await seam.accessMethods.unlockDoor({ access_method_id, acs_entrance_id }).then(() => undefined, (problem) => problem)
  assert.ok(error, 'a key that is not valid yet unlocks nothing')
  if (!(error instanceof SeamActionAttemptFailedError)) assert.ok([400, 409].includes(error.statusCode), String(error.statusCode))
})

scenario('mobile_key', async () => {
  const who = await guest()
  const grant = await stay({ doors: ['room-102'], modes: [{ mode: 'mobile_key', instant_key_max_use_count: 3 }], who, reservation_key: unique('stay') })
  const method = await until('the key can be handed out', async () => {
    const [now] = await methodsOf(grant)
    return now?.instant_key_url && now.client_session_token && now
  })
  assert.match(method.client_session_token, /^seam_cst/)
  assert.ok(new URL(method.instant_key_url))
  const after = await seam.accessGrants.get({ access_grant_id: grant.access_grant_id })
  assert.equal(after.instant_key_url, method.instant_key_url)
  assert.equal(after.client_session_token, method.client_session_token)
  const key = await seam.instantKeys.get({ instant_key_url: method.instant_key_url })
  assert.equal(key.user_identity_id, who.user_identity_id)
  const live = await until('the key is issued', async () => {
    const now = await get(method.access_method_id)
    return now.is_issued && now
  })
  await opens('room-102', live)
  await staysShut('room-101', live)
})

scenario('list_filters', async () => {
  const access_grant_key = unique('grant')
  const grant = await stay({ doors: ['gym', 'lobby'], modes: ['code'], access_grant_key })
  const [{ access_method_id }] = await ready(grant)
  const { access_grant_id } = grant
  const found = async (filter) => ids(await seam.accessMethods.list(filter), 'access_method_id')
  assert.deepEqual(await found({ access_grant_id }), [access_method_id])
  assert.deepEqual(await found({ access_grant_key }), [access_method_id])
  const { acs_entrance_id } = await door('gym')
  assert.ok((await found({ acs_entrance_id })).includes(access_method_id))
  assert.deepEqual(await found({ access_grant_id, acs_entrance_id: (await door('room-101')).acs_entrance_id }), [])
  const paged = await seam.createPaginator(seam.accessMethods.list({ acs_entrance_id, limit: 2 })).flattenToArray()
  assert.deepEqual(ids(paged, 'access_method_id'), await found({ acs_entrance_id }))
  await notFound(() => found({ access_grant_id: randomUUID() }), 'access_grant_not_found')
})

scenario('get_related', async () => {
  const grant = await stay({ doors: ['gym'], modes: ['code'] })
  const [{ access_method_id }] = await ready(grant)
  const batch = await seam.accessMethods.getRelated({ access_method_ids: [access_method_id] })
  assert.deepEqual(ids(batch.access_grants, 'access_grant_id'), [grant.access_grant_id])
  assert.deepEqual(batch.acs_entrances.map(({ display_name }) => display_name), ['gym'])
  assert.equal(batch.acs_credentials.length, 1)
  const narrow = await seam.accessMethods.getRelated({ access_method_ids: [access_method_id], include: ['access_grants'] })
  assert.equal(narrow.acs_entrances, undefined)
  await notFound(() => seam.accessMethods.getRelated({ access_method_ids: [randomUUID()] }), 'access_method_not_found')
})

scenario('delete_one_and_all', async () => {
  const grant = await stay({ doors: ['lobby'], modes: ['code', 'cloud_key'] })
  const { access_grant_id } = grant
  const [one, other] = await ready(grant, 2)
  await seam.accessMethods.delete({ access_method_id: one.access_method_id })
  await until('one is left', async () => ids(await methodsOf(grant), 'access_method_id').join() === other.access_method_id)
  await notFound(() => get(one.access_method_id), 'access_method_not_found')
  await seam.accessMethods.delete({ access_grant_id })
  await until('none is left', async () => (await methodsOf(grant)).length === 0)
  assert.equal((await seam.accessGrants.get({ access_grant_id })).access_grant_id, access_grant_id, 'the grant stays')
})

scenario('assign_card', async () => {
  // The hotel writes its cards; there is no card that could be assigned by its number.
  const [{ access_method_id }] = await ready(await stay({ doors: ['gym'], modes: ['card'] }))
  const error = await seam.accessMethods.assignCard({ access_method_id, card_number: '12345' }).then(() => assert.fail('was assigned'), (problem) => problem)
  if (error instanceof SeamActionAttemptFailedError) assert.ok(['credential_not_found', 'uncategorized_error'].includes(error.code), error.code)
  else assert.equal(error.statusCode, 400)
})
