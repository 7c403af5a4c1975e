import { randomUUID } from 'node:crypto'
import { assert, ids, notFound, refused, scenario, seam, unique } from './_hotel.mjs'

scenario('create_get_delete', async () => {
  const customer_key = unique('customer')
  const made = await seam.connectWebviews.create({
    custom_redirect_url: 'https://example.com/done',
    custom_redirect_failure_url: 'https://example.com/failed',
    custom_metadata: { property: 'annex', vip: true },
    customer_key,
    wait_for_device_creation: true,
  })
  assert.equal(made.status, 'pending')
  assert.equal(made.login_successful, false)
  assert.equal(made.connected_account_id, null)
  assert.equal(made.any_provider_allowed, true)
  assert.equal(made.custom_redirect_url, 'https://example.com/done')
  assert.equal(made.wait_for_device_creation, true)
  assert.deepEqual(made.custom_metadata, { property: 'annex', vip: true })
  assert.ok(made.url.startsWith('http'))
  const { connect_webview_id } = made
  assert.deepEqual(await seam.connectWebviews.get({ connect_webview_id }), made)
  const page = await fetch(made.url)
  assert.equal(page.status, 200)
  assert.match(page.headers.get('content-type'), /^text\/html/)
  await seam.connectWebviews.delete({ connect_webview_id })
  await notFound(() => seam.connectWebviews.get({ connect_webview_id }), 'connect_webview_not_found')
})

scenario('list_filters_and_pages', async () => {
  const [customer_key, property] = [unique('customer'), unique('property')]
  const made = []
  for (let n = 0; n < 3; n += 1) {
    made.push(await seam.connectWebviews.create({ customer_key: n > 0 ? customer_key : unique('other'), custom_metadata: { property, n: `${n}` } }))
  }
  const wanted = (list) => ids(list, 'connect_webview_id')
  assert.deepEqual(wanted(await seam.connectWebviews.list({ customer_key })), wanted(made.slice(1)))
  assert.deepEqual(wanted(await seam.connectWebviews.list({ custom_metadata_has: { property } })), wanted(made))
  assert.deepEqual(wanted(await seam.connectWebviews.list({ custom_metadata_has: { property, n: '2' } })), wanted(made.slice(2)))
  const paged = await seam.createPaginator(seam.connectWebviews.list({ custom_metadata_has: { property }, limit: 2 })).flattenToArray()
  assert.deepEqual(wanted(paged), wanted(made))
})

scenario('a_provider_that_is_not_there', async () => {
  await refused(() => seam.connectWebviews.create({ accepted_providers: ['schlage'] }), 400, 'invalid_input')
  await notFound(() => seam.connectWebviews.get({ connect_webview_id: randomUUID() }), 'connect_webview_not_found')
  await notFound(() => seam.connectWebviews.delete({ connect_webview_id: randomUUID() }), 'connect_webview_not_found')
})
