import { describe, expect, it } from 'vitest'
import { ended, Sweep, type Swept } from '../../../src/proxy/sweep.ts'

class Item implements Swept {
  deadline: number
  sweepSlot = -1
  readonly expired: number[] = []
  /** What the item does when its time has come. */
  next: number = ended

  constructor(deadline: number) {
    this.deadline = deadline
  }

  expire(now: number): void {
    this.expired.push(now)
    this.deadline = this.next
  }
}

/** A sweep whose clock the test holds. */
function scene() {
  let now = 1_000
  const sweep = new Sweep(() => now)
  return {
    sweep,
    /** Lets time pass tick by tick, or at once. */
    pass: (milliseconds: number, step = 250): void => {
      const until = now + milliseconds
      while (now < until) {
        now = Math.min(until, now + step)
        sweep.advance()
      }
    },
  }
}

describe('the sweep', () => {
  it.each([100, 250, 1_000, 10_000, 75_000, 3_600_000])(
    'lets a deadline of %i ms pass once, never early, and at most two ticks late',
    (wait) => {
      const { sweep, pass } = scene()
      const item = new Item(sweep.now + wait)
      sweep.watch(item)
      pass(wait - 1)
      expect(item.expired).toEqual([])
      pass(501)
      expect(item.expired).toHaveLength(1)
      pass(100_000)
      expect(item.expired).toHaveLength(1)
    },
  )

  it('asks for nothing when a deadline moves away, and keeps the later one', () => {
    const { sweep, pass } = scene()
    const item = new Item(sweep.now + 500)
    sweep.watch(item)
    item.deadline = sweep.now + 30_000
    pass(29_999)
    expect(item.expired).toEqual([])
    pass(600)
    expect(item.expired).toHaveLength(1)
  })

  it('is told when a deadline comes nearer', () => {
    const { sweep, pass } = scene()
    const item = new Item(Number.POSITIVE_INFINITY)
    sweep.watch(item)
    pass(40_000)
    item.deadline = sweep.now + 500
    sweep.watch(item)
    pass(1_000)
    expect(item.expired).toHaveLength(1)
  })

  it('goes on watching what sets itself a new deadline', () => {
    const { sweep, pass } = scene()
    const item = new Item(sweep.now + 500)
    item.next = sweep.now + 2_000
    sweep.watch(item)
    pass(1_000)
    item.next = ended
    pass(2_000)
    expect(item.expired).toHaveLength(2)
  })

  it('forgets what has ended', () => {
    const { sweep, pass } = scene()
    const item = new Item(sweep.now + 500)
    sweep.watch(item)
    sweep.forget(item)
    pass(5_000)
    expect(item.expired).toEqual([])
  })

  it('judges nobody in the turn after the process stood still: what has arrived speaks first', () => {
    const { sweep, pass } = scene()
    const [silent, heard] = [new Item(sweep.now + 2_000), new Item(sweep.now + 2_000)]
    for (const item of [silent, heard]) sweep.watch(item)
    pass(10_000, 10_000)
    expect(silent.expired).toEqual([])
    heard.deadline = sweep.now + 2_000
    pass(250)
    expect([silent.expired.length, heard.expired.length]).toEqual([1, 0])
  })

  it('meets everything that is due after the process stood still', () => {
    const { sweep, pass } = scene()
    const items = Array.from({ length: 300 }, (_, i) => new Item(sweep.now + i * 100))
    for (const item of items) sweep.watch(item)
    pass(60_000, 60_000)
    pass(500)
    expect(items.every((item) => item.expired.length === 1)).toBe(true)
  })
})
