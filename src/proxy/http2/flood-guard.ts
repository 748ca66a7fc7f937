/**
 * What a client may make a connection do without getting anything for it, counted over a window of time: streams that end without
 * a complete answer (rapid reset, CVE-2023-44487, and MadeYouReset, CVE-2025-8671, where it makes us reset), pings and settings.
 */
export interface FloodLimits {
  readonly resets: number
  readonly pings: number
  readonly settings: number
  /** Milliseconds. */
  readonly window: number
}

export class FloodGuard {
  readonly #limits: FloodLimits
  #windowEnd = 0
  #counts = { resets: 0, pings: 0, settings: 0 }

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
}
