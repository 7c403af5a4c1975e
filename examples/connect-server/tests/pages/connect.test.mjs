// The form on which an account is connected.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { BASE, PHONE, api, close, launch, picture, secret, usable, visit } from './stage.mjs'

before(launch)
after(close)

const SCHEMA = {
  type: 'object',
  description: 'The server of the locks, in the hotel.',
  required: ['host', 'password', 'mode'],
  additionalProperties: false,
  properties: {
    host: { type: 'string', minLength: 3, title: 'Address', description: 'As host or host:port.' },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 443 },
    password: { type: 'string', writeOnly: true, minLength: 1 },
    mode: { enum: ['guest_only', 'all'] },
    verify: { type: 'boolean', default: true, title: 'Check the certificate' },
    proxy: { type: 'object', required: [], properties: { url: { type: 'string', format: 'uri' } } },
  },
}

/** The page with a server that is played: every kind of field. */
async function played(page, answer) {
  const sent = []
  const reply = (route, body, status = 200) => route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) })
  await page.route('**/connect/*/form', (route) => reply(route, { form: { status: 'pending', accepted_providers: [{ kind: 'lock_server', schema: SCHEMA }] }, ok: true }))
  await page.route('**/connect/page-1', (route) => {
    if (route.request().method() !== 'POST') return route.continue()
    sent.push([route.request().postDataJSON(), route.request().headers()['connect-webview-token']])
    return reply(route, ...answer(sent.length))
  })
  await page.goto(`${BASE}/connect/page-1#auth_token=secret`)
  await page.getByLabel('Address').waitFor()
  return sent
}

test('a form is made of the settings that a provider takes', () =>
  visit({}, async (page) => {
    const findings = [{ code: 'no_encoder', message: 'The server has no encoder.', blocking: false }]
    const sent = await played(page, (n) =>
      n === 1
        ? [{ ok: false, error: { type: 'invalid_input', message: 'settings.host: it is not an address', data: { parameter: 'settings.host' } } }, 400]
        : [{ result: { status: 'authorized', findings, errors: [] }, ok: true }],
    )
    assert.doesNotMatch(page.url(), /secret/, 'the token does not stay in the address')
    assert.equal(await page.getByLabel('Password').getAttribute('type'), 'password')
    assert.equal(await page.getByLabel('Port').inputValue(), '443')
    await usable(page)
    await page.getByRole('button', { name: 'Connect' }).click()
    assert.match(await page.getByRole('alert').innerText(), /Address/)
    assert.equal(sent.length, 0, 'what is missing is not sent')
    await page.getByLabel('Address').fill('locks.example')
    await page.getByLabel('Password').fill('hunter2')
    await page.getByLabel('Mode').selectOption({ label: 'All' })
    await picture(page, 'connect-form')
    await page.getByRole('button', { name: 'Connect' }).click()
    await page.getByText('it is not an address').waitFor()
    assert.equal(await page.getByLabel('Address').getAttribute('aria-invalid'), 'true')
    await page.getByRole('button', { name: 'Connect' }).click()
    await page.locator('.verdict[data-status=authorized]').waitFor()
    await page.getByText('The server has no encoder.').waitFor()
    assert.deepEqual(sent[1], [{ provider: 'lock_server', settings: { host: 'locks.example', port: 443, password: 'hunter2', mode: 'all', verify: true } }, 'secret'])
    await picture(page, 'connect-done')
  }, [/400/]))

test('it can be filled in on a phone', () =>
  visit({ viewport: PHONE, isMobile: true, colorScheme: 'dark' }, async (page) => {
    await played(page, () => [{ result: { status: 'failed', findings: [], errors: [{ message: 'The password is wrong.' }] }, ok: true }])
    await page.getByLabel('Address').fill('locks.example')
    await page.getByLabel('Password').fill('hunter2')
    await page.getByRole('button', { name: 'Connect' }).tap?.().catch(() => page.getByRole('button', { name: 'Connect' }).click())
    await page.locator('.verdict[data-status=failed]').waitFor()
    await page.getByText('The password is wrong.').waitFor()
    assert.ok(await page.getByLabel('Address').isVisible(), 'another try can be made')
    await usable(page)
    await picture(page, 'connect-phone')
  }))

test('a page that is not there says so', () =>
  visit({}, async (page) => {
    await page.goto(`${BASE}/connect/connect_webviews/view?connect_webview_id=00000000-0000-4000-8000-000000000000&auth_token=wrong`)
    await page.locator('.notice.bad').waitFor()
    assert.doesNotMatch(page.url(), /auth_token/)
  }, [/40[0134]/]))

test('an account is connected, and what stands in its way is told', async () => {
  const { url, connect_webview_id } = (await api('/connect_webviews/create', { accepted_providers: ['sandbox'] })).connect_webview
  secret(new URL(url).searchParams.get('auth_token'))
  await visit({}, async (page) => {
    await page.goto(url)
    await page.getByLabel('Site').fill('')
    await page.getByRole('button', { name: 'Connect' }).click()
    assert.match(await page.getByRole('alert').innerText(), /Site/)
    await page.getByLabel('Site').fill('annex')
    await page.getByRole('button', { name: 'Connect' }).click()
    await page.locator('.verdict[data-status=pending]').waitFor({ timeout: 30_000 })
    await page.getByText('The access system cannot be reached').waitFor()
    await picture(page, 'connect-refused')
    const { connect_webview } = await api('/connect_webviews/get', { connect_webview_id })
    assert.equal(connect_webview.login_successful, false, 'there is no such site')
  })
  const good = await api('/connect_webviews/create', { accepted_providers: ['sandbox'] })
  secret(new URL(good.connect_webview.url).searchParams.get('auth_token'))
  await visit({}, async (page) => {
    await page.goto(good.connect_webview.url)
    await page.getByLabel('Site').fill('hotel')
    await page.getByRole('button', { name: 'Connect' }).click()
    await page.locator('.verdict[data-status=authorized]').waitFor({ timeout: 30_000 })
    await page.getByText('connected through another account').waitFor()
    await page.goto(good.connect_webview.url)
    await page.locator('.verdict[data-status=authorized]').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Connect' }).count(), 0, 'it is connected once')
    await picture(page, 'connect-real')
  })
})
