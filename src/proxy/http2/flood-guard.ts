/**
 * What a client may make a connection do without getting anything for it, counted over a window of time: streams that end without
 * a complete answer (rapid reset, CVE-2023-44487, and MadeYouReset, CVE-2025-8671, where it makes us reset), pings, settings,
 * and bytes that belong to no request (window updates, priorities, frames that nobody knows).
 */
export interface FloodLimits {
  readonly resets: number
  readonly pings: number
  readonly settings: number
  /** Bytes that are no body, beyond what goes with the bytes that were exchanged. */
  readonly overhead: number
  /** Milliseconds. */
  readonly window: number
}

export class FloodGuard {
  readonly #limits: FloodLimits
  #windowEnd = 0
  #counts = { resets: 0, pings: 0, settings: 0 }
  #readBefore = 0
  #writtenBefore = 0

  constructor(limits: FloodLimits) {
    this.#limits = limits
  }

  /** Returns true when it was one too many. @param now milliseconds */
  count(kind: 'resets' | 'pings' | 'settings', now: number): boolean {
    if (now >= this.#windowEnd) {
      this.#windowEnd = now + this.#limits.window
      this.#counts = { resets: 0, pings: 0, settings: 0 }
    }
    this.#counts[kind] += 1
    return this.#counts[kind] > this.#limits[kind]
  }

  /**
   * Looks at the bytes since the last look; call it once in each window. True: too much of it was good for nothing.
   * @param useful bytes of heads and bodies that came
   */
  look(read: number, written: number, useful: number): boolean {
    const came = read - this.#readBefore
    const went = written - this.#writtenBefore
    this.#readBefore = read
    this.#writtenBefore = written
    // A frame of one byte has nine more around it; window updates go with what was sent.
    return came > this.#limits.overhead + 16 * useful + went
  }
}
