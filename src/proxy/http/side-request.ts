/**
 * A request of the gateway's own beside the exchange that caused it: a mirror's copy, a question to an authorisation
 * server. Its body is there before it begins. One deadline bounds all of it, from the search for a connection to the
 * last byte of the answer.
 */
import type { PoolKey } from '../../config/pool.ts'
import { NO_BODY } from '../http1/codec.ts'
import type { FieldList } from '../http1/field-list.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import { ended, type Swept } from '../sweep.ts'
import type { UpstreamUser } from '../upstream/connection.ts'
import { neverConnected, type UpstreamFailure } from '../upstream/failure.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import type { Pool } from '../upstream/pool.ts'
import type { OutgoingRequest, Upstream } from '../upstream/upstream.ts'
import type { ProxyRuntime } from './connection-context.ts'

export type SideFailure = UpstreamFailure | 'no-endpoint' | 'overload'

/** Who is told of the answer. After `onSideEnd` or `onSideFailed` nothing more comes. */
export interface SideUser {
  onSideHead(head: ResponseHead): void
  /** Bytes are valid during the call. */
  onSideBody(bytes: Buffer, from: number, to: number): void
  /** What a read brought has been told. */
  onSideFlush(): void
  onSideEnd(trailers: FieldList | undefined): void
  onSideFailed(failure: SideFailure): void
}

export class SideRequest implements UpstreamUser, Swept {
  deadline: number
  sweepSlot = -1
  readonly #pool: Pool | undefined
  readonly #runtime: ProxyRuntime
  readonly #request: OutgoingRequest
  readonly #body: readonly Buffer[]
  readonly #user: SideUser
  #upstream: Upstream | undefined
  #tried: Endpoint[] | undefined
  #repeated = false

  /** @param time milliseconds for all of it */
  constructor(runtime: ProxyRuntime, pool: PoolKey, request: OutgoingRequest, body: readonly Buffer[], user: SideUser, time: number) {
    this.#runtime = runtime
    this.#pool = runtime.pools.get(pool)
    this.#request = request
    this.#body = body
    this.#user = user
    this.deadline = runtime.sweep.now + time
  }

  /** What carries it; undefined before and after. */
  get upstream(): Upstream | undefined {
    return this.#upstream
  }

  /** May end before it returns. */
  send(): void {
    this.#runtime.sweep.watch(this)
    this.#runtime.sideRequests.add(this)
    this.#attempt(false)
  }

  /** Others bound and end what is left of it. */
  handOver(): void {
    this.deadline = Number.POSITIVE_INFINITY
    this.#runtime.sweep.forget(this)
    this.#runtime.sideRequests.delete(this)
  }

  /** Ends at once; the user hears nothing more. */
  destroy(): void {
    const upstream = this.#upstream
    this.#forget()
    upstream?.destroy()
  }

  /** Its time is over, or the process's. */
  expire(): void {
    this.destroy()
    this.#user.onSideFailed('timeout')
  }

  onUpstreamReady(): void {
    const upstream = this.#upstream
    if (upstream === undefined) return
    upstream.send(this.#request)
    for (const piece of this.#body) upstream.sendBody(piece, 0, piece.length)
    upstream.endRequest(undefined)
    upstream.flush()
  }

  onUpstreamInformational(): void {}

  onUpstreamHead(head: ResponseHead): void {
    this.#user.onSideHead(head)
  }

  onUpstreamBody(bytes: Buffer, from: number, to: number): void {
    this.#user.onSideBody(bytes, from, to)
  }

  onUpstreamFlush(): void {
    this.#user.onSideFlush()
  }

  onUpstreamEnd(trailers: FieldList | undefined): void {
    this.#forget()
    this.#user.onSideEnd(trailers)
  }

  /** Never asked for. */
  onUpstreamSwitched(): void {}
  onUpstreamTunnelEnd(): void {}
  /** All of the body is on its way. */
  onUpstreamDrain(): void {}

  onUpstreamFailed(failure: UpstreamFailure): void {
    const upstream = this.#upstream
    this.#upstream = undefined
    if (upstream !== undefined && this.#mayRepeat(upstream, failure)) return this.#attempt(this.#repeated)
    this.#fail(failure)
  }

  #attempt(fresh: boolean): void {
    const acquired = this.#pool?.acquire(this, this.#tried, fresh) ?? 'no-endpoint'
    if (acquired === 'no-endpoint' || acquired === 'overload') return this.#fail(acquired)
    this.#upstream = acquired
    if (acquired.isReady) this.onUpstreamReady()
  }

  /** As an exchange repeats, and whatever the method: neither a copy nor a question was meant to change anything. */
  #mayRepeat(upstream: Upstream, failure: UpstreamFailure): boolean {
    if (neverConnected(failure)) {
      this.#tried ??= []
      this.#tried.push(upstream.endpoint)
      return this.#tried.length < this.#runtime.bounds.endpointsTried && this.#tried.length < (this.#pool?.size ?? 0)
    }
    if (this.#repeated) return false
    // RFC 9113 section 8.7: not processed.
    this.#repeated = failure === 'refused' || (failure === 'closed' && upstream.reused && !upstream.answered)
    return this.#repeated
  }

  #fail(failure: SideFailure): void {
    this.#forget()
    this.#user.onSideFailed(failure)
  }

  #forget(): void {
    this.#upstream = undefined
    this.deadline = ended
    this.#runtime.sweep.forget(this)
    this.#runtime.sideRequests.delete(this)
  }
}

/** `request` with a body of that many bytes, which are there already. */
export function withBody(request: OutgoingRequest, length: number): OutgoingRequest {
  const body = length === 0 ? NO_BODY : ({ kind: 'length', length } as const)
  return { ...request, body, expectContinue: false, upgrade: '' }
}
