/**
 * upstream: connections to backends.
 *
 * A registry holds a pool for each key of the configuration; a pool holds its endpoints, an endpoint its idle
 * connections. Pools, connections and what is known about failures live on by key through every configuration change.
 * It knows HTTP/1.1 framing through the codec, and of requests only what a `UpstreamUser` (the exchange) tells it;
 * nothing of routes, listeners or clients. The listener side updates it, exchanges acquire connections from it.
 */
import type { PoolConfig, PoolKey } from '../../config/pool.ts'
import type { Bounds } from '../../config/bounds.ts'
import type { Secret } from '../../lib/secret.ts'
import type { SocketBuffers } from '../byte-socket.ts'
import type { Sweep } from '../sweep.ts'
import type { Endpoint } from './endpoint.ts'
import type { NameLookup } from './name-lookup.ts'
import { Pool } from './pool.ts'
import type { LookOutcome } from './resolution.ts'
import { RetryBudget } from './retry-budget.ts'

/** PEM. */
export interface ClientCertificate {
  readonly chain: string
  readonly key: Secret
}

/** Connections to all endpoints of the process. */
export interface UpstreamLoad {
  open: number
  readonly most: number
}

export interface UpstreamRuntime {
  readonly bounds: Bounds
  readonly sweep: Sweep
  /** Numbers in [0, 1). */
  readonly random: () => number
  /** Shared with the downstream side. */
  readonly buffers: SocketBuffers
  readonly connections: UpstreamLoad
  /** Where this process runs: endpoints whose hints name it are preferred. Absent: hints mean nothing. */
  readonly zone?: string | undefined
  /** Of the configuration, by fingerprint: what endpoints that ask for a certificate are shown. Absent: there are none. */
  readonly clientCertificate?: ((fingerprint: string) => ClientCertificate | undefined) | undefined
  /** Of backends that are a name; absent: none can be found. */
  readonly lookup?: NameLookup | undefined
  /** Whether a name may lead to this address. */
  readonly mayLeadTo?: ((address: string) => boolean) | undefined
  /** A name was looked up and the outcome is of another kind than before. */
  readonly nameChanged?: ((pool: Pool, outcome: LookOutcome) => void) | undefined
  /** An endpoint was ejected, is on trial, or is back. */
  readonly healthChanged?: ((pool: Pool, endpoint: Endpoint) => void) | undefined
}

export class PoolRegistry {
  readonly #runtime: UpstreamRuntime
  #pools = new Map<PoolKey, Pool>()
  /** By `Kind/namespace/name` of the backend. */
  #budgets = new Map<string, RetryBudget>()

  constructor(runtime: UpstreamRuntime) {
    this.#runtime = runtime
  }

  /** Every pool that shall be, in any order. Call it before routes that name a new one are swapped in, and after the last that names an old one. */
  update(configs: readonly PoolConfig[]): void {
    const before = this.#pools
    const after = new Map<PoolKey, Pool>()
    for (const config of configs) {
      const pool = before.get(config.key)
      if (pool === undefined) after.set(config.key, new Pool(config, this.#runtime))
      else {
        pool.update(config)
        before.delete(config.key)
        after.set(config.key, pool)
      }
    }
    this.#pools = after
    for (const gone of before.values()) gone.retire()
    this.#updateBudgets()
  }

  /** Resolves when the names of all pools have been looked up once, or the time is over. */
  async named(milliseconds: number): Promise<void> {
    const unknown = [...this.#pools.values()].flatMap(({ firstLook }) => firstLook ?? [])
    if (unknown.length === 0) return
    let timer: NodeJS.Timeout | undefined
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, milliseconds)
    })
    await Promise.race([Promise.all(unknown), over])
    clearTimeout(timer)
  }

  #updateBudgets(): void {
    const before = this.#budgets
    const after = new Map<string, RetryBudget>()
    for (const [backend, pools] of this.#budgeted()) {
      const [first] = pools
      const retryBudget = first?.config.retryBudget
      if (retryBudget === undefined) continue
      const budget = before.get(backend) ?? new RetryBudget(retryBudget, () => performance.now())
      before.delete(backend)
      after.set(backend, budget)
      budget.configure(retryBudget, pools)
      for (const pool of pools) pool.budget = budget
    }
    this.#budgets = after
    for (const gone of before.values()) gone.stop()
  }

  /** The pools with a budget, by their backend; those without one know of none any more. */
  #budgeted(): ReadonlyMap<string, ReadonlySet<Pool>> {
    const found = new Map<string, Set<Pool>>()
    for (const pool of this.#pools.values()) {
      const { retryBudget, backend } = pool.config
      pool.budget = undefined
      if (retryBudget === undefined) continue
      const path = `${backend.kind}/${backend.namespace}/${backend.name}`
      found.set(path, (found.get(path) ?? new Set()).add(pool))
    }
    return found
  }

  get(key: PoolKey): Pool | undefined {
    return this.#pools.get(key)
  }

  all(): Iterable<Pool> {
    return this.#pools.values()
  }

  /** Closes idle connections; those under way end with their exchange. */
  close(): void {
    this.update([])
  }
}
