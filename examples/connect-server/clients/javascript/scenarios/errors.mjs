import { randomUUID } from 'node:crypto'
import { Seam, SeamHttpInvalidInputError, SeamHttpUnauthorizedError } from 'seam'
import { assert, endpoint, guest, key, notFound, raw, refused, scenario, seam } from './_hotel.mjs'

const shape = ({ status, body, headers }, wanted, type) => {
  assert.equal(status, wanted, JSON.stringify(body))
  assert.equal(body.ok, false)
  assert.equal(typeof body.error.message, 'string')
  if (type) assert.equal(body.error.type, type)
  assert.match(headers.get('content-type'), /^application\/json/)
  assert.ok(headers.get('seam-request-id'))
}

scenario('a_wrong_key', async () => {
  const stranger = new Seam({ endpoint, apiKey: 'seam_wrong_key' })
  const error = await stranger.workspaces.get().then(() => assert.fail('was let in'), (problem) => problem)
  assert.ok(error instanceof SeamHttpUnauthorizedError, error.name)
  assert.equal(error.statusCode, 401)
  assert.ok(error.requestId)
})

scenario('no_key_or_half_a_key', async () => {
  shape(await raw('/workspaces/get', { method: 'GET', token: null }), 401, 'unauthorized')
  for (const authorization of ['Bearer', `Basic ${key}`, key, `bearer  ${key} x`]) {
    shape(await raw('/workspaces/get', { method: 'GET', token: null, headers: { authorization } }), 401, 'unauthorized')
  }
})

scenario('each_parameter_says_what_is_wrong', async () => {
  const call = () => seam.accessGrants.create({
    user_identity_id: 'no uuid',
    acs_entrance_ids: 'no list',
    requested_access_methods: [{ mode: 'fob' }],
    ends_at: 17,
  })
  const error = await call().then(() => assert.fail('was taken'), (problem) => problem)
  assert.ok(error instanceof SeamHttpInvalidInputError, error.name)
  assert.equal(error.code, 'invalid_input')
  const names = error.validationErrors.map(({ parameterName }) => parameterName)
  assert.ok(names.length >= 2, `all wrong parameters at once, not the first only: ${names}`)
  for (const name of names) assert.ok(error.getValidationErrorMessages(name).length > 0 || name === 'requested_access_methods', name)
  assert.ok(names.includes('acs_entrance_ids'), names.join())
})

scenario('a_missing_parameter_is_named', async () => {
  const answer = await raw('/access_grants/create', { body: { user_identity: { full_name: 'Nobody' } } })
  shape(answer, 400, 'invalid_input')
  assert.ok(answer.body.error.validation_errors.requested_access_methods._errors.length > 0)
  const get = await raw('/access_grants/get', { method: 'GET' })
  shape(get, 400, 'invalid_input')
})

scenario('what_is_not_there', async () => {
  const id = randomUUID()
  const { acs } = seam
  await notFound(() => acs.systems.get({ acs_system_id: id }), 'acs_system_not_found')
  await notFound(() => acs.entrances.get({ acs_entrance_id: id }), 'acs_entrance_not_found')
  await notFound(() => acs.accessGroups.get({ acs_access_group_id: id }), 'acs_access_group_not_found')
  await notFound(() => acs.users.get({ acs_user_id: id }), 'acs_user_not_found')
  await notFound(() => acs.credentials.get({ acs_credential_id: id }), 'acs_credential_not_found')
  await notFound(() => acs.encoders.get({ acs_encoder_id: id }), 'acs_encoder_not_found')
  await notFound(() => seam.spaces.get({ space_id: id }), 'space_not_found')
  await notFound(() => seam.userIdentities.get({ user_identity_id: id }), 'user_identity_not_found')
  await notFound(() => seam.accessGrants.get({ access_grant_id: id }), 'access_grant_not_found')
  await notFound(() => seam.accessMethods.get({ access_method_id: id }), 'access_method_not_found')
  await notFound(() => seam.instantKeys.get({ instant_key_id: id }), 'instant_key_not_found')
  await notFound(() => seam.events.get({ event_id: id }), 'event_not_found')
  await notFound(() => seam.actionAttempts.get({ action_attempt_id: id }), 'action_attempt_not_found')
  await notFound(() => seam.webhooks.get({ webhook_id: id }), 'webhook_not_found')
  await notFound(() => seam.clientSessions.get({ client_session_id: id }), 'client_session_not_found')
})

scenario('a_route_that_is_not_there', async () => {
  for (const path of ['/', '/access_grants', '/access_grants/nothing', '/access_methods/create', '/%00', '/access_grants/get/']) {
    const answer = await raw(path, { body: {} })
    assert.ok([404, 405].includes(answer.status), `${path}: ${answer.status}`)
    shape(answer, answer.status)
  }
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const answer = await raw('/workspaces/get', { method })
    assert.ok([404, 405].includes(answer.status), `${method}: ${answer.status}`)
    shape(answer, answer.status)
  }
})

scenario('each_request_has_its_own_id', async () => {
  const seen = new Set()
  for (let i = 0; i < 20; i++) seen.add((await raw('/workspaces/get', { method: 'GET' })).headers.get('seam-request-id'))
  assert.equal(seen.size, 20)
  const error = await refused(() => seam.spaces.get({ space_id: randomUUID() }), 404)
  assert.ok(!seen.has(error.requestId))
})

scenario('parameters_that_nobody_knows_are_let_be', async () => {
  const { user_identity_id } = await guest()
  const got = await raw(`/user_identities/get?user_identity_id=${user_identity_id}&_strict=true&of_tomorrow=1`, { method: 'GET' })
  assert.equal(got.status, 200)
  const posted = await raw('/user_identities/get', { body: { user_identity_id, of_tomorrow: { a: 1 } } })
  assert.equal(posted.status, 200)
})

scenario('a_message_never_repeats_a_key', async () => {
  const secret = 'seam_wrong_and_secret'
  const answer = await raw('/workspaces/get', { method: 'GET', token: secret })
  assert.ok(!JSON.stringify(answer.body).includes(secret))
})
