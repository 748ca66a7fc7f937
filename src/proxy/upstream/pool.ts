/** The endpoints of one backend and the connections to them. It lives as long as its key is configured. */
import type { PoolConfig } from '../../config/pool.ts'
import { chooseEndpoint } from './balancer.ts'
import { UpstreamConnection, type UpstreamUser } from './connection.ts'
import { Endpoint, nameOf } from './endpoint.ts'
import type { UpstreamRuntime } from './registry.ts'
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
}

export class Pool {
  config: PoolConfig
  readonly counters: PoolCounters = { requests: 0, connectionsOpened: 0, connectFailures: 0, failures: 0, retries: 0 }
  readonly runtime: UpstreamRuntime
  /** Those that take requests now: the ready ones, or the serving ones when none is ready. */
  #usable: Endpoint[] = []
  #endpoints = new Map<string, Endpoint>()

  constructor(config: PoolConfig, runtime: UpstreamRuntime) {
    this.config = config
    this.runtime = runtime
    this.#replaceEndpoints()
  }

  get endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values()
  }

  /** How many endpoints take requests. */
  get size(): number {
    return this.#usable.length
  }

  /** Connections to endpoints that stay are not touched. */
  update(config: PoolConfig): void {
    if (config === this.config) return
    this.config = config
    this.#replaceEndpoints()
  }

  /** The pool is configured no more: what is under way ends, nothing waits. */
  retire(): void {
    for (const endpoint of this.#endpoints.values()) retireEndpoint(endpoint)
    this.#endpoints.clear()
    this.#usable = []
  }

  /**
   * A connection for `user`, idle or freshly begun (then `user.onUpstreamReady` comes later).
   * @param tried endpoints that failed for this request
   * @param fresh never a connection that served before
   */
  acquire(user: UpstreamUser, tried: readonly Endpoint[] | undefined, fresh: boolean): Upstream | 'no-endpoint' | 'overload' {
    const endpoint = chooseEndpoint(this.#usable, tried, this.runtime.sweep.now, this.runtime.random)
    if (endpoint === undefined) return 'no-endpoint'
    if (!fresh) {
      const idle = takeIdle(endpoint, this.runtime.sweep.now)
      if (idle !== undefined) {
        this.counters.requests += 1
        idle.assign(user)
        return idle
      }
    }
    if (endpoint.connections >= this.runtime.bounds.connectionsPerEndpoint) {
      const others = tried === undefined ? [endpoint] : [...tried, endpoint]
      const other = others.length < this.#usable.length ? this.acquire(user, others, fresh) : 'overload'
      return other === 'no-endpoint' ? 'overload' : other
    }
    this.counters.requests += 1
    this.counters.connectionsOpened += 1
    const connection = new UpstreamConnection(this, endpoint)
    connection.assign(user)
    return connection
  }

  #replaceEndpoints(): void {
    const before = this.#endpoints
    this.#endpoints = new Map()
    const ready: Endpoint[] = []
    const serving: Endpoint[] = []
    for (const config of this.config.endpoints) {
      const endpoint = before.get(nameOf(config)) ?? new Endpoint(config)
      endpoint.config = config
      before.delete(endpoint.name)
      this.#endpoints.set(endpoint.name, endpoint)
      if (config.state === 'ready') ready.push(endpoint)
      else serving.push(endpoint)
    }
    this.#usable = ready.length > 0 ? ready : serving
    for (const gone of before.values()) retireEndpoint(gone)
  }
}

function takeIdle(endpoint: Endpoint, now: number): UpstreamConnection | undefined {
  for (;;) {
    const connection = endpoint.idle.pop()
    if (connection === undefined) return undefined
    if (connection.isUsable(now)) return connection
    connection.destroy()
  }
}

function retireEndpoint(endpoint: Endpoint): void {
  endpoint.retired = true
  while (endpoint.idle.length > 0) endpoint.idle.pop()?.destroy()
}
