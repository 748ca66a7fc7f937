/** A clock that stands still until it is told, and the pauses that hang on it. Milliseconds. */
export class VirtualTime {
  #now = 0
  #sleepers: { readonly until: number; readonly wake: () => void }[] = []

  now = (): number => this.#now

  delay = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve()
        return
      }
      const wake = (): void => {
        signal?.removeEventListener('abort', wake)
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper)
        resolve()
      }
      const sleeper = { until: this.#now + milliseconds, wake }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', wake)
    })

  /** Everything that is due happens in its order, with all that follows from it. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds
    await settled()
    for (;;) {
      const next = this.#sleepers.filter(({ until }) => until <= end).sort((a, b) => a.until - b.until)[0]
      if (next === undefined) break
      this.#now = Math.max(this.#now, next.until)
      next.wake()
      await settled()
    }
    this.#now = end
  }

  /** Time passes for a process that does not run: nothing that is due happens. */
  stall(milliseconds: number): void {
    this.#now += milliseconds
  }
}

/** Everything that waits for promises alone has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
