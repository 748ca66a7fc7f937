import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PoolConfig } from '../../../src/config/pool.ts'
import { WorkerPart } from '../../../src/workers/worker-part.ts'
import { gatewayConfig, httpListener, pool, routeTo } from '../../harness/data-plane.ts'
import { streamListener } from '../../harness/streams.ts'

const listener = httpListener(80)
const web = pool('web', 3_000)

function limited(count: number): PoolConfig {
  return { ...web, retryBudget: { percent: 20, interval: 10_000, minRetries: { count, interval: 1_000 } } }
}

function configOf(...pools: readonly PoolConfig[]) {
  return gatewayConfig({ listeners: [listener], pools, routes: [routeTo(web, [listener])] })
}

describe("a worker's part", () => {
  it('is the very configuration where no port is UDP and no backend has a budget of retries', () => {
    const config = configOf(web)
    expect(new WorkerPart(0, 2).of(config)).toBe(config)
  })

  it('has each UDP port in one worker, and every other port in all', () => {
    const mixed = gatewayConfig({ listeners: [listener, streamListener('UDP', 53), streamListener('UDP', 54), streamListener('TCP', 53)] })
    const parts = [0, 1, 2].map((worker) =>
      new WorkerPart(worker, 3).of(mixed).listeners.map(({ protocol, port }) => `${protocol} ${port}`),
    )
    expect(parts).toEqual([
      ['HTTP 80', 'UDP 54', 'TCP 53'],
      ['HTTP 80', 'TCP 53'],
      ['HTTP 80', 'UDP 53', 'TCP 53'],
    ])
  })

  it('[wire:retry-policy] has of the retries that a policy always allows what makes up its count with the parts of the others', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 2, max: 64 }), (count, workers) => {
        const budgets = Array.from(
          { length: workers },
          (_, worker) => new WorkerPart(worker, workers).of(configOf(limited(count))).pools[0]?.retryBudget,
        )
        const counts = budgets.map((budget) => budget?.minRetries.count ?? Number.NaN)
        expect(counts.reduce((sum, one) => sum + one, 0)).toBe(count)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
        expect(counts).toEqual([...counts].sort((a, b) => b - a))
        for (const budget of budgets) expect(budget).toMatchObject({ percent: 20, interval: 10_000, minRetries: { interval: 1_000 } })
      }),
    )
  })

  it('is the same object for what did not change', () => {
    const part = new WorkerPart(1, 2)
    const [kept, other] = [limited(3), pool('other', 3_001)]
    const first = configOf(kept, other)
    expect(part.of(first)).toBe(part.of(first))
    const [before, after] = [part.of(first), part.of(configOf(kept, other, pool('new', 3_002)))]
    expect(after.pools[0]).toBe(before.pools[0])
    expect(after.pools[1]).toBe(other)
  })
})
