/**
 * What a session remembers of streams that are no more, so that frames which come for them can be told apart (RFC 9113,
 * sections 5.1 and 5.1.1): those that were under way when we reset their stream, which are thrown away, and those that
 * their sender must not send. Of streams that ended as they should nothing is kept.
 */

/**
 * Streams that we have reset. A client that has not heard of a reset counts its stream among those that it may have open;
 * this is more of them than are allowed by default.
 */
const mostReset = 512
const mostLeftOut = 16

/** Of a frame: under way when we reset its stream, or so it may be; never used; closed by the peer, or by both. */
export type ClosedKind = 'reset' | 'unknown' | 'left-out' | 'closed'

export class ClosedStreams {
  /** By id, in the order of the resets: bytes that the peer may have sent before it heard of it. */
  readonly #reset = new Map<number, number>()
  /** Up to here it is not known any more which were reset. */
  #forgotten = 0
  /** Ids that the peer has passed over, latest last: those between the two numbers. */
  readonly #leftOut: (readonly [after: number, before: number])[] = []

  /** We have reset it. @param window what the peer may send on it, as far as we know */
  reset(id: number, window: number): void {
    this.#reset.set(id, window)
    if (this.#reset.size <= mostReset) return
    for (const oldest of this.#reset.keys()) {
      this.#reset.delete(oldest)
      this.#forgotten = Math.max(this.#forgotten, oldest)
      return
    }
  }

  /** The peer has ended it, too, or reset it: nothing of it is under way any more. */
  end(id: number): void {
    this.#reset.delete(id)
  }

  /** The peer has opened a stream without those between: they are closed (RFC 9113, section 5.1.1). */
  leaveOut(after: number, before: number): void {
    this.#leftOut.push([after, before])
    if (this.#leftOut.length > mostLeftOut) this.#leftOut.shift()
  }

  kind(id: number): ClosedKind {
    if (this.#reset.has(id)) return 'reset'
    if (this.#leftOut.some(([after, before]) => id > after && id < before)) return 'left-out'
    return id <= this.#forgotten ? 'unknown' : 'closed'
  }

  /** Bytes have come that were under way. Returns how many of them the peer may have sent. */
  spend(id: number, bytes: number): number {
    const left = this.#reset.get(id) ?? 0
    const spent = Math.min(left, bytes)
    if (spent <= 0) return 0
    this.#reset.set(id, left - spent)
    return spent
  }
}
