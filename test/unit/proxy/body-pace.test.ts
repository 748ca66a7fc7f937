import { describe, expect, it } from 'vitest'
import { defaultBounds } from '../../../src/config/bounds.ts'
import { BodyPace } from '../../../src/proxy/http/body-pace.ts'

const bounds = { ...defaultBounds, bodyIdleTime: 30_000, bodyRate: 500 }

describe("a body's pace", () => {
  it('is looked at when a silence or its window ends, whichever comes first', () => {
    const pace = new BodyPace(bounds)
    expect(pace.progress(0, 0)).toBe(30_000)
    expect(pace.progress(10_000, 1)).toBe(30_000)
    expect(pace.look(25_000)).toBe(30_000)
  })

  it('is too slow after a silence', () => {
    const pace = new BodyPace(bounds)
    pace.progress(0, 1_000_000)
    expect(pace.look(29_999)).toBe(30_000)
    expect(pace.look(30_000)).toBeUndefined()
  })

  it('is too slow when a window brought less than its rate, and not when it brought that much', () => {
    const trickle = new BodyPace(bounds)
    trickle.progress(0, 14_998)
    trickle.progress(29_000, 1)
    expect(trickle.look(30_000)).toBeUndefined()
    const enough = new BodyPace(bounds)
    enough.progress(0, 14_999)
    enough.progress(29_000, 1)
    expect(enough.look(30_000)).toBe(59_000)
  })

  it('counts each window for itself', () => {
    const pace = new BodyPace(bounds)
    pace.progress(0, 1_000_000)
    pace.progress(29_000, 1)
    pace.look(30_000)
    pace.progress(58_000, 100)
    expect(pace.look(60_000)).toBeUndefined()
  })

  it('begins anew after a pause of ours', () => {
    const pace = new BodyPace(bounds)
    pace.progress(0, 1)
    pace.reset()
    expect(pace.progress(100_000, 0)).toBe(130_000)
    expect(pace.look(120_000)).toBe(130_000)
  })
})
