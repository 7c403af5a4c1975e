import { randomUUID } from 'node:crypto'
import http from 'node:http'
import { SeamWebhook, SeamWebhookVerificationError } from 'seam'
import { assert, notFound, ready, refused, scenario, seam, stay, unique, until } from './_hotel.mjs'

/** Somebody's own server. `answer` gives the status for the n-th delivery. */
async function receiver(answer = () => 204) {
  const deliveries = []
  const server = http.createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (part) => (body += part))
    request.on('end', () => {
      deliveries.push({ method: request.method, headers: request.headers, body, at: Date.now() })
      response.writeHead(answer(deliveries.length)).end()
    })
  })
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
  const url = `http://127.0.0.1:${server.address().port}/hooks`
  return {
    url,
    deliveries,
    /** The events so far, each verified by the client's own verifier. */
    verified: (secret) => deliveries.map(({ body, headers }) => new SeamWebhook(secret).verify(body, headers)),
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** A hook that is taken away in the end, so that the next scenario is not told to a closed port. */
async function hooked(event_types, answer, run) {
  const there = await receiver(answer)
  let hook
  try {
    hook = await seam.webhooks.create({ url: there.url, ...(event_types ? { event_types } : {}) })
    await run(there, hook)
  } finally {
    if (hook) await seam.webhooks.delete({ webhook_id: hook.webhook_id }).catch(() => {})
    there.stop()
  }
}
const types = (events) => events.map(({ event_type }) => event_type)

scenario('create_get_list_update_delete', async () => {
  const made = await seam.webhooks.create({ url: 'https://example.com/hooks' })
  const { webhook_id } = made
  assert.deepEqual(made.event_types, ['*'])
  assert.match(made.secret, /^whsec_[A-Za-z0-9+/=]+$/)
  assert.equal((await seam.webhooks.get({ webhook_id })).url, 'https://example.com/hooks')
  assert.ok((await seam.webhooks.list()).some((one) => one.webhook_id === webhook_id))
  await seam.webhooks.update({ webhook_id, event_types: ['access_grant.created'] })
  assert.deepEqual((await seam.webhooks.get({ webhook_id })).event_types, ['access_grant.created'])
  await seam.webhooks.delete({ webhook_id })
  await notFound(() => seam.webhooks.get({ webhook_id }), 'webhook_not_found')
  await notFound(() => seam.webhooks.delete({ webhook_id: randomUUID() }), 'webhook_not_found')
})

scenario('what_cannot_be', async () => {
  await refused(() => seam.webhooks.create({ url: 'no address' }), 400, 'invalid_input')
  await refused(() => seam.webhooks.create({ url: 'https://example.com', event_types: ['no.such_event'] }), 400, ['invalid_input', 'invalid_event_types'])
})

scenario('delivered_signed_and_in_order', () => hooked(undefined, undefined, async (there, { secret }) => {
  const grant = await stay({ doors: ['lobby'], modes: ['code'] })
  const { access_grant_id } = grant
  const [{ code }] = await ready(grant)
  const mine = () => there.verified(secret).filter((event) => event.access_grant_id === access_grant_id || event.access_grant_ids?.includes(access_grant_id))
  await until('the last event is delivered', async () => types(mine()).includes('access_grant.access_granted_to_all_doors'))
  const since = new Date(Date.now() - 3_600_000).toISOString()
  const listed = await seam.events.list({ access_grant_id, since })
  await until('all that is listed is delivered', async () => mine().length >= listed.length)
  assert.deepEqual(mine().map(({ event_id }) => event_id), listed.map(({ event_id }) => event_id), 'in the order of the list')
  for (const { method, headers, body } of there.deliveries) {
    assert.equal(method, 'POST')
    assert.match(headers['content-type'], /^application\/json/)
    assert.ok(!body.includes(`"${code}"`), 'a code is never delivered')
    assert.ok(Math.abs(Number(headers['svix-timestamp']) - Date.now() / 1000) < 300)
  }
  const idsSeen = there.deliveries.map(({ headers }) => headers['svix-id'])
  assert.equal(new Set(idsSeen).size, idsSeen.length, 'each delivery has its own id')
}))

scenario('a_forged_one_is_seen', () => hooked(['access_grant.created'], undefined, async (there, { secret }) => {
  await stay({ doors: ['lobby'], modes: ['code'] })
  await until('it is delivered', async () => there.deliveries.length > 0)
  const [{ body, headers }] = there.deliveries
  assert.equal(new SeamWebhook(secret).verify(body, headers).event_type, 'access_grant.created')
  const forged = (text, given = headers, by = secret) => assert.throws(() => new SeamWebhook(by).verify(text, given), SeamWebhookVerificationError)
  forged(body.replace('access_grant.created', 'access_grant.deleted'))
  forged(body, { ...headers, 'svix-id': 'msg_other' })
  forged(body, { ...headers, 'svix-timestamp': String(Number(headers['svix-timestamp']) - 1) })
  forged(body, headers, `whsec_${Buffer.from(unique('another secret')).toString('base64')}`)
}))

scenario('only_what_is_asked_for', () => hooked(['access_grant.deleted'], undefined, async (there, { secret }) => {
  const grant = await stay({ doors: ['lobby'], modes: ['code'] })
  await ready(grant)
  await seam.accessGrants.delete({ access_grant_id: grant.access_grant_id })
  await until('the end is told', async () => there.deliveries.length > 0)
  assert.deepEqual(types(there.verified(secret)), ['access_grant.deleted'])
}))

scenario('tried_again_after_a_failure', () => hooked(['space.created'], (count) => (count === 1 ? 500 : 204), async (there, { secret }) => {
  await seam.spaces.create({ name: unique('Floor') })
  await until('it is tried again', async () => there.deliveries.length >= 2, 20)
  const [first, second] = there.deliveries
  assert.equal(first.headers['svix-id'], second.headers['svix-id'], 'the same message')
  assert.equal(first.body, second.body)
  // The schedule says 5 s after the failure; a little less is allowed for clocks, much more would be another step of it.
  assert.ok(second.at - first.at >= 4_000, `${second.at - first.at} ms`)
  assert.deepEqual(types(there.verified(secret)), ['space.created', 'space.created'])
}))
