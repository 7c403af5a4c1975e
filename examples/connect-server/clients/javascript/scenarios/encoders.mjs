import { randomUUID } from 'node:crypto'
import { SeamActionAttemptFailedError, SeamActionAttemptTimeoutError } from 'seam'
import { assert, encode, encoder, guest, hotel, ids, notFound, opens, ready, refused, scenario, seam, stay, unique, until } from './_hotel.mjs'

const { simulate } = seam.acs.encoders
const related = async ({ access_method_id }) =>
  (await seam.accessMethods.getRelated({ access_method_ids: [access_method_id], include: ['acs_credentials'] })).acs_credentials[0]

/** A method that waits for its card, and its encoder. */
async function waiting() {
  const [{ access_method_id }] = await ready(await stay({ doors: ['room-101'], modes: ['card'], reservation_key: unique('stay') }))
  return { access_method_id, acs_encoder_id: (await encoder()).acs_encoder_id }
}

/** The attempt fails, as the client's own waiting sees it, with this type. */
async function fails(call, type) {
  const error = await call().then(() => assert.fail(`did not fail with ${type}`), (problem) => problem)
  assert.ok(error instanceof SeamActionAttemptFailedError, `${error.name}: ${error.message}`)
  assert.equal(error.code, type)
  assert.equal(error.actionAttempt.status, 'error')
  assert.ok(error.message)
  return error
}

scenario('list_and_get', async () => {
  const all = await seam.acs.encoders.list()
  assert.equal(all.length, 1)
  const [{ acs_encoder_id, acs_system_id }] = all
  assert.equal(acs_system_id, (await hotel()).acs_system_id)
  assert.deepEqual(ids(await seam.acs.encoders.list({ acs_system_id }), 'acs_encoder_id'), [acs_encoder_id])
  assert.deepEqual(ids(await seam.acs.encoders.list({ acs_system_ids: [acs_system_id] }), 'acs_encoder_id'), [acs_encoder_id])
  assert.deepEqual(ids(await seam.acs.encoders.list({ acs_encoder_ids: [acs_encoder_id] }), 'acs_encoder_id'), [acs_encoder_id])
  assert.deepEqual(await seam.acs.encoders.list({ acs_system_id: randomUUID() }), [])
  assert.equal((await seam.createPaginator(seam.acs.encoders.list({ limit: 1 })).flattenToArray()).length, 1)
  assert.deepEqual(await seam.acs.encoders.get({ acs_encoder_id }), all[0])
  await notFound(() => seam.acs.encoders.get({ acs_encoder_id: randomUUID() }), 'acs_encoder_not_found')
})

scenario('encode_succeeds', async () => {
  const { access_method_id, acs_encoder_id } = await waiting()
  const before = await seam.accessMethods.get({ access_method_id })
  assert.equal(before.is_encoding_required, true)
  assert.equal(before.is_ready_for_encoding, true)
  assert.equal(before.is_issued, false)
  assert.equal(before.issued_at, null)
  const attempt = await seam.accessMethods.encode({ access_method_id, acs_encoder_id })
  assert.equal(attempt.action_type, 'ENCODE_CREDENTIAL')
  assert.equal(attempt.status, 'success')
  assert.equal(attempt.error, null)
  assert.equal(attempt.result.acs_credential_id, (await related({ access_method_id })).acs_credential_id)
  const after = await until('the method is issued', async () => {
    const method = await seam.accessMethods.get({ access_method_id })
    return method.is_issued && method
  })
  assert.equal(after.is_encoding_required, false)
  assert.ok(after.issued_at)
  await opens('room-101', after)
})

scenario('encode_told_to_succeed', async () => {
  const { access_method_id, acs_encoder_id } = await waiting()
  await simulate.nextCredentialEncodeWillSucceed({ acs_encoder_id, scenario: 'credential_is_issued' })
  const attempt = await seam.acs.encoders.encodeCredential({ access_method_id, acs_encoder_id })
  assert.equal(attempt.status, 'success')
  await opens('room-101', { access_method_id })
})

scenario('encode_fails_and_is_tried_again', async () => {
  const { access_method_id, acs_encoder_id } = await waiting()
  await simulate.nextCredentialEncodeWillFail({ acs_encoder_id })
  const error = await fails(() => seam.accessMethods.encode({ access_method_id, acs_encoder_id }), 'no_credential_on_encoder')
  assert.equal(error.actionAttempt.result, null)
  assert.equal((await seam.accessMethods.get({ access_method_id })).is_issued, false)
  // The order was for the next attempt only; nothing was on the encoder, so the same method can be written at once.
  await encode({ access_method_id })
  await opens('room-101', { access_method_id })
})

for (const error_code of ['uncategorized_error', 'encoding_interrupted']) {
  scenario(`encode_fails_with_${error_code}`, async () => {
    const { access_method_id, acs_encoder_id } = await waiting()
    await simulate.nextCredentialEncodeWillFail({ acs_encoder_id, error_code })
    await fails(() => seam.accessMethods.encode({ access_method_id, acs_encoder_id }), error_code)
    assert.equal((await seam.accessMethods.get({ access_method_id })).is_issued, false)
    await until('the encoder can be used again', () => seam.accessMethods.encode({ access_method_id, acs_encoder_id }).then(() => true, () => false))
  })
}

scenario('encode_without_waiting', async () => {
  const { access_method_id, acs_encoder_id } = await waiting()
  const first = await seam.accessMethods.encode({ access_method_id, acs_encoder_id }, { waitForActionAttempt: false })
  assert.ok(['pending', 'success'].includes(first.status))
  const { action_attempt_id } = first
  const done = await seam.actionAttempts.get({ action_attempt_id }, { waitForActionAttempt: { timeout: 15_000, pollingInterval: 50 } })
  assert.equal(done.status, 'success')
})

scenario('encode_needs_exactly_one_thing', async () => {
  const { access_method_id, acs_encoder_id } = await waiting()
  const { acs_credential_id } = await related({ access_method_id })
  await refused(() => seam.acs.encoders.encodeCredential({ acs_encoder_id }), 400, 'invalid_input')
  await refused(() => seam.acs.encoders.encodeCredential({ acs_encoder_id, access_method_id, acs_credential_id }), 400, 'invalid_input')
  await notFound(() => seam.accessMethods.encode({ acs_encoder_id: randomUUID(), access_method_id }), 'acs_encoder_not_found')
  await notFound(() => seam.accessMethods.encode({ acs_encoder_id, access_method_id: randomUUID() }), 'access_method_not_found')
})

scenario('scan_a_known_card', async () => {
  const { access_method_id, acs_encoder_id } = await waiting()
  await encode({ access_method_id })
  const acs_credential_id_on_seam = (await related({ access_method_id })).acs_credential_id
  await simulate.nextCredentialScanWillSucceed({ acs_encoder_id, scenario: 'credential_exists_on_seam', acs_credential_id_on_seam })
  const { action_type, status, result } = await seam.acs.encoders.scanCredential({ acs_encoder_id })
  assert.equal(action_type, 'SCAN_CREDENTIAL')
  assert.equal(status, 'success')
  assert.equal(result.acs_credential_on_seam.acs_credential_id, acs_credential_id_on_seam)
  assert.equal(result.acs_credential_on_encoder.is_issued, true)
  assert.deepEqual(result.warnings, [])
})

scenario('scan_a_card_that_needs_an_update', async () => {
  const { access_method_id, acs_encoder_id } = await waiting()
  await encode({ access_method_id })
  const acs_credential_id_on_seam = (await related({ access_method_id })).acs_credential_id
  await simulate.nextCredentialScanWillSucceed({ acs_encoder_id, scenario: 'credential_on_encoder_needs_update', acs_credential_id_on_seam })
  const { result } = await seam.acs.encoders.scanCredential({ acs_encoder_id })
  assert.equal(result.acs_credential_on_seam.acs_credential_id, acs_credential_id_on_seam)
  assert.deepEqual(result.warnings.map(({ warning_code }) => warning_code), ['acs_credential_on_encoder_out_of_sync'])
})

scenario('scan_a_foreign_card', async () => {
  const { acs_encoder_id } = await encoder()
  await simulate.nextCredentialScanWillSucceed({ acs_encoder_id, scenario: 'credential_does_not_exist_on_seam' })
  const { result } = await seam.acs.encoders.scanCredential({ acs_encoder_id })
  assert.ok(result.acs_credential_on_encoder)
  assert.equal(result.acs_credential_on_seam, null)
  assert.deepEqual(result.warnings.map(({ warning_code }) => warning_code), ['acs_credential_on_seam_not_found'])
})

scenario('scan_an_empty_card', async () => {
  const { acs_encoder_id } = await encoder()
  await simulate.nextCredentialScanWillSucceed({ acs_encoder_id, scenario: 'credential_on_encoder_is_empty' })
  const { status, result } = await seam.acs.encoders.scanCredential({ acs_encoder_id })
  assert.equal(status, 'success')
  assert.equal(result.acs_credential_on_seam, null)
})

for (const error_code of ['no_credential_on_encoder', 'uncategorized_error']) {
  scenario(`scan_fails_with_${error_code}`, async () => {
    const { acs_encoder_id } = await encoder()
    await simulate.nextCredentialScanWillFail({ acs_encoder_id, error_code })
    await fails(() => seam.acs.encoders.scanCredential({ acs_encoder_id }), error_code)
  })
}

scenario('scan_to_assign', async () => {
  // The hotel's cards are written, not assigned: either the card gets an owner, or the refusal is typed.
  const { acs_encoder_id } = await encoder()
  const { user_identity_id } = await guest()
  const call = () => seam.acs.encoders.scanToAssignCredential({ acs_encoder_id, user_identity_id })
  const outcome = await call().then((attempt) => attempt, (error) => error)
  if (outcome instanceof Error) {
    if (!(outcome instanceof SeamActionAttemptFailedError)) await refused(call, 400, 'not_supported')
    return
  }
  assert.equal(outcome.action_type, 'SCAN_TO_ASSIGN_CREDENTIAL')
  assert.equal(outcome.result.user_identity_id, user_identity_id)
})

// The last two: nobody knows what became of such a job, so the encoder may well be left alone for a while afterwards.
const patient = { waitForActionAttempt: { timeout: 45_000, pollingInterval: 50 } }

scenario('y_scan_fails_with_action_attempt_expired', async () => {
  const { acs_encoder_id } = await encoder()
  await simulate.nextCredentialScanWillFail({ acs_encoder_id, error_code: 'action_attempt_expired' })
  await fails(async () => await seam.acs.encoders.scanCredential({ acs_encoder_id }, patient), 'action_attempt_expired')
})

scenario('z_encode_expires_after_the_client_gave_up', async () => {
  const { access_method_id, acs_encoder_id } = await waiting()
  await simulate.nextCredentialEncodeWillFail({ acs_encoder_id, error_code: 'action_attempt_expired' })
  const impatient = seam.accessMethods.encode({ access_method_id, acs_encoder_id }, { waitForActionAttempt: { timeout: 0, pollingInterval: 1 } })
  const error = await impatient.then(() => undefined, (problem) => problem)
  assert.ok(error instanceof SeamActionAttemptTimeoutError, `${error?.name}: ${error?.message}`)
  assert.equal(error.actionAttempt.status, 'pending')
  const { action_attempt_id } = error.actionAttempt
  await fails(async () => await seam.actionAttempts.get({ action_attempt_id }, patient), 'action_attempt_expired')
  assert.equal((await seam.accessMethods.get({ access_method_id })).is_issued, false)
})
