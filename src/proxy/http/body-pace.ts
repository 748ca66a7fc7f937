/**
 * How fast a client's body must come: no silence longer than `bodyIdleTime`, and in each window of that length at least
 * `bodyRate` bytes a second. It runs only while we wait for the client; a pause of ours begins a new window.
 */
import type { Bounds } from '../../config/bounds.ts'

export class BodyPace {
  readonly #bounds: Bounds
  /** 0: no window has begun. */
  #windowEnd = 0
  #windowBytes = 0
  #silentUntil = 0

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  reset(): void {
    this.#windowEnd = 0
  }

  /** Bytes came, or the wait for them begins. Returns when to look again. */
  progress(now: number, bytes: number): number {
    if (this.#windowEnd === 0) this.#begin(now)
    this.#windowBytes += bytes
    this.#silentUntil = now + this.#bounds.bodyIdleTime
    return Math.min(this.#windowEnd, this.#silentUntil)
  }

  /** Returns when to look again, or undefined: it is too slow. */
  look(now: number): number | undefined {
    if (now >= this.#silentUntil) return undefined
    if (now >= this.#windowEnd) {
      if (this.#windowBytes < (this.#bounds.bodyRate * this.#bounds.bodyIdleTime) / 1000) return undefined
      this.#begin(now)
    }
    return Math.min(this.#windowEnd, this.#silentUntil)
  }

  #begin(now: number): void {
    this.#windowEnd = now + this.#bounds.bodyIdleTime
    this.#windowBytes = 0
  }
}
