/** Filters of rules and backends (Gateway API v1, HTTPRouteFilter and GRPCRouteFilter): what they do, or why their rule cannot be served. */
import type { Finding } from '../api/finding.ts'
import type {
  BackendObjectReference,
  ExternalAuthFilter,
  HeaderFilter,
  HttpRouteFilter,
  PathModifier,
  RequestMirrorFilter,
} from '../api/route.ts'
import type { ExternalAuthConfig, FilterConfig, HeaderEdits, MirrorConfig, PathEdit, TargetConfig } from '../config/filter.ts'
import type { Speech } from './app-protocol.ts'
import { type PoolUse, refProblemOf, type Resolved, serviceOf } from './backend.ts'
import type { RefProblem } from './route.ts'
import type { BackendPath } from './traffic-policy.ts'

/** Resolves the backendRef of a filter. `field`: where it stands in the filter; `speech`: what is sent there, as the route does if absent. */
export type ResolveTarget = (ref: BackendObjectReference, field: string, speech?: Speech) => Resolved

export interface TranslatedFilter {
  readonly filter: FilterConfig
  /** Why the filter is not served: a clause. The rule is invalid. */
  readonly unserved?: string
  /** A reference that does not resolve. A mirror is left out then, everything else fails and is never skipped (HTTPRouteFilter.type). */
  readonly refProblem?: RefProblem
  /** Where the filter sends requests of its own. */
  readonly pool?: PoolUse
  /** See `serviceOf`. */
  readonly service?: string | undefined
  /** See `Resolved`. */
  readonly target?: BackendPath | undefined
  readonly findings?: readonly Finding[]
}

export function translateFilter(filter: HttpRouteFilter, at: 'rule' | 'backend', resolve: ResolveTarget): TranslatedFilter {
  switch (filter.type) {
    case 'RequestHeaderModifier':
      return { filter: { kind: 'requestHeaders', ...edits(filter.requestHeaderModifier) } }
    case 'ResponseHeaderModifier':
      return { filter: { kind: 'responseHeaders', ...edits(filter.responseHeaderModifier) } }
    case 'URLRewrite': {
      const { hostname, path } = filter.urlRewrite
      return {
        filter: {
          kind: 'rewrite',
          ...(hostname === undefined ? {} : { hostname }),
          ...(path === undefined ? {} : { path: pathEdit(path) }),
        },
      }
    }
    case 'RequestRedirect': {
      const { scheme, hostname, path, port, statusCode } = filter.requestRedirect
      // A redirect answers before a backend is chosen.
      if (at === 'backend') return notOnBackend(filter.type)
      if (scheme !== undefined && scheme !== 'http' && scheme !== 'https')
        return unserved(filter.type, `the redirect's scheme must be http or https, got ${scheme}`)
      if (!isRedirectStatus(statusCode))
        return unserved(filter.type, `the redirect's status code must be 301, 302, 303, 307 or 308, got ${statusCode}`)
      return {
        filter: {
          kind: 'redirect',
          ...(scheme === undefined ? {} : { scheme }),
          ...(hostname === undefined ? {} : { hostname }),
          ...(port === undefined ? {} : { port }),
          ...(path === undefined ? {} : { path: pathEdit(path) }),
          status: statusCode,
        },
      }
    }
    case 'RequestMirror': {
      const resolved = resolve(filter.requestMirror.backendRef, 'requestMirror')
      return { filter: mirror(filter.requestMirror, targetOf(resolved)), ...outcomeOf(resolved) }
    }
    case 'CORS': {
      // A preflight is answered before a backend is chosen.
      if (at === 'backend') return notOnBackend(filter.type)
      const { allowOrigins, allowCredentials = false, allowMethods, allowHeaders, exposeHeaders, maxAge } = filter.cors
      return {
        filter: {
          kind: 'cors',
          origins: allowOrigins,
          credentials: allowCredentials,
          methods: allowMethods,
          headers: allowHeaders,
          exposeHeaders,
          maxAge,
        },
      }
    }
    case 'ExternalAuth': {
      if (at === 'backend') return notOnBackend(filter.type)
      const resolved = resolve(filter.externalAuth.backendRef, 'externalAuth', filter.externalAuth.protocol === 'GRPC' ? 'grpc' : 'http')
      return { filter: externalAuth(filter.externalAuth, targetOf(resolved)), ...outcomeOf(resolved) }
    }
    case 'ExtensionRef': {
      const { group, kind, name } = filter.extensionRef
      const message = `The filter ${kind} ${name} (group ${group}) is not known.`
      return {
        filter: { kind: 'fail', filter: filter.type, reason: 'InvalidKind', message },
        refProblem: { reason: 'InvalidKind', message },
      }
    }
  }
}

function notOnBackend(type: string): TranslatedFilter {
  return unserved(type, `the filter ${type} is not served on a backendRef`)
}

function unserved(type: string, problem: string): TranslatedFilter {
  return { filter: failFilter(type, problem), unserved: problem }
}

export function failFilter(filter: string, message: string): FilterConfig {
  return { kind: 'fail', filter, reason: 'UnsupportedValue', message }
}

function targetOf(resolved: Resolved): TargetConfig {
  if (resolved.kind === 'pool') return { kind: 'pool', pool: resolved.pool.key }
  const { backend, reason, message } = resolved.problem
  return { kind: 'fail', backend, reason, message }
}

function outcomeOf(resolved: Resolved): Omit<TranslatedFilter, 'filter'> {
  const { findings, target } = resolved
  const service = serviceOf(resolved)
  if (resolved.kind === 'pool') return { pool: resolved.pool, service, target, findings }
  const refProblem = refProblemOf(resolved.problem)
  return { ...(refProblem !== undefined && { refProblem }), service, target, findings }
}

/** All requests where neither percent nor fraction says how many (HTTPRequestMirrorFilter.percent). */
function mirror({ percent, fraction }: RequestMirrorFilter, target: TargetConfig): MirrorConfig {
  if (fraction !== undefined) return { kind: 'mirror', target, numerator: fraction.numerator, denominator: fraction.denominator }
  return percent === undefined
    ? { kind: 'mirror', target, numerator: 1, denominator: 1 }
    : { kind: 'mirror', target, numerator: percent, denominator: 100 }
}

function externalAuth({ protocol, grpc, http, forwardBody }: ExternalAuthFilter, target: TargetConfig): ExternalAuthConfig {
  const lower = (names: readonly string[] | undefined) => (names ?? []).map((name) => name.toLowerCase())
  return {
    kind: 'externalAuth',
    protocol: protocol === 'GRPC' ? 'grpc' : 'http',
    target,
    pathPrefix: http?.path ?? '',
    requestHeaders: lower(protocol === 'GRPC' ? grpc?.allowedHeaders : http?.allowedHeaders),
    responseHeaders: lower(http?.allowedResponseHeaders),
    maxBody: forwardBody?.maxSize ?? 0,
  }
}

function edits({ set, add, remove }: HeaderFilter): HeaderEdits {
  const plain = ({ name, value }: { readonly name: string; readonly value: string }) => ({ name, value })
  return { set: set.map(plain), add: add.map(plain), remove: remove.map((name) => name.toLowerCase()) }
}

function pathEdit(path: PathModifier): PathEdit {
  switch (path.type) {
    case 'ReplaceFullPath':
      return { kind: 'full', value: path.replaceFullPath }
    case 'ReplacePrefixMatch':
      return { kind: 'prefix', value: path.replacePrefixMatch }
  }
}

function isRedirectStatus(status: number): status is 301 | 302 | 303 | 307 | 308 {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308
}
