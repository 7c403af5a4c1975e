// The operations page.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { API_KEY, BASE, PHONE, api, close, door, grant, hours, launch, picture, raw, usable, until, visit } from './stage.mjs'

let ada
before(async () => {
  await launch()
  ada = await grant('Ada Lovelace', ['gym'], ['code'], { name: 'Gym pass' })
  await api('/spaces/create', { name: 'Wellness', acs_entrance_ids: [await door('gym')] })
  await until('the code is issued', async () => (await api('/access_methods/list', { access_grant_id: ada.access_grant_id })).access_methods[0].is_issued)
})
after(close)

async function signIn(page, key = API_KEY) {
  await page.goto(BASE)
  await page.getByLabel('API key').fill(key)
  await page.getByRole('button', { name: 'Show the workspace' }).click()
}

test('a wrong key is told so, and is not kept', () =>
  visit({}, async (page) => {
    await signIn(page, 'seam_wrong_key_1')
    await page.getByText('this API key is not known').waitFor()
    await usable(page)
    await picture(page, 'operations-sign-in')
    assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length + document.cookie.length), 0)
  }, [/401/]))

test('systems, doors and grants are shown', () =>
  visit({}, async (page) => {
    await signIn(page)
    await page.locator('#systems .tile').nth(1).waitFor()
    assert.match(await page.locator('#systems').innerText(), /hotel[\s\S]*office/)
    const room = page.locator('#doors tbody tr', { hasText: 'room-101' })
    assert.match(await room.innerText(), /card[\s\S]*mobile key/)
    assert.doesNotMatch(await room.innerText(), /cloud key/)
    await page.getByLabel('Find a door').fill('gym')
    await page.waitForFunction(() => document.querySelectorAll('#doors tbody tr').length === 1)
    await page.getByLabel('Find a door').fill('')
    const row = page.locator('#grants .row', { hasText: 'Ada Lovelace' })
    await row.waitFor()
    assert.match(await row.innerText(), /Gym pass[\s\S]*running/)
    await row.locator('summary').click()
    await row.getByText('PIN code').waitFor()
    assert.match(await row.innerText(), /Doors\s+gym/)
    // The key is kept in this tab only, and survives a reload of it.
    assert.equal(await page.evaluate(() => localStorage.length + document.cookie.length), 0)
    await page.reload()
    await page.locator('#grants .row').first().waitFor()
    await usable(page)
    await picture(page, 'operations')
    await page.getByRole('button', { name: 'Sign out' }).click()
    assert.equal(await page.evaluate(() => sessionStorage.length), 0)
    assert.ok(await page.getByLabel('API key').isVisible())
  }))

test('an event appears as it happens, and what it changed with it', () =>
  visit({}, async (page) => {
    await signIn(page)
    await page.locator('#events-state', { hasText: 'live' }).waitFor()
    // What happened before is there at once.
    await page.locator('#events-list li').first().waitFor()
    const made = await grant('Grace Hopper', ['gym'], ['code'])
    const told = page.locator('#events-list li[data-type="access_grant.created"]', { hasText: made.access_grant_id })
    await told.locator('summary').click()
    await told.getByText(made.access_grant_id).waitFor()
    await page.locator('#grants .row', { hasText: 'Grace Hopper' }).waitFor()
    // What is written in a name is shown as it was written.
    await grant('<img src=x onerror=alert(1)>', ['gym'], ['code'])
    await page.locator('#grants .row', { hasText: '<img src=x' }).waitFor()
  }))

test('the stream goes on where it was cut off', async () => {
  const read = async (headers, path = '/events/stream?last=3') => {
    const stop = new AbortController()
    const response = await fetch(BASE + path, { headers: { authorization: `Bearer ${API_KEY}`, ...headers }, signal: stop.signal })
    assert.match(response.headers.get('content-type'), /^text\/event-stream/)
    let text = ''
    for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
      text += piece
      if (/^id: /m.test(text) && text.endsWith('\n\n')) break
    }
    stop.abort()
    return [...text.matchAll(/^id: (\d+)\ndata: (.*)$/gm)].map(([, id, data]) => [Number(id), JSON.parse(data).event_id])
  }
  const first = await read({})
  assert.equal(first.length, 3)
  assert.deepEqual(first.map(([id]) => id), [0, 1, 2].map((n) => first[0][0] + n))
  assert.deepEqual(await read({ 'last-event-id': String(first[0][0]) }), first.slice(1))
  assert.deepEqual((await read({}, '/events/stream?after=0'))[0][0], 1)
  assert.equal((await raw('/events/stream', { method: 'GET' })).status, 401)
  const wrong = await raw('/events/stream', { method: 'GET', headers: { authorization: `Bearer ${API_KEY}`, 'last-event-id': '-1' } })
  assert.deepEqual([wrong.status, wrong.answer.error.type], [400, 'invalid_input'])
})

test('explain says yes and no, and why', () =>
  visit({}, async (page) => {
    await signIn(page)
    await page.getByLabel('Find a person').fill('Ada')
    await page.waitForFunction(() => document.querySelectorAll('#explain-person option').length === 1)
    const ask = async (name) => {
      await page.locator('#explain-door').selectOption({ label: name })
      await page.getByRole('button', { name: 'Explain' }).click()
    }
    await ask('gym')
    await page.locator('.verdict.ok', { hasText: 'Yes' }).waitFor()
    assert.ok((await page.locator('#explain-answer li').count()) > 0)
    await ask('room-101')
    await page.locator('.verdict.bad', { hasText: 'No' }).waitFor()
    assert.ok((await page.locator('#explain-answer li').count()) > 0)
    await page.locator('#explain-at').fill('2099-01-01T12:00')
    await ask('gym')
    await page.locator('.verdict.bad', { hasText: 'No' }).waitFor()
    await page.locator('#explain').scrollIntoViewIfNeeded()
    await page.locator('#explain').screenshot({ path: `${process.env.SCREENSHOTS}/explain.png` })
  }))

test('occupancy is drawn, hour by hour', () =>
  visit({}, async (page) => {
    const today = await grant('Today Only', ['gym'], ['code'], { starts_at: hours(-2), ends_at: hours(5) })
    await signIn(page)
    await page.locator('#occupancy-space option', { hasText: 'Wellness' }).waitFor({ state: 'attached' })
    await page.locator('#occupancy-space').selectOption({ label: 'Wellness' })
    await page.getByRole('button', { name: 'Draw' }).click()
    await page.locator('svg.plot path.line').waitFor()
    const { occupancy } = await api('/spaces/get_occupancy', {
      space_id: (await api('/spaces/list')).spaces.find((one) => one.name === 'Wellness').space_id,
      from: hours(0),
      to: hours(24),
    })
    const counts = occupancy.hours.map((one) => one.people)
    assert.ok(counts[0] > counts.at(-1) && counts.at(-1) > 0, `one leaves: ${counts}`)
    await page.locator('svg.plot').hover({ position: { x: 300, y: 80 } })
    assert.match(await page.locator('.told').innerText(), /\d+ (person|people)$/)
    await page.getByText('As a table').click()
    assert.ok((await page.locator('#occupancy-plot tbody tr').count()) > 1)
    await page.getByText('As a table').click()
    await page.locator('#occupancy').screenshot({ path: `${process.env.SCREENSHOTS}/occupancy.png` })
    await api('/access_grants/delete', { access_grant_id: today.access_grant_id })
  }))

test('many grants come in pages, and are found', () =>
  visit({}, async (page) => {
    for (let n = 0; n < 30; n++) await grant(`Guest ${n}`, ['gym'], ['code'])
    await signIn(page)
    await page.getByRole('button', { name: 'More grants' }).click()
    await page.waitForFunction(() => document.querySelectorAll('#grants .row').length > 25)
    await page.getByLabel('Find a grant').fill('Gym pass')
    await page.waitForFunction(() => document.querySelectorAll('#grants .row').length === 1)
    assert.match(await page.locator('#grants-list').innerText(), /Ada Lovelace/)
    await page.getByLabel('Find a grant').fill('nobody has this')
    await page.getByText('No grant has this in it.').waitFor()
  }))

for (const colorScheme of ['light', 'dark']) {
  test(`it can be used on a phone, ${colorScheme}`, () =>
    visit({ viewport: PHONE, colorScheme, hasTouch: true, isMobile: true }, async (page) => {
      await signIn(page)
      await page.locator('#grants .row').first().waitFor()
      await page.getByRole('button', { name: 'Draw' }).click()
      await page.locator('svg.plot').waitFor()
      await usable(page)
      await picture(page, `operations-phone-${colorScheme}`)
    }))
}

test('it is fine in the dark', () =>
  visit({ colorScheme: 'dark' }, async (page) => {
    await signIn(page)
    await page.locator('#grants .row').first().waitFor()
    await page.locator('#events-state', { hasText: 'live' }).waitFor()
    await picture(page, 'operations-dark', false)
  }))
