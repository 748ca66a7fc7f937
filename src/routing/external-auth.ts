/** HTTPExternalAuthFilter: what of a request goes to the authorisation server, and what of its answer goes on to the backend. */
import type { ExternalAuthConfig } from '../config/filter.ts'
import { isOwnField } from './header-edits.ts'
import { prefixValue } from './path-value.ts'
import type { Problem } from './problem.ts'
import type { CompiledAuth } from './router.ts'

/** The problem of a target that did not resolve is its message: nothing may pass unasked. */
export function compileAuth(config: ExternalAuthConfig): CompiledAuth | Problem {
  const { protocol, target, pathPrefix, requestHeaders, responseHeaders, maxBody } = config
  if (target.kind === 'fail') return { problem: target.message }
  const prefix = pathPrefix === '' ? '' : prefixValue(pathPrefix.startsWith('/') ? pathPrefix : `/${pathPrefix}`)
  if (prefix === undefined) {
    return { problem: `Cannot ask for authorisation: the path must stay below the root, got ${JSON.stringify(pathPrefix)}` }
  }
  return {
    protocol,
    pool: target.pool,
    pathPrefix: prefix,
    requestHeaders: requestFields(protocol, requestHeaders),
    responseHeaders: responseHeaders.length === 0 ? undefined : new Set(responseHeaders.filter((name) => !isOwnField(name))),
    maxBody,
  }
}

/** HTTPAuthConfig.allowedHeaders adds to what is always sent; an empty list of GRPCAuthConfig means all of them. */
function requestFields(protocol: ExternalAuthConfig['protocol'], allowed: readonly string[]): ReadonlySet<string> | undefined {
  switch (protocol) {
    case 'http':
      return new Set(['authorization', ...allowed])
    case 'grpc':
      return allowed.length === 0 ? undefined : new Set(allowed)
  }
}
