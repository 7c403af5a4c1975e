import { randomUUID } from 'node:crypto'
import { assert, at, door, encoder, guest, ids, notFound, opens, same, scenario, seam, staysShut, until } from './_hotel.mjs'

/** A credential made without a grant, for one person at one door. */
async function credential(name, access_method, more = {}) {
  const { user_identity_id } = more.who ?? (await guest())
  const { acs_entrance_id, acs_system_id } = await door(name)
  const { who: _, ...rest } = more
  return await seam.acs.credentials.create({
    user_identity_id,
    acs_system_id,
    access_method,
    allowed_acs_entrance_ids: [acs_entrance_id],
    starts_at: at(-1),
    ends_at: at(24),
    ...rest,
  })
}
const get = (acs_credential_id) => seam.acs.credentials.get({ acs_credential_id })
const issued = ({ acs_credential_id }) => until('the credential is issued', async () => {
  const now = await get(acs_credential_id)
  return now.is_issued && now
})

scenario('code', async () => {
  const made = await credential('gym', 'code', { code: '246813' })
  assert.equal(made.access_method, 'code')
  assert.equal(made.is_managed, true)
  assert.ok(same(made.ends_at, at(24)))
  const live = await issued(made)
  assert.equal(live.code, '246813')
  await opens('gym', live)
  await staysShut('lobby', live)
})

scenario('card', async () => {
  const made = await credential('gym', 'card')
  assert.ok(!made.is_issued)
  const { acs_encoder_id } = await encoder()
  const attempt = await seam.acs.encoders.encodeCredential({ acs_encoder_id, acs_credential_id: made.acs_credential_id })
  assert.equal(attempt.status, 'success')
  const live = await issued(made)
  assert.ok(live.issued_at)
  await opens('gym', live)
})

scenario('list_filters', async () => {
  const who = await guest()
  const { acs_credential_id, acs_system_id, acs_user_id } = await credential('gym', 'code', { who })
  const found = async (filter) => ids(await seam.acs.credentials.list(filter), 'acs_credential_id')
  assert.deepEqual(await found({ user_identity_id: who.user_identity_id }), [acs_credential_id])
  assert.ok((await found({ acs_system_id })).includes(acs_credential_id))
  assert.ok(!(await found({ created_before: at(-1) })).includes(acs_credential_id))
  assert.ok((await found({ is_multi_phone_sync_credential: false })).includes(acs_credential_id))
  if (acs_user_id) assert.deepEqual(await found({ acs_user_id }), [acs_credential_id])
  assert.deepEqual(await found({ acs_system_id: randomUUID() }), [])
})

scenario('pages', async () => {
  for (let i = 0; i < 4; i++) await credential('gym', 'code')
  const all = ids(await seam.acs.credentials.list(), 'acs_credential_id')
  const paged = await seam.createPaginator(seam.acs.credentials.list({ limit: 3 })).flattenToArray()
  assert.deepEqual(ids(paged, 'acs_credential_id'), all)
})

scenario('accessible_entrances', async () => {
  const { acs_credential_id } = await credential('gym', 'code')
  const doors = await seam.acs.credentials.listAccessibleEntrances({ acs_credential_id })
  assert.deepEqual(doors.map(({ display_name }) => display_name), ['gym'])
  await notFound(() => seam.acs.credentials.listAccessibleEntrances({ acs_credential_id: randomUUID() }), 'acs_credential_not_found')
})

scenario('update', async () => {
  const { acs_credential_id } = await credential('gym', 'code')
  await seam.acs.credentials.update({ acs_credential_id, ends_at: at(30), code: '864213' })
  const after = await until('the new code is set', async () => {
    const now = await get(acs_credential_id)
    return now.code === '864213' && now
  })
  assert.ok(same(after.ends_at, at(30)))
})

scenario('assign_and_unassign', async () => {
  const [one, two] = [await guest(), await guest()]
  const { acs_credential_id } = await credential('gym', 'card', { who: one })
  await seam.acs.credentials.unassign({ acs_credential_id, user_identity_id: one.user_identity_id })
  assert.equal((await get(acs_credential_id)).user_identity_id, undefined)
  await seam.acs.credentials.assign({ acs_credential_id, user_identity_id: two.user_identity_id })
  assert.deepEqual(ids(await seam.acs.credentials.list({ user_identity_id: two.user_identity_id }), 'acs_credential_id'), [acs_credential_id])
  assert.deepEqual(await seam.acs.credentials.list({ user_identity_id: one.user_identity_id }), [])
})

scenario('delete', async () => {
  const made = await credential('gym', 'code')
  const { acs_credential_id } = made
  await issued(made)
  await seam.acs.credentials.delete({ acs_credential_id })
  await until('the credential is gone', async () => !ids(await seam.acs.credentials.list(), 'acs_credential_id').includes(acs_credential_id))
  await notFound(() => get(acs_credential_id), 'acs_credential_not_found')
})
