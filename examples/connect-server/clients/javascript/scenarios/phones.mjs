import { randomUUID } from 'node:crypto'
import { assert, guest, ids, notFound, refused, scenario, seam, unique } from './_hotel.mjs'

const { simulate } = seam.phones

scenario('create_list_get_deactivate', async () => {
  const { user_identity_id } = await guest()
  const android = await simulate.createSandboxPhone({ user_identity_id })
  assert.equal(android.device_type, 'android_phone')
  assert.ok(android.display_name)
  const phone_metadata = { operating_system: 'ios', os_version: '17', device_manufacturer: 'apple', device_model: 'iPhone 15' }
  const ios = await simulate.createSandboxPhone({ user_identity_id, phone_metadata })
  assert.equal(ios.device_type, 'ios_phone')
  const mine = () => seam.phones.list({ owner_user_identity_id: user_identity_id })
  assert.deepEqual(ids(await mine(), 'device_id'), ids([android, ios], 'device_id'))
  assert.ok(ids(await seam.phones.list(), 'device_id').includes(ios.device_id))
  assert.deepEqual(await seam.phones.get({ device_id: ios.device_id }), ios)
  await seam.phones.deactivate({ device_id: android.device_id })
  await notFound(() => seam.phones.get({ device_id: android.device_id }), 'phone_not_found')
  assert.deepEqual(ids(await mine(), 'device_id'), [ios.device_id])
})

scenario('one_installation_is_one_phone', async () => {
  const { user_identity_id } = await guest()
  const custom_sdk_installation_id = unique('app')
  const first = await simulate.createSandboxPhone({ user_identity_id, custom_sdk_installation_id })
  assert.deepEqual(await simulate.createSandboxPhone({ user_identity_id, custom_sdk_installation_id }), first)
})

scenario('unknown_and_wrong', async () => {
  await notFound(() => simulate.createSandboxPhone({ user_identity_id: randomUUID() }), 'user_identity_not_found')
  await notFound(() => seam.phones.deactivate({ device_id: randomUUID() }), 'phone_not_found')
  const { user_identity_id } = await guest()
  await refused(() => simulate.createSandboxPhone({ user_identity_id, phone_metadata: { operating_system: 'symbian' } }), 400, 'invalid_input')
})
