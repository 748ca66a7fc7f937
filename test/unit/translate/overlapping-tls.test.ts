import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { intersection } from '../../../src/lib/hostname.ts'
import { overlapsOf, type TlsListener } from '../../../src/translate/overlapping-tls.ts'

const name = fc.constantFrom('a.test', 'b.test', '*.test', 'x.a.test', '*.a.test', 'y.x.a.test', 'other.example', '*.example')
const listeners = fc
  .array(
    fc.record({ port: fc.constantFrom(443, 8443), hostname: fc.oneof(name, fc.constant('')), names: fc.array(name, { maxLength: 2 }) }),
    {
      maxLength: 7,
    },
  )
  .map((all) => all.map((one, i): TlsListener => ({ ...one, key: `listener-${i}` })))

/** Each compared with each. */
function compared(all: readonly TlsListener[]): Map<string, unknown> {
  const overlaps = new Map<string, unknown>()
  for (const one of all) {
    const others = all.filter((other) => other !== one && other.port === one.port)
    const byCertificate = others.filter((other) => one.names.some((own) => other.names.some((its) => intersection(own, its) !== undefined)))
    const both = others.filter((other) => byCertificate.includes(other) || intersection(one.hostname, other.hostname) !== undefined)
    if (both.length === 0) continue
    const reason = byCertificate.length > 0 ? 'OverlappingCertificates' : 'OverlappingHostnames'
    overlaps.set(one.key, { reason, with: both, andMore: false })
  }
  return overlaps
}

describe('overlapping TLS listeners', () => {
  it('are those whose host names or certificates cover a common host', () => {
    fc.assert(
      fc.property(listeners, (all) => {
        expect(new Map(overlapsOf(all))).toEqual(compared(all))
      }),
      { numRuns: 300 },
    )
  })

  it('are named up to eight, in their order, and a thousand that share a certificate are no work for each other', () => {
    const all = Array.from({ length: 1000 }, (_, i) => ({ key: `${i}`, port: 443, hostname: `h${i}.test`, names: ['*.test'] }))
    const overlaps = overlapsOf(all)
    expect(overlaps.get('500')).toEqual({ reason: 'OverlappingCertificates', with: all.slice(0, 8), andMore: true })
    expect(overlaps.get('3')?.with.map(({ key }) => key)).toEqual(['0', '1', '2', '4', '5', '6', '7', '8'])
    expect(overlaps.size).toBe(1000)
  })
})
