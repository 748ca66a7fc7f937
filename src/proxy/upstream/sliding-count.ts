/** How many there were in the last so many milliseconds, exact to a tenth of them. Without a clock: `now` goes in, never less than before. */
const parts = 10

export class SlidingCount {
  readonly interval: number
  readonly #counts: number[] = Array.from({ length: parts + 1 }, () => 0)
  /** The part that was counted in last; parts are numbered from the clock's beginning. */
  #part = 0

  /** @param interval milliseconds, above 0 */
  constructor(interval: number) {
    this.interval = interval
  }

  add(count: number, now: number): void {
    this.#goTo(now)
    const at = this.#part % (parts + 1)
    this.#counts[at] = (this.#counts[at] ?? 0) + count
  }

  sum(now: number): number {
    this.#goTo(now)
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  /** What lies too far back is forgotten. */
  #goTo(now: number): void {
    const part = Math.floor((now * parts) / this.interval)
    for (let next = Math.max(this.#part + 1, part - parts); next <= part; next++) this.#counts[next % (parts + 1)] = 0
    this.#part = Math.max(this.#part, part)
  }
}
