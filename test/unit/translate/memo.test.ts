import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SnapshotBuilder } from '../../../src/cluster/snapshot-builder.ts'
import { translate, type Pass } from '../../../src/translate/translate.ts'
import type { Translation } from '../../../src/translate/translation.ts'
import { OPTIONS } from '../../golden/translate/golden-case.ts'
import { edit, foundation, type Edit } from './world.ts'

/** Keys as text, so that a difference of key material would show. */
function comparable({ keys, ...rest }: Translation) {
  return { ...rest, keys: [...keys].map(([fingerprint]) => fingerprint).sort() }
}

/** Makes the edits one round after the other, and compares each pass with one from nothing. Returns what was served in all. */
function follow(rounds: readonly (readonly Edit[])[]): { readonly routes: number; readonly ofSets: number; readonly conflicts: number } {
  const builder = new SnapshotBuilder()
  builder.observe({ gateways: new Map(), assumeProgrammed: true })
  for (const object of foundation) builder.set(object)
  let pass: Pass | undefined
  let routes = 0
  let ofSets = 0
  let conflicts = 0
  for (const edits of rounds) {
    for (const { remove, object } of edits) {
      if (remove) builder.delete(object.kind, object.metadata.namespace, object.metadata.name)
      else builder.set(object)
    }
    const snapshot = builder.snapshot()
    pass = translate(snapshot, OPTIONS, pass)
    expect(comparable(pass.translation)).toEqual(comparable(translate(snapshot, OPTIONS).translation))
    routes += pass.translation.configs.flatMap((config) => config.routes).length
    const attachments = pass.translation.configs.flatMap((config) => config.routes.flatMap((route) => route.attachments))
    ofSets += attachments.filter(({ listener }) => listener.startsWith('ListenerSet/')).length
    conflicts += JSON.stringify(pass.translation.statuses).split(' came first').length - 1
  }
  return { routes, ofSets, conflicts }
}

describe('the memo of translate', () => {
  it('gives with the previous pass what a pass from nothing gives, after any edits', () => {
    fc.assert(
      fc.property(fc.array(fc.array(edit, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 12 }), (rounds) => {
        follow(rounds)
      }),
      { numRuns: 150 },
    )
  })

  it('gives with the previous pass what a pass from nothing gives through a long history of single edits', () => {
    const served = follow(fc.sample(edit, { numRuns: 600, seed: 12 }).map((one) => [one]))
    expect(served.routes).toBeGreaterThan(300)
    expect(served.ofSets).toBeGreaterThan(30)
    expect(served.conflicts).toBeGreaterThan(100)
  })
})
