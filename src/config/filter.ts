/** Filters of rules and of backends, in the order in which they apply. Text is plain Unicode here; routing makes byte strings of it when it compiles. */
import type { PoolKey } from './pool.ts'

export type FilterConfig =
  | ({ readonly kind: 'requestHeaders' } & HeaderEdits)
  | ({ readonly kind: 'responseHeaders' } & HeaderEdits)
  | {
      readonly kind: 'redirect'
      readonly scheme?: 'http' | 'https'
      readonly hostname?: string
      readonly port?: number
      readonly path?: PathEdit
      readonly status: 301 | 302 | 303 | 307 | 308
    }
  | { readonly kind: 'rewrite'; readonly hostname?: string; readonly path?: PathEdit }
  | MirrorConfig
  | CorsConfig
  | ExternalAuthConfig
  /** A filter that cannot be served: requests get a 500, it is never skipped. */
  | { readonly kind: 'fail'; readonly filter: string; readonly reason: string; readonly message: string }

/** Copies of `numerator` of each `denominator` requests go to the target, their answers are discarded (HTTPRequestMirrorFilter). On rules and backends. */
export interface MirrorConfig {
  readonly kind: 'mirror'
  /** 'fail': nothing is copied, the request itself is served all the same. */
  readonly target: TargetConfig
  /** An integer from 0 to `denominator`. */
  readonly numerator: number
  readonly denominator: number
}

/** HTTPCORSFilter. On rules only. Lists are empty where the route says nothing. */
export interface CorsConfig {
  readonly kind: 'cors'
  /** `*` alone, or `scheme://host[:port]` in which the host may hold wildcards: `https://*.example.com`. */
  readonly origins: readonly string[]
  readonly credentials: boolean
  /** As written, or `*` alone. */
  readonly methods: readonly string[]
  readonly headers: readonly string[]
  readonly exposeHeaders: readonly string[]
  /** Seconds. */
  readonly maxAge: number
}

/** Nothing passes that the target has not allowed (HTTPExternalAuthFilter). On rules only, at most one. */
export interface ExternalAuthConfig {
  readonly kind: 'externalAuth'
  readonly protocol: 'http' | 'grpc'
  /** 'fail': every request gets an error. */
  readonly target: TargetConfig
  /** 'http': goes before the path of the request; '' for none. */
  readonly pathPrefix: string
  /** Lower case. Empty: with 'http' only those that are always sent, with 'grpc' all of them. */
  readonly requestHeaders: readonly string[]
  /** Lower case; 'http': copied from its answer into the request. Empty: all of them. */
  readonly responseHeaders: readonly string[]
  /** Bytes of the body that it gets; 0: none. */
  readonly maxBody: number
}

/** Where a filter sends requests of its own. */
export type TargetConfig =
  | { readonly kind: 'pool'; readonly pool: PoolKey }
  | { readonly kind: 'fail'; readonly backend: string; readonly reason: string; readonly message: string }

export interface HeaderEdits {
  readonly set: readonly HeaderEdit[]
  readonly add: readonly HeaderEdit[]
  /** Lower case. */
  readonly remove: readonly string[]
}

export interface HeaderEdit {
  /** As spelled in the specification. */
  readonly name: string
  readonly value: string
}

export type PathEdit = { readonly kind: 'full'; readonly value: string } | { readonly kind: 'prefix'; readonly value: string }
