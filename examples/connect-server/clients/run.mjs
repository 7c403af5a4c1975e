// Runs the whole suite: for each scenario file and language a fresh server, a recording proxy in front of it, and the client as a process of its own.
//
//   node run.mjs SERVER [--tools DIR] [--out DIR] [--only NAME,...] [--language javascript|python] [--jobs N]
//
// SERVER is the program connect-server; DIR of --tools holds javascript/node_modules and python/bin/python3 (`cargo xtask test --only setup` puts them there).
// Artefacts: one log and one list of requests per file, the server's own output, and report.txt. The last line is the summary.
import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tools: { type: 'string', default: join(here, '../../../target/clients') },
    out: { type: 'string', default: join(here, '../../../target/clients/report') },
    only: { type: 'string', default: '' },
    language: { type: 'string' },
    jobs: { type: 'string', default: '2' },
  },
})
const program = positionals[0] && resolve(positionals[0])
if (!program || !existsSync(program)) fail(`usage: node run.mjs SERVER [options]; there is no program ${program ?? '(none named)'}`)
const tools = (process.env.SEAM_CLIENTS_TOOLS = resolve(values.tools))
const out = resolve(values.out)
mkdirSync(out, { recursive: true })

const KEY = 'seam_test_key'
const OTHER_KEY = 'seam_test_other_key'
const SERVER = ['--listen', '127.0.0.1:0', '--api-key', KEY, '--sandbox', 'hotel', '--database', ':memory:', '--allow-private-webhooks']
/** What single files need beside that. */
const MORE = { bad_input: ['--workspace', `other=${OTHER_KEY}`, '--requests-per-second', '0'] }
/** No file is allowed to take longer. */
const FILE_SECONDS = 100

const LANGUAGES = {
  javascript: {
    folder: join(here, 'javascript/scenarios'),
    ending: '.mjs',
    command: (file) => [process.execPath, '--import', join(here, 'tools.mjs'), '--test-reporter=tap', file],
  },
  python: {
    folder: join(here, 'python/scenarios'),
    ending: '.py',
    command: (file) => [join(tools, 'python/bin/python3'), '-B', join(here, 'python/tap.py'), file],
  },
}
/** What only one language has, with the reason. */
const ONE_LANGUAGE = new Set(['bad_input'])

await import('./tools.mjs')
const { openapi } = await import('@seamapi/types/connect')
const { Document } = await import('./proxy/openapi.mjs')
const { Record, startProxy } = await import('./proxy/proxy.mjs')
const document = new Document(openapi)
const record = new Record(document)
// What the document says about routes and parameters, for the file that has no JavaScript.
const routesFile = join(out, 'routes.json')
writeFileSync(routesFile, JSON.stringify(document.routes(), undefined, 1))
const problems = []
const results = []
const started = performance.now()

const jobs = Object.entries(LANGUAGES).flatMap(([language, { folder, ending }]) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(ending) && !name.startsWith('_'))
    .map((name) => ({ language, name: name.slice(0, -ending.length), file: join(folder, name) })),
)
const only = values.only.split(',').filter(Boolean)
const chosen = jobs.filter(({ name, language }) => (only.length === 0 || only.includes(name)) && (!values.language || values.language === language))
if (chosen.length === 0) fail('no scenario file has that name')
// The long ones first, so that nothing long is left over for one worker alone.
const long = ['paging', 'bad_input', 'reservations', 'webhooks']
chosen.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
function rank({ name }) {
  return long.includes(name) ? long.indexOf(name) : long.length
}

let next = 0
const worker = async () => {
  while (next < chosen.length) results.push(await runFile(chosen[next++]))
}
results.push(await selfTest())
await Promise.all(Array.from({ length: Number(values.jobs) }, worker))
if (only.length === 0 && !values.language) sameInBothLanguages()
report()

/** The proxy first has to show that it can condemn. */
async function selfTest() {
  const command = [process.execPath, '--import', join(here, 'tools.mjs'), '--test-reporter=tap', join(here, 'proxy/self-test.mjs')]
  return { language: 'javascript', name: 'proxy', ...(await runClient(command, {}, join(out, 'proxy.javascript.log'))) }
}

async function runFile({ language, name, file }) {
  const base = join(out, `${name}.${language}`)
  const log = createWriteStream(`${base}.requests.jsonl`)
  let server
  try {
    server = await startServer(MORE[name] ?? [], `${base}.server.log`)
  } catch (error) {
    problems.push(`${name} (${language}): ${error.message}`)
    return { language, name, tests: [], failed: ['the server did not start'], seconds: 0 }
  }
  const proxy = await startProxy(server.url, record, `${name} (${language})`, (line) => log.write(`${JSON.stringify(line)}\n`))
  const env = { SEAM_ENDPOINT: proxy.url, SEAM_API_KEY: KEY, SUITE_SERVER: server.url, SUITE_OTHER_KEY: OTHER_KEY, SUITE_ROUTES: routesFile }
  const result = await runClient(LANGUAGES[language].command(file), env, `${base}.log`)
  await proxy.stop()
  log.end()
  const end = await server.stop()
  if (end) problems.push(`${name} (${language}): ${end}`)
  const panics = readFileSync(`${base}.server.log`, 'utf8').match(/^.*panicked at.*$/gm) ?? []
  if (panics.length > 0) problems.push(`${name} (${language}): the server panicked ${panics.length} time(s): ${panics[0]}`)
  return { language, name, ...result }
}

/** Starts the server and waits for the line that says where it listens. */
function startServer(more, logFile) {
  const log = createWriteStream(logFile)
  const child = spawn(program, [...SERVER, ...more], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  const ended = new Promise((done) => child.on('exit', (code, signal) => done({ code, signal })))
  return new Promise((ready, broken) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL')
      broken(new Error(`the server was not ready within 20 s; see ${logFile}`))
    }, 20_000)
    child.on('error', (error) => broken(new Error(`the server cannot be started: ${error.message}`)))
    ended.then(({ code, signal }) => broken(new Error(`the server ended (${code ?? signal}) before it was ready; see ${logFile}`)))
    let said = ''
    child.stdout.on('data', (part) => {
      said += part
      const url = /^listening on (http:\/\/\S+)$/m.exec(said)?.[1]
      if (!url) return
      clearTimeout(late)
      ready({
        url,
        stop: async () => {
          if (child.exitCode !== null || child.signalCode !== null) return `the server ended by itself (${child.exitCode ?? child.signalCode})`
          child.kill('SIGTERM')
          const end = await Promise.race([ended, new Promise((done) => setTimeout(done, 10_000, undefined))])
          if (end === undefined) child.kill('SIGKILL')
          if (end === undefined) return 'the server did not end within 10 s of SIGTERM'
          return end.code === 0 ? undefined : `the server ended with ${end.code ?? end.signal} on SIGTERM`
        },
      })
    })
  })
}

/** Runs one scenario file to its end and reads its TAP. */
function runClient([command, ...args], env, logFile) {
  const began = performance.now()
  return new Promise((done) => {
    const log = createWriteStream(logFile)
    let text = ''
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env, PYTHONUNBUFFERED: '1' } })
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (part) => {
        text += part
        log.write(part)
      })
    }
    const late = setTimeout(() => {
      text += `\nnot ok - took longer than ${FILE_SECONDS} s\n`
      child.kill('SIGKILL')
    }, FILE_SECONDS * 1000)
    const finish = (code) => {
      clearTimeout(late)
      log.end()
      const tests = [...text.matchAll(/^ok \d* ?- (.*)$/gm)].map(([, name]) => name)
      const failed = [...text.matchAll(/^not ok \d* ?- (.*)$/gm)].map(([, name]) => name)
      if (failed.length === 0 && (code !== 0 || tests.length === 0)) failed.push(`ended with ${code} after ${tests.length} scenarios`)
      done({ tests: [...tests, ...failed], failed, seconds: (performance.now() - began) / 1000, text })
    }
    child.on('error', (error) => {
      text += `\nnot ok - cannot be started: ${error.message}\n`
      finish(1)
    })
    child.on('close', finish)
  })
}

/** Each scenario runs in both languages: a name that only one has was forgotten in the other. */
function sameInBothLanguages() {
  const names = (language) => new Set(results.filter((one) => one.language === language && one.name !== 'proxy' && !ONE_LANGUAGE.has(one.name))
    .flatMap(({ name, tests }) => tests.map((test) => `${name}: ${test}`)))
  const [left, right] = [names('javascript'), names('python')]
  for (const name of left) if (!right.has(name)) problems.push(`${name} is missing in python`)
  for (const name of right) if (!left.has(name)) problems.push(`${name} is missing in javascript`)
}

function report() {
  const lines = []
  const failed = results.filter((one) => one.failed.length > 0)
  for (const { name, language, failed: which, text } of failed) {
    lines.push(`\nFAILED ${name} (${language}): ${which.join(', ')}`)
    lines.push(excerpt(text ?? '').replace(/^/gm, '  '))
  }
  for (const { verb, path, status, problem, who, times, body } of record.violations) {
    lines.push(`\nVIOLATION ${verb} ${path} -> ${status}: ${problem}`, `  ${times} time(s), first in ${who}`, `  ${body.slice(0, 600)}`)
  }
  for (const problem of problems) lines.push(`\nPROBLEM ${problem}`)
  const never = record.neverExercised()
  const list = (documented) => never.filter((route) => route.documented === documented).map(({ path }) => path).join(' ')
  lines.push(`\nnever exercised, documented: ${list(true) || 'none'}`, `never exercised, undocumented: ${list(false) || 'none'}\n`)
  for (const { name, language, tests, failed: which, seconds } of results.toSorted((a, b) => a.name.localeCompare(b.name))) {
    lines.push(`${which.length > 0 ? 'FAILED' : 'ok    '} ${name.padEnd(18)} ${language.padEnd(10)} ${String(tests.length).padStart(3)} scenarios ${seconds.toFixed(1).padStart(6)} s`)
  }
  const scenarios = results.flatMap(({ tests }) => tests).length
  const broken = results.flatMap(({ failed: which }) => which).length
  const bad = record.violations.length + problems.length
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  lines.push(
    `clients: ${scenarios} scenarios, ${broken} failed; ${record.requests} requests, ${record.violations.length} violations, ` +
      `${problems.length} other problems, ${never.length} routes never exercised; ${seconds} s`,
  )
  const text = `${lines.join('\n')}\n`
  writeFileSync(join(out, 'report.txt'), text)
  process.stdout.write(text, () => process.exit(broken + bad > 0 ? 1 : 0))
}

/** The parts of a TAP log that say what went wrong. */
function excerpt(text) {
  const lines = text.split('\n')
  const kept = []
  lines.forEach((line, i) => {
    if (!/^not ok/.test(line)) return
    const end = lines.indexOf('  ...', i)
    const own = lines.slice(i, end < 0 ? i + 30 : end)
    kept.push(...own.filter((one) => !/^\s+(---|duration_ms|failureType|location|code: 'ERR_|.*node:internal|File ".*unittest)/.test(one)).slice(0, 40), '')
  })
  return (kept.length > 0 ? kept : lines.slice(-30)).join('\n')
}

function fail(words) {
  console.error(words)
  process.exit(2)
}
