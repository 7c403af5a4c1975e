// A plot of a count over hours, drawn by hand as SVG.
import { el } from './page.js'

const SVG = 'http://www.w3.org/2000/svg'
const HEIGHT = 260
const EDGE = { left: 40, right: 14, top: 14, bottom: 34 }

function shape(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  node.append(...children)
  return node
}

/** A whole step at which about four lines are drawn. */
function step(most) {
  const rough = Math.max(1, most / 4)
  const ten = 10 ** Math.floor(Math.log10(rough))
  return Math.max(1, [1, 2, 5, 10].map((n) => n * ten).find((n) => n >= rough))
}

const day = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short' })
const hour = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const both = (at) => `${day.format(at)}, ${hour.format(at)}`

/** Draws `hours`, a list of `{from, people}`, one for each hour, without gaps, as wide as there is room. */
export function plot(hours, title, room) {
  const width = Math.min(Math.max(Math.round(room), 280), 1100)
  const most = Math.max(1, ...hours.map((one) => one.people))
  const tick = step(most)
  const top = Math.ceil(most / tick) * tick
  const inner = { width: width - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom }
  const x = (i) => EDGE.left + (inner.width * i) / hours.length
  const y = (n) => EDGE.top + inner.height * (1 - n / top)
  const svg = shape('svg', { viewBox: `0 0 ${width} ${HEIGHT}`, role: 'img', class: 'plot', 'aria-label': title })

  for (let n = 0; n <= top; n += tick) {
    svg.append(shape('line', { class: 'grid', x1: EDGE.left, x2: width - EDGE.right, y1: y(n), y2: y(n) }))
    svg.append(shape('text', { class: 'tick', x: EDGE.left - 8, y: y(n) + 4, 'text-anchor': 'end' }, String(n)))
  }
  // Marks stand at midnights; of few days also at quarters of them.
  const every = hours.length <= 72 ? 6 : 24
  const marks = hours.map((one, i) => [new Date(one.from), i]).filter(([at]) => at.getHours() % every === 0)
  const apart = Math.ceil((marks.length * 84) / inner.width)
  marks.forEach(([at, i], n) => {
    svg.append(shape('line', { class: 'mark', x1: x(i), x2: x(i), y1: y(0), y2: y(0) + 5 }))
    if (n % apart) return
    const label = every === 24 || at.getHours() === 0 ? day.format(at) : hour.format(at)
    const anchor = x(i) > width - 36 ? 'end' : 'middle'
    svg.append(shape('text', { class: 'tick', x: x(i), y: HEIGHT - 10, 'text-anchor': anchor }, label))
  })
  const line = hours.map((one, i) => `V${y(one.people).toFixed(1)}H${x(i + 1).toFixed(1)}`).join('')
  svg.append(shape('path', { class: 'area', d: `M${EDGE.left} ${y(0)}${line}V${y(0)}Z` }))
  svg.append(shape('path', { class: 'line', d: `M${EDGE.left} ${y(hours[0].people).toFixed(1)}${line}` }))

  const pointer = shape('line', { class: 'pointer', y1: EDGE.top, y2: y(0), x1: -9, x2: -9 })
  svg.append(pointer)
  const told = el('p', { class: 'hint told', 'aria-live': 'off' }, 'Point at an hour to read it.')
  const tell = (event) => {
    const box = svg.getBoundingClientRect()
    const at = ((event.clientX - box.left) / box.width) * width
    const i = Math.floor(((at - EDGE.left) / inner.width) * hours.length)
    const one = hours[Math.min(Math.max(i, 0), hours.length - 1)]
    const middle = x(Math.min(Math.max(i, 0), hours.length - 1) + 0.5)
    pointer.setAttribute('x1', middle)
    pointer.setAttribute('x2', middle)
    told.textContent = `${both(new Date(one.from))}: ${one.people} ${one.people === 1 ? 'person' : 'people'}`
  }
  svg.addEventListener('pointermove', tell)
  svg.addEventListener('pointerdown', tell)
  return el('figure', {}, svg, told, table(hours))
}

/** The same for who cannot see it: each stretch of hours with the same count. */
function table(hours) {
  const rows = []
  hours.forEach((one, i) => {
    if (i === 0 || one.people !== hours[i - 1].people) rows.push(one)
  })
  const shown = rows.slice(0, 500).map((one) => el('tr', {}, el('td', {}, both(new Date(one.from))), el('td', {}, String(one.people))))
  const head = el('tr', {}, el('th', { scope: 'col' }, 'From'), el('th', { scope: 'col' }, 'People'))
  return el('details', {}, el('summary', {}, 'As a table'), el('table', {}, el('thead', {}, head), el('tbody', {}, shown)))
}
