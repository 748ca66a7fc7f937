import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Claims } from '../../../src/translate/claims.ts'
import { conflictBetween } from '../../../src/translate/listener-conflicts.ts'

const listener = fc.record({
  name: fc.uuid(),
  port: fc.constantFrom(80, 443),
  protocol: fc.constantFrom('HTTP', 'HTTPS', 'TLS', 'TCP', 'UDP'),
  hostname: fc.constantFrom('', 'x.test', '*.test'),
})

describe('claims of listeners', () => {
  it('go to the first: each is refused exactly when one that holds something conflicts with it', () => {
    let refused = 0
    fc.assert(
      fc.property(fc.array(listener, { maxLength: 12 }), (listeners) => {
        const claims = new Claims()
        const holding: typeof listeners = []
        for (const one of listeners) {
          const conflict = claims.conflictOf(one)
          const reasons = holding.flatMap((other) => conflictBetween(one, other) ?? [])
          const expected = reasons.includes('ProtocolConflict') ? 'ProtocolConflict' : reasons[0]
          expect(conflict?.reason).toBe(expected)
          if (conflict === undefined) {
            claims.hold(one, one.name)
            holding.push(one)
          } else {
            refused += 1
            const holder = holding.find(({ name }) => name === conflict.takenBy)
            expect(holder && conflictBetween(one, holder)).toBe(conflict.reason)
          }
        }
      }),
    )
    expect(refused).toBeGreaterThan(100)
  })
})
