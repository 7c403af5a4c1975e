import { randomUUID } from 'node:crypto'
import { assert, at, guest, ids, notFound, raw, refused, same, scenario, seam, stay, unique, until } from './_hotel.mjs'

const get = (client_session_id) => seam.clientSessions.get({ client_session_id })
const asSession = (path, token, body = {}) => raw(path, { body, token, headers: { 'client-session-token': token } })

scenario('create_and_get', async () => {
  const { user_identity_id } = await guest()
  const user_identifier_key = unique('phone')
  const made = await seam.clientSessions.create({ user_identity_id, user_identifier_key, expires_at: at(24) })
  assert.match(made.token, /^seam_cst/)
  assert.equal(made.user_identity_id, user_identity_id)
  assert.deepEqual(made.user_identity_ids, [user_identity_id])
  assert.equal(made.user_identifier_key, user_identifier_key)
  assert.ok(same(made.expires_at, at(24)))
  assert.equal((await get(made.client_session_id)).client_session_id, made.client_session_id)
  assert.equal((await seam.clientSessions.get({ user_identifier_key })).client_session_id, made.client_session_id)
  await notFound(() => get(randomUUID()), 'client_session_not_found')
  await notFound(() => seam.clientSessions.create({ user_identity_id: randomUUID() }), 'user_identity_not_found')
})

scenario('get_or_create', async () => {
  const { user_identity_id } = await guest()
  const user_identifier_key = unique('phone')
  const ask = () => seam.clientSessions.getOrCreate({ user_identifier_key, user_identity_id })
  const made = await ask()
  assert.equal((await ask()).client_session_id, made.client_session_id)
})

scenario('grant_access', async () => {
  const { user_identity_id } = await guest()
  const { client_session_id } = await seam.clientSessions.create({ user_identifier_key: unique('phone') })
  await seam.clientSessions.grantAccess({ client_session_id, user_identity_id })
  assert.equal((await get(client_session_id)).user_identity_id, user_identity_id)
})

scenario('list_filters', async () => {
  const { user_identity_id } = await guest()
  const user_identifier_key = unique('phone')
  const { client_session_id } = await seam.clientSessions.create({ user_identity_id, user_identifier_key })
  const nameless = await seam.clientSessions.create({ user_identity_id: (await guest()).user_identity_id })
  const found = async (filter) => ids(await seam.clientSessions.list(filter), 'client_session_id')
  for (const filter of [{ client_session_id }, { user_identifier_key }, { user_identity_id }]) {
    assert.deepEqual(await found(filter), [client_session_id], JSON.stringify(filter))
  }
  const without = await found({ without_user_identifier_key: true })
  assert.ok(without.includes(nameless.client_session_id) && !without.includes(client_session_id))
})

scenario('the_session_of_a_mobile_key', async () => {
  const who = await guest()
  const grant = await stay({ doors: ['room-101'], modes: ['mobile_key'], who, reservation_key: unique('stay') })
  const other = await stay({ doors: ['lobby'], modes: ['code'] })
  const { client_session_token, access_method_id } = await until('the token is there', async () => {
    const [now] = await seam.accessMethods.list({ access_grant_id: grant.access_grant_id })
    return now?.client_session_token && now
  })
  const [session] = await seam.clientSessions.list({ user_identity_id: who.user_identity_id })
  assert.equal(session.token, client_session_token)
  // The phone sees what belongs to its person, and nothing else.
  const own = await asSession('/access_methods/get', client_session_token, { access_method_id })
  assert.equal(own.status, 200, JSON.stringify(own.body))
  const foreign = await asSession('/access_grants/get', client_session_token, { access_grant_id: other.access_grant_id })
  assert.ok([401, 403, 404].includes(foreign.status), String(foreign.status))
  const rights = await asSession('/acs/entrances/list', client_session_token)
  if (rights.status === 200) assert.ok(rights.body.acs_entrances.every(({ display_name }) => display_name === 'room-101'))
})

scenario('revoke_and_delete', async () => {
  const { user_identity_id } = await guest()
  const revoked = await seam.clientSessions.create({ user_identity_id })
  await seam.clientSessions.revoke({ client_session_id: revoked.client_session_id })
  assert.equal((await asSession('/user_identities/list', revoked.token)).status, 401, 'a revoked token opens nothing')
  const { client_session_id, token } = await seam.clientSessions.create({ user_identity_id })
  await seam.clientSessions.delete({ client_session_id })
  await notFound(() => get(client_session_id), 'client_session_not_found')
  assert.equal((await asSession('/user_identities/list', token)).status, 401)
  await refused(() => seam.clientSessions.delete({ client_session_id: randomUUID() }), 404, 'client_session_not_found')
})
