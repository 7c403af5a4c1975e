// The proxy is the judge of everything else, so it is shown here that it can condemn: a stub answers with a doctored body each time.
import assert from 'node:assert/strict'
import http from 'node:http'
import { after, before, test } from 'node:test'
import { openapi } from '@seamapi/types/connect'
import { Document } from './openapi.mjs'
import { Record, startProxy } from './proxy.mjs'

const id = '7c2f1a2e-3f0c-4d59-9d3c-0f6c3b1f7a10'
const at = '2030-01-01T12:00:00.000Z'
const document = new Document(openapi)

const method = {
  access_method_id: id,
  created_at: at,
  display_name: 'Key Card',
  display_status: 'Waiting for a card',
  errors: [],
  is_issued: false,
  issued_at: null,
  mode: 'card',
  pending_mutations: [],
  warnings: [],
  workspace_id: id,
}
const pending = { action_attempt_id: id, action_type: 'ENCODE_CREDENTIAL', status: 'pending', result: null, error: null }
const event = { event_id: id, event_type: 'access_grant.created', workspace_id: id, created_at: at, occurred_at: at, access_grant_id: id }

let stub, proxy, record, answer
before(async () => {
  stub = http.createServer((_, response) => {
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', 'seam-request-id': 'r1', ...answer.headers })
    response.end(answer.text ?? JSON.stringify(answer.body))
  })
  await new Promise((ready) => stub.listen(0, '127.0.0.1', ready))
})
after(() => stub.close())

/** What the proxy says about this answer. */
async function verdict(path, given, verb = 'POST') {
  record = new Record(document)
  answer = given
  proxy = await startProxy(`http://127.0.0.1:${stub.address().port}`, record, 'self-test')
  const response = await fetch(proxy.url + path, { method: verb })
  assert.equal(await response.text(), answer.text ?? JSON.stringify(answer.body), 'the body goes through unchanged')
  assert.equal(response.status, answer.status ?? 200)
  await proxy.stop()
  return record.violations.map(({ problem }) => problem)
}
const got = (access_method) => ({ body: { access_method, ok: true } })

test('every route of the domain can be judged', () => {
  const routes = document.routes()
  assert.ok(routes.length > 100)
  for (const { path, verbs } of routes) for (const verb of verbs) assert.ok(Array.isArray(document.problems(path, verb, {})), `${verb} ${path}`)
})

test('a right answer passes, also with fields that nobody knows', async () => {
  assert.deepEqual(await verdict('/access_methods/get', got(method)), [])
  assert.deepEqual(await verdict('/access_methods/get', got({ ...method, of_tomorrow: { any: 1 } }), 'GET'), [])
  assert.deepEqual([...record.exercised.keys()], ['/access_methods/get'])
  assert.ok(record.neverExercised().some(({ path }) => path === '/spaces/list'))
  assert.ok(!record.neverExercised().some(({ path }) => path === '/access_methods/get'))
})

const without = (object, field) => Object.fromEntries(Object.entries(object).filter(([name]) => name !== field))
const doctored = {
  'a missing field': [without(method, 'errors'), '`errors` is missing'],
  'a field that only the newer document requires': [without(method, 'display_status'), '`display_status` is missing'],
  'a wrong type': [{ ...method, is_issued: 'no' }, 'is not boolean'],
  'a value outside its list': [{ ...method, mode: 'fob' }, 'is none of code, card'],
  'null where it may not be': [{ ...method, created_at: null }, 'is not string'],
  'an instant that is none': [{ ...method, created_at: 'yesterday' }, 'date-time'],
  'an id that is none': [{ ...method, access_method_id: '17' }, 'uuid'],
  'an unknown warning': [{ ...method, warnings: [{ warning_code: 'tired', message: '', created_at: at }] }, 'is none of'],
}
for (const [what, [body, words]] of Object.entries(doctored)) {
  test(`${what} is seen`, async () => {
    const problems = await verdict('/access_methods/get', got(body))
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.ok(problems[0].includes(words), problems[0])
    assert.equal(record.exercised.size, 0, 'a route answered wrongly does not count as exercised')
  })
}

test('an attempt and an event are judged by their own branch', async () => {
  const attempt = (action_attempt) => verdict('/access_methods/encode', { body: { action_attempt, ok: true } })
  assert.deepEqual(await attempt(pending), [])
  assert.deepEqual(await attempt({ ...pending, status: 'error', error: { type: 'no_credential_on_encoder', message: 'none' } }), [])
  assert.match((await attempt({ ...pending, status: 'error', error: { type: 'no_card', message: 'none' } })).join(), /"no_card" is none of/)
  assert.match((await attempt({ ...pending, result: {} })).join(), /result/)
  assert.match((await attempt(without(pending, 'result'))).join(), /`result` is missing/)
  assert.match((await attempt({ ...pending, action_type: 'ENCODE_ACCESS_METHOD' })).join(), /is none of/)
  const listed = (one) => verdict('/events/list', { body: { events: [one], ok: true } })
  assert.deepEqual(await listed(event), [])
  assert.deepEqual(await listed(without(event, 'access_grant_id')), ['/events/*: `access_grant_id` is missing'])
  assert.match((await listed({ ...event, event_type: 'instant_key.created' })).join(), /is none of/)
})

test('a choice may be null where the document says so', async () => {
  const result = { acs_credential_on_encoder: null, acs_credential_on_seam: null, warnings: [] }
  const attempt = { ...pending, action_type: 'SCAN_CREDENTIAL', status: 'success', result }
  const scanned = (action_attempt) => verdict('/acs/encoders/scan_credential', { body: { action_attempt, ok: true } })
  assert.deepEqual(await scanned(attempt), [])
  assert.match((await scanned({ ...attempt, result: { ...result, acs_credential_on_seam: { is_managed: true } } })).join(), /is missing/)
})

test('a list without its pagination is seen', async () => {
  const pagination = { has_next_page: false, next_page_cursor: null, next_page_url: null }
  for (const path of ['/access_grants/list', '/access_methods/list']) {
    const key = path.split('/')[1]
    assert.deepEqual(await verdict(path, { body: { [key]: [], pagination, ok: true } }), [])
    assert.deepEqual(await verdict(path, { body: { [key]: [], ok: true } }), ['/: `pagination` is missing'])
  }
})

test('an answer that is no answer of this server is seen', async () => {
  const is = async (words, given, path = '/access_methods/get') => {
    const problems = await verdict(path, given)
    assert.ok(problems.some((problem) => problem.includes(words)), `${words}: ${problems.join('\n')}`)
  }
  const error = { type: 'access_method_not_found', message: 'There is none.' }
  assert.deepEqual(await verdict('/access_methods/get', { status: 404, body: { ok: false, error } }), [])
  await is('`ok` is not true', { body: { access_method: method } })
  await is('the server\'s own failure', { status: 500, body: { ok: false, error } })
  await is('not JSON', { status: 404, text: 'Not Found' })
  await is('content-type', { status: 404, body: { ok: false, error }, headers: { 'content-type': 'text/html' } })
  await is('`ok` is not false', { status: 404, body: { error } })
  await is('is no machine name', { status: 409, body: { ok: false, error: { type: 'CONFLICT', message: 'x' } } })
  await is('`message` is missing', { status: 404, body: { ok: false, error: { type: 'not_found' } } })
  await is('no tree', { status: 400, body: { ok: false, error: { type: 'invalid_input', message: 'x' } } })
  await is('with status 401', { status: 401, body: { ok: false, error } })
  await is('with status 403', { status: 403, body: { ok: false, error: { type: 'unauthorized', message: 'No.' } } })
  await is('does not know it', { body: { ok: true } }, '/access_methods/create')
  answer = { body: { access_method: method, ok: true }, headers: { 'seam-request-id': '' } }
  await is('`seam-request-id` is missing', answer)
})
