import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RetryBudget } from '../../../src/proxy/upstream/retry-budget.ts'
import { SlidingCount } from '../../../src/proxy/upstream/sliding-count.ts'

describe('a sliding count', () => {
  it('holds what came within the interval, and at most a tenth of it more', () => {
    const events = fc.array(fc.record({ after: fc.integer({ min: 0, max: 3_000 }), count: fc.integer({ min: 0, max: 9 }) }), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 0, max: 1_000_000 }), (all, interval, start) => {
        const counter = new SlidingCount(interval)
        const past: { at: number; count: number }[] = []
        let now = start
        for (const { after, count } of all) {
          now += after
          counter.add(count, now)
          past.push({ at: now, count })
          const since = (age: number) => past.filter(({ at }) => now - at < age).reduce((sum, one) => sum + one.count, 0)
          const sum = counter.sum(now)
          expect(sum).toBeGreaterThanOrEqual(since(interval))
          expect(sum).toBeLessThanOrEqual(since(interval * 1.1 + 1))
        }
      }),
    )
  })
})

describe('a budget of retries', () => {
  function scene(percent: number, count: number) {
    let now = 1_000
    const pool = { counters: { requests: 0 } }
    const config = { percent, interval: 10_000, minRetries: { count, interval: 1_000 } }
    const budget = new RetryBudget(config, () => now)
    budget.configure(config, new Set([pool]))
    budget.stop()
    const taken = (tries: number): number => {
      let granted = 0
      for (let i = 0; i < tries; i++) {
        if (!budget.take()) continue
        granted += 1
        pool.counters.requests += 1
      }
      return granted
    }
    return { pool, budget, config, taken, wait: (milliseconds: number) => void (now += milliseconds) }
  }

  it('lets 200 of 1000 requests be retries, as the prose of RetryConstraint counts', () => {
    const { pool, taken } = scene(20, 1)
    pool.counters.requests = 800
    expect(taken(500)).toBe(200)
  })

  it('forgets requests and retries after the interval', () => {
    const { pool, taken, wait } = scene(20, 1)
    pool.counters.requests = 800
    expect(taken(500)).toBe(200)
    wait(11_100)
    expect(taken(10)).toBe(1)
  })

  it('allows the least rate whatever the percentage', () => {
    const { taken, wait } = scene(0, 3)
    expect(taken(10)).toBe(3)
    wait(500)
    expect(taken(10)).toBe(0)
    wait(600)
    expect(taken(10)).toBe(3)
  })

  it('with all of the requests allowed refuses nothing', () => {
    expect(scene(100, 1).taken(1_000)).toBe(1_000)
  })

  it('counts of a pool that comes later what it is asked from then on', () => {
    const { budget, config, taken } = scene(20, 1)
    const busy = { counters: { requests: 100_000 } }
    budget.configure(config, new Set([busy]))
    expect(taken(10)).toBe(1)
  })
})
