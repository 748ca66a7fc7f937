/**
 * Bytes that belong to no request (window updates, priorities, frames that nobody knows, DATA of closed streams), which a peer
 * may send without end and for next to nothing (RFC 9113, section 10.5). They are counted over windows of time, whatever streams
 * come and go; a chunk of bytes costs two comparisons as long as there is little of them.
 */
import type { Socket } from 'node:net'

export interface OverheadLimits {
  /** Bytes that are neither heads nor bodies, beyond what goes with the bytes that were exchanged. */
  readonly bytes: number
  /** Milliseconds. */
  readonly window: number
}

/** Milliseconds, monotonic; as fresh as windows of time need it. */
export interface Clock {
  readonly now: number
}

/** A frame of one byte has nine more around it. */
const perUsefulByte = 16

export class Overhead {
  /** Bytes of heads and bodies that came in this window: whoever reads them adds them. */
  useful = 0
  readonly #limits: OverheadLimits
  readonly #clock: Clock
  readonly #socket: Pick<Socket, 'bytesWritten'>
  #windowEnd = Number.NEGATIVE_INFINITY
  #came = 0
  /** As many bytes cannot be too many, whatever they were. */
  #allowed = 0
  #writtenBefore = 0

  constructor(limits: OverheadLimits, clock: Clock, socket: Pick<Socket, 'bytesWritten'>) {
    this.#limits = limits
    this.#clock = clock
    this.#socket = socket
  }

  /** Bytes have come; call it before they are read, and `isTooMuch` behind. */
  came(bytes: number): void {
    if (this.#clock.now >= this.#windowEnd) this.#begin()
    this.#came += bytes
  }

  get isTooMuch(): boolean {
    return this.#came > this.#allowed && this.#look()
  }

  #begin(): void {
    this.#windowEnd = this.#clock.now + this.#limits.window
    this.#writtenBefore = this.#socket.bytesWritten
    this.useful = 0
    this.#came = 0
    this.#allowed = this.#limits.bytes
  }

  #look(): boolean {
    // Window updates go with what was sent.
    this.#allowed = this.#limits.bytes + perUsefulByte * this.useful + this.#socket.bytesWritten - this.#writtenBefore
    return this.#came > this.#allowed
  }
}
