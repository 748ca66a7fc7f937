/**
 * The body of one request between its client and the attempts to send it: what was read before there was an upstream,
 * what is kept for a next attempt, and who takes it at present. Made for requests that have a body, once for each.
 *
 * It holds bytes only within bounds: what is kept for want of an upstream pauses the client when it is too much.
 */
import type { FieldList } from '../http1/field-list.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Downstream } from './downstream.ts'
import type { HeldBody } from './external-auth.ts'
import { RetryBody } from './retry-body.ts'

const nothing: readonly Buffer[] = []

export class RequestBody {
  /** All of it has come. */
  done = false
  readonly #client: Downstream
  /** The client was asked for it. */
  #started = false
  /** All of it, when it was read before there was an upstream. */
  #held: HeldBody | undefined
  /** As far as it has come, for as long as another attempt may need it. */
  #kept: RetryBody | undefined
  /** It has the head, and takes the body. */
  #upstream: Upstream | undefined

  constructor(client: Downstream) {
    this.#client = client
  }

  /** What was read already, for an authorisation server. */
  get held(): HeldBody | undefined {
    return this.#held
  }

  set held(held: HeldBody | undefined) {
    this.#held = held
  }

  /** False: another attempt could not be given all of it. */
  get isKept(): boolean {
    return this.#kept !== undefined
  }

  /** From now on it is kept for another attempt. @param bound bytes; beyond it there is none */
  keep(bound: number): void {
    this.#kept = new RetryBody(bound, this.#held)
  }

  /** The answer has begun: there will be no other attempt. */
  forget(): void {
    this.#kept = undefined
  }

  /** Bytes are valid during the call. */
  take(bytes: Buffer, from: number, to: number): void {
    if (this.#kept !== undefined) this.#add(this.#kept, bytes, from, to)
    this.#upstream?.sendBody(bytes, from, to)
  }

  #add(kept: RetryBody, bytes: Buffer, from: number, to: number): void {
    kept.add(bytes, from, to)
    // What no upstream has yet is kept, however much it is.
    if (this.#upstream !== undefined && kept.isFull) this.#kept = undefined
  }

  end(trailers: FieldList | undefined): void {
    if (this.#kept !== undefined) this.#kept.trailers = trailers
    this.#upstream?.endRequest(trailers)
  }

  /** To an upstream that has the head: what has come so far, then what comes. */
  sendTo(upstream: Upstream): void {
    this.#upstream = upstream
    const held = this.#kept ?? this.#held
    for (const piece of held?.pieces ?? nothing) upstream.sendBody(piece, 0, piece.length)
    if (this.done) {
      upstream.endRequest(held?.trailers)
      return upstream.flush()
    }
    if (this.#kept?.isFull === true) this.#kept = undefined
    if (!this.#started) {
      this.#started = true
      return this.#client.startBody()
    }
    this.flush()
    if (!upstream.blocked) this.#client.resumeBody()
  }

  /** The attempt is over; what comes waits for the next one. */
  withdraw(): void {
    this.#upstream = undefined
  }

  /** After bytes of it. */
  flush(): void {
    const upstream = this.#upstream
    if (upstream === undefined) {
      if (this.#kept?.isFull === true) this.#client.pauseBody()
      return
    }
    upstream.flush()
    if (upstream.blocked) this.#client.pauseBody()
  }
}
