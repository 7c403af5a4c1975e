// What the public OpenAPI document says about a response: compiled once per route, told in words.
import Ajv from 'ajv'
import addFormats from 'ajv-formats'
import { newerRequired, newerResponses, ownRoutes } from './newer.mjs'

/** The routes of this domain; the document also describes locks, thermostats and the like. */
const DOMAIN = /^\/(access_grants|access_methods|spaces|user_identities|acs|instant_keys|events|action_attempts|webhooks|client_sessions|customers|workspaces|phones|connected_accounts|connect_webviews)\//

/** Words of OpenAPI that say nothing about a value. */
const TALK = new Set(['description', 'title', 'deprecated', 'discriminator', 'default', 'example', 'additionalProperties'])

export class Document {
  #paths
  #ajv
  #compiled = new Map()

  constructor(document) {
    const schemas = structuredClone(document.components.schemas)
    for (const [name, fields] of Object.entries(newerRequired)) {
      schemas[name].required = [...new Set([...(schemas[name].required ?? []), ...Object.keys(fields)])]
      schemas[name].properties = { ...fields, ...schemas[name].properties }
    }
    this.#paths = structuredClone(document.paths)
    for (const [path, { verbs, schema }] of Object.entries({ ...newerResponses, ...ownRoutes })) {
      this.#paths[path] ??= {}
      for (const verb of verbs) {
        this.#paths[path][verb] ??= { responses: { 200: { content: { 'application/json': { schema: { type: 'object' } } } } } }
        const content = this.#paths[path][verb].responses[200].content['application/json']
        content.schema = { allOf: [content.schema, schema] }
      }
    }
    this.#ajv = new Ajv({ strict: false, allErrors: true, verbose: true })
    addFormats(this.#ajv)
    for (const name of ['float', 'double']) this.#ajv.addFormat(name, { type: 'number', validate: Number.isFinite })
    this.#ajv.addSchema({ $id: 'doc', components: { schemas: rewrite(schemas, schemas) } })
    this.schemas = schemas
  }

  /** Every route of the domain with its verbs and parameters; `documented` is false for those that the guides leave out. */
  routes() {
    return Object.entries(this.#paths)
      .filter(([path]) => DOMAIN.test(path))
      .map(([path, operations]) => ({
        path,
        verbs: Object.keys(operations).map((verb) => verb.toUpperCase()),
        documented: !Object.values(operations)[0]['x-undocumented'],
        parameters: parameters(operations.post?.requestBody?.content?.['application/json']?.schema),
      }))
  }

  /** What is wrong with the body of a 200; `undefined` for a route that the document does not know. */
  problems(path, verb, body) {
    const operation = this.#paths[path]?.[verb.toLowerCase()]
    if (!operation) return undefined
    // The verbs of a route answer alike, so the route is compiled once.
    if (!this.#compiled.has(path)) {
      const schema = operation.responses[200]?.content?.['application/json']?.schema ?? { type: 'object' }
      this.#compiled.set(path, this.#ajv.compile(rewrite(schema, this.schemas)))
    }
    const validate = this.#compiled.get(path)
    return validate(body) ? [] : words(validate.errors)
  }
}

/** The parameters of a route by name, whichever branch of its schema names them. */
function parameters(schema) {
  const { properties = {}, oneOf = [], allOf = [], anyOf = [] } = schema ?? {}
  const found = Object.entries(properties).map(([name, { type, format, items, enum: values }]) => [name, { type, format, items: items?.format ?? items?.type, values }])
  return Object.assign(Object.fromEntries(found), ...[...oneOf, ...allOf, ...anyOf].map(parameters))
}

/**
 * OpenAPI to JSON Schema. A choice whose branches name themselves by one value of a field (`event_type`, `error_code`, the pair `action_type` and
 * `status`) becomes if-then, so that a wrong event is judged by its own branch, not by all of them. Other choices become `anyOf`: further fields
 * are allowed everywhere, so that two branches may well hold at once.
 */
function rewrite(schema, schemas) {
  if (Array.isArray(schema)) return schema.map((one) => rewrite(one, schemas))
  if (schema === null || typeof schema !== 'object') return schema
  if (schema.$ref) return { $ref: `doc${schema.$ref}` }
  const out = {}
  for (const [word, value] of Object.entries(schema)) {
    if (word === 'properties') out.properties = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, rewrite(one, schemas)]))
    else if (word === 'additionalProperties' && value && typeof value === 'object') out.additionalProperties = rewrite(value, schemas)
    else if (word === 'oneOf' || word === 'anyOf') Object.assign(out, choice(value, schemas))
    else if (!TALK.has(word) && !word.startsWith('x-')) out[word] = rewrite(value, schemas)
  }
  // Without a type ajv does not look at `nullable`. Alone it means null itself, as for the `result` of a pending attempt.
  if (out.nullable && !schema.type) {
    const { nullable: _, ...rest } = out
    return Object.keys(rest).length === 0 ? { type: 'null' } : { anyOf: [{ type: 'null' }, rest] }
  }
  // A bound of OpenAPI 3.0 is a word beside the number, one of JSON Schema is a number of its own.
  for (const [bound, exclusive] of [['minimum', 'exclusiveMinimum'], ['maximum', 'exclusiveMaximum']]) {
    if (out[exclusive] === true) {
      out[exclusive] = out[bound]
      delete out[bound]
    } else if (out[exclusive] === false) delete out[exclusive]
  }
  // A list of allowed values does not name null where `nullable` allows it.
  if (out.nullable && out.enum && !out.enum.includes(null)) out.enum = [...out.enum, null]
  return out
}

function choice(branches, schemas) {
  const whole = branches.map((branch) => rewrite(branch, schemas))
  const names = (branch) => (branch.$ref ? schemas[branch.$ref.split('/').pop()] : branch)?.properties ?? {}
  const fields = Object.keys(names(branches[0])).filter((field) => branches.every((branch) => names(branch)[field]?.enum?.length === 1))
  const told = fields.filter((field) => new Set(branches.map((branch) => names(branch)[field].enum[0])).size > 1)
  if (branches.length < 2 || told.length === 0) return { anyOf: whole }
  const [field] = told.sort((a, b) => distinct(b) - distinct(a))
  function distinct(name) {
    return new Set(branches.map((branch) => names(branch)[name].enum[0])).size
  }
  const groups = new Map()
  branches.forEach((branch, i) => {
    const value = names(branch)[field].enum[0]
    groups.set(value, [...(groups.get(value) ?? []), i])
  })
  return {
    type: 'object',
    required: [field],
    properties: { [field]: { enum: [...groups.keys()] } },
    allOf: [...groups].map(([value, of]) => ({
      if: { properties: { [field]: { const: value } }, required: [field] },
      // Inside one group another field may tell the branches apart, as `status` does inside an `action_type`.
      then: of.length === 1 ? whole[of[0]] : choice(of.map((i) => branches[i]), schemas),
    })),
  }
}

/** One line for each thing that is wrong; the errors that only say "no branch held" are left out where a branch has said why. */
function words(errors) {
  const said = errors.filter((error) => !['if', 'anyOf', 'allOf'].includes(error.keyword))
  return [...new Set((said.length > 0 ? said : errors).map(line))]
}

function line(error) {
  const at = error.instancePath === '' ? '/' : error.instancePath.replace(/\/\d+(?=\/|$)/g, '/*')
  switch (error.keyword) {
    case 'required':
      return `${at}: \`${error.params.missingProperty}\` is missing`
    case 'enum':
      return `${at}: ${short(error.data)} is none of ${error.params.allowedValues.slice(0, 12).join(', ')}${error.params.allowedValues.length > 12 ? ', …' : ''}`
    case 'type':
      return `${at}: ${short(error.data)} is not ${error.params.type}`
    default:
      return `${at}: ${short(error.data)} ${error.message}`
  }
}

function short(value) {
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
