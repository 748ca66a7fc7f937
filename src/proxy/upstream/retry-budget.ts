/**
 * The retries that an XBackendTrafficPolicy allows a backend, over all of its pools (GEP-3388): a share of the requests of the last
 * interval, retries among them, and beyond that so many in a time of their own, for when there are few requests.
 *
 * Requests are not counted one by one: their pools count them anyway, and these numbers are read when time passes.
 */
import type { RetryBudgetConfig } from '../../config/pool.ts'
import { SlidingCount } from './sliding-count.ts'

/** What it reads of a pool. */
export interface CountedPool {
  readonly counters: { readonly requests: number }
}

const shortestTick = 100

export class RetryBudget {
  #config: RetryBudgetConfig
  #requests: SlidingCount
  #retries: SlidingCount
  #recent: SlidingCount
  #pools: ReadonlySet<CountedPool> = new Set()
  readonly #read = new WeakMap<CountedPool, number>()
  readonly #clock: () => number
  #timer: NodeJS.Timeout | undefined

  /** @param clock monotonic milliseconds */
  constructor(config: RetryBudgetConfig, clock: () => number) {
    this.#config = config
    this.#clock = clock
    this.#requests = new SlidingCount(config.interval)
    this.#retries = new SlidingCount(config.interval)
    this.#recent = new SlidingCount(config.minRetries.interval)
    this.#start()
  }

  /** With another interval the count begins anew. */
  configure(config: RetryBudgetConfig, pools: ReadonlySet<CountedPool>): void {
    const before = this.#config
    this.#config = config
    // What a pool counted before it belonged here was under no budget.
    for (const pool of pools) if (!this.#read.has(pool)) this.#read.set(pool, pool.counters.requests)
    this.#pools = pools
    if (before.minRetries.interval !== config.minRetries.interval) this.#recent = new SlidingCount(config.minRetries.interval)
    if (before.interval === config.interval) return
    this.#requests = new SlidingCount(config.interval)
    this.#retries = new SlidingCount(config.interval)
    this.#start()
  }

  /** One retry more; false: it must not be made. */
  take(): boolean {
    const now = this.#clock()
    this.#count(now)
    const { percent, minRetries } = this.#config
    // With this one.
    const retries = this.#retries.sum(now) + 1
    const requests = this.#requests.sum(now) + 1
    if (retries * 100 > percent * requests && this.#recent.sum(now) + 1 > minRetries.count) return false
    this.#retries.add(1, now)
    this.#recent.add(1, now)
    return true
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #start(): void {
    this.stop()
    this.#timer = setInterval(() => this.#count(this.#clock()), Math.max(shortestTick, this.#config.interval / 10)).unref()
  }

  #count(now: number): void {
    let fresh = 0
    for (const pool of this.#pools) {
      const { requests } = pool.counters
      fresh += requests - (this.#read.get(pool) ?? requests)
      this.#read.set(pool, requests)
    }
    this.#requests.add(fresh, now)
  }
}
