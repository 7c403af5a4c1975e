// Connecting an account: a form made of the provider's settings, then what was found.
import { Refused, ask, byId, chip, el, fill, rest, words } from './page.js'

// The address names the page and carries its token: behind `?` as the API writes it, or behind `#`, which no server sees.
const named = new URLSearchParams(location.search)
const id = named.get('connect_webview_id') || location.pathname.split('/').filter(Boolean).pop()
const token = named.get('auth_token') || new URLSearchParams(location.hash.slice(1)).get('auth_token') || ''
const headers = { 'connect-webview-token': token }
const body = byId('body')
const report = byId('report')
// The token does not stay in the address bar, from where it would be copied or kept in the history.
history.replaceState(null, '', location.pathname)

async function open() {
  try {
    const { form } = await ask(`/connect/${encodeURIComponent(id)}/form`, { headers })
    if (form.status !== 'authorized') choose(form.accepted_providers)
    if (form.result) done(form.result)
  } catch (refused) {
    failed(refused)
  }
  body.setAttribute('aria-busy', 'false')
}

function failed(refused) {
  if (!(refused instanceof Refused)) throw refused
  const unknown = [401, 404].includes(refused.status)
  fill(body, el('p', { class: 'notice bad' }, unknown ? 'This page is not there, or its address was not copied in full.' : refused.message))
}

function choose(providers) {
  if (!providers.length) return fill(body, el('p', { class: 'notice bad' }, 'This page accepts no kind of access system that can be connected here.'))
  const fields = el('div', {})
  const pick = el('select', { id: 'provider', onchange: () => draw() }, providers.map((one) => el('option', { value: one.kind }, one.display_name || words(one.kind))))
  const problem = el('p', { class: 'problem', role: 'alert' })
  const button = el('button', { type: 'submit', class: 'large' }, 'Connect')
  const form = el('form', { autocomplete: 'off', noValidate: true }, el('label', { htmlFor: 'provider' }, 'Access system'), pick, fields, problem, button)
  let read
  const draw = () => {
    read = object(fields, providers.find((one) => one.kind === pick.value).schema, 'settings')
    problem.textContent = ''
  }
  const clear = () => {
    problem.textContent = ''
    form.querySelectorAll('[aria-invalid]').forEach((input) => input.removeAttribute('aria-invalid'))
  }
  // What was wrong is not said any longer of a form that is being put right.
  form.addEventListener('input', clear)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    clear()
    const wrong = [...form.elements].find((input) => input.willValidate && !input.checkValidity())
    if (wrong) {
      problem.textContent = `${wrong.labels?.[0]?.firstChild.textContent || 'A field'}: ${wrong.validationMessage}`
      wrong.focus()
      return
    }
    button.disabled = true
    try {
      const sent = { provider: pick.value, settings: read() }
      const { result } = await ask(`/connect/${encodeURIComponent(id)}`, { method: 'POST', headers, body: sent })
      done(result)
    } catch (refused) {
      problem.textContent = refused.message
      const field = (refused.error?.data?.parameter || '').replace(/^settings\./, '')
      const input = field && form.querySelector(`[name="${CSS.escape(`settings.${field}`)}"]`)
      if (input) {
        input.setAttribute('aria-invalid', 'true')
        input.focus()
      }
    } finally {
      button.disabled = false
    }
  })
  draw()
  fill(body, form)
}

/** Draws the members of an object schema and gives what reads them. */
function object(place, schema, path) {
  const required = new Set(schema.required || [])
  const readers = Object.entries(schema.properties || {}).map(([name, member]) => [name, required.has(name), member])
  const drawn = readers.map(([name, must, member]) => [name, must, field(`${path}.${name}`, name, member, must)])
  fill(place, schema.description && el('p', { class: 'hint' }, schema.description), drawn.map(([, , one]) => one.node))
  return () => {
    const value = {}
    for (const [name, must, one] of drawn) {
      const read = one.read()
      if (read !== undefined && (must || read !== '')) value[name] = read
    }
    return value
  }
}

function kindOf(schema) {
  const kinds = [schema.type].flat().filter((kind) => kind && kind !== 'null')
  return kinds[0] || (schema.enum ? 'string' : 'object')
}

function field(path, name, schema, must) {
  const kind = kindOf(schema)
  const inputId = path.replaceAll('.', '-')
  const hint = schema.description && el('p', { class: 'hint', id: `${inputId}-hint` }, schema.description)
  const common = { id: inputId, name: path, required: must, 'aria-describedby': hint ? hint.id : null }
  const label = el('label', { htmlFor: inputId }, schema.title || words(name), !must && kind !== 'boolean' && el('span', { class: 'hint' }, ' optional'))
  if (schema.const !== undefined) return { node: '', read: () => schema.const }
  if (schema.enum) {
    const input = el('select', common, !must && el('option', { value: '' }, ''), schema.enum.map((one, i) => el('option', { value: String(i), selected: one === schema.default }, words(one))))
    return { node: el('div', { class: 'field' }, label, input, hint), read: () => (input.value === '' ? undefined : schema.enum[Number(input.value)]) }
  }
  if (kind === 'boolean') {
    const input = el('input', { ...common, required: false, type: 'checkbox', checked: schema.default === true })
    return { node: el('div', { class: 'field check' }, input, label, hint), read: () => input.checked }
  }
  if (kind === 'number' || kind === 'integer') {
    const input = el('input', { ...common, type: 'number', step: kind === 'integer' ? '1' : 'any', min: schema.minimum, max: schema.maximum, value: schema.default ?? '' })
    return { node: el('div', { class: 'field' }, label, input, hint), read: () => (input.value === '' ? undefined : Number(input.value)) }
  }
  if (kind === 'object' && schema.properties) {
    const inner = el('div', {})
    const read = object(inner, schema, path)
    const node = el('fieldset', {}, el('legend', {}, schema.title || words(name)), inner)
    return { node, read: () => { const value = read(); return must || Object.keys(value).length ? value : undefined } }
  }
  if (kind === 'array' || kind === 'object') {
    // What has no simple form is written as JSON.
    const input = el('textarea', { ...common, rows: 4, spellcheck: false, placeholder: kind === 'array' ? '[ ]' : '{ }' })
    const check = () => { let fine = true; try { input.value && JSON.parse(input.value) } catch { fine = false }; input.setCustomValidity(fine ? '' : 'This is not JSON.') }
    input.addEventListener('input', rest(check, 50))
    return { node: el('div', { class: 'field' }, label, input, hint), read: () => { check(); return input.value ? JSON.parse(input.value) : undefined } }
  }
  const type = schema.writeOnly || schema.format === 'password' ? 'password' : { uri: 'url', email: 'email' }[schema.format] || 'text'
  const input = el('input', { ...common, type, autocomplete: type === 'password' ? 'new-password' : 'off', spellcheck: false, value: schema.default ?? '', pattern: schema.pattern })
  if (schema.minLength) input.minLength = schema.minLength
  if (schema.maxLength) input.maxLength = schema.maxLength
  return { node: el('div', { class: 'field' }, label, input, hint), read: () => (input.value === '' && !must ? undefined : input.value) }
}

function done(result) {
  const blocked = result.findings.some((one) => one.blocking)
  const state = {
    authorized: blocked ? ['Connected', 'The login works, but something stands in the way of the first key.', 'warn'] : ['Connected', 'The login works. You can close this page.', 'ok'],
    failed: ['Not connected', 'The login was refused. Check the settings and try again.', 'bad'],
  }[result.status] || ['Being connected', 'The login is not through yet. It is tried again by itself; you can close this page.', 'warn']
  if (result.status !== 'failed') fill(body)
  const findings = [...result.errors.map((error) => ({ ...error, blocking: true })), ...result.findings]
  fill(report,
    el('p', { class: `verdict ${state[2]}`, 'data-status': result.status }, el('strong', {}, state[0]), ` – ${state[1]}`),
    findings.length ? el('h2', {}, 'What was found') : null,
    findings.length ? el('ul', { class: 'facts' }, findings.map((one) => el('li', {}, chip(one.blocking ? 'in the way' : 'good to know', one.blocking ? 'bad' : 'warn'), ' ', one.message))) : null,
    /^https?:/.test(result.redirect_url || '') && el('p', {}, el('a', { href: result.redirect_url }, 'Go on')))
}

open()
