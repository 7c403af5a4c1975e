// The packages of package.json live in the build folder, not beside the sources, so that a checkout holds nothing that was downloaded.
// Scenario files still say `import { Seam } from 'seam'`, as a user's program does: bare names are looked up in the folder named here.
import { register } from 'node:module'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'

const folder = process.env.SEAM_CLIENTS_TOOLS
if (!folder) throw new Error('SEAM_CLIENTS_TOOLS names the folder that holds javascript/node_modules')

const hook = `
let from
export const initialize = (data) => { from = data }
export const resolve = (name, context, next) =>
  /^([a-z@])(?![a-z]*:)/.test(name) ? next(name, { ...context, parentURL: from }).catch(() => next(name, context)) : next(name, context)`
register(`data:text/javascript,${encodeURIComponent(hook)}`, { data: pathToFileURL(join(folder, 'javascript', 'any.js')).href })
