/**
 * The clock of all bounds: one timer for any number of connections.
 *
 * A connection writes its `deadline` (a number) as often as it likes; only where a deadline comes nearer than it was
 * must it say so with `watch`. The sweep looks at a connection when the earliest deadline it knew has passed, at the
 * latest after `horizon`, and puts it where its present deadline belongs. So a busy keep-alive connection costs a look
 * every 16 seconds and nothing for each request.
 */
export interface Swept {
  /** Milliseconds on the sweep's clock; Infinity while nothing is awaited. */
  deadline: number
  /** The sweep's own place mark: the slot's time, -1 when not watched. Starts as -1. */
  sweepSlot: number
  /** Called once the deadline has passed. It must set a later deadline or end the connection. */
  expire(now: number): void
}

const tick = 250
const slots = 64
const stall = 1_000

export class Sweep {
  /** Milliseconds of the monotonic clock, as fresh as the last tick. */
  now: number
  readonly #clock: () => number
  readonly #wheel: Set<Swept>[] = Array.from({ length: slots }, () => new Set<Swept>())
  #done: number
  #timer: NodeJS.Timeout | undefined

  /** @param clock monotonic milliseconds */
  constructor(clock: () => number) {
    this.#clock = clock
    this.now = clock()
    this.#done = Math.floor(this.now / tick)
  }

  start(): void {
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => this.advance(), tick)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Starts to watch, or to watch earlier because the deadline came nearer. Cheap when it did not. */
  watch(item: Swept): void {
    const slot = this.#slotFor(item.deadline)
    if (item.sweepSlot >= 0 && item.sweepSlot <= slot) return
    if (item.sweepSlot >= 0) this.#wheel[item.sweepSlot % slots]?.delete(item)
    item.sweepSlot = slot
    this.#wheel[slot % slots]?.add(item)
  }

  forget(item: Swept): void {
    if (item.sweepSlot < 0) return
    this.#wheel[item.sweepSlot % slots]?.delete(item)
    item.sweepSlot = -1
  }

  /** Looks at everything whose time has come. The timer calls it; tests may. */
  advance(): void {
    const before = this.now
    this.now = this.#clock()
    // Timers come before the sockets' bytes in a turn of the event loop: after a stall what has arrived speaks first.
    if (this.now - before > stall) return
    const last = Math.floor(this.now / tick)
    // After a long stall one round meets every slot.
    for (let slot = Math.max(this.#done + 1, last - slots + 1); slot <= last; slot++) {
      this.#done = slot
      const due = this.#wheel[slot % slots]
      if (due === undefined || due.size === 0) continue
      this.#wheel[slot % slots] = new Set()
      for (const item of due) {
        item.sweepSlot = -1
        if (item.deadline <= this.now) item.expire(this.now)
        if (item.sweepSlot < 0 && item.deadline !== Number.NEGATIVE_INFINITY) this.watch(item)
      }
    }
  }

  #slotFor(deadline: number): number {
    const wanted = Math.floor(Math.min(deadline, this.now + slots * tick) / tick) + 1
    return Math.min(Math.max(wanted, this.#done + 1), this.#done + slots - 1)
  }
}

/** The deadline of what has ended: the sweep drops it. */
export const ended = Number.NEGATIVE_INFINITY
