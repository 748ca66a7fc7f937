/** Endpoints that die and come back, one after the other; and whether a failure can have come of it. */
import type { ChildProcess } from 'node:child_process'
import { pause } from '../harness/eventually.ts'
import type { Random } from '../load/random.ts'
import type { Order } from './backends-process.ts'
import { mortals } from './scenery.ts'

/** What a death explains: requests that were under way, and that connections were found closed a little later. */
const aftermath = 2_000

export class Mortality {
  readonly #backends: ChildProcess
  readonly #random: Random
  #deaths = 0
  #lastDeath = Number.NEGATIVE_INFINITY

  constructor(backends: ChildProcess, random: Random) {
    this.#backends = backends
    this.#random = random
  }

  get deaths(): number {
    return this.#deaths
  }

  /** @param since when the request was sent, on the clock of `performance.now` */
  explains(since: number): boolean {
    return this.#lastDeath > since - aftermath
  }

  /** Everybody is alive when it has ended. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const name = this.#random.oneOf(mortals)
      this.#order({ name, alive: false })
      this.#deaths += 1
      this.#lastDeath = performance.now()
      await pause(500 + this.#random.below(3_000))
      this.#order({ name, alive: true })
      await pause(this.#random.below(2_000))
    }
  }

  #order(order: Order): void {
    this.#backends.send(order)
  }
}
