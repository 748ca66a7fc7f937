/**
 * Weighted choice that is smooth and exact. After any number n of choices each entry was chosen less than one time more
 * or less often than n times its share; between any two points of the sequence, and so with any initial phase, the
 * difference stays below 2. A weight of 0 is never chosen (BackendRef.weight).
 *
 * The rule is Tijdeman's for the chairman assignment problem (Discrete Mathematics 32, 1980): among the entries whose
 * turn it may be already, the one whose deadline comes first. The usual "largest credit first" has no such bound.
 */
export class WeightedChoice {
  readonly #weights: readonly number[]
  readonly #total: number
  /** 2k - 2 for k entries: 1/slack of a choice is how far from its bound every count stays. */
  readonly #slack: number
  /** For each entry: choices so far x its weight - times it was chosen x total. Integers between -total and total. */
  readonly #credit: Float64Array

  /** `weights` are integers above 0; `phase` in [0, 1) is where in its period the sequence begins. */
  constructor(weights: readonly number[], phase: number) {
    this.#weights = weights
    this.#total = weights.reduce((sum, weight) => sum + weight, 0)
    this.#slack = Math.max(1, 2 * weights.length - 2)
    this.#credit = new Float64Array(weights.length)
    const period = Math.min(this.#total / weights.reduce(greatestCommonDivisor, 0), longestPhase)
    for (let steps = Math.floor(phase * period); steps > 0; steps--) this.next()
  }

  /** Index of the entry whose turn it is. */
  next(): number {
    const credit = this.#credit
    const total = this.#total
    const slack = this.#slack
    let chosen = 0
    let earliest = Infinity
    for (const [i, weight] of this.#weights.entries()) {
      const own = (credit[i] ?? 0) + weight
      credit[i] = own
      if (own * slack < total) continue
      const deadline = (total * (slack - 1) - own * slack) / weight
      if (deadline < earliest) {
        earliest = deadline
        chosen = i
      }
    }
    credit[chosen] = (credit[chosen] ?? 0) - total
    return chosen
  }
}

/** Steps that a phase may take at most, so that weights in the millions cost no time when a rule is compiled. */
const longestPhase = 1000

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}
