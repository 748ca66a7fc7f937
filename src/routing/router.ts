/**
 * routing: decisions about one request, nothing else.
 *
 * `compile` turns a configuration into a `Router` whose answers are pure look-ups; the data plane asks it once for each
 * request and then holds the `CompiledMatch` until the exchange ends, never the Router. Hosts, rules, pools and balancer
 * state that a new configuration leaves alone are kept by identity. Text from configuration has become byte strings
 * (latin1 strings whose characters are the UTF-8 bytes), checked for CR, LF and NUL.
 * `explain` says why a request goes where it goes, `shadowed` what can never be reached; both read what `compile` made.
 * Nothing here knows sockets, Kubernetes objects, time or chance: where a weighted choice begins is an argument.
 * This file holds the shapes that the data plane sees.
 */
import type { GatewayConfig } from '../config/config.ts'
import type { ListenerConfig } from '../config/listener.ts'
import type { PoolKey } from '../config/pool.ts'
import type { HttpMatchConfig, HttpRouteConfig, HttpRuleConfig, SessionConfig } from '../config/route.ts'
import type { StreamBackendConfig, StreamRouteConfig } from '../config/stream-route.ts'
import type { Patches } from '../lib/patched-map.ts'
import type { MovedPort } from './moved-ports.ts'
import type { PathPredicate, ValuePredicate } from './predicate.ts'
import type { Precedence } from './precedence.ts'

/** What routing reads of a request. All strings are byte strings. */
export interface RequestView {
  /** As the client spelled it. */
  readonly method: string
  /** Lower case, without port and final dot; '' when the request has none. */
  readonly host: string
  /** Normalised once (docs/wire.md); the same bytes are forwarded. */
  readonly path: string
  /** What follows the first `?`, untouched; '' when there is none. */
  readonly query: string
  /** Value of a field by lower-case name; several lines joined with `, `; undefined when absent. */
  header(name: string): string | undefined
}

export interface Router {
  /** By the specification's port: those of TCP, whatever is spoken on it. */
  readonly ports: ReadonlyMap<number, PortRouter>
  /** The same for UDP. */
  readonly datagramPorts: ReadonlyMap<number, PortRouter>
  /** In the order of the configuration's. */
  readonly streams: readonly CompiledStream[]
  /** Every rule by its key: what a scrape of the counters walks. Made when it is first asked for. */
  readonly rules: ReadonlyMap<string, CompiledRule>
  /** What it was compiled from, and the same rules route by route, in its order: there the next compilation finds what it may keep. */
  readonly config: GatewayConfig
  readonly compiled: readonly (readonly CompiledRule[])[]
  /** Redirects are compiled with these. */
  readonly movedPorts: readonly MovedPort[]
}

export interface PortRouter {
  readonly port: number
  /** Most specific hostname first. */
  readonly listeners: readonly CompiledListener[]
  /** The listener whose hostname covers `host` best (listener isolation), undefined when none does. The same for SNI. */
  listenerFor(host: string): CompiledListener | undefined
}

export interface CompiledListener {
  readonly config: ListenerConfig
  /** Where the listener's port really listens; the specification's port unless placement moved it. */
  readonly placedPort: number
  /** Most specific hostname first: the order in which `decide` asks those that cover the host. */
  readonly tables: readonly HostTable[]
  /** Most specific hostname first; of a listener that takes requests it is empty. */
  readonly streams: readonly AttachedStream[]
  /** Of this very hostname. */
  tableOf(hostname: string): HostTable | undefined
  /** The same listener with other tables for some hostnames; undefined: without one. */
  withTables(edits: Patches<HostTable>): CompiledListener
  /** The match that wins by the precedence of the specification, undefined: 404. */
  decide(request: RequestView): CompiledMatch | undefined
  /** Whose a connection or a datagram is; `serverName` is '' where there is none. Undefined: nobody's. */
  streamFor(serverName: string): CompiledStream | undefined
}

export interface AttachedStream {
  /** The route's own hostname, '' for any; not its intersection with the listener's. */
  readonly hostname: string
  readonly stream: CompiledStream
}

/** A TLSRoute, TCPRoute or UDPRoute. Kept by identity while it does not change. */
export interface CompiledStream {
  readonly config: StreamRouteConfig
  /** Smooth weighted choice; undefined when no backend has a weight above 0. Advances the state. */
  chooseBackend(): StreamBackendConfig | undefined
  /** Written by the data plane, read at scrape. Survives swaps as long as the route is there. */
  readonly counters: StreamCounters
}

/** Plain numbers. */
export interface StreamCounters {
  /** Connections or sessions that are open. */
  active: number
  /** Those that reached a backend. */
  passed: number
  /** Those that did not: no backend, or none that could be reached. */
  failed: number
  /** Bytes to backends, and from them. */
  sent: number
  received: number
}

/** The matches of all routes that name one hostname on one listener. Kept by identity while none of those routes changes. */
export interface HostTable {
  /** The routes' own hostname, `''` for any; not its intersection with the listener's. */
  readonly hostname: string
  readonly routes: readonly HttpRouteConfig[]
  /** In the order of precedence: the first one that is satisfied wins. */
  readonly ranked: readonly RankedMatch[]
  /** The same answer as walking `ranked`, without walking it. */
  lookUp(subject: Subject): CompiledMatch | undefined
}

export interface RankedMatch {
  readonly match: CompiledMatch
  readonly precedence: Precedence
}

/** A request whose query is parsed at most once, and only when a match asks for it. */
export interface Subject {
  readonly request: RequestView
  /** First value of the parameter, decoded; undefined when there is none. */
  queryValue(name: string): string | undefined
}

/** One match of a rule. */
export interface CompiledMatch {
  readonly rule: CompiledRule
  /** Length of the matched path prefix without a trailing slash, for ReplacePrefixMatch; 0 unless the match is a prefix. */
  readonly prefixLength: number
  readonly config: HttpMatchConfig
  readonly path: PathPredicate
  readonly method: string | undefined
  readonly headers: readonly ValuePredicate[]
  readonly query: readonly ValuePredicate[]
}

export interface CompiledRule {
  readonly config: HttpRuleConfig
  /** 'grpc': a GRPCRoute's, only gRPC requests come here (see grpc.ts) and errors are answered as gRPC statuses. */
  readonly kind: HttpRouteConfig['kind']
  /** `HTTPRoute/namespace/name` or `GRPCRoute/namespace/name` */
  readonly route: string
  readonly matches: readonly CompiledMatch[]
  /** In the order in which they apply; undefined when there is nothing to do, so that the hot path asks once. */
  readonly filters: CompiledFilters | undefined
  /** Smooth weighted choice; undefined when the rule has no backend with a weight above 0. Advances the state. */
  chooseBackend(): CompiledBackend | undefined
  /** Those with a weight above 0, which alone `chooseBackend` gives: where a session that keeps its backend finds it again. */
  readonly backends: readonly CompiledBackend[]
  /** Milliseconds, 0: none. */
  readonly requestTimeout: number
  readonly backendRequestTimeout: number
  readonly retry: CompiledRetry | undefined
  readonly session: SessionConfig | undefined
  /** Written by the data plane, read at scrape. Survives swaps as long as the rule's key does. */
  readonly counters: RuleCounters
}

export interface CompiledRetry {
  readonly codes: ReadonlySet<number>
  /** Beyond the first one; 0: nothing is repeated. */
  readonly attempts: number
  /** Milliseconds, above 0 unless the route says 0: base of the growing pause before an attempt. */
  readonly backoff: number
}

export interface RuleCounters {
  /** Requests by class of the status code: index 1 to 5; 0 for those that ended without one. */
  readonly byClass: Float64Array
  /** Duration of the exchange, bucket i counts those <= 2^(i-4) ms; the last one (see counters.ts) the rest. */
  readonly durations: Float64Array
  durationSum: number
  /** gRPC calls by the status that their clients were told; undefined before the first one. */
  grpc: Float64Array | undefined
}

/** `requests` is written by the data plane, and survives swaps as long as the rule's key and weights do. */
export type CompiledBackend =
  | {
      readonly kind: 'pool'
      readonly pool: PoolKey
      readonly filters: CompiledFilters | undefined
      /** Where the rule has none. */
      readonly session: SessionConfig | undefined
      requests: number
    }
  | { readonly kind: 'fail'; readonly backend: string; readonly reason: string; readonly message: string; requests: number }

/**
 * They apply in this order: a failing answer, a CORS preflight, external authorisation, a redirect; then the mirrors get
 * their copy, which has the rule's own edits and rewrite, as the backend's has.
 */
export interface CompiledFilters {
  /** Answers instead of a backend. `redirect` is computed by `location`. */
  readonly answer:
    | { readonly kind: 'redirect'; readonly redirect: CompiledRedirect }
    /** `filter`: its type, as the API calls it. */
    | { readonly kind: 'fail'; readonly filter: string; readonly reason: string; readonly message: string }
    | undefined
  readonly requestEdits: CompiledEdits | undefined
  readonly responseEdits: CompiledEdits | undefined
  readonly rewrite: CompiledRewrite | undefined
  /** Those that have a target; never empty. */
  readonly mirrors: readonly CompiledMirror[] | undefined
  /** Rules only. */
  readonly cors: CompiledCors | undefined
  /** Rules only. One without a target is a failing `answer`. */
  readonly auth: CompiledAuth | undefined
  /** What the gateway says of the client (X-Forwarded-*, X-Request-Id) must be among the fields: something edits or copies it. */
  readonly seesForwarded: boolean
}

export interface CompiledMirror {
  readonly pool: PoolKey
  /** Whether this request is copied: exactly the configured share, evenly spread. Advances the state, so asked once for each request. */
  take(): boolean
}

/** What a CORS filter says about a request (HTTPCORSFilter). Both are pure. */
export interface CompiledCors {
  /** The answer to a preflight: status 204, no body, these fields. Undefined for any other request, which goes its way. */
  preflight(request: RequestView): readonly CompiledEdit[] | undefined
  /** What happens to the head of the final response, the gateway's own errors included, after all other edits. `request`: as the client sent it. */
  decorate(request: RequestView): CompiledEdits
}

export interface CompiledAuth {
  readonly protocol: 'http' | 'grpc'
  readonly pool: PoolKey
  /** Before the request's path; '' or a normal path without a trailing slash. */
  readonly pathPrefix: string
  /** Lower case: the client's fields that are sent; undefined: all. Host, method, path and Content-Length are not meant here. */
  readonly requestHeaders: ReadonlySet<string> | undefined
  /** Lower case: fields of an allowing HTTP answer that go into the request, those it does not have removed from it; undefined: all but Host. */
  readonly responseHeaders: ReadonlySet<string> | undefined
  /** Bytes; 0: no body is sent. */
  readonly maxBody: number
}

/** Header edits, in the order set, add, remove. Byte strings; `lower` is the name in lower case. */
export interface CompiledEdits {
  readonly set: readonly CompiledEdit[]
  readonly add: readonly CompiledEdit[]
  readonly remove: ReadonlySet<string>
}

export interface CompiledEdit {
  readonly name: string
  readonly lower: string
  readonly value: string
}

export interface CompiledRewrite {
  /** Host to send instead of the client's. */
  readonly hostname: string | undefined
  /** From the path that was matched to the one to send; validated, begins with `/`. undefined: it stays. */
  readonly path: ((path: string, prefixLength: number) => string) | undefined
}

export interface CompiledRedirect {
  readonly status: 301 | 302 | 303 | 307 | 308
  /**
   * Absolute URL as a byte string. `scheme` is the request's, `port` the listener's `placedPort`: without a port of its
   * own a redirect names the listener's, not the one in Host (HTTPRequestRedirectFilter.port).
   */
  location(request: RequestView, scheme: 'http' | 'https', port: number, prefixLength: number): string
}
