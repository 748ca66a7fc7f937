import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SnapshotBuilder } from '../../../src/cluster/snapshot-builder.ts'
import { translate, type Pass } from '../../../src/translate/translate.ts'
import type { Translation } from '../../../src/translate/translation.ts'
import { OPTIONS } from '../../golden/translate/golden-case.ts'
import { edit } from './world.ts'

/** Keys as text, so that a difference of key material would show. */
function comparable({ keys, ...rest }: Translation) {
  return { ...rest, keys: [...keys].map(([fingerprint]) => fingerprint).sort() }
}

describe('the memo of translate', () => {
  it('gives with the previous pass what a pass from nothing gives, after any edits', () => {
    fc.assert(
      fc.property(fc.array(fc.array(edit, { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: 12 }), (rounds) => {
        const builder = new SnapshotBuilder()
        builder.observe({ gateways: new Map(), assumeProgrammed: true })
        let pass: Pass | undefined
        for (const edits of rounds) {
          for (const { remove, object } of edits) {
            if (remove) builder.delete(object.kind, object.metadata.namespace, object.metadata.name)
            else builder.set(object)
          }
          const snapshot = builder.snapshot()
          const next: Pass = translate(snapshot, OPTIONS, pass)
          expect(comparable(next.translation)).toEqual(comparable(translate(snapshot, OPTIONS).translation))
          pass = next
        }
      }),
      { numRuns: 150 },
    )
  })

  it('gives with the previous pass what a pass from nothing gives when all of a large world changes by single edits', () => {
    const objects = fc.sample(edit, { numRuns: 500, seed: 7 })
    const builder = new SnapshotBuilder()
    let pass: Pass | undefined
    for (const { remove, object } of objects) {
      if (remove) builder.delete(object.kind, object.metadata.namespace, object.metadata.name)
      else builder.set(object)
      const snapshot = builder.snapshot()
      pass = translate(snapshot, OPTIONS, pass)
      expect(comparable(pass.translation)).toEqual(comparable(translate(snapshot, OPTIONS).translation))
    }
    expect(pass?.translation.statuses.length).toBeGreaterThan(10)
  })
})
