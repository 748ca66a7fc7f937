/** Chance that repeats: the same seed gives the same numbers (mulberry32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** An integer from 0 to `limit` - 1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  /** Throws when there is nothing to choose from. */
  oneOf<T>(values: readonly T[]): T {
    if (values.length === 0) throw new Error('Cannot choose: there must be a value, got none')
    return values[this.below(values.length)] as T
  }

  shuffled<T>(values: readonly T[]): readonly T[] {
    const rest = [...values]
    return values.map(() => rest.splice(this.below(rest.length), 1)[0] as T)
  }
}
