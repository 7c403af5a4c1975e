// The operations page: what there is, what happens, and why somebody can or cannot pass a door.
import { Refused, breakable, byId, call, chip, clockTime, count, el, fill, key, notes, rest, time, words } from './page.js'
import { plot } from './plot.js'

const PAGE = 25
const doorNames = new Map()
const systemNames = new Map()
let reading

// ---- signing in ----

function show(signedIn) {
  byId('sign-in').hidden = signedIn
  byId('signed-in').hidden = !signedIn
  byId('parts').hidden = !signedIn
  byId('sign-out').hidden = !signedIn
}

function signOut(problem = '') {
  key.forget()
  reading?.abort()
  byId('workspace').textContent = 'Operations'
  byId('key-problem').textContent = problem
  show(false)
  byId('key').focus()
}

async function signIn() {
  try {
    const { workspace } = await call('/workspaces/get')
    byId('workspace').textContent = workspace.name
  } catch (refused) {
    signOut(refused.message)
    return
  }
  show(true)
  byId('key').value = ''
  follow()
  await Promise.all([systems().then(doors), grants.first(), people(), spaces()])
}

/** What to do when a part of the page cannot be shown. */
function trouble(place, refused) {
  if (!(refused instanceof Refused)) throw refused
  if (refused.status === 401) signOut(refused.message)
  else fill(place, el('p', { class: 'notice bad' }, refused.message))
}

// ---- systems ----

async function systems() {
  const place = byId('systems-list')
  try {
    const [{ acs_systems }, { connected_accounts }] = await Promise.all([call('/acs/systems/list'), call('/connected_accounts/list')])
    byId('systems-count').textContent = acs_systems.length
    connected_accounts.sort((one, other) => nameOf(one).localeCompare(nameOf(other)))
    const reports = await Promise.all(connected_accounts.map(readiness))
    const tiles = connected_accounts.map((account, i) => {
      const of = acs_systems.filter((system) => system.connected_account_id === account.connected_account_id)
      of.forEach((system) => systemNames.set(system.acs_system_id, system.name))
      return tile(account, of, reports[i])
    })
    fill(place, tiles.length ? tiles : el('p', { class: 'hint' }, 'No access system is connected.'))
  } catch (refused) {
    trouble(place, refused)
  }
}

const nameOf = (account) => account.display_name || account.account_type_display_name

/** What stands between an account and its first grant. */
async function readiness(account) {
  const { readiness } = await call('/connected_accounts/get_readiness', { connected_account_id: account.connected_account_id })
  return readiness
}

function tile(account, of, report) {
  const errors = [...account.errors, ...of.flatMap((system) => system.errors)]
  const warnings = [...account.warnings, ...of.flatMap((system) => system.warnings)]
  const findings = report.findings.filter((finding) => !errors.some((error) => error.error_code === finding.code))
  const blocked = errors.length > 0 || findings.some((finding) => finding.blocking)
  const state = blocked
    ? chip('not ready', 'bad')
    : !report.checked_at
      ? chip('not looked at yet')
      : warnings.length || findings.length
        ? chip('look at it', 'warn')
        : chip('ready', 'ok')
  return el(
    'article',
    { class: 'tile' },
    el('h3', {}, nameOf(account), ' ', state),
    of.map((system) => el('p', { class: 'hint' }, [system.name, system.external_type_display_name, system.location?.time_zone].filter(Boolean).join(' · '))),
    notes(errors, warnings),
    findings.map((finding) =>
      el('p', { class: `notice ${finding.blocking ? 'bad' : 'warn'}` }, el('strong', {}, words(finding.code)), ' ', finding.message),
    ),
  )
}

// ---- doors ----

const TAKES = [
  ['can_unlock_with_card', 'card'],
  ['can_unlock_with_code', 'code'],
  ['can_unlock_with_mobile_key', 'mobile key'],
  ['can_unlock_with_cloud_key', 'cloud key'],
]

let doorCursor
let doorTurn = 0
async function doors(more) {
  const place = byId('doors-list')
  const mine = ++doorTurn
  try {
    const search = byId('doors-search').value.trim()
    const { acs_entrances, pagination } = await call('/acs/entrances/list', {
      limit: 100,
      ...(search && { search }),
      ...(more === true && doorCursor && { page_cursor: doorCursor }),
    })
    if (mine !== doorTurn) return
    const rows = acs_entrances.map((door) => {
      doorNames.set(door.acs_entrance_id, door.display_name)
      const takes = TAKES.filter(([field]) => door[field]).map(([, name]) => chip(name))
      const state = door.errors.length ? chip(words(door.errors[0].error_code), 'bad') : chip('there', 'ok')
      const name = el('th', { scope: 'row' }, door.display_name)
      return el('tr', {}, name, el('td', {}, systemNames.get(door.acs_system_id) || ''), el('td', {}, el('span', { class: 'chips' }, takes)), el('td', {}, state))
    })
    if (more === true) place.append(...rows)
    else fill(place, rows.length ? rows : el('tr', {}, el('td', { colSpan: 4, class: 'hint' }, 'No door.')))
    doorCursor = pagination.next_page_cursor
    byId('doors-more').hidden = !pagination.has_next_page
    byId('doors-count').textContent = place.children.length + (pagination.has_next_page ? '+' : '')
    if (!search && more !== true) options('explain-door', acs_entrances, 'acs_entrance_id')
  } catch (refused) {
    trouble(place, refused)
  }
}

// ---- grants ----

const grants = {
  cursor: null,
  turn: 0,
  shown: () => byId('grants-list').querySelectorAll('.row').length,
  async first(limit = PAGE) {
    const rows = await this.rows(null, limit)
    if (rows) fill(byId('grants-list'), rows)
  },
  async more() {
    const rows = await this.rows(this.cursor, PAGE)
    if (rows) byId('grants-list').append(...rows)
  },
  /** A page of rows; nothing when something newer was asked for meanwhile. */
  async rows(cursor, limit) {
    const mine = ++this.turn
    try {
      const search = byId('grants-search').value.trim()
      const { access_grants, pagination } = await call('/access_grants/list', {
        limit,
        ...(search && { search }),
        ...(cursor && { page_cursor: cursor }),
      })
      const names = access_grants.length ? await this.names(access_grants) : new Map()
      if (mine !== this.turn) return null
      this.cursor = pagination.next_page_cursor
      byId('grants-more').hidden = !pagination.has_next_page
      byId('grants-count').textContent = (cursor ? this.shown() : 0) + access_grants.length + (pagination.has_next_page ? '+' : '')
      if (!access_grants.length) return [el('p', { class: 'hint' }, search ? 'No grant has this in it.' : 'No grant yet.')]
      return access_grants.map((grant) => row(grant, names.get(grant.user_identity_id)))
    } catch (refused) {
      trouble(byId('grants-list'), refused)
      return null
    }
  },
  async names(list) {
    const ids = list.map((grant) => grant.access_grant_id)
    const { batch } = await call('/access_grants/get_related', { access_grant_ids: ids, include: ['user_identities'] })
    return new Map((batch.user_identities || []).map((person) => [person.user_identity_id, person.display_name || person.full_name]))
  },
}

function stateOf(grant) {
  if (grant.errors.length) return chip('error', 'bad')
  if (grant.is_suspended) return chip('suspended', 'warn')
  const now = Date.now()
  if (grant.ends_at && Date.parse(grant.ends_at) <= now) return chip('over')
  if (Date.parse(grant.starts_at) > now) return chip('to come', 'info')
  return chip('running', 'ok')
}

function row(grant, person) {
  const marks = [stateOf(grant)]
  if (grant.warnings.length) marks.push(chip(count(grant.warnings.length, 'warning'), 'warn'))
  if (grant.pending_mutations.length) marks.push(chip('on its way', 'info'))
  if (grant.residual_access?.length) marks.push(chip('may still open', 'warn'))
  const inside = el('div', { class: 'inside' })
  const node = el(
    'details',
    { class: 'row' },
    el(
      'summary',
      {},
      el('span', { class: 'who' }, person || 'Somebody', el('small', {}, grant.name || grant.reservation_key || grant.access_grant_key || '')),
      el('span', { class: 'span' }, time(grant.starts_at), ' – ', time(grant.ends_at)),
      el('span', { class: 'chips' }, marks),
    ),
    inside,
  )
  node.addEventListener('toggle', () => node.open && detail(grant, inside))
  return node
}

async function detail(grant, place) {
  try {
    const { batch } = await call('/access_grants/get_related', {
      access_grant_ids: [grant.access_grant_id],
      include: ['access_methods', 'acs_entrances', 'spaces'],
    })
    const list = (title, items) => (items?.length ? [el('h4', {}, title), el('ul', {}, items.map((item) => el('li', {}, item)))] : [])
    const methods = (batch.access_methods || []).map((method) => [
      el('strong', {}, method.display_name),
      ` – ${method.display_status}`,
      notes(method.errors, method.warnings),
    ])
    fill(
      place,
      el('p', {}, grant.display_status),
      notes(grant.errors, grant.warnings),
      list('Doors', (batch.acs_entrances || []).map((door) => door.display_name)),
      list('Spaces', (batch.spaces || []).map((space) => space.display_name)),
      list('Access methods', methods),
      list('On its way', grant.pending_mutations.map((change) => change.message || words(change.mutation_code))),
      list('May still open', (grant.residual_access || []).map((left) => `${doorNames.get(left.acs_entrance_id) || left.acs_entrance_id}: ${words(left.why)}`)),
      el('p', { class: 'hint' }, el('code', {}, grant.access_grant_id)),
    )
  } catch (refused) {
    trouble(place, refused)
  }
}

// ---- explain ----

function options(id, things, field) {
  const select = byId(id)
  const had = select.value
  fill(select, things.map((thing) => el('option', { value: thing[field] }, thing.display_name || thing.full_name || thing.name || thing[field])))
  if (things.some((thing) => thing[field] === had)) select.value = had
}

let peopleTurn = 0
async function people() {
  const search = byId('explain-find').value.trim()
  const mine = ++peopleTurn
  try {
    const { user_identities } = await call('/user_identities/list', { limit: 50, ...(search && { search }) })
    if (mine === peopleTurn) options('explain-person', user_identities, 'user_identity_id')
  } catch (refused) {
    trouble(byId('explain-answer'), refused)
  }
}

async function explain(event) {
  event.preventDefault()
  const place = byId('explain-answer')
  const at = byId('explain-at').value
  try {
    const { explanation } = await call('/access/explain', {
      user_identity_id: byId('explain-person').value,
      acs_entrance_id: byId('explain-door').value,
      ...(at && { at: new Date(at).toISOString() }),
    })
    const [word, kind] = { yes: ['Yes', 'ok'], no: ['No', 'bad'], perhaps: ['Perhaps', 'warn'] }[explanation.can_enter]
    fill(
      place,
      el('p', { class: `verdict ${kind}` }, el('strong', {}, word), explanation.why && ` – ${explanation.why.message}`),
      el('ul', { class: 'facts' }, explanation.facts.map((fact) => el('li', {}, fact.message))),
    )
  } catch (refused) {
    trouble(place, refused)
  }
}

// ---- occupancy ----

async function spaces() {
  try {
    const { spaces } = await call('/spaces/list', { limit: 500 })
    options('occupancy-space', spaces, 'space_id')
    const form = byId('occupancy-form')
    form.querySelector('button').disabled = !spaces.length
    if (!spaces.length) fill(byId('occupancy-plot'), el('p', { class: 'hint' }, 'There is no space yet.'))
    else if (byId('occupancy-plot').textContent.startsWith('There is no')) fill(byId('occupancy-plot'))
  } catch (refused) {
    trouble(byId('occupancy-plot'), refused)
  }
}

async function occupancy(event) {
  event.preventDefault()
  const place = byId('occupancy-plot')
  const [from, to] = ['occupancy-from', 'occupancy-to'].map((id) => new Date(`${byId(id).value}T00:00`))
  to.setDate(to.getDate() + 1)
  try {
    const space = byId('occupancy-space')
    const { occupancy } = await call('/spaces/get_occupancy', { space_id: space.value, from: from.toISOString(), to: to.toISOString() })
    const name = space.selectedOptions[0].textContent
    const now = count(new Set(occupancy.entitled.map((one) => one.user_identity_id)).size, 'person', 'people')
    fill(place, el('p', {}, `${now} may be in ${name} right now.`), plot(occupancy.hours, `People entitled to be in ${name}, by hour`, place.clientWidth))
  } catch (refused) {
    trouble(place, refused)
  }
}

// ---- events ----

// As many as are shown stay shown.
const again = rest(() => grants.first(Math.min(Math.max(PAGE, grants.shown()), 1000)), 800)
const peopleAgain = rest(() => people(), 800)
const spacesAgain = rest(() => spaces(), 800)
const systemsAgain = rest(() => systems().then(doors), 800)

/** What an event says has changed is shown anew, unless somebody reads it just now. */
function refresh(type) {
  if (/^access_(grant|method)\./.test(type) && !byId('grants-list').querySelector('details[open]') && !byId('grants-search').value) again()
  if (/^user_identity\./.test(type) || /^access_grant\.created/.test(type)) peopleAgain()
  if (/^space\./.test(type)) spacesAgain()
  if (/^(acs_system|acs_entrance|connected_account)\./.test(type)) systemsAgain()
}

function told(place, event) {
  const ids = Object.entries(event).filter(([name, value]) => name.endsWith('_id') && !['event_id', 'workspace_id'].includes(name) && typeof value === 'string')
  const about = event.event_description || (event.acs_entrance_id && doorNames.get(event.acs_entrance_id)) || ''
  const list = byId('events-list')
  list.prepend(
    el(
      'li',
      { 'data-type': event.event_type },
      el('details', {},
        el('summary', {}, el('time', { dateTime: event.created_at, title: event.created_at }, clockTime(event.created_at)), el('strong', {}, breakable(event.event_type))),
        el('dl', {}, ids.map(([name, value]) => [el('dt', {}, words(name.slice(0, -3))), el('dd', {}, el('code', {}, value))]), el('dt', {}, 'Place'), el('dd', {}, place))),
      about && el('p', { class: 'hint' }, about),
    ),
  )
  while (list.children.length > 200) list.lastChild.remove()
}

function state(text, kind) {
  const node = byId('events-state')
  node.textContent = text
  node.className = `chip ${kind}`
}

/** Reads the stream for as long as somebody is signed in; cut off, it goes on after the last event that was seen. */
async function follow() {
  reading?.abort()
  const mine = (reading = new AbortController())
  let last
  let began = Date.now()
  let pause = 1000
  fill(byId('events-list'))
  while (!mine.signal.aborted) {
    try {
      const headers = { authorization: `Bearer ${key.get()}`, accept: 'text/event-stream', ...(last && { 'last-event-id': last }) }
      const response = await fetch('/events/stream?last=50', { headers, signal: mine.signal, cache: 'no-store' })
      if (response.status === 401) return signOut('The key is not known any more.')
      if (!response.ok) throw new Error(`status ${response.status}`)
      state('live', 'ok')
      pause = 1000
      let rest = ''
      for await (const text of pieces(response.body)) {
        const parts = (rest + text).split('\n\n')
        rest = parts.pop()
        for (const part of parts) {
          const fields = Object.fromEntries(part.split('\n').map((line) => line.split(/: ?(.*)/s).slice(0, 2)))
          if (!fields.data) continue
          last = fields.id
          const event = JSON.parse(fields.data)
          told(fields.id, event)
          if (Date.parse(event.created_at) >= began - 5000) refresh(event.event_type)
        }
      }
    } catch {
      if (mine.signal.aborted) return
    }
    state('connecting', 'warn')
    await new Promise((done) => setTimeout(done, pause))
    pause = Math.min(pause * 2, 30_000)
  }
}

async function* pieces(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}

// ---- the page ----

const local = (at) => new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString()
byId('occupancy-from').value = local(new Date()).slice(0, 10)
byId('occupancy-to').value = local(new Date(Date.now() + 6 * 86_400_000)).slice(0, 10)

byId('key-form').addEventListener('submit', (event) => {
  event.preventDefault()
  key.set(byId('key').value.trim())
  signIn()
})
byId('sign-out').addEventListener('click', () => signOut())
byId('doors-search').addEventListener('input', rest(() => doors()))
byId('doors-more').addEventListener('click', () => doors(true))
byId('grants-search').addEventListener('input', rest(() => grants.first()))
byId('grants-more').addEventListener('click', () => grants.more())
byId('explain-find').addEventListener('input', rest(people))
byId('explain-form').addEventListener('submit', explain)
byId('occupancy-form').addEventListener('submit', occupancy)

if (key.get()) signIn()
else show(false)
