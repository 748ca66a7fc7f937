/**
 * controller: the loop that keeps what is served equal to what was asked for.
 *
 * It is level-triggered: an event only says "look again". One pass runs at a time, it starts at once when none is
 * running, and everything that arrives during a pass is taken together by the next one. There is no fixed debounce.
 * The loop knows nothing of what a pass does: sources, translate, writers and delivery are put together by the caller.
 */
export class Loop {
  readonly #pass: () => Promise<void>
  readonly #failed: (error: unknown) => void
  #again = false
  #running: Promise<void> | undefined
  #stopped = false

  /** `pass` looks at everything; `failed` hears of a pass that threw, the loop itself goes on. */
  constructor(pass: () => Promise<void>, failed: (error: unknown) => void) {
    this.#pass = pass
    this.#failed = failed
  }

  /** Something may have changed. Never blocks, may be called from anywhere. */
  lookAgain(): void {
    if (this.#stopped) return
    this.#again = true
    this.#running ??= this.#run()
  }

  /** Resolves when no pass is running and none is due. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  /** No pass begins after this; resolves when the running one has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#again = false
    await this.settled()
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false
      try {
        await this.#pass()
      } catch (error) {
        this.#failed(error)
      }
    }
    this.#running = undefined
  }
}
