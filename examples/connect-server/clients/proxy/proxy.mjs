// Stands between a client and the server, hands every byte through unchanged, and judges every response.
import http from 'node:http'

/** What one run of the suite has seen: every proxy of the run reports to the same record. */
export class Record {
  #document
  #violations = new Map()
  requests = 0
  /** Route -> verbs that were answered with 200. */
  exercised = new Map()

  constructor(document) {
    this.#document = document
  }

  /** Judges one exchange, and says what was wrong with it. */
  take({ verb, path, status, headers, text, who }) {
    this.requests += 1
    const found = this.#problems({ verb, path, status, headers, text })
    if (status === 200 && found.length === 0) {
      if (!this.exercised.has(path)) this.exercised.set(path, new Set())
      this.exercised.get(path).add(verb)
    }
    for (const problem of found) {
      const key = `${verb} ${path} -> ${status} ${problem}`
      const known = this.#violations.get(key)
      if (known) known.times += 1
      else this.#violations.set(key, { verb, path, status, problem, who, times: 1, body: text.slice(0, 2000) })
    }
    return found
  }

  #problems({ verb, path, status, headers, text }) {
    const problems = []
    if (!headers['seam-request-id']) problems.push('header: `seam-request-id` is missing')
    if (!/^application\/json\b/.test(headers['content-type'] ?? '')) problems.push(`header: content-type is ${headers['content-type'] ?? 'missing'}`)
    let body
    try {
      body = JSON.parse(text)
    } catch {
      return [...problems, `body: not JSON: ${JSON.stringify(text.slice(0, 60))}`]
    }
    if (status >= 500) problems.push(`status: ${status} is the server's own failure`)
    if (status < 200 || status >= 300) return [...problems, ...wrongError(status, body)]
    if (status !== 200) problems.push(`status: ${status}; a success is 200`)
    if (body?.ok !== true) problems.push('body: `ok` is not true')
    const said = this.#document.problems(path, verb, body)
    return [...problems, ...(said ?? ['route: answered with success, but the document does not know it'])]
  }

  get violations() {
    return [...this.#violations.values()]
  }

  /** Routes of the domain that no client reached with success. */
  neverExercised() {
    return this.#document.routes().filter(({ path }) => !this.exercised.has(path))
  }
}

/** The documented shape of an error: `{ok: false, error: {type, message, data?, validation_errors?}}`. */
function wrongError(status, body) {
  const problems = []
  const error = body?.error
  if (body?.ok !== false) problems.push('error: `ok` is not false')
  if (typeof error !== 'object' || error === null) return [...problems, 'error: `error` is no object']
  if (typeof error.type !== 'string' || !/^[a-z][a-z0-9_]*$/.test(error.type)) problems.push(`error: \`type\` ${JSON.stringify(error.type)} is no machine name`)
  if (typeof error.message !== 'string' || error.message === '') problems.push('error: `message` is missing')
  if ('data' in error && (typeof error.data !== 'object' || error.data === null)) problems.push('error: `data` is no object')
  if (error.type === 'invalid_input' && status !== 400) problems.push(`error: invalid_input with status ${status}`)
  if (error.type === 'invalid_input' && !isErrorTree(error.validation_errors)) problems.push('error: `validation_errors` is no tree of `_errors`')
  if (error.type === 'unauthorized' && status !== 401) problems.push(`error: unauthorized with status ${status}`)
  if (status === 401 && !/^(unauthorized|invalid_\w*(token|key))$/.test(error.type)) problems.push(`error: type ${error.type} with status 401`)
  return problems
}

function isErrorTree(tree) {
  if (typeof tree !== 'object' || tree === null || Array.isArray(tree)) return false
  return Object.entries(tree).every(([name, value]) =>
    name === '_errors' ? Array.isArray(value) && value.every((one) => typeof one === 'string') : isErrorTree(value),
  )
}

/** Starts a proxy on a free port of loopback. `log` gets one line for each exchange. */
export async function startProxy(target, record, who, log = () => {}) {
  const { hostname, port } = new URL(target)
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })
  const server = http.createServer((request, response) => {
    const started = performance.now()
    // The agent keeps its own connections to the server; what the client says about its own ends here.
    const { connection: _, 'keep-alive': __, ...headers } = request.headers
    const onward = http.request({ agent, hostname, port, method: request.method, path: request.url, headers }, (answer) => {
      const parts = []
      answer.on('data', (part) => parts.push(part))
      answer.on('end', () => {
        const body = Buffer.concat(parts)
        const path = new URL(request.url, 'http://any').pathname
        const problems = record.take({ verb: request.method, path, status: answer.statusCode, headers: answer.headers, text: body.toString('utf8'), who })
        log({ verb: request.method, url: request.url, status: answer.statusCode, ms: Math.round(performance.now() - started), problems })
        const { 'transfer-encoding': ___, connection: ____, ...back } = answer.headers
        response.writeHead(answer.statusCode, { ...back, 'content-length': body.length })
        response.end(body)
      })
    })
    onward.on('error', (error) => {
      log({ verb: request.method, url: request.url, error: error.code ?? error.message })
      record.take({ verb: request.method, path: new URL(request.url, 'http://any').pathname, status: 599, headers: {}, text: `no answer: ${error.code}`, who })
      response.destroy()
    })
    request.pipe(onward)
  })
  server.keepAliveTimeout = 60_000
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => {
      agent.destroy()
      server.closeAllConnections()
      return new Promise((done) => server.close(done))
    },
  }
}
