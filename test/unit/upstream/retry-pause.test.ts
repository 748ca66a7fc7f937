import { describe, expect, it } from 'vitest'
import { retryPause } from '../../../src/proxy/http/retry-pause.ts'

describe('the pause before a retry', () => {
  it('[wire:retry-backoff] doubles with each, up to ten times its base', () => {
    expect([1, 2, 3, 4, 5, 6].map((retry) => retryPause(100, retry, 0.5))).toEqual([100, 200, 400, 800, 1_000, 1_000])
  })

  it('[wire:retry-backoff] differs by up to a quarter, as chance has it', () => {
    expect([0, 0.5, 1].map((chance) => retryPause(100, 1, chance))).toEqual([75, 100, 125])
  })

  it('is none where the route says none', () => {
    expect(retryPause(0, 3, 0.9)).toBe(0)
  })
})
