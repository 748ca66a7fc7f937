/**
 * The endpoints of one backend and the connections to them. It lives as long as its key is configured, and what it knows
 * about an endpoint's health as long as that endpoint is.
 */
import type { BackendTlsConfig } from '../../config/backend-tls.ts'
import type { EndpointConfig, PoolConfig } from '../../config/pool.ts'
import { chooseEndpoint } from './balancer.ts'
import { type Candidates, candidatesOf } from './candidates.ts'
import { UpstreamConnection, type UpstreamUser } from './connection.ts'
import type { UpstreamFailure } from './failure.ts'
import { Endpoint, type EndpointOwner, nameOf } from './endpoint.ts'
import { UpstreamSession } from './h2-session.ts'
import type { Health, HealthPolicy } from './health.ts'
import { EndpointPause } from './pause.ts'
import { EndpointProbe } from './probe.ts'
import type { UpstreamRuntime } from './registry.ts'
import { type LookOutcome, Resolution } from './resolution.ts'
import type { RetryBudget } from './retry-budget.ts'
import { SecureDialer } from './secure-dialer.ts'
import type { Upstream } from './upstream.ts'

/** Plain numbers, read at scrape. */
export interface PoolCounters {
  requests: number
  connectionsOpened: number
  connectFailures: number
  /** Requests that failed after a connection was there. */
  failures: number
  /** Requests sent again on another connection. */
  retries: number
  /** Retries that the route asked for and the budget did not allow, whether a policy's or the data plane's own. */
  retriesRefused: number
  /** Requests that found all connections of all endpoints taken. */
  shed: number
  /** Requests that would have needed one connection more than the process may have. */
  shedByProcess: number
  /** Ejections by what ended the endpoint's last request or connection. */
  readonly ejections: Map<UpstreamFailure, number>
  /** Of a backend that is a name: how often it was looked up, by what came of it. */
  readonly lookups: Map<LookOutcome['kind'], number>
}

/** After it the request that was an endpoint's trial is taken for lost, and another one may be it. */
const trialTime = 5_000

/** So many may be repeated however few are under way. */
const alwaysRetrying = 10

export class Pool implements EndpointOwner {
  config: PoolConfig
  readonly counters: PoolCounters = {
    requests: 0,
    connectionsOpened: 0,
    connectFailures: 0,
    failures: 0,
    retries: 0,
    retriesRefused: 0,
    shed: 0,
    shedByProcess: 0,
    ejections: new Map(),
    lookups: new Map(),
  }
  readonly runtime: UpstreamRuntime
  /** Undefined where the endpoints are spoken to in clear text. Its terms are part of the pool's key: they never change. */
  readonly secure: SecureDialer | undefined
  /** Those that take requests by the configuration: the ready ones, or the serving ones when none is ready. */
  #usable: Endpoint[] = []
  /** Those among them that take requests now. */
  #candidates: Candidates = { endpoints: [], panic: false }
  /** Usable ones that wait for their single request. */
  #trials: Endpoint[] = []
  #endpoints = new Map<string, Endpoint>()
  readonly #probes = new Map<Endpoint, EndpointProbe | EndpointPause>()
  /** Requests that are being repeated, or wait for it. */
  #retrying = 0
  /** What a policy allows of retries, for all pools of the backend; undefined: the bound of the data plane holds. */
  budget: RetryBudget | undefined
  /** Of a backend that is a name. */
  #resolution: Resolution | undefined
  /** Undefined for those that are no name. */
  #resolved: readonly EndpointConfig[] | undefined
  /** What came of the last look for the name. */
  looked: LookOutcome | undefined

  constructor(config: PoolConfig, runtime: UpstreamRuntime) {
    this.config = config
    this.runtime = runtime
    this.secure = config.tls && secureDialer(config.tls, config.protocol, runtime)
    this.#follow()
    this.#replaceEndpoints(Number.NEGATIVE_INFINITY)
  }

  /** Resolves when the name has been looked up once; undefined for a backend that is none. */
  get firstLook(): Promise<void> | undefined {
    return this.#resolution?.first
  }

  get endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values()
  }

  /** How many endpoints take requests by the configuration, ejected ones included. */
  get size(): number {
    return this.#usable.length
  }

  /** Those over which requests are balanced now. */
  get candidates(): readonly Endpoint[] {
    return this.#candidates.endpoints
  }

  /** Whether an endpoint may get requests now, wherever it is. */
  takes(endpoint: Endpoint): boolean {
    return this.#usable.includes(endpoint) && (endpoint.health.kind === 'available' || this.panic)
  }

  /** True while ejections are ignored, because too few endpoints are left. */
  get panic(): boolean {
    return this.#candidates.panic
  }

  get policy(): HealthPolicy {
    return this.runtime.bounds
  }

  get random(): () => number {
    return this.runtime.random
  }

  /** Connections to endpoints that stay are not touched. */
  update(config: PoolConfig): void {
    if (config === this.config) return
    this.config = config
    this.#follow()
    this.#replaceEndpoints(this.runtime.sweep.now)
  }

  /** The pool is configured no more: what is under way ends, nothing waits. */
  retire(): void {
    this.#resolution?.stop()
    this.budget = undefined
    for (const endpoint of this.#endpoints.values()) this.#retireEndpoint(endpoint)
    this.#endpoints.clear()
    this.#usable = []
    this.#chooseCandidates()
  }

  /**
   * A connection for `user`, idle or freshly begun (then `user.onUpstreamReady` comes later).
   * @param tried endpoints that failed for this request; used again only when there is no other
   * @param fresh never a connection that served before
   * @param pinned where the request's session wants to go, if it has not been tried: an endpoint that `takes` requests
   */
  acquire(
    user: UpstreamUser,
    tried: readonly Endpoint[] | undefined,
    fresh: boolean,
    pinned?: Endpoint,
  ): Upstream | 'no-endpoint' | 'overload' {
    const endpoint = pinned !== undefined && tried?.includes(pinned) !== true ? pinned : this.#choose(tried)
    if (endpoint === undefined) return 'no-endpoint'
    const http2 = this.config.protocol === 'h2c'
    const shared = http2 ? endpoint.sessions.find((session) => session.hasRoom(fresh)) : undefined
    if (shared !== undefined) {
      this.counters.requests += 1
      return shared.assign(user)
    }
    if (!fresh && !http2) {
      const idle = takeIdle(endpoint, this.runtime.sweep.now)
      if (idle !== undefined) {
        this.counters.requests += 1
        idle.assign(user)
        return idle
      }
    }
    const others = tried === undefined ? [endpoint] : [...tried, endpoint]
    const room = this.#roomAt(endpoint, others)
    if (room === 'elsewhere') return this.acquire(user, others, fresh)
    if (room === 'none') return 'overload'
    if (http2) return new UpstreamSession(this, endpoint).assign(user)
    const connection = new UpstreamConnection(this, endpoint)
    connection.assign(user)
    return connection
  }

  /** An endpoint for a connection that the caller makes itself, and counts by `connectionOpened`. @param tried as for `acquire` */
  pick(tried: readonly Endpoint[] | undefined): Endpoint | 'no-endpoint' | 'overload' {
    const endpoint = this.#choose(tried)
    if (endpoint === undefined) return 'no-endpoint'
    const others = tried === undefined ? [endpoint] : [...tried, endpoint]
    const room = this.#roomAt(endpoint, others)
    if (room === 'elsewhere') return this.pick(others)
    return room === 'none' ? 'overload' : endpoint
  }

  /** A connection to `endpoint` begins. */
  connectionOpened(endpoint: Endpoint): void {
    endpoint.connections += 1
    this.runtime.connections.open += 1
  }

  connectionClosed(endpoint: Endpoint): void {
    endpoint.connections -= 1
    this.runtime.connections.open -= 1
  }

  /**
   * A place among the requests that are being repeated; false: they are too large a share of those under way already, and
   * repeating still more would keep an overloaded backend from recovering. Given back by `endRetry`.
   */
  beginRetry(): boolean {
    let active = 0
    for (const endpoint of this.#endpoints.values()) active += endpoint.active
    if (this.#retrying >= Math.max(alwaysRetrying, (active * this.runtime.bounds.retryPercent) / 100)) {
      this.counters.retriesRefused += 1
      return false
    }
    this.#retrying += 1
    return true
  }

  endRetry(): void {
    this.#retrying -= 1
  }

  /** One retry within the budget that a policy gives the backend; false: it is spent. Only where there is a budget. */
  spendRetry(budget: RetryBudget): boolean {
    const isAllowed = budget.take()
    if (!isAllowed) this.counters.retriesRefused += 1
    return isAllowed
  }

  /** A connection ended without an answer to what was sent on it: looks whether the endpoint is there at all. */
  suspect(endpoint: Endpoint): void {
    if (endpoint.retired || endpoint.health.kind !== 'available' || this.#probes.has(endpoint)) return
    this.#probe(endpoint, this.runtime.sweep.now)
  }

  healthChanged(endpoint: Endpoint, before: Health): void {
    if (endpoint.retired) return
    const { health } = endpoint
    if (health.kind === 'ejected') this.#probe(endpoint, health.until)
    if (health.kind === before.kind) return
    if (health.kind === 'ejected') this.counters.ejections.set(health.reason, (this.counters.ejections.get(health.reason) ?? 0) + 1)
    endpoint.triedAt = Number.NEGATIVE_INFINITY
    this.#chooseCandidates()
    this.runtime.healthChanged?.(this, endpoint)
  }

  /** Whether one more connection may be made; that is counted. @param others endpoints that are not asked for room */
  #roomAt(endpoint: Endpoint, others: readonly Endpoint[]): 'here' | 'elsewhere' | 'none' {
    const { bounds, connections } = this.runtime
    // Sessions are bounded where they begin.
    if (this.config.protocol !== 'udp' && endpoint.connections >= bounds.connectionsPerEndpoint) {
      if (this.#usable.some((one) => !others.includes(one))) return 'elsewhere'
      this.counters.shed += 1
      return 'none'
    }
    if (connections.open >= connections.most) {
      this.counters.shedByProcess += 1
      return 'none'
    }
    this.counters.requests += 1
    this.counters.connectionsOpened += 1
    return 'here'
  }

  #choose(tried: readonly Endpoint[] | undefined): Endpoint | undefined {
    const { sweep, random, bounds } = this.runtime
    const { endpoints } = this.#candidates
    if (tried === undefined) return this.#trial(sweep.now) ?? chooseEndpoint(endpoints, undefined, sweep.now, random, bounds.slowStartTime)
    return (
      chooseEndpoint(endpoints, tried, sweep.now, random, bounds.slowStartTime) ??
      chooseEndpoint(this.#usable, tried, sweep.now, random) ??
      chooseEndpoint(endpoints, undefined, sweep.now, random)
    )
  }

  /** An endpoint whose turn it is to show with this request that it is back. */
  #trial(now: number): Endpoint | undefined {
    for (const endpoint of this.#trials) {
      if (now - endpoint.triedAt < trialTime) continue
      endpoint.triedAt = now
      return endpoint
    }
    return undefined
  }

  #probe(endpoint: Endpoint, at: number): void {
    this.#probes.get(endpoint)?.stop()
    const done = (stands: boolean, now: number): void => {
      this.#probes.delete(endpoint)
      endpoint.probed(stands, now)
    }
    const probe =
      this.config.protocol === 'udp'
        ? new EndpointPause(at, this.runtime.sweep, (now) => done(true, now))
        : new EndpointProbe(endpoint, at, this.runtime, done)
    this.#probes.set(endpoint, probe)
  }

  #chooseCandidates(): void {
    this.#candidates = candidatesOf(this.#usable, this.runtime.zone, this.runtime.bounds.panicPercent)
    this.#trials = this.#usable.filter(({ health }) => health.kind === 'trial')
  }

  /** Begins to look for a name that is new, or another. Until the first look what was found before goes on. */
  #follow(): void {
    const { hostname, backend } = this.config
    const before = this.#resolution
    if (before?.hostname === hostname && (before === undefined || before.port === backend.port)) return
    before?.stop()
    this.#resolution = undefined
    const { lookup, mayLeadTo, bounds } = this.runtime
    if (hostname === undefined || lookup === undefined) {
      this.#resolved = undefined
      this.looked = undefined
      return
    }
    this.#resolved ??= []
    this.#resolution = new Resolution({
      hostname,
      port: backend.port,
      lookup,
      policy: bounds,
      allowed: mayLeadTo ?? (() => true),
      looked: (outcome, endpoints) => this.#looked(outcome, endpoints),
    })
  }

  #looked(outcome: LookOutcome, endpoints: readonly EndpointConfig[] | undefined): void {
    const before = this.looked
    this.looked = outcome
    this.counters.lookups.set(outcome.kind, (this.counters.lookups.get(outcome.kind) ?? 0) + 1)
    if (endpoints !== undefined) {
      this.#resolved = endpoints
      this.#replaceEndpoints(this.runtime.sweep.now)
    }
    // That all is well is worth a word only after it was not.
    if (outcome.kind !== (before?.kind ?? 'found')) this.runtime.nameChanged?.(this, outcome)
  }

  #replaceEndpoints(now: number): void {
    const before = this.#endpoints
    this.#endpoints = new Map()
    const ready: Endpoint[] = []
    const serving: Endpoint[] = []
    for (const config of this.#resolved ?? this.config.endpoints) {
      const endpoint = before.get(nameOf(config)) ?? new Endpoint(config, now, this)
      endpoint.config = config
      before.delete(endpoint.name)
      this.#endpoints.set(endpoint.name, endpoint)
      if (config.state === 'ready') ready.push(endpoint)
      else serving.push(endpoint)
    }
    this.#usable = ready.length > 0 ? ready : serving
    for (const gone of before.values()) this.#retireEndpoint(gone)
    this.#chooseCandidates()
  }

  #retireEndpoint(endpoint: Endpoint): void {
    endpoint.retired = true
    while (endpoint.idle.length > 0) endpoint.idle.pop()?.destroy()
    while (endpoint.sessions.length > 0) endpoint.sessions.pop()?.retire()
    this.#probes.get(endpoint)?.stop()
    this.#probes.delete(endpoint)
  }
}

/** What a stream carries its ends must have agreed on before. */
const ALPN: { readonly [P in PoolConfig['protocol']]: string | undefined } = { http: 'http/1.1', h2c: 'h2', tcp: undefined, udp: undefined }

function secureDialer(tls: BackendTlsConfig, protocol: PoolConfig['protocol'], { clientCertificate }: UpstreamRuntime): SecureDialer {
  const shown = tls.clientCertificate === undefined ? undefined : clientCertificate?.(tls.clientCertificate)
  return new SecureDialer(tls, ALPN[protocol], shown)
}

function takeIdle(endpoint: Endpoint, now: number): UpstreamConnection | undefined {
  for (;;) {
    const connection = endpoint.idle.pop()
    if (connection === undefined) return undefined
    if (connection.isUsable(now)) return connection
    connection.destroy()
  }
}
