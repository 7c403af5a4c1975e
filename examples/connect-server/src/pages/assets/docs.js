// The routes, read from their own description.
import { Refused, breakable, byId, call, chip, count, el, fill, key, rest } from './page.js'

const OWN = ['get', 'patch', 'put', 'delete', 'post']
let document_
let routes = []

/** What a reference leads to: a part of the document, or of the parameters that refer to it. */
function resolve(schema, definitions) {
  let found = schema || {}
  for (let i = 0; found.$ref && i < 9; i++) {
    const parts = found.$ref.replace(/^#\//, '').split('/').map((part) => part.replaceAll('~1', '/'))
    const local = parts[0] === '$defs' && definitions
    found = (local ? [parts[1]] : parts).reduce((at, part) => at?.[part], local || document_) || {}
  }
  return found
}

function read(spec) {
  document_ = spec
  const all = Object.entries(spec.paths).map(([path, item]) => {
    const verb = OWN.find((name) => item[name])
    const operation = item[verb]
    const asked = item.post || operation
    const schema = resolve(asked.requestBody?.content?.['application/json']?.schema)
    const required = new Set(schema.required || [])
    const params = operation.parameters?.length
      ? operation.parameters.map(resolve).map((one) => ({ name: one.name, where: one.in, required: !!one.required, schema: one.schema, about: one.description || resolve(one.schema).description }))
      : Object.entries(schema.properties || {}).map(([name, one]) => ({ name, required: required.has(name), schema: one, about: resolve(one).description }))
    params.sort((a, b) => b.required - a.required)
    const group = operation.tags?.[0] || path.split('/').slice(1, -1).join('/') || 'other'
    return { path, verb, alsoPost: verb !== 'post' && !!item.post, operation, params, group, definitions: schema.$defs || schema.definitions }
  })
  return all.sort((a, b) => a.group.localeCompare(b.group) || a.path.localeCompare(b.path))
}

/** A schema in a few words. */
function type(schema, definitions) {
  const one = resolve(schema, definitions)
  const name = schema?.$ref?.startsWith('#/components/') && schema.$ref.split('/').pop()
  if (name && one.type === 'object') return name
  if (one.enum) return one.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (one.const !== undefined) return JSON.stringify(one.const)
  const options = one.anyOf || one.oneOf
  if (options) return [...new Set(options.map((each) => type(each, definitions)))].join(' | ')
  const kinds = [one.type].flat().filter(Boolean)
  return kinds.map((kind) => (kind === 'array' ? `list of ${type(one.items, definitions)}` : kind === 'string' && one.format ? one.format : kind)).join(' | ') || 'anything'
}

const LIMITS = [
  ['minLength', 'at least $ characters'], ['maxLength', 'at most $ characters'], ['minimum', 'from $'], ['maximum', 'to $'],
  ['minItems', 'at least $ items'], ['maxItems', 'at most $ items'], ['pattern', 'of the form $'], ['default', 'otherwise $'],
]
const said = (value) => value !== undefined && value !== null && value !== false && !(Array.isArray(value) && !value.length)
const limits = (schema, definitions) => {
  const one = resolve(schema, definitions)
  const told = LIMITS.filter(([name]) => said(one[name])).map(([name, text]) => text.replace('$', () => String(one[name])))
  return told.join(', ').replace(/\b1 (character|item)s/g, '1 $1')
}

/** The members of an object, some levels deep. */
function members(schema, definitions, depth = 0) {
  const one = resolve(schema, definitions)
  const inside = (one.anyOf || one.oneOf)?.find((each) => members(each, definitions, depth))
  if (inside) return members(inside, definitions, depth)
  if (one.items) return members(one.items, definitions, depth)
  const all = Object.entries(one.properties || {})
  if (!all.length || depth > 3) return null
  const required = new Set(one.required || [])
  return el('ul', { class: 'tree' }, all.map(([name, member]) => {
    const about = [limits(member, definitions), resolve(member, definitions).description].filter(Boolean).join('. ')
    const inner = members(member, definitions, depth + 1)
    const head = [el('code', {}, name), ' ', el('span', { class: 'hint' }, type(member, definitions), !required.has(name) && ', optional'), about && el('span', {}, ` – ${about}`)]
    return el('li', {}, inner && depth > 0 ? el('details', {}, el('summary', {}, head), inner) : [head, inner])
  }))
}

function body(route) {
  const rows = route.params.map((one) => el('tr', {},
    el('th', { scope: 'row' }, el('code', {}, one.name), one.required && chip('required', 'info')),
    el('td', {}, type(one.schema, route.definitions)),
    el('td', {}, [limits(one.schema, route.definitions), one.about].filter(Boolean).join('. '), members(one.schema, route.definitions))))
  const head = el('tr', {}, ['Parameter', 'Type', 'Limits and meaning'].map((name) => el('th', { scope: 'col' }, name)))
  const answer = resolve(route.operation.responses?.['200'] || Object.values(route.operation.responses || {})[0])
  const content = Object.entries(answer.content || {})[0]
  return [
    route.operation.description && el('p', {}, route.operation.description),
    rows.length
      ? el('div', { class: 'scroll', tabIndex: 0, role: 'region', ariaLabel: `Parameters of ${route.path}` }, el('table', {}, el('thead', {}, head), el('tbody', {}, rows)))
      : el('p', { class: 'hint' }, 'It takes no parameters.'),
    el('h4', {}, 'Answer'),
    content ? members(content[1].schema) || el('p', { class: 'hint' }, content[0]) : el('p', { class: 'hint' }, answer.description || 'Nothing.'),
    attempt(route),
  ]
}

/** An example that has what is required. */
function example(schema, definitions) {
  const one = resolve(schema, definitions)
  if (one.default !== undefined) return one.default
  if (one.enum) return one.enum[0]
  const kind = [one.type].flat()[0]
  if (kind === 'array') return one.minItems || one.items ? [example(one.items, definitions)] : []
  if (kind === 'object') return Object.fromEntries((one.required || []).map((name) => [name, example(one.properties?.[name], definitions)]))
  if (kind === 'boolean') return true
  if (kind === 'number' || kind === 'integer') return one.minimum ?? 1
  return one.format === 'date-time' ? new Date().toISOString() : ''
}

function attempt(route) {
  const wanted = Object.fromEntries(route.params.filter((one) => one.required).map((one) => [one.name, example(one.schema, route.definitions)]))
  const id = `try-${route.path.replaceAll('/', '-')}`
  const input = el('textarea', { id, rows: Math.min(10, JSON.stringify(wanted, null, 2).split('\n').length + 1), spellcheck: false, value: JSON.stringify(wanted, null, 2) })
  const status = el('p', { role: 'status' })
  const output = el('pre', { hidden: true, tabIndex: 0 })
  const send = async () => {
    output.hidden = true
    if (!key.get()) return fill(status, chip('Give an API key first', 'warn'))
    let params
    try {
      params = JSON.parse(input.value || '{}')
    } catch {
      return fill(status, chip('This is not JSON', 'bad'))
    }
    button.disabled = true
    let answer
    try {
      answer = await call(route.path, params)
      fill(status, chip('200', 'ok'))
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused
      answer = { ok: false, error: refused.error }
      fill(status, chip(String(refused.status || 'no answer'), 'bad'))
    }
    button.disabled = false
    output.textContent = JSON.stringify(answer, null, 2)
    output.hidden = false
  }
  const button = el('button', { type: 'button', onclick: send }, 'Send')
  return [el('h4', {}, el('label', { htmlFor: id }, 'Try it')), route.verb !== 'get' && el('p', { class: 'hint' }, 'This changes the workspace of your key.'), input, el('div', { class: 'line' }, button, status), output]
}

const haystack = (route) => [route.path, route.operation.summary, route.operation.description, ...route.params.map((one) => one.name)].join(' ').toLowerCase()

function draw() {
  const wanted = byId('search').value.toLowerCase().split(/\s+/).filter(Boolean)
  const shown = routes.filter((route) => wanted.every((word) => haystack(route).includes(word)))
  const groups = Map.groupBy ? Map.groupBy(shown, (route) => route.group) : shown.reduce((map, route) => map.set(route.group, [...(map.get(route.group) || []), route]), new Map())
  byId('found').textContent = wanted.length ? `${count(shown.length, 'route')} of ${routes.length}` : count(routes.length, 'route')
  fill(byId('groups'), el('ul', {}, [...groups.keys()].map((name) => el('li', {}, el('a', { href: `#${anchor(name)}` }, breakable(name))))))
  fill(byId('routes'), [...groups].map(([name, list]) => el('section', { class: 'card', 'aria-labelledby': anchor(name) }, el('h2', { id: anchor(name) }, name), list.map(item))))
}

/** A text with what stands between backticks set as code. */
const prose = (text) => text.split('`').map((part, i) => (i % 2 ? el('code', {}, part) : part))

const anchor = (name) => `group-${name.replaceAll('/', '-')}`

function item(route) {
  const inside = el('div', { class: 'inside' })
  const verbs = [chip(route.verb.toUpperCase(), `verb ${route.verb}`), route.alsoPost && chip('POST', 'verb post')]
  const node = el('details', { class: 'row route', 'data-path': route.path }, el('summary', {}, el('span', { class: 'chips' }, verbs), el('code', {}, breakable(route.path)), el('span', { class: 'hint' }, route.operation.summary)), inside)
  // Most are never opened: what is inside is made when it is.
  node.addEventListener('toggle', () => node.open && !inside.hasChildNodes() && inside.append(...body(route).flat(9).filter(Boolean)))
  return node
}

const keyed = () => { byId('key-state').textContent = key.get() ? 'A key is set in this tab.' : '' }
byId('key-form').addEventListener('submit', (event) => {
  event.preventDefault()
  key.set(byId('key').value.trim())
  byId('key').value = ''
  keyed()
})
byId('search').addEventListener('input', rest(draw, 120))
keyed()

try {
  const response = await fetch('/openapi.json')
  if (!response.ok) throw new Error(`status ${response.status}`)
  const spec = await response.json()
  byId('title').textContent = spec.info?.title || 'Routes'
  fill(byId('about'), prose([spec.info?.summary, spec.info?.description].filter(Boolean).join(' ')))
  routes = read(spec)
  draw()
} catch {
  fill(byId('routes'), el('p', { class: 'notice bad' }, 'The description of the routes cannot be read.'))
}
