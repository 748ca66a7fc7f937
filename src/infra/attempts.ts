/**
 * Objects that could not be made: each has its own next attempt, later after every failure, so that it stands in nobody's
 * way. What is asked for anew is tried at once.
 */
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../kube/kube-api.ts'
import { KubeError } from '../kube/kube-error.ts'
import { type Backoff, pauseAfter } from '../lib/backoff.ts'
import { failureOf, type InfraFailure, isSameFailure } from './infra-failure.ts'

interface Attempt {
  readonly asked: KubeObject
  readonly failures: number
  /** When the next one is due. */
  at: number
  readonly failure: InfraFailure
  isRunning: boolean
}

/** `fresh` has not failed, or was another. */
export type AttemptState = 'fresh' | 'due' | 'waiting' | 'running'

const backoff: Backoff = { first: 500, longest: 30_000 }
/** What may pass by itself is worth words only after so many failures in a row. */
const passing = 3

export class Attempts {
  readonly #now: () => number
  readonly #random: () => number
  readonly #failed = new Map<string, Attempt>()

  /** @param now milliseconds @param random from 0 up to 1 */
  constructor(now: () => number, random: () => number) {
    this.#now = now
    this.#random = random
  }

  /** How many are under way that failed before. */
  get running(): number {
    return [...this.#failed.values()].filter(({ isRunning }) => isRunning).length
  }

  stateOf(key: string, asked: KubeObject): AttemptState {
    const attempt = this.#failed.get(key)
    if (attempt === undefined) return 'fresh'
    const isSame = attempt.asked === asked || isDeepStrictEqual(attempt.asked, asked)
    if (attempt.isRunning) {
      // Then it is tried as soon as this one has ended.
      if (!isSame) attempt.at = Number.NEGATIVE_INFINITY
      return 'running'
    }
    if (!isSame) return 'fresh'
    return attempt.at <= this.#now() ? 'due' : 'waiting'
  }

  began(key: string): void {
    const attempt = this.#failed.get(key)
    if (attempt !== undefined) attempt.isRunning = true
  }

  succeeded(key: string): void {
    this.#failed.delete(key)
  }

  failed(key: string, asked: KubeObject, error: Error): void {
    const before = this.#failed.get(key)
    const failures = before === undefined || !isDeepStrictEqual(before.asked, asked) ? 1 : before.failures + 1
    const failure = failureOf(asked, error)
    const pause = pauseAfter(failures, backoff, this.#random)
    const at = before?.at === Number.NEGATIVE_INFINITY ? 0 : Math.max(pause, error instanceof KubeError ? (error.retryAfter ?? 0) : 0)
    this.#failed.set(key, {
      asked,
      failures,
      at: this.#now() + at,
      failure: before !== undefined && isSameFailure(before.failure, failure) ? before.failure : failure,
      isRunning: false,
    })
  }

  /** Undefined also for what may pass by itself before it is worth words. */
  failureOf(key: string): InfraFailure | undefined {
    const attempt = this.#failed.get(key)
    return attempt !== undefined && (attempt.failure.reason !== 'Pending' || attempt.failures >= passing) ? attempt.failure : undefined
  }

  /** What is not asked for any more need not be tried. */
  keepOnly(keys: ReadonlySet<string>): void {
    for (const [key, { isRunning }] of this.#failed) if (!isRunning && !keys.has(key)) this.#failed.delete(key)
  }

  /** When the next attempt is due that is not due yet: what is due waits for a place, and is looked at when there is one. Infinity: none. */
  get soonest(): number {
    const now = this.#now()
    return Math.min(...[...this.#failed.values()].map(({ at }) => (at > now ? at : Number.POSITIVE_INFINITY)))
  }
}
