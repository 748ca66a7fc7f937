import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MirrorConfig } from '../../../src/config/filter.ts'
import { compileMirrors } from '../../../src/routing/mirror.ts'

function mirror(numerator: number, denominator: number, pool = 'shadow'): MirrorConfig {
  return { kind: 'mirror', target: { kind: 'pool', pool }, numerator, denominator }
}

describe('a mirror', () => {
  it('[feature:HTTPRouteRequestPercentageMirror] copies its share exactly: less than one request more or less at any moment, whatever the phase', () => {
    const share = fc
      .integer({ min: 1, max: 2_147_483_647 })
      .chain((denominator) => fc.tuple(fc.integer({ min: 1, max: denominator }), fc.constant(denominator)))
    const phase = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(share, phase, ([numerator, denominator], begin) => {
        const [compiled] = compileMirrors([mirror(numerator, denominator)], () => begin, undefined) ?? []
        let copied = 0
        for (let n = 1; n <= 200; n++) {
          if (compiled?.take() === true) copied++
          expect(Math.abs(copied - (n * numerator) / denominator)).toBeLessThan(1)
        }
      }),
    )
  })

  it('begins where the phase says, so that many data planes do not copy the same request', () => {
    const firstOf = (begin: number) => {
      const [compiled] = compileMirrors([mirror(1, 10)], () => begin, undefined) ?? []
      return Array.from({ length: 10 }, () => compiled?.take()).indexOf(true)
    }
    expect([0, 0.3, 0.9].map(firstOf)).toEqual([9, 6, 0])
  })

  it('goes on where it was when its rule is compiled again, and begins anew when its share or target changes', () => {
    const before = compileMirrors([mirror(1, 2), mirror(1, 3, 'other')], () => 0, undefined)
    const after = compileMirrors([mirror(1, 2), mirror(2, 3, 'other')], () => 0, before)
    expect(after?.[0]).toBe(before?.[0])
    expect(after?.[1]).not.toBe(before?.[1])
    expect(compileMirrors([mirror(1, 2, 'moved')], () => 0, before)?.[0]).not.toBe(before?.[0])
  })

  it('is none without a share or a target', () => {
    const target = { kind: 'fail' as const, backend: 'gone', reason: 'BackendNotFound', message: 'gone' }
    expect(compileMirrors([mirror(0, 100), { kind: 'mirror', target, numerator: 1, denominator: 1 }], () => 0, undefined)).toBeUndefined()
  })
})
