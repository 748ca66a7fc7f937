import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WeightedChoice } from '../../../src/routing/weighted-choice.ts'

function sequence(weights: readonly number[], phase: number, length: number): readonly number[] {
  const choice = new WeightedChoice(weights, phase)
  return Array.from({ length }, () => choice.next())
}

/** The largest difference between a count and its share, over all prefixes. */
function worstDeviation(weights: readonly number[], phase: number, length: number): number {
  const choice = new WeightedChoice(weights, phase)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const counts = weights.map(() => 0)
  let worst = 0
  for (let n = 1; n <= length; n++) {
    const chosen = choice.next()
    counts[chosen] = (counts[chosen] ?? 0) + 1
    for (const [i, weight] of weights.entries()) worst = Math.max(worst, Math.abs((counts[i] ?? 0) - (n * weight) / total))
  }
  return worst
}

const weights = fc.array(fc.oneof(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 1, max: 1_000_000 })), { minLength: 1, maxLength: 16 })
const phase = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('weighted choice', () => {
  it('keeps every count within one request of its share, at every moment', () => {
    fc.assert(
      fc.property(weights, (each) => {
        expect(worstDeviation(each, 0, 400)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('keeps every count within two requests of its share with any initial phase', () => {
    fc.assert(
      fc.property(weights, phase, (each, begin) => {
        expect(worstDeviation(each, begin, 400)).toBeLessThan(2)
      }),
    )
  })

  it('keeps the bound for sixteen very different weights', () => {
    const powers = Array.from({ length: 16 }, (_, i) => 2 ** i)
    expect(worstDeviation(powers, 0, 5000)).toBeLessThanOrEqual(1)
    expect(worstDeviation([1_000_000, ...Array.from({ length: 15 }, () => 1)], 0, 5000)).toBeLessThanOrEqual(1)
  })

  it('repeats exactly after a period, from any phase', () => {
    for (const begin of [0, 0.35, 0.99]) {
      const twice = sequence([90, 10], begin, 20)
      expect(twice.slice(10)).toEqual(twice.slice(0, 10))
      expect(twice.filter((i) => i === 1)).toHaveLength(2)
    }
  })

  it('begins where the phase says, and with the same phase always in the same way', () => {
    const places = [0, 0.2, 0.4, 0.6, 0.8].map((begin) => sequence([4, 1], begin, 5).indexOf(1))
    expect(new Set(places).size).toBe(5)
    expect(sequence([3, 2, 1], 0.5, 12)).toEqual(sequence([3, 2, 1], 0.5, 12))
  })

  it('spreads a small share instead of bunching it', () => {
    const chosen = sequence([2, 2, 1], 0, 10)
    for (let i = 1; i < chosen.length; i++) expect(chosen[i]).not.toBe(chosen[i - 1])
  })
})
