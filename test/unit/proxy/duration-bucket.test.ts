import { describe, expect, it } from 'vitest'
import { durationBucket } from '../../../src/proxy/http/accounting.ts'

describe('the bucket of a duration', () => {
  it('i holds what took at most 2^(i-4) ms and more than the one before', () => {
    for (let i = 1; i < 18; i++) {
      const bound = 2 ** (i - 4)
      expect(durationBucket(bound, 20)).toBe(i)
      expect(durationBucket(bound * 1.001, 20)).toBe(i + 1)
    }
    expect([durationBucket(0, 20), durationBucket(0.05, 20), durationBucket(1 / 16, 20)]).toEqual([0, 0, 0])
  })

  it('is the last one for everything beyond', () => {
    expect(durationBucket(1e9, 20)).toBe(19)
    expect(durationBucket(1e12, 20)).toBe(19)
  })
})
