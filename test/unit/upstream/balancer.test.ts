import { describe, expect, it } from 'vitest'
import { defaultBounds } from '../../../src/config/bounds.ts'
import { chooseEndpoint } from '../../../src/proxy/upstream/balancer.ts'
import { Endpoint, nameOf } from '../../../src/proxy/upstream/endpoint.ts'

const owner = { policy: defaultBounds, random: () => 0, healthChanged: () => {} }

function endpoints(count: number, startedAt = Number.NEGATIVE_INFINITY): Endpoint[] {
  return Array.from({ length: count }, (_, i) => new Endpoint({ address: '10.0.0.1', port: i + 1, state: 'ready' }, startedAt, owner))
}

/** Every pair of choices that chance can make, once. */
function everyChoice(all: readonly Endpoint[], tried?: readonly Endpoint[]): (Endpoint | undefined)[] {
  const steps = Array.from({ length: 12 }, (_, i) => i / 12)
  return steps.flatMap((first) =>
    steps.map((second) => {
      const numbers = [first, second]
      return chooseEndpoint(all, tried, 0, () => numbers.shift() ?? 0)
    }),
  )
}

describe('the balancer', () => {
  it('chooses each of equally loaded endpoints equally often', () => {
    const all = endpoints(4)
    const chosen = everyChoice(all)
    for (const endpoint of all) expect(chosen.filter((one) => one === endpoint)).toHaveLength(chosen.length / 4)
  })

  it('compares two different endpoints, so that the most loaded one is never chosen', () => {
    const all = endpoints(3)
    const [busy] = all
    if (busy !== undefined) busy.active = 5
    expect(everyChoice(all)).not.toContain(busy)
  })

  it('takes a recent failure for load, until it decays', () => {
    const [failed, other] = endpoints(2)
    if (failed === undefined || other === undefined) throw new Error('two are needed')
    failed.failed('closed', 1_000)
    other.active = 4
    expect(failed.load(1_000)).toBe(10)
    expect(chooseEndpoint([failed, other], undefined, 1_000, () => 0)).toBe(other)
    expect(failed.load(6_000)).toBe(5)
    expect(chooseEndpoint([failed, other], undefined, 21_000, () => 0)).toBe(failed)
  })

  it('forgets a failure after a while, so that an endpoint without requests is not passed over for ever', () => {
    const [failed] = endpoints(1)
    failed?.failed('closed', 0)
    expect([failed?.load(20_000), failed?.load(22_000)]).toEqual([1, 0])
  })

  it('adds failures up', () => {
    const [failed] = endpoints(1)
    failed?.failed('closed', 0)
    failed?.failed('closed', 0)
    expect(failed?.load(0)).toBe(20)
  })

  it('[wire:upstream-probe] gives an endpoint that is back the same share as the others', () => {
    const all = endpoints(4)
    const [back] = all
    for (let now = 0; now < 3; now++) back?.failed('closed', now)
    expect(back?.health.kind).toBe('ejected')
    back?.probed(true, 1_000)
    back?.answered(1_001)
    expect(back?.load(1_001)).toBe(0)
    const chosen = everyChoice(all)
    expect(chosen.filter((one) => one === back)).toHaveLength(chosen.length / 4)
  })

  it('leaves out those that were tried, and finds none when all were', () => {
    const all = endpoints(3)
    expect(new Set(everyChoice(all, all.slice(0, 2)))).toEqual(new Set(all.slice(2)))
    expect(chooseEndpoint(all, all, 0, () => 0)).toBeUndefined()
    expect(chooseEndpoint([], undefined, 0, () => 0)).toBeUndefined()
  })
})

describe("an endpoint's name", () => {
  it('has IPv6 in brackets', () => {
    expect(nameOf({ address: '::1', port: 80, state: 'ready' })).toBe('[::1]:80')
    expect(nameOf({ address: '10.0.0.1', port: 80, state: 'ready' })).toBe('10.0.0.1:80')
  })
})
