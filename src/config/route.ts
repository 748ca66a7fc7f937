/** HTTPRoute, and GRPCRoute, which is the same with other matches, as the data plane sees them. */
import type { FilterConfig } from './filter.ts'
import type { ListenerKey } from './listener.ts'
import type { PoolKey } from './pool.ts'

export interface HttpRouteConfig {
  /** 'grpc': its matches take gRPC requests only, and its failures are statuses of gRPC. */
  readonly kind: 'http' | 'grpc'
  /** `HTTPRoute/namespace/name` or `GRPCRoute/namespace/name` */
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
  /** Absent: nothing that a backend answered is asked for again. */
  readonly retry?: RetryConfig
  readonly session?: SessionConfig
}

/** HTTPRouteRetry. */
export interface RetryConfig {
  /** Status codes after which the next attempt is made, beside connections that could not be established. */
  readonly codes: readonly number[]
  /** In addition to the first one; 0: nothing is repeated, whatever happened. */
  readonly attempts: number
  /** Milliseconds, the base of the growing pause between attempts; absent: the data plane's own. */
  readonly backoff?: number
}

/** SessionPersistence (GEP-1619): pins an endpoint of the backend that the weights chose. */
export type SessionConfig = {
  /** Name of the cookie or of the header field, as spelled. */
  readonly name: string
  /** Milliseconds from the first request; after them a session begins anew. Absent: no end. */
  readonly absoluteTimeout?: number
  /** The session also keeps the backend, past the weights: what a route asks for by the annotation `gatewright.dev/session-keeps-backend`. */
  readonly keepsBackend: boolean
} & (
  | {
      readonly kind: 'cookie'
      readonly path: string
      /** 'permanent': the cookie carries `absoluteTimeout`, which is there then. */
      readonly lifetime: 'session' | 'permanent'
    }
  | { readonly kind: 'header' }
)

export interface HttpMatchConfig {
  readonly path: PathMatchConfig
  readonly method?: string
  /** Names in lower case, each once (the first of equal names counts). */
  readonly headers: readonly ValueMatchConfig[]
  readonly query: readonly ValueMatchConfig[]
  /**
   * Of a GRPCRoute's match: how many characters of service and method an Exact match names, 0 for what it leaves open or
   * gives as a regular expression. Precedence goes by them (GRPCRouteRule.matches). `path` is what they mean on the wire.
   */
  readonly grpc?: { readonly service: number; readonly method: number }
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
  | {
      readonly kind: 'pool'
      readonly pool: PoolKey
      readonly weight: number
      readonly filters: readonly FilterConfig[]
      /** Of the backend itself, where the rule has none. */
      readonly session?: SessionConfig
    }
  /** Could not be resolved: its share of requests gets a 500. */
  | { readonly kind: 'fail'; readonly backend: string; readonly reason: string; readonly message: string; readonly weight: number }
