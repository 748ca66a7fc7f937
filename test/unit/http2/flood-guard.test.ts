import { describe, expect, it } from 'vitest'
import { FloodGuard } from '../../../src/proxy/http2/flood-guard.ts'

const limits = { resets: 3, pings: 5, settings: 2, overhead: 1_000, window: 10_000 }

describe('the guard against floods', () => {
  it('[wire:h2-resets] counts each kind for itself, over ten seconds', () => {
    const guard = new FloodGuard(limits)
    expect([1, 2, 3].map(() => guard.count('resets', 0))).toEqual([false, false, false])
    expect(guard.count('pings', 0)).toBe(false)
    expect(guard.count('resets', 9_999)).toBe(true)
    expect(guard.count('resets', 10_000)).toBe(false)
  })

  it('[wire:h2-overhead] finds bytes that are good for nothing, and not those that go with an exchange', () => {
    const guard = new FloodGuard(limits)
    expect(guard.look(900, 0, 0)).toBe(false)
    // Since the last look.
    expect(guard.look(1_800, 0, 0)).toBe(false)
    expect(guard.look(2_801, 0, 0)).toBe(true)
    // A body of single bytes, and the window updates of a download.
    expect(guard.look(2_801 + 16_000, 0, 1_000)).toBe(false)
    expect(guard.look(18_801 + 16_000, 16_000, 0)).toBe(false)
  })
})
