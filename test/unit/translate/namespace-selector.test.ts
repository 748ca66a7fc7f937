import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LabelSelector } from '../../../src/api/meta.ts'
import { namespaceToApply, selects, shortfalls } from '../../../src/translate/namespace-selector.ts'

const key = fc.constantFrom('a', 'b')
const value = fc.constantFrom('1', '2', 'true')
const labels = fc.dictionary(key, value)
const selector: fc.Arbitrary<LabelSelector> = fc.record({
  matchLabels: fc.dictionary(key, value, { maxKeys: 1 }),
  matchExpressions: fc.array(
    fc.oneof(
      fc.record({ key, operator: fc.constantFrom('In' as const, 'NotIn' as const), values: fc.uniqueArray(value, { minLength: 1 }) }),
      fc.record({ key, operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
    ),
    { maxLength: 4 },
  ),
})

/** All labels that could matter, to find out whether any would do. */
const everyLabels = [undefined, '1', '2', 'true', 'other'].flatMap((a) =>
  [undefined, '1', '2', 'true', 'other'].map((b) => ({ ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) })),
)

describe('the selector of namespaces', () => {
  it('takes every namespace when it is empty', () => {
    expect(selects({}, {})).toBe(true)
  })

  it('takes NotIn as satisfied by a label that is not there', () => {
    expect(selects({ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['1'] }] }, {})).toBe(true)
  })

  it('finds labels that it takes whenever there are any, and says what is short only when something is', () => {
    fc.assert(
      fc.property(selector, labels, (one, present) => {
        const printed = namespaceToApply(one, 'app', present) as { metadata: { labels: Record<string, string> } } | undefined
        if (printed !== undefined) expect(selects(one, printed.metadata.labels)).toBe(true)
        expect(printed !== undefined).toBe(everyLabels.some((candidate) => selects(one, candidate)))
        expect(shortfalls(one, present).length === 0).toBe(selects(one, present))
      }),
    )
  })

  it('changes no label that is good as it is', () => {
    const printed = namespaceToApply({ matchLabels: { b: '2' } }, 'app', { a: '1', b: '1' })
    expect(printed).toMatchObject({ metadata: { labels: { a: '1', b: '2' } } })
  })
})
