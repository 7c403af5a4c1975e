// What all pages share: elements, calls of the API, words for times.

/** An element with properties and children. Text is set as text: nothing that comes from elsewhere is ever read as markup. */
export function el(name, props = {}, ...children) {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue
    if (key === 'class') node.className = value
    else if (key.startsWith('on')) node.addEventListener(key.slice(2), value)
    else if (key in node && key !== 'list') node[key] = value
    else node.setAttribute(key, value === true ? '' : value)
  }
  node.append(...children.flat(9).filter((child) => child !== undefined && child !== null && child !== false))
  return node
}

export const byId = (id) => document.getElementById(id)

/** Puts these in the place of what an element has. */
export const fill = (node, ...children) => node.replaceChildren(...children.flat(9).filter(Boolean))

const KEY = 'seam_api_key'
export const key = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
}

/** What the server said no to. */
export class Refused extends Error {
  constructor(status, error) {
    super(error?.message || `The server answered ${status}.`)
    this.status = status
    this.kind = error?.type || 'unknown'
    this.error = error
  }
}

/** Sends JSON and reads JSON. */
export async function ask(path, { method = 'GET', headers = {}, body } = {}) {
  let response
  try {
    const sent = body === undefined ? headers : { 'content-type': 'application/json', ...headers }
    response = await fetch(path, { method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body) })
  } catch {
    throw new Refused(0, { type: 'unreachable', message: 'The server cannot be reached.' })
  }
  const answer = await response.json().catch(() => null)
  if (!response.ok) throw new Refused(response.status, answer?.error)
  return answer
}

/** Calls a route of the API with the key. Every route takes POST. */
export const call = (path, params = {}) => ask(path, { method: 'POST', headers: { authorization: `Bearer ${key.get()}` }, body: params })

const format = (options) => (zone) => new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone || undefined })
const full = format({ weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })
const clock = format({ hour: '2-digit', minute: '2-digit', second: '2-digit' })

/** An instant in words, on the clock of a place if one is named. */
export const when = (instant, zone) => (instant ? full(zone).format(new Date(instant)) : 'without an end')
export const clockTime = (instant) => clock().format(new Date(instant))

/** An instant with its exact form at hand. */
export const time = (instant, zone) => (instant ? el('time', { dateTime: instant, title: instant }, when(instant, zone)) : 'without an end')

/** A word with a colour. */
export const chip = (text, kind = '') => el('span', { class: `chip ${kind}` }, text)

/** So many of a thing. */
export const count = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`

/** What is wrong, or worth knowing, with a thing. */
export const notes = (errors = [], warnings = []) =>
  [...errors.map((note) => ['bad', note]), ...warnings.map((note) => ['warn', note])].map(([kind, note]) =>
    el('p', { class: `notice ${kind}` }, el('strong', {}, words(note.error_code || note.warning_code || note.code || kind)), ' ', note.message || ''),
  )

/** A machine name as people read it. */
export const words = (name) => {
  const text = String(name).replaceAll('_', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** A machine name that goes on in the next line after a dot or an underscore, if it has to. */
export const breakable = (name) => String(name).split(/(?<=[._/])/).flatMap((part) => [part, el('wbr')])

/** Runs something once typing has come to rest. */
export function rest(work, pause = 250) {
  let timer
  return (...args) => {
    clearTimeout(timer)
    timer = setTimeout(() => work(...args), pause)
  }
}
