import { describe, expect, it } from 'vitest'
import { FloodGuard } from '../../../src/proxy/http2/flood-guard.ts'

const limits = { resets: 3, pings: 5, settings: 2, window: 10_000 }

describe('the guard against floods', () => {
  it('[wire:h2-resets] counts each kind for itself, over ten seconds', () => {
    const guard = new FloodGuard(limits)
    expect([1, 2, 3].map(() => guard.count('resets', 0))).toEqual([false, false, false])
    expect(guard.count('pings', 0)).toBe(false)
    expect(guard.count('resets', 9_999)).toBe(true)
    expect(guard.count('resets', 10_000)).toBe(false)
  })
})
