// What the scenarios share: the client as a user makes it (endpoint and key from the environment), the doors of the sandbox, people, stays.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Seam, SeamHttpApiError } from 'seam'

export { assert }
export const endpoint = process.env.SEAM_ENDPOINT
export const key = process.env.SEAM_API_KEY
export const seam = new Seam({ waitForActionAttempt: { timeout: 15_000, pollingInterval: 50 } })
export const scenario = (name, run) => test(name, { timeout: 60_000 }, run)

const now = Math.floor(Date.now() / 1000) * 1000
/** So many hours from the start of the run; whole seconds, as locks count them. */
export const at = (hours) => new Date(now + hours * 3_600_000).toISOString()
export const same = (instant, other) => new Date(instant).getTime() === new Date(other).getTime()
export const unique = (word) => `${word}-${randomUUID().slice(0, 8)}`
export const ids = (list, field) => list.map((one) => one[field]).sort()

/** Asks until there is an answer: what the server does after it has answered is not awaited otherwise. */
export async function until(what, probe, seconds = 15) {
  const deadline = Date.now() + seconds * 1000
  while (true) {
    const answer = await probe()
    if (answer) return answer
    if (Date.now() > deadline) assert.fail(`after ${seconds} s still not so: ${what}`)
    await new Promise((later) => setTimeout(later, 40))
  }
}

/** A route that the client has no method for, or a call that the client would not make. */
export async function raw(path, { method = 'POST', body, headers = {}, token = key } = {}) {
  const response = await fetch(endpoint + path, {
    method,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

/** The call is refused with this status and this type; gives the error. */
export async function refused(call, status, type) {
  try {
    await call()
  } catch (error) {
    assert.ok(error instanceof SeamHttpApiError, `${error.name}: ${error.message}`)
    assert.ok([status].flat().includes(error.statusCode), `status ${error.statusCode} (${error.code}: ${error.message}), expected ${status}`)
    if (type) assert.ok([type].flat().includes(error.code), `type ${error.code} (${error.message}), expected ${type}`)
    assert.ok(error.requestId, 'a refusal carries its request id')
    return error
  }
  return assert.fail(`was not refused; expected ${status} ${type ?? ''}`)
}

export const notFound = (call, type) => refused(call, 404, type)

/** An entrance by its display name. */
export async function door(name) {
  const entrance = (await seam.acs.entrances.list()).find(({ display_name }) => display_name === name)
  assert.ok(entrance, `there is an entrance ${name}`)
  return entrance
}

export const office = async () => (await seam.acs.systems.list()).find(({ name }) => name === 'office')
export const hotel = async () => seam.acs.systems.get({ acs_system_id: (await door('room-101')).acs_system_id })
export const encoder = async () => (await seam.acs.encoders.list())[0]

export const guest = (more = {}) => seam.userIdentities.create({ full_name: unique('Guest'), email_address: `${unique('guest')}@example.com`, ...more })

/** Each stay begins a minute after the one before: two first keys of one room with the same start are a double booking, not a scenario. */
let stays = 0
const begins = () => -2 + ++stays / 60

/** A grant at doors named as in the sandbox. `modes` are words, or whole requests. */
export async function stay({ doors, modes, who, from = begins(), to = 48, ...more }) {
  const acs_entrance_ids = doors && (await Promise.all(doors.map(async (name) => (await door(name)).acs_entrance_id)))
  return await seam.accessGrants.create({
    user_identity_id: who?.user_identity_id ?? (await guest()).user_identity_id,
    requested_access_methods: modes.map((mode) => (typeof mode === 'string' ? { mode } : mode)),
    ...(acs_entrance_ids ? { acs_entrance_ids } : {}),
    starts_at: at(from),
    ends_at: at(to),
    ...more,
  })
}

export const methodsOf = (grant) => seam.accessMethods.list({ access_grant_id: grant.access_grant_id })

/** The methods of a grant once each is issued, or waits for its card. */
export const ready = (grant, count = grant.requested_access_methods.length) =>
  until('each method is issued or waits for its card', async () => {
    const methods = await methodsOf(grant)
    return methods.length >= count && methods.every((method) => method.is_issued || method.is_ready_for_encoding) && methods
  })

/** Writes the method on a card and gives the method afterwards. */
export async function encode(method) {
  const { acs_encoder_id } = await encoder()
  await seam.accessMethods.encode({ access_method_id: method.access_method_id, acs_encoder_id })
  return await until('the method is issued', async () => {
    const after = await seam.accessMethods.get({ access_method_id: method.access_method_id })
    return after.is_issued && after
  })
}

/** A stay with one card that is written. */
export async function cardAt(options) {
  const grant = await stay({ modes: ['card'], ...options })
  const [method] = await ready(grant)
  return { grant, method: await encode(method) }
}

/** Somebody tries the door with what they hold. */
export async function tries(name, { access_method_id, acs_credential_id }) {
  const { acs_entrance_id } = await door(name)
  const held = access_method_id ? { access_method_id } : { acs_credential_id }
  const { status, body } = await raw('/acs/entrances/simulate/use_credential', { body: { acs_entrance_id, ...held } })
  assert.equal(status, 200, JSON.stringify(body))
  assert.equal(typeof body.use.reason, 'string')
  return body.use
}
export const opens = async (name, held) => assert.equal((await tries(name, held)).opened, true, `${name} opens`)
export const staysShut = async (name, held) => assert.equal((await tries(name, held)).opened, false, `${name} stays shut`)
/** What was taken away may be unknown by now, or known and refused; it may not open. */
export async function isDead(name, { access_method_id }) {
  const { acs_entrance_id } = await door(name)
  const { status, body } = await raw('/acs/entrances/simulate/use_credential', { body: { acs_entrance_id, access_method_id } })
  assert.ok(status === 404 || (status === 200 && body.use.opened === false), JSON.stringify(body))
}
