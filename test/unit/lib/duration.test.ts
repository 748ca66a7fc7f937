import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from '../../../src/lib/duration.ts'

describe('durations (GEP-2257)', () => {
  it.each([
    ['0s', 0],
    ['0h0m0s0ms', 0],
    ['500ms', 500],
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['1h', 3_600_000],
    ['30s1h', 3_630_000],
    ['1m1m', 120_000],
    ['99999h', 359_996_400_000],
    ['00001s', 1000],
  ])('%s is %d milliseconds', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds)
  })

  it.each(['', '10', 's', '1.5h', '-1s', '+1s', '1us', '1d', '100000s', '1s1s1s1s1s', ' 1s', '1s\n', '1 s', '1H'])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })

  it('are written with the largest units first and without zeros', () => {
    expect([0, 1, 1000, 60_000, 3_600_000, 5_405_006].map(formatDuration)).toEqual(['0s', '1ms', '1s', '1m', '1h', '1h30m5s6ms'])
  })

  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 359_999_999_999 }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds)
      }),
    )
  })

  it.each([-1, 0.5, 360_000_000_000, Number.NaN, Infinity])('%d milliseconds cannot be written', (milliseconds) => {
    expect(() => formatDuration(milliseconds)).toThrow(RangeError)
  })
})
