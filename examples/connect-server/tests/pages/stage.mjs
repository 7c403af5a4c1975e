// What the scenarios share: a browser that notes every complaint, the API, a place for pictures.
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

export const { BASE, API_KEY, CHROMIUM, SCREENSHOTS, SECRETS } = process.env
mkdirSync(SCREENSHOTS, { recursive: true })

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']
export const DESK = { width: 1360, height: 900 }
export const PHONE = { width: 375, height: 720 }

let browser
export const launch = async () => (browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS }))
export const close = () => browser?.close()

/** What must not be found in the server's log. */
export const secret = (text) => appendFileSync(SECRETS, `${text}\n`)

/** Runs a scenario in a browser of its own, and sees to it that nothing was complained of but what was expected. */
export async function visit(options, scenario, expected = []) {
  const context = await browser.newContext({ viewport: DESK, locale: 'en-GB', timezoneId: 'Europe/Amsterdam', ...options })
  context.setDefaultTimeout(15_000)
  const complaints = []
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sample}`))
  })
  const page = await context.newPage()
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(`${message.text()} (${message.location().url})`))
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => request.url().startsWith(BASE) || request.url().startsWith('data:') || complaints.push(`reached out to ${request.url()}`))
  try {
    await scenario(page, context)
  } catch (error) {
    await page.screenshot({ path: join(SCREENSHOTS, 'failed.png'), fullPage: true }).catch(() => {})
    error.message += `\ncomplaints: ${complaints.join('\n')}\npage: ${await page.locator('main').innerText().catch(() => '')}`
    throw error
  } finally {
    await context.close()
  }
  assert.deepEqual(complaints.filter((text) => !expected.some((one) => one.test(text))), [])
}

export async function picture(page, name, fullPage = true) {
  // The bar sticks to the top of what is seen: of a whole page it is seen at its head.
  if (fullPage) await page.evaluate(() => window.scrollTo({ top: 0, behavior: 'instant' }))
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage })
}

/** Nothing is wider than the screen, and everything that is filled in or pressed has a name. */
export async function usable(page) {
  const found = await page.evaluate(() => {
    const wide = document.documentElement.scrollWidth - window.innerWidth
    const visible = (node) => node.checkVisibility()
    const named = (node) => node.labels?.length || node.getAttribute('aria-label') || node.textContent.trim()
    const nameless = [...document.querySelectorAll('input, select, textarea, button, summary, a')].filter((node) => visible(node) && !named(node)).map((node) => node.outerHTML)
    const small = [...document.querySelectorAll('button')].filter((node) => visible(node) && node.getBoundingClientRect().height < 32).map((node) => node.outerHTML)
    return { wide, nameless, small }
  })
  assert.ok(found.wide <= 0, `the page is ${found.wide} pixels too wide`)
  assert.deepEqual([found.nameless, found.small], [[], []])
}

export async function raw(path, { method = 'POST', headers = {}, body } = {}) {
  const response = await fetch(BASE + path, { method, headers: { 'content-type': 'application/json', ...headers }, body })
  return { status: response.status, headers: response.headers, answer: await response.json().catch(() => null) }
}

export async function api(path, params = {}) {
  const { status, answer } = await raw(path, { headers: { authorization: `Bearer ${API_KEY}` }, body: JSON.stringify(params) })
  assert.equal(status, 200, `${path}: ${JSON.stringify(answer)}`)
  return answer
}

/** Asks until it is so. */
export async function until(what, look) {
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    const found = await look()
    if (found) return found
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error(`waited in vain until ${what}`)
}

export async function door(name) {
  const { acs_entrances } = await api('/acs/entrances/list')
  return acs_entrances.find((one) => one.display_name === name).acs_entrance_id
}

export const hours = (n) => new Date(Date.now() + n * 3_600_000).toISOString()

export async function grant(name, doors, modes, more = {}) {
  const { access_grant } = await api('/access_grants/create', {
    user_identity: { full_name: name },
    acs_entrance_ids: await Promise.all(doors.map(door)),
    requested_access_methods: modes.map((mode) => ({ mode })),
    starts_at: hours(-1),
    ends_at: hours(48),
    ...more,
  })
  return access_grant
}

/** A stay with a phone in a room and a cloud key for the lobby, once everything is issued; its link. */
export async function stay(name, room, more = {}) {
  const made = await grant(name, [room, 'lobby'], ['mobile_key', 'cloud_key'], { reservation_key: `stay of ${name}`, ...more })
  const url = await until('the keys are issued', async () => {
    const { access_methods } = await api('/access_methods/list', { access_grant_id: made.access_grant_id })
    const cloud = access_methods.find((method) => method.mode === 'cloud_key')
    return cloud?.is_issued && access_methods.find((method) => method.mode === 'mobile_key').instant_key_url
  })
  secret(url.split('/').pop())
  return { made, url, code: url.split('/').pop() }
}
