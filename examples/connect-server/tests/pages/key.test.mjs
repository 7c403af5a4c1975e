// The Instant Key page, on a guest's phone.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { BASE, PHONE, api, close, door, hours, launch, picture, raw, secret, stay, until, usable, visit } from './stage.mjs'

before(launch)
after(close)

const phone = { viewport: PHONE, isMobile: true, hasTouch: true }
const gone = (page, state) => page.locator(`.gone[data-state=${state}]`).waitFor()

test('a link is opened, redeemed once, and opens the door that opens from afar', async () => {
  const { url, made } = await stay('Katherine Johnson', 'room-101')
  await visit(phone, async (page, context) => {
    for (let n = 0; n < 3; n++) {
      await page.goto(url)
      await page.getByRole('heading', { name: 'Katherine Johnson' }).waitFor()
    }
    assert.match(await page.locator('main').innerText(), /The link works once[\s\S]*lobby[\s\S]*room-101/)
    assert.equal(await page.getByRole('button', { name: /^Unlock/ }).count(), 0, 'nothing is unlocked before')
    await usable(page)
    await picture(page, 'key-open')
    await page.getByRole('button', { name: 'Get my key' }).click()
    await page.getByRole('button', { name: 'Unlock lobby' }).click()
    await page.getByText('Open. Come in.').waitFor()
    assert.equal(await page.getByRole('button', { name: /^Unlock/ }).count(), 1, 'the room opens with the phone, at the door')
    assert.match(await page.locator('[data-door="room-101"]').innerText(), /Hold your phone to the lock/)
    await usable(page)
    await picture(page, 'key-redeemed')
    const { events } = await api('/events/list', { since: hours(-1), event_type: 'action_attempt.unlock_door.succeeded' })
    assert.equal(events.length, 1, 'the door was opened')
    // No script reads what the browser keeps.
    assert.equal(await page.evaluate(() => document.cookie + sessionStorage.length + localStorage.length), '00')
    const [cookie] = await context.cookies(url)
    assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Strict', '/i'])
    secret(cookie.value)
    // Closed and opened again, it still is her key.
    await page.close()
    const later = await context.newPage()
    await later.goto(url)
    await later.getByRole('button', { name: 'Unlock lobby' }).click()
    await later.getByText('Open. Come in.').waitFor()
  })
  await visit(phone, async (page) => {
    await page.goto(url)
    await gone(page, 'used_up')
    assert.doesNotMatch(await page.locator('main').innerText(), /Katherine|lobby/, 'a link that was passed on tells nothing')
    await usable(page)
    await picture(page, 'key-used-up')
  })
  await api('/access_grants/delete', { access_grant_id: made.access_grant_id })
})

test('of two phones that redeem at once, one gets the key', async () => {
  const { code } = await stay('Mary Jackson', 'room-102')
  const redeem = () => raw(`/i/${code}/redeem`, { headers: { 'seam-page': '1' } })
  const answers = await Promise.all([redeem(), redeem(), redeem()])
  assert.deepEqual(answers.map((one) => one.status).sort(), [200, 409, 409])
  const tokens = answers.flatMap((one) => one.headers.getSetCookie())
  assert.equal(tokens.length, 1)
  assert.ok(!JSON.stringify(answers.map((one) => one.answer)).includes('seam_cst'), 'the token is in the cookie only')
  secret(tokens[0].split(/[=;]/)[1])
})

test('a link that was taken back says so, also to who has redeemed it', async () => {
  const { url, code } = await stay('Dorothy Vaughan', 'room-101')
  await visit(phone, async (page) => {
    await page.goto(url)
    await page.getByRole('button', { name: 'Get my key' }).click()
    await page.getByRole('button', { name: 'Unlock lobby' }).waitFor()
    const { instant_key } = await api('/instant_keys/get', { instant_key_url: url })
    await api('/instant_keys/delete', { instant_key_id: instant_key.instant_key_id })
    await page.getByRole('button', { name: 'Unlock lobby' }).click()
    await gone(page, 'deleted')
    await page.reload()
    await gone(page, 'deleted')
    await picture(page, 'key-deleted')
  }, [/401/])
  const again = await raw(`/i/${code}/redeem`, { headers: { 'seam-page': '1' } })
  assert.equal(again.status, 404)
})

test('a link whose time has passed, and one that never was, say so', async () => {
  const ends = new Date(Date.now() + 6000).toISOString()
  const { url } = await stay('Annie Easley', 'room-102', { ends_at: ends, starts_at: hours(-1) })
  await until('it has ended', () => new Date().toISOString() > ends)
  await visit({ ...phone, colorScheme: 'dark' }, async (page) => {
    await page.goto(url)
    await gone(page, 'expired')
    await picture(page, 'key-expired')
    for (const wrong of ['0000000000', 'x', 'a%20b', 'a'.repeat(500)]) {
      await page.goto(`${BASE}/i/${wrong}`)
      await gone(page, 'unknown')
    }
  }, [/404/])
})

test('no other page changes anything, and a code or a foreign session alone opens nothing', async () => {
  const { code } = await stay('Valerie Thomas', 'room-101')
  const other = await stay('Gladys West', 'room-102')
  const lobby = JSON.stringify({ acs_entrance_id: await door('lobby') })
  const page = { 'seam-page': '1' }
  for (const headers of [{}, { ...page, origin: 'https://evil.example' }, { ...page, 'sec-fetch-site': 'cross-site' }, { ...page, origin: 'null' }]) {
    for (const what of ['redeem', 'unlock']) {
      const { status, answer } = await raw(`/i/${code}/${what}`, { headers, body: lobby })
      assert.deepEqual([status, answer.error.type], [403, 'not_our_page'])
    }
  }
  const asked = await raw(`/i/${code}/redeem`, { method: 'OPTIONS', headers: { origin: 'https://evil.example' } })
  assert.equal(asked.headers.get('access-control-allow-origin'), null)
  assert.equal((await raw(`/i/${code}/unlock`, { headers: page, body: lobby })).status, 401)
  const session = (await raw(`/i/${other.code}/redeem`, { headers: page })).headers.getSetCookie()[0].split(';')[0]
  secret(session.split('=')[1])
  assert.equal((await raw(`/i/${other.code}/unlock`, { headers: { ...page, cookie: session }, body: lobby })).status, 200)
  const { instant_key } = await api('/instant_keys/get', { instant_key_url: `${BASE}/i/${code}` })
  const stolen = `instant_key_${instant_key.instant_key_id.replaceAll('-', '')}=${session.split('=')[1]}`
  assert.equal((await raw(`/i/${code}/unlock`, { headers: { ...page, cookie: stolen }, body: lobby })).status, 401)
  const elsewhere = JSON.stringify({ acs_entrance_id: await door('gym') })
  assert.equal((await raw(`/i/${other.code}/unlock`, { headers: { ...page, cookie: session }, body: elsewhere })).status, 400)
  const room = JSON.stringify({ acs_entrance_id: await door('room-102') })
  const refused = await raw(`/i/${other.code}/unlock`, { headers: { ...page, cookie: session }, body: room })
  assert.deepEqual([refused.status, refused.answer.error.type], [409, 'door_not_unlockable'])
  // It was opened by nobody but who may: the link of the first is as it was.
  assert.equal((await raw(`/i/${code}/contents`, { method: 'GET' })).answer.instant_key.uses_left, 1)
})

test('codes cannot be guessed', async () => {
  // From another address of this machine, so that the other scenarios are not held up.
  const guess = (n) =>
    new Promise((done, fail) => {
      const path = `/i/${String(n).padStart(10, '0')}/contents`
      request(BASE + path, { localAddress: '127.0.0.9' }, (answer) => answer.resume().on('end', () => done(answer))).on('error', fail).end()
    })
  const answers = []
  for (let n = 0; n < 140; n++) answers.push(await guess(n))
  assert.deepEqual([...new Set(answers.map((one) => one.statusCode))], [404, 429])
  assert.ok(Number(answers.at(-1).headers['retry-after']) >= 1)
})
