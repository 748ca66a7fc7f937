import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PatchedMap } from '../../../src/lib/patched-map.ts'

const key = fc.integer({ min: 0, max: 150 }).map((n) => `k${n}`)
const edits = fc.array(fc.tuple(key, fc.option(fc.integer(), { nil: undefined })), { maxLength: 60 })

describe('a map with patches', () => {
  it('holds what a map holds that was edited in place, however often', () => {
    fc.assert(
      fc.property(fc.array(edits, { maxLength: 12 }), (rounds) => {
        const plain = new Map<string, number>()
        let patched = new PatchedMap<number>()
        for (const round of rounds) {
          const patches = new Map(round)
          for (const [name, value] of patches) {
            if (value === undefined) plain.delete(name)
            else plain.set(name, value)
          }
          patched = patched.edited(patches)
          expect(patched.size).toBe(plain.size)
          expect([...patched.values()].toSorted((a, b) => a - b)).toEqual([...plain.values()].toSorted((a, b) => a - b))
          for (let n = 0; n <= 150; n += 1) expect(patched.get(`k${n}`)).toBe(plain.get(`k${n}`))
        }
      }),
    )
  })

  it('stays as it was when it is edited', () => {
    const before = new PatchedMap(new Map([['a', 1]]))
    const after = before.edited(new Map([['a', 2]]))
    after.edited(new Map([['a', undefined]]))
    expect([before.get('a'), after.get('a')]).toEqual([1, 2])
    expect(before.edited(new Map())).toBe(before)
  })
})
