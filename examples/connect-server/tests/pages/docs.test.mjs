// The readable form of the routes' description.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { API_KEY, BASE, PHONE, close, launch, picture, usable, visit } from './stage.mjs'

before(launch)
after(close)

test('every route is there, by resource, and is found by a word', () =>
  visit({}, async (page) => {
    const spec = await (await fetch(`${BASE}/openapi.json`)).json()
    await page.goto(`${BASE}/docs`)
    await page.locator('.route').first().waitFor()
    assert.equal(await page.locator('.route').count(), Object.keys(spec.paths).length)
    assert.ok(await page.getByRole('heading', { name: 'access_grants', exact: true }).isVisible())
    await usable(page)
    await picture(page, 'docs', false)
    await page.getByLabel('Find a route').fill('explain')
    await page.getByText('1 route of').waitFor()
    await page.getByLabel('Find a route').fill('no such thing')
    await page.getByText('0 routes of').waitFor()
  }))

test('a route tells its parameters, its limits and its answer', () =>
  visit({}, async (page) => {
    await page.goto(`${BASE}/docs`)
    const route = page.locator('.route[data-path="/access_grants/create"]')
    await route.locator('summary').first().click()
    await route.getByText('required').first().waitFor()
    const text = await route.innerText()
    assert.match(text, /requested_access_methods/)
    assert.match(text, /date-time/)
    assert.match(text, /at least 1 character/)
    assert.match(text, /instant_key_max_use_count/)
    assert.match(text, /access_grant_id/)
    await route.scrollIntoViewIfNeeded()
    await picture(page, 'docs-route', false)
  }))

test('a route is tried with the key', () =>
  visit({}, async (page) => {
    await page.goto(`${BASE}/docs`)
    const route = page.locator('.route[data-path="/workspaces/get"]')
    await route.locator('summary').first().click()
    await route.getByRole('button', { name: 'Send' }).click()
    await route.getByText('Give an API key first').waitFor()
    await page.getByLabel('API key, to try routes').fill(API_KEY)
    await page.getByRole('button', { name: 'Use it' }).click()
    await route.getByRole('button', { name: 'Send' }).click()
    await route.locator('pre', { hasText: '"workspace_id"' }).waitFor()
    const wrong = page.locator('.route[data-path="/access_grants/get"]')
    await wrong.locator('summary').first().click()
    await wrong.locator('textarea').fill('{')
    await wrong.getByRole('button', { name: 'Send' }).click()
    await wrong.getByText('This is not JSON').waitFor()
    await wrong.locator('textarea').fill('{}')
    await wrong.getByRole('button', { name: 'Send' }).click()
    await wrong.locator('pre', { hasText: 'invalid_input' }).waitFor()
  }, [/400/]))

test('it can be read on a phone', () =>
  visit({ viewport: PHONE, isMobile: true, colorScheme: 'dark' }, async (page) => {
    await page.goto(`${BASE}/docs`)
    const route = page.locator('.route[data-path="/access_grants/create"]')
    await route.locator('summary').first().click()
    await route.getByText('required').first().waitFor()
    await usable(page)
    await route.scrollIntoViewIfNeeded()
    await picture(page, 'docs-phone', false)
  }))
