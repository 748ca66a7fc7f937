/** HTTPRoute (and, later, GRPCRoute, which is the same with other matches) as the data plane sees it. */
import type { FilterConfig } from './filter.ts'
import type { ListenerKey } from './listener.ts'
import type { PoolKey } from './pool.ts'

export interface HttpRouteConfig {
  readonly kind: 'http'
  /** `HTTPRoute/namespace/name` */
  readonly key: string
  /** One for each listener that accepted the route; never empty. */
  readonly attachments: readonly AttachmentConfig[]
  readonly rules: readonly HttpRuleConfig[]
}

export interface AttachmentConfig {
  readonly listener: ListenerKey
  /**
   * The route's own hostnames (not the intersections) that intersect with the listener's, lower case; `['']` for a route without hostnames.
   * Precedence between routes goes by these (feature GatewayRouteHostnameIntersectionPrecedence of v1.7).
   */
  readonly hostnames: readonly string[]
}

export interface HttpRuleConfig {
  /** `route key/rule name`, or `route key#index` for a rule without a name: for people, logs and balancer state. */
  readonly key: string
  /** Index in `spec.rules`, kept when another rule was dropped. */
  readonly index: number
  /** Never empty: a rule without matches got the match-all prefix `/`. */
  readonly matches: readonly HttpMatchConfig[]
  readonly filters: readonly FilterConfig[]
  /** Empty: the rule has no backends (500 unless a filter answers). */
  readonly backends: readonly BackendConfig[]
  readonly timeouts: {
    /** Milliseconds; absent: none. */
    readonly request?: number
    readonly backendRequest?: number
  }
}

export interface HttpMatchConfig {
  readonly path: PathMatchConfig
  readonly method?: string
  /** Names in lower case, each once (the first of equal names counts). */
  readonly headers: readonly ValueMatchConfig[]
  readonly query: readonly ValueMatchConfig[]
}

export type PathMatchConfig =
  | { readonly kind: 'exact'; readonly value: string }
  /** By element: `/foo` covers `/foo` and `/foo/bar`, not `/foobar`. */
  | { readonly kind: 'prefix'; readonly value: string }
  /** RE2 syntax; matches the whole path. */
  | { readonly kind: 'regex'; readonly value: string }

export interface ValueMatchConfig {
  readonly kind: 'exact' | 'regex'
  readonly name: string
  readonly value: string
}

export type BackendConfig =
  | { readonly kind: 'pool'; readonly pool: PoolKey; readonly weight: number; readonly filters: readonly FilterConfig[] }
  /** Could not be resolved: its share of requests gets a 500. */
  | { readonly kind: 'fail'; readonly backend: string; readonly reason: string; readonly message: string; readonly weight: number }
