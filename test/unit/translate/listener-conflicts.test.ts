import { describe, expect, it } from 'vitest'
import { conflictBetween, conflictsOf } from '../../../src/translate/listener-conflicts.ts'

const listener = (name: string, port: number, protocol: string, hostname = '') => ({ name, port, protocol, hostname })

describe('conflicts of listeners', () => {
  it.each([
    ['one port and hostname', listener('a', 80, 'HTTP', 'x.test'), listener('b', 80, 'HTTP', 'x.test'), 'HostnameConflict'],
    ['no hostname on either', listener('a', 80, 'HTTP'), listener('b', 80, 'HTTP'), 'HostnameConflict'],
    ['two TCP listeners of a port', listener('a', 80, 'TCP'), listener('b', 80, 'TCP'), 'HostnameConflict'],
    ['HTTP and HTTPS', listener('a', 80, 'HTTP', 'x.test'), listener('b', 80, 'HTTPS', 'y.test'), 'ProtocolConflict'],
    ['HTTP and TLS', listener('a', 443, 'HTTP', 'x.test'), listener('b', 443, 'TLS', 'y.test'), 'ProtocolConflict'],
    ['TCP and HTTP', listener('a', 80, 'TCP'), listener('b', 80, 'HTTP', 'y.test'), 'ProtocolConflict'],
    ['HTTPS and TLS of one hostname', listener('a', 443, 'HTTPS', 'x.test'), listener('b', 443, 'TLS', 'x.test'), 'ProtocolConflict'],
    ['HTTPS and TLS of different hostnames', listener('a', 443, 'HTTPS', 'x.test'), listener('b', 443, 'TLS', 'y.test'), undefined],
    ['a hostname and none', listener('a', 80, 'HTTP', 'x.test'), listener('b', 80, 'HTTP'), undefined],
    ['different ports', listener('a', 80, 'HTTP'), listener('b', 81, 'TCP'), undefined],
    ['UDP beside TCP', listener('a', 53, 'UDP'), listener('b', 53, 'TCP'), undefined],
  ])('judges %s', (_, a, b, expected) => {
    expect(conflictBetween(a, b)).toBe(expected)
    expect(conflictBetween(b, a)).toBe(expected)
  })

  it('lets every conflicting listener lose, and leaves the others', () => {
    const conflicts = conflictsOf([
      listener('a', 80, 'HTTP', 'x.test'),
      listener('b', 80, 'HTTP', 'x.test'),
      listener('c', 80, 'HTTP', 'y.test'),
    ])
    expect([...conflicts]).toEqual([
      ['a', { reason: 'HostnameConflict', with: ['b'] }],
      ['b', { reason: 'HostnameConflict', with: ['a'] }],
    ])
  })

  it('gives the conflict of protocols where a listener has both', () => {
    const conflicts = conflictsOf([listener('a', 80, 'HTTP', 'x.test'), listener('b', 80, 'HTTP', 'x.test'), listener('c', 80, 'TCP')])
    expect(conflicts.get('a')).toEqual({ reason: 'ProtocolConflict', with: ['b', 'c'] })
  })
})
