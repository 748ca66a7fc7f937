/**
 * The two loops of a controller. A pass makes of the objects what shall be served; beside it, since it waits for the API server, a leader
 * writes what the last pass has made. One does not hold back the other, and what fails is tried again at the next occasion.
 */
import { Loop } from '../controller/loop.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { MetricFamily } from '../telemetry/metrics.ts'

export interface ControllerWork {
  readonly pass: () => Promise<void>
  /** Only then is anything written. */
  readonly mayWrite: () => boolean
  readonly write: () => Promise<void>
  readonly logger: Logger
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
}

export class ControllerLoops {
  readonly #passes: Loop
  readonly #writes: Loop
  readonly #now: () => number
  #due: { readonly at: number; readonly timer: NodeJS.Timeout } | undefined
  readonly #counts = { passes: 0, failedPasses: 0, passSeconds: 0, writes: 0, failedWrites: 0 }

  constructor({ pass, mayWrite, write, logger, now }: ControllerWork) {
    this.#now = now
    const failed = (what: string, error: unknown): void =>
      logger.error(what, { reason: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    this.#passes = new Loop(
      async () => {
        const began = now()
        await pass()
        this.#counts.passes += 1
        this.#counts.passSeconds += (now() - began) / 1000
        this.writeAgain()
      },
      (error) => {
        this.#counts.failedPasses += 1
        failed('a pass failed', error)
      },
    )
    this.#writes = new Loop(
      async () => {
        if (!mayWrite()) return
        await write()
        this.#counts.writes += 1
      },
      (error) => {
        this.#counts.failedWrites += 1
        failed('writing failed', error)
      },
    )
  }

  /** Something may have changed. */
  lookAgain(): void {
    this.#passes.lookAgain()
  }

  /** What stands in the cluster may be another than what the last pass has made. */
  writeAgain(): void {
    this.#writes.lookAgain()
  }

  /** The same after so many milliseconds; of several times the soonest counts. */
  writeLater(milliseconds: number): void {
    const at = this.#now() + milliseconds
    if (this.#due !== undefined && this.#due.at <= at) return
    clearTimeout(this.#due?.timer)
    const timer = setTimeout(() => {
      this.#due = undefined
      this.writeAgain()
    }, milliseconds)
    this.#due = { at, timer: timer.unref() }
  }

  /** Resolves when no pass is running and none is due. */
  settled(): Promise<void> {
    return this.#passes.settled()
  }

  async stop(): Promise<void> {
    clearTimeout(this.#due?.timer)
    await Promise.all([this.#passes.stop(), this.#writes.stop()])
  }

  metrics(): readonly MetricFamily[] {
    const counts = this.#counts
    return [
      {
        kind: 'counter',
        name: 'gatewright_passes_total',
        help: 'Passes from the objects of the cluster to what shall be served, by outcome.',
        labels: ['outcome'],
        samples: () => byOutcome(counts.passes, counts.failedPasses),
      },
      {
        kind: 'counter',
        name: 'gatewright_pass_seconds_total',
        help: 'Time spent in passes.',
        labels: [],
        samples: () => [{ labels: {}, value: counts.passSeconds }],
      },
      {
        kind: 'counter',
        name: 'gatewright_writes_total',
        help: 'Times that what the last pass has made was compared with the cluster and written, by outcome.',
        labels: ['outcome'],
        samples: () => byOutcome(counts.writes, counts.failedWrites),
      },
    ]
  }
}

function byOutcome(done: number, failed: number) {
  return [
    { labels: { outcome: 'done' }, value: done },
    { labels: { outcome: 'failed' }, value: failed },
  ]
}
