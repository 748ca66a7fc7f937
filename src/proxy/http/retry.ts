/**
 * What a rule's `retry` lets one exchange do (HTTPRouteRetry): how often, after which pause, and within the share of
 * its pool's requests that may be repeated. Made when an attempt has failed: a request that goes well costs nothing.
 */
import type { CompiledRetry, CompiledRule } from '../../routing/router.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import type { UpstreamFailure } from '../upstream/failure.ts'
import type { Pool } from '../upstream/pool.ts'
import type { PoolRegistry } from '../upstream/registry.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { retryPause } from './retry-pause.ts'

const badGateway = 502
/** As grpc-status says it. */
const UNAVAILABLE = '14'

export class Retries {
  readonly #retry: CompiledRetry
  readonly #pool: Pool
  #made = 0
  #counted = false
  #timer: NodeJS.Timeout | undefined

  constructor(retry: CompiledRetry, pool: Pool) {
    this.#retry = retry
    this.#pool = pool
  }

  /**
   * 'goes': calls `again` after a pause. 'none': no attempt is left, or too many requests of the pool are being repeated.
   * 'spent': the budget that a policy gives the backend allows no more.
   */
  next(again: () => void): 'goes' | 'none' | 'spent' {
    if (this.#made >= this.#retry.attempts) return 'none'
    const { budget } = this.#pool
    if (budget !== undefined) {
      // Each retry of one request counts (RetryConstraint).
      if (!this.#pool.spendRetry(budget)) return 'spent'
    } else {
      this.#counted ||= this.#pool.beginRetry()
      if (!this.#counted) return 'none'
    }
    this.#made += 1
    this.#pool.counters.retries += 1
    this.#timer = setTimeout(again, retryPause(this.#retry.backoff, this.#made, this.#pool.runtime.random()))
    return 'goes'
  }

  /** The exchange has ended: nothing is sent any more. */
  end(): void {
    clearTimeout(this.#timer)
    if (this.#counted) this.#pool.endRetry()
    this.#counted = false
  }
}

/**
 * Whether a failure is one after which the request may go out again. What was never sent may; what was sent only when
 * no byte of an answer came and nothing can have been changed by it: then on a connection that was reused, or when the
 * route retries 502, which is what the client would get.
 * @param safe a method that changes nothing, without a body (RFC 9110, section 9.2.1)
 */
export function mayRetry(failure: UpstreamFailure, { reused, answered }: Upstream, safe: boolean, { codes }: CompiledRetry): boolean {
  switch (failure) {
    case 'connect-refused':
    case 'connect-timeout':
    case 'connect-tls':
    case 'connect-http2':
    case 'refused':
      return true
    case 'closed':
      return safe && !answered && (reused || codes.has(badGateway))
    case 'protocol':
    case 'timeout':
      return false
  }
}

/**
 * Whether an answer is one after which the request may go out again: one of the codes, or a gRPC answer that is nothing but
 * UNAVAILABLE, by which a backend rejects a call before it processes it (HTTPRouteRetry).
 */
export function isRetried({ status, body, fields }: ResponseHead, { codes }: CompiledRetry): boolean {
  return codes.has(status) || (status === 200 && body.kind === 'none' && fields.get('grpc-status') === UNAVAILABLE)
}

/**
 * Where a request goes on whose pool has become empty meanwhile, by a change of the configuration: another pool of its
 * rule, if the request is the same there. Otherwise retries stay in the backend that the weights chose.
 */
export function otherPool(rule: CompiledRule, empty: Pool, pools: PoolRegistry): Pool | undefined {
  for (const backend of rule.backends) {
    if (backend.kind === 'fail' || backend.filters !== undefined) continue
    const pool = pools.get(backend.pool)
    if (pool !== undefined && pool.size > 0 && pool.config.protocol === empty.config.protocol) return pool
  }
  return undefined
}
