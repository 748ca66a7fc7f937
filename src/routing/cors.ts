/**
 * HTTPCORSFilter: who may read an answer from another origin (Fetch, "HTTP extensions").
 *
 * The gateway answers preflights itself and decides alone: the same fields of a backend's answer are taken away. An
 * origin that is not allowed gets an answer without these fields, which its browser then refuses. What is allowed
 * with `*` is named as it was asked for: that is always allowed to be said, and a browser takes `*` to leave out Authorization.
 */
import type { CorsConfig } from '../config/filter.ts'
import { toByteString } from './byte-string.ts'
import { compileOrigins } from './cors-origin.ts'
import { firstBadName } from './header-edits.ts'
import type { Problem } from './problem.ts'
import type { CompiledCors, CompiledEdit, CompiledEdits, RequestView } from './router.ts'

const responseFields = [
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-expose-headers',
  'access-control-max-age',
]

export function compileCors(config: CorsConfig): CompiledCors | Problem {
  const badName = firstBadName([...config.methods, ...config.headers, ...config.exposeHeaders])
  if (badName !== undefined)
    return { problem: `Cannot serve CORS: methods and headers must be tokens of RFC 9110, got ${JSON.stringify(badName)}` }
  const allows = compileOrigins(config.origins)
  if ('problem' in allows) return allows
  const { credentials } = config
  // One answer for everybody; with credentials it must not be `*`.
  const toAll = config.origins.includes('*') && !credentials
  const allowMethods = listed(config.methods, credentials)
  const allowHeaders = listed(config.headers, credentials)
  const maxAge = edit('Access-Control-Max-Age', String(config.maxAge))
  const shared = [...(credentials ? [edit('Access-Control-Allow-Credentials', 'true')] : []), ...exposed(config.exposeHeaders, credentials)]
  const varies = toAll ? [] : [edit('Vary', 'Origin')]
  const remove = new Set(responseFields)
  const refused: CompiledEdits = { set: [], add: varies, remove }
  const toEverybody: CompiledEdits = { set: [edit('Access-Control-Allow-Origin', '*'), ...shared], add: [], remove }

  return {
    preflight(request) {
      if (request.method !== 'OPTIONS') return undefined
      const origin = request.header('origin')
      const method = request.header('access-control-request-method')
      if (origin === undefined || method === undefined) return undefined
      if (!allows(origin)) return varies
      return [
        edit('Access-Control-Allow-Origin', toAll ? '*' : origin),
        ...shared,
        ...allowed('Access-Control-Allow-Methods', allowMethods, method),
        ...allowed('Access-Control-Allow-Headers', allowHeaders, request.header('access-control-request-headers')),
        maxAge,
        ...varies,
      ]
    },
    decorate(request: RequestView): CompiledEdits {
      if (toAll) return toEverybody
      const origin = request.header('origin')
      if (origin === undefined || !allows(origin)) return refused
      return { set: [edit('Access-Control-Allow-Origin', origin), ...shared], add: varies, remove }
    },
  }
}

interface Allowed {
  /** undefined: what was asked for. */
  readonly fixed: string | undefined
  /** When nothing was asked for; undefined: the field is left out. */
  readonly unasked: string | undefined
}

/** undefined: the route names none. */
function listed(names: readonly string[], credentials: boolean): Allowed | undefined {
  if (names.length === 0) return undefined
  if (names.includes('*')) return { fixed: undefined, unasked: credentials ? undefined : '*' }
  const value = toByteString(names.join(', '))
  return { fixed: value, unasked: value }
}

const tokens = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*,[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$/

function allowed(field: string, names: Allowed | undefined, asked: string | undefined): readonly CompiledEdit[] {
  const value = names?.fixed ?? (asked === undefined || !tokens.test(asked) ? names?.unasked : asked)
  return names === undefined || value === undefined ? [] : [edit(field, value)]
}

/** With credentials browsers take `*` for a name, so it "cannot" be said (HTTPCORSFilter.exposeHeaders). */
function exposed(names: readonly string[], credentials: boolean): readonly CompiledEdit[] {
  const said = names.includes('*') ? (credentials ? names.filter((name) => name !== '*') : ['*']) : names
  return said.length === 0 ? [] : [edit('Access-Control-Expose-Headers', said.join(', '))]
}

function edit(name: string, value: string): CompiledEdit {
  return { name, lower: name.toLowerCase(), value }
}
