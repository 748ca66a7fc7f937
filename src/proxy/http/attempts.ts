/**
 * The failed attempts of one exchange, and whether its request goes out again: at once on another connection, where its
 * rule says nothing about retries, or after a pause, as the rule's `retry` wants it. Made when an attempt has failed: a
 * request that goes well costs nothing.
 */
import type { CompiledFilters, CompiledMatch, CompiledRetry } from '../../routing/router.ts'
import { neverConnected, type UpstreamFailure } from '../upstream/failure.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import type { Pool } from '../upstream/pool.ts'
import type { Upstream } from '../upstream/upstream.ts'
import * as answers from './answers.ts'
import type { Answer } from './answers.ts'
import type { Downstream } from './downstream.ts'
import type { RequestBody } from './request-body.ts'
import { mayRetry, otherPool, Retries } from './retry.ts'

const mostReasons = 8

/** The exchange, as its attempts see it. */
export interface AttemptedRequest {
  readonly client: Downstream
  readonly method: string
  readonly match: CompiledMatch | undefined
  readonly body: RequestBody | undefined
  /** Of the backend that was chosen. */
  readonly backendFilters: CompiledFilters | undefined
  readonly endpoint: Endpoint | undefined
  pool: Pool | undefined
  /** Goes to an endpoint of its pool. */
  attempt(): void
  /** The present attempt is over, whatever its upstream would still say. */
  leaveAttempt(): void
  /** An answer of ours ends it. */
  refuse(answer: Answer): void
}

export class FailedAttempts {
  /** Endpoints that the next attempt passes over, if there are others. */
  tried: Endpoint[] | undefined
  /** The next attempt needs a connection that never served before. */
  fresh = false
  /** See AccessRecord.failed. */
  readonly reasons: string[] = []
  readonly #request: AttemptedRequest
  #retries: Retries | undefined

  constructor(request: AttemptedRequest) {
    this.#request = request
  }

  /** An upstream has failed before its answer. True when the request went, or will go, to another connection. */
  goesAgain(failure: UpstreamFailure, upstream: Upstream): boolean {
    const { pool, match, body, method } = this.#request
    if (pool === undefined) return false
    const retry = match?.rule.retry
    const safe = body === undefined && (method === 'GET' || method === 'HEAD' || method === 'OPTIONS')
    if (retry !== undefined) return mayRetry(failure, upstream, safe, retry) && this.retry(retry, failure === 'closed', failure)
    if (!this.#mayRepeat(failure, upstream, pool, safe)) return false
    pool.counters.retries += 1
    this.#note(upstream.endpoint, failure)
    this.#request.leaveAttempt()
    this.#request.attempt()
    return true
  }

  /** True when the present attempt is over: another one comes after a pause, or the budget of retries is spent. @param reason for the log */
  retry(retry: CompiledRetry, fresh: boolean, reason: string): boolean {
    const { pool, endpoint, body } = this.#request
    if (pool === undefined || endpoint === undefined || body?.isKept === false) return false
    this.#retries ??= new Retries(retry, pool)
    switch (this.#retries.next(() => this.#attemptAgain())) {
      case 'none':
        return false
      case 'spent':
        this.#note(endpoint, reason)
        this.#request.refuse(answers.retryBudget)
        return true
      case 'goes':
    }
    this.#note(endpoint, reason)
    this.#request.leaveAttempt()
    this.fresh = fresh
    // Once every endpoint has had its turn, only the last one is passed over.
    this.tried = this.tried === undefined || this.tried.length + 1 >= pool.size ? [endpoint] : [...this.tried, endpoint]
    return true
  }

  /** The exchange has ended: nothing is sent any more. */
  end(): void {
    this.#retries?.end()
  }

  /** Whether it may be sent again at once, without having been asked to: no connection came to be, or it was not processed. */
  #mayRepeat(failure: UpstreamFailure, upstream: Upstream, pool: Pool, safe: boolean): boolean {
    if (neverConnected(failure)) {
      this.tried ??= []
      this.tried.push(upstream.endpoint)
      return this.tried.length < pool.runtime.bounds.endpointsTried && this.tried.length < pool.size
    }
    // Once only.
    if (this.fresh) return false
    // RFC 9113 section 8.7: the request was not processed, whatever its method.
    if (failure === 'refused') this.fresh = this.#request.body?.isKept !== false
    // RFC 9112 section 9.3.1: a connection that closed under a request that can be sent twice.
    else this.fresh = failure === 'closed' && upstream.reused && !upstream.answered && safe
    return this.fresh
  }

  #note({ name }: Endpoint, reason: string): void {
    if (this.reasons.length < mostReasons) this.reasons.push(`${name} ${reason}`)
  }

  #attemptAgain(): void {
    const { pool, match, backendFilters, client } = this.#request
    if (pool?.size === 0 && match !== undefined && backendFilters === undefined) {
      this.#request.pool = otherPool(match.rule, pool, client.context.runtime.pools) ?? pool
    }
    this.#request.attempt()
  }
}
