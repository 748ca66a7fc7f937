import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sortedFrom, type Sorted } from '../../../src/translate/sorted.ts'

interface Element {
  readonly id: number
}
const compare = (a: Element, b: Element) => a.id - b.id

describe('sorting from the last order', () => {
  it('gives what sorting from nothing gives, whatever changed', () => {
    const lists = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 80 }), { maxLength: 60 }), { minLength: 2, maxLength: 5 })
    fc.assert(
      fc.property(lists, (all) => {
        const elements = Array.from({ length: 81 }, (_, id): Element => ({ id }))
        let last: Sorted<Element> | undefined
        for (const ids of all) {
          const source = ids.flatMap((id) => elements[id] ?? [])
          last = sortedFrom(last, source, compare)
          expect(last.sorted).toEqual(source.toSorted(compare))
        }
      }),
    )
  })

  it('is the same object for the same list', () => {
    const first = sortedFrom(undefined, [{ id: 2 }, { id: 1 }], compare)
    expect(sortedFrom(first, first.source, compare)).toBe(first)
  })

  it('tells what came in the place of what', () => {
    const [a, b, c] = [{ id: 1 }, { id: 2 }, { id: 3 }]
    const next = sortedFrom(sortedFrom(undefined, [a, b], compare), [a, c], compare)
    expect([next.removed, next.added]).toEqual([[b], [c]])
  })
})
