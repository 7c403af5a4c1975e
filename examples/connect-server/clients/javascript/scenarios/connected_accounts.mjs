import { randomUUID } from 'node:crypto'
import { assert, hotel, ids, notFound, office, scenario, seam, unique, until } from './_hotel.mjs'

const account = async () => seam.connectedAccounts.get({ connected_account_id: (await hotel()).connected_account_id })

scenario('list_and_get', async () => {
  const all = await seam.connectedAccounts.list()
  const { connected_account_id } = await hotel()
  assert.ok(ids(all, 'connected_account_id').includes(connected_account_id))
  assert.ok(ids(all, 'connected_account_id').includes((await office()).connected_account_id))
  const one = await seam.connectedAccounts.get({ connected_account_id })
  assert.deepEqual(one, all.find((other) => other.connected_account_id === connected_account_id))
  assert.deepEqual(one.errors, [])
  assert.ok(one.display_name)
  await notFound(() => seam.connectedAccounts.get({ connected_account_id: randomUUID() }), 'connected_account_not_found')
})

scenario('pages_and_filters', async () => {
  const all = await seam.connectedAccounts.list()
  const paged = await seam.createPaginator(seam.connectedAccounts.list({ limit: 1 })).flattenToArray()
  assert.deepEqual(paged, all)
  assert.deepEqual(await seam.connectedAccounts.list({ customer_key: unique('nobody') }), [])
  assert.deepEqual(await seam.connectedAccounts.list({ custom_metadata_has: { unknown: unique('x') } }), [])
})

scenario('update', async () => {
  const { connected_account_id } = await account()
  const [floor, name, customer_key] = [unique('floor'), unique('Front desk'), unique('customer')]
  await seam.connectedAccounts.update({ connected_account_id, custom_metadata: { floor, vip: true }, display_name: name, customer_key })
  const after = await account()
  assert.equal(after.custom_metadata.floor, floor)
  assert.equal(after.custom_metadata.vip, true)
  assert.equal(after.display_name, name)
  assert.deepEqual(ids(await seam.connectedAccounts.list({ customer_key }), 'connected_account_id'), [connected_account_id])
  assert.deepEqual(ids(await seam.connectedAccounts.list({ custom_metadata_has: { floor } }), 'connected_account_id'), [connected_account_id])
  assert.deepEqual(ids(await seam.connectedAccounts.list({ search: name.toUpperCase() }), 'connected_account_id'), [connected_account_id])
  await seam.connectedAccounts.update({ connected_account_id, display_name: null, custom_metadata: { floor: null } })
  const last = await account()
  assert.notEqual(last.display_name, name)
  assert.equal(last.custom_metadata.floor, undefined)
  await notFound(() => seam.connectedAccounts.update({ connected_account_id: randomUUID(), display_name: 'x' }), 'connected_account_not_found')
})

scenario('sync', async () => {
  const { connected_account_id } = await account()
  await seam.connectedAccounts.sync({ connected_account_id })
  assert.deepEqual((await account()).errors, [])
  await notFound(() => seam.connectedAccounts.sync({ connected_account_id: randomUUID() }), 'connected_account_not_found')
})

scenario('z_delete', async () => {
  const { connected_account_id } = await office()
  await seam.connectedAccounts.delete({ connected_account_id })
  await notFound(() => seam.connectedAccounts.get({ connected_account_id }), 'connected_account_not_found')
  await until('its system says so', async () => (await seam.acs.systems.list({ connected_account_id })).every(({ errors }) => errors.length > 0))
  assert.ok(!ids(await seam.connectedAccounts.list(), 'connected_account_id').includes(connected_account_id))
})
