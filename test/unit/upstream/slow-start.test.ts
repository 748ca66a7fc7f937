import { describe, expect, it } from 'vitest'
import { defaultBounds } from '../../../src/config/bounds.ts'
import { chooseEndpoint } from '../../../src/proxy/upstream/balancer.ts'
import { Endpoint } from '../../../src/proxy/upstream/endpoint.ts'

const owner = { policy: defaultBounds, random: () => 0, healthChanged: () => {} }

function shares(ages: readonly number[], slowStart: number): number[] {
  const now = 100_000
  const all = ages.map((age, port) => new Endpoint({ address: '10.0.0.1', port, state: 'ready' }, now - age, owner))
  // The generator of Park and Miller: the same shares each time.
  let seed = 1
  const random = (): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed / 2_147_483_647
  }
  const counts = all.map(() => 0)
  for (let i = 0; i < 20_000; i++) {
    const chosen = chooseEndpoint(all, undefined, now, random, slowStart)
    if (chosen !== undefined) counts[chosen.config.port] = (counts[chosen.config.port] ?? 0) + 1
  }
  return counts.map((count) => count / 20_000)
}

describe('slow start', () => {
  it('[wire:upstream-slow-start] gives an endpoint that is new a share that grows with its age', () => {
    const old = Number.POSITIVE_INFINITY
    const [first = 0, fifth = 0, half = 0, whole = 0] = [0, 2_000, 5_000, 10_000].map((age) => shares([old, old, old, age], 10_000)[3])
    expect(first).toBeCloseTo(0.025, 2)
    expect(fifth).toBeCloseTo(0.05, 2)
    expect(half).toBeCloseTo(0.125, 2)
    expect(whole).toBeCloseTo(0.25, 1)
  })

  it('[wire:upstream-slow-start] is off by default, and does nothing where all are new', () => {
    for (const share of [...shares([0, 1e6], 0), ...shares([0, 0], 10_000)]) expect(share).toBeCloseTo(0.5, 1)
    expect(defaultBounds.slowStartTime).toBe(0)
  })
})
