/**
 * The time of an ejection where there is nothing to connect to: only what is sent to an endpoint of UDP can tell whether it is there, and
 * what the gateway would send of its own is not for it. So the first session afterwards is the one that finds out.
 */
import { ended, type Sweep, type Swept } from '../sweep.ts'

export class EndpointPause implements Swept {
  deadline: number
  sweepSlot = -1
  readonly #sweep: Sweep
  readonly #over: (now: number) => void

  /** @param until milliseconds on the sweep's clock @param over called once, unless it is stopped before */
  constructor(until: number, sweep: Sweep, over: (now: number) => void) {
    this.deadline = until
    this.#sweep = sweep
    this.#over = over
    sweep.watch(this)
  }

  expire(): void {
    this.stop()
    this.#over(this.#sweep.now)
  }

  stop(): void {
    this.deadline = ended
    this.#sweep.forget(this)
  }
}
