// The Instant Key page: whose key this is, what it opens, and a button for each door that opens from afar. Opening the page uses nothing up.
import { Refused, ask, byId, chip, count, el, fill, when } from './page.js'

const here = location.pathname.replace(/\/+$/, '')
const place = byId('key')
// The server takes changes from its own pages only; no other site's page can send this header.
const ours = { 'seam-page': '1' }

const GONE = {
  used_up: ['This link was used already', 'Every link works for a set number of phones. If this is your key and you have not got it, ask the front desk for a new link.'],
  expired: ['This key has expired', 'Its time is over. If you are staying longer, ask the front desk for a new link.'],
  deleted: ['This key was taken back', 'It does not open doors any more. If you think that is wrong, ask the front desk.'],
  unknown: ['This link is not known', 'Check that the whole address was copied. Keys that ended long ago are not known any more.'],
  limited: ['Too many tries', 'Wait a minute, then open the link again.'],
  trouble: ['The key cannot be shown now', 'The server cannot be reached or is busy. Try again in a moment.'],
}

function gone(state) {
  const [title, text] = GONE[state] || GONE.trouble
  document.title = title
  show(el('div', { class: 'card gone', 'data-state': state }, el('h1', {}, title), el('p', {}, text), state === 'trouble' && el('button', { type: 'button', onclick: open }, 'Try again')))
}

function show(...children) {
  fill(place, children)
  place.setAttribute('aria-busy', 'false')
}

const failed = (refused) => {
  if (!(refused instanceof Refused)) throw refused
  if (refused.status === 404) return gone('unknown')
  if (refused.status === 429) return gone('limited')
  if (refused.kind === 'instant_key_used_up') return gone('used_up')
  if (refused.kind === 'instant_key_expired') return gone('expired')
  return gone('trouble')
}

async function open() {
  try {
    const { instant_key } = await ask(`${here}/contents`)
    draw(instant_key)
  } catch (refused) {
    failed(refused)
  }
}

async function redeem(event) {
  event.target.disabled = true
  try {
    const { instant_key } = await ask(`${here}/redeem`, { method: 'POST', headers: ours })
    draw(instant_key)
    place.querySelector('h1').focus()
  } catch (refused) {
    failed(refused)
  }
}

const bounds = (starts, ends, zone) => [el('dt', {}, 'From'), el('dd', {}, when(starts, zone)), el('dt', {}, 'Until'), el('dd', {}, when(ends, zone))]

function draw(key) {
  if (!key.doors) return gone(key.state)
  document.title = 'Your key'
  const same = new Set(key.doors.map((door) => `${door.starts_at} ${door.ends_at}`)).size === 1
  const first = key.doors[0]
  show(
    el('header', { class: 'welcome' }, el('p', { class: 'hint' }, key.redeemed_here ? 'Your key' : 'A key for'), el('h1', { tabIndex: -1 }, key.holder || 'you')),
    same && first && el('dl', { class: 'window' }, bounds(first.starts_at, first.ends_at, first.time_zone)),
    !key.redeemed_here && offer(key),
    el('h2', { class: 'hidden' }, 'Doors'),
    key.doors.length
      ? el('ul', { class: 'doors' }, key.doors.map((one) => door(one, key.redeemed_here, same)))
      : el('p', { class: 'card' }, 'This key opens no door at the moment.'),
  )
}

function offer(key) {
  return el('div', { class: 'card offer' },
    el('p', {}, 'Get the key on this phone to use it. ', key.uses_left === 1 ? 'The link works once.' : `The link works ${count(key.uses_left, 'more time')}.`),
    el('button', { class: 'large', type: 'button', onclick: redeem }, 'Get my key'))
}

const WHY = {
  not_issued: 'The lock does not know this key yet. Try again in a minute.',
  not_yet: 'Opens from here once its time has come.',
  over: 'Its time is over.',
  suspended: 'This key is paused. Ask the front desk.',
}

function door(one, redeemed, same) {
  const said = el('p', { class: 'said', role: 'status' })
  const parts = [el('h3', {}, one.display_name), !same && el('dl', { class: 'window' }, bounds(one.starts_at, one.ends_at, one.time_zone))]
  if (one.remote_unlock === 'ready') {
    parts.push(redeemed ? el('button', { class: 'large unlock', type: 'button', onclick: (event) => unlock(event.target, one, said) }, `Unlock ${one.display_name}`) : chip('opens from here', 'ok'))
  } else if (WHY[one.remote_unlock]) {
    parts.push(el('p', { class: 'hint' }, WHY[one.remote_unlock]))
  }
  if (one.mobile_key) parts.push(el('p', { class: 'hint' }, 'Hold your phone to the lock: it opens with the key on the phone.'))
  return el('li', { class: 'card', 'data-door': one.display_name }, parts, said)
}

async function unlock(button, one, said) {
  button.disabled = true
  said.className = 'said'
  said.textContent = 'Opening ...'
  try {
    const { unlock } = await ask(`${here}/unlock`, { method: 'POST', headers: ours, body: { acs_entrance_id: one.acs_entrance_id } })
    const [text, kind] = {
      // Only the door itself knows that it is open; its system has sent it the command.
      success: unlock.confirmed ? ['Open. Come in.', 'ok'] : ['The door was told to open. Try it.', 'ok'],
      pending: ['The door has not answered yet. It may still open.', 'warn'],
      error: [unlock.message || 'The door did not open.', 'bad'],
    }[unlock.status]
    said.textContent = text
    said.className = `said ${kind}`
  } catch (refused) {
    if (refused.status === 401) return gone('deleted')
    said.textContent = refused.status === 429 ? 'Too many tries. Wait a moment.' : refused.message
    said.className = 'said bad'
  } finally {
    button.disabled = false
  }
}

open()
