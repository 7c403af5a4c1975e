import { randomUUID } from 'node:crypto'
import { assert, guest, ids, notFound, refused, scenario, seam, stay, unique, until } from './_hotel.mjs'

/** A person who has a mobile key, and the key's method. */
async function holder() {
  const who = await guest()
  const grant = await stay({ doors: ['room-101'], modes: ['mobile_key'], who, reservation_key: unique('stay') })
  const method = await until('the link is there', async () => {
    const [now] = await seam.accessMethods.list({ access_grant_id: grant.access_grant_id })
    return now?.instant_key_url && now
  })
  return { who, grant, method }
}

scenario('made_with_a_mobile_key', async () => {
  const { who, grant, method } = await holder()
  const { user_identity_id } = who
  const keys = await seam.instantKeys.list({ user_identity_id })
  assert.equal(keys.length, 1)
  const [key] = keys
  assert.equal(key.instant_key_url, method.instant_key_url)
  assert.equal(key.user_identity_id, user_identity_id)
  assert.ok(new Date(key.expires_at) > new Date())
  assert.deepEqual(await seam.instantKeys.get({ instant_key_id: key.instant_key_id }), key)
  assert.deepEqual(await seam.instantKeys.get({ instant_key_url: key.instant_key_url }), key)
  const batch = await seam.accessMethods.getRelated({ access_method_ids: [method.access_method_id], include: ['instant_keys', 'client_sessions'] })
  assert.deepEqual(ids(batch.instant_keys, 'instant_key_id'), [key.instant_key_id])
  assert.deepEqual(ids(batch.client_sessions, 'client_session_id'), [key.client_session_id])
  assert.equal((await seam.accessGrants.get({ access_grant_id: grant.access_grant_id })).instant_key_url, key.instant_key_url)
})

scenario('generated_for_a_person', async () => {
  const { who } = await holder()
  const { user_identity_id } = who
  const key = await seam.userIdentities.generateInstantKey({ user_identity_id, max_use_count: 5 })
  assert.equal(key.user_identity_id, user_identity_id)
  assert.ok(new URL(key.instant_key_url))
  assert.equal((await seam.instantKeys.list({ user_identity_id })).length, 2)
  await notFound(() => seam.userIdentities.generateInstantKey({ user_identity_id: randomUUID() }), 'user_identity_not_found')
  await refused(() => seam.userIdentities.generateInstantKey({ user_identity_id, max_use_count: 0 }), 400, 'invalid_input')
})

scenario('two_mobile_keys_have_no_link_of_the_grant', async () => {
  const grant = await stay({ doors: ['room-101'], modes: ['mobile_key', 'mobile_key'], reservation_key: unique('stay') })
  await until('both links are there', async () =>
    (await seam.accessMethods.list({ access_grant_id: grant.access_grant_id })).filter((one) => one.instant_key_url).length === 2)
  assert.equal((await seam.accessGrants.get({ access_grant_id: grant.access_grant_id })).instant_key_url, undefined)
})

scenario('list', async () => {
  const { who, method } = await holder()
  const all = await seam.instantKeys.list()
  assert.ok(all.some(({ instant_key_url }) => instant_key_url === method.instant_key_url))
  assert.equal((await seam.instantKeys.list({ user_identity_id: who.user_identity_id })).length, 1)
  await notFound(() => seam.instantKeys.get({ instant_key_id: randomUUID() }), 'instant_key_not_found')
})

scenario('delete', async () => {
  const { who, method } = await holder()
  const [{ instant_key_id }] = await seam.instantKeys.list({ user_identity_id: who.user_identity_id })
  await seam.instantKeys.delete({ instant_key_id })
  assert.deepEqual(await seam.instantKeys.list({ user_identity_id: who.user_identity_id }), [])
  await notFound(() => seam.instantKeys.get({ instant_key_id }), 'instant_key_not_found')
  await notFound(() => seam.instantKeys.get({ instant_key_url: method.instant_key_url }), 'instant_key_not_found')
})
