/**
 * The part of a configuration that is one worker's. What did not change has the part that it had, the very same object:
 * what travels to the worker goes by that.
 */
import type { GatewayConfig } from '../config/config.ts'
import type { PoolConfig, RetryBudgetConfig } from '../config/pool.ts'
import { transportOf } from '../lib/transport.ts'

export class WorkerPart {
  readonly #worker: number
  readonly #workers: number
  readonly #configs = new WeakMap<GatewayConfig, GatewayConfig>()
  readonly #pools = new WeakMap<PoolConfig, PoolConfig>()

  /** @param worker from 0 @param workers how many there are */
  constructor(worker: number, workers: number) {
    this.#worker = worker
    this.#workers = workers
  }

  /** The very configuration where all of it is the worker's. */
  of(config: GatewayConfig): GatewayConfig {
    const part = this.#configs.get(config) ?? this.#partOf(config)
    this.#configs.set(config, part)
    return part
  }

  #partOf(config: GatewayConfig): GatewayConfig {
    // A UDP port belongs to a single one: two that share a socket would share the datagrams of a client, and only one of them knows its session.
    const listeners = config.listeners.filter(
      ({ protocol, port }) => transportOf(protocol) === 'TCP' || port % this.#workers === this.#worker,
    )
    const isDivided = config.pools.some(({ retryBudget }) => retryBudget !== undefined)
    if (listeners.length === config.listeners.length && !isDivided) return config
    return { ...config, listeners, pools: isDivided ? config.pools.map((pool) => this.#poolOf(pool)) : config.pools }
  }

  #poolOf(pool: PoolConfig): PoolConfig {
    if (pool.retryBudget === undefined) return pool
    const part = this.#pools.get(pool) ?? { ...pool, retryBudget: this.#budgetOf(pool.retryBudget) }
    this.#pools.set(pool, part)
    return part
  }

  /** A share of the worker's own requests needs no division. Of a count the parts make up the whole, and some may have none of it. */
  #budgetOf(budget: RetryBudgetConfig): RetryBudgetConfig {
    const { count, interval } = budget.minRetries
    const part = Math.floor(count / this.#workers) + (this.#worker < count % this.#workers ? 1 : 0)
    return { ...budget, minRetries: { count: part, interval } }
  }
}
