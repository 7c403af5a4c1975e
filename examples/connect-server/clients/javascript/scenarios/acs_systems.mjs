import { randomUUID } from 'node:crypto'
import { assert, hotel, ids, notFound, office, refused, scenario, seam } from './_hotel.mjs'

scenario('list', async () => {
  const systems = await seam.acs.systems.list()
  assert.equal(systems.length, 2)
  assert.ok(await office())
  for (const system of systems) assert.deepEqual(system.errors, [])
})

scenario('list_filters', async () => {
  const system = await office()
  const { connected_account_id } = system
  const ofAccount = await seam.acs.systems.list({ connected_account_id })
  assert.ok(ids(ofAccount, 'acs_system_id').includes(system.acs_system_id))
  assert.ok(ofAccount.every((one) => one.connected_account_id === connected_account_id))
  assert.deepEqual(ids(await seam.acs.systems.list({ search: 'offic' }), 'acs_system_id'), [system.acs_system_id])
  assert.deepEqual(await seam.acs.systems.list({ connected_account_id: randomUUID() }), [])
  assert.deepEqual(await seam.acs.systems.list({ customer_key: 'nobody' }), [])
})

scenario('get', async () => {
  const system = await office()
  const got = await seam.acs.systems.get({ acs_system_id: system.acs_system_id })
  assert.equal(got.acs_system_id, system.acs_system_id)
  assert.equal(got.acs_access_group_count ?? 2, 2)
  assert.equal(got.is_credential_manager, false)
  await notFound(() => seam.acs.systems.get({ acs_system_id: randomUUID() }), 'acs_system_not_found')
})

scenario('compatible_credential_managers', async () => {
  const { acs_system_id } = await hotel()
  const managers = await seam.acs.systems.listCompatibleCredentialManagerAcsSystems({ acs_system_id })
  assert.ok(managers.every((one) => one.is_credential_manager))
  await notFound(() => seam.acs.systems.listCompatibleCredentialManagerAcsSystems({ acs_system_id: randomUUID() }), 'acs_system_not_found')
})

scenario('report_devices_needs_a_system_that_is_told', async () => {
  const { acs_system_id } = await hotel()
  const report = { acs_system_id, acs_entrances: [{ hotek_metadata: { room_number: '7' } }] }
  await refused(() => seam.acs.systems.reportDevices(report), 400)
})
