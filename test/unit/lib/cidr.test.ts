import { describe, expect, it } from 'vitest'
import { cidrContains, parseCidr } from '../../../src/lib/cidr.ts'
import { parseIp } from '../../../src/lib/ip.ts'

function contains(range: string, address: string): boolean | undefined {
  const cidr = parseCidr(range)
  const ip = parseIp(address)
  return cidr && ip ? cidrContains(cidr, ip) : undefined
}

describe('ranges of IP addresses', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.1.2.3/8', '10.9.9.9', true],
    ['0.0.0.0/0', '203.0.113.7', true],
    ['0.0.0.0/0', '::1', false],
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['192.0.2.0/31', '192.0.2.1', true],
    ['2001:db8::/32', '2001:db8:1::', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['::/0', '2001:db8::', true],
  ])('%s and %s: %s', (range, address, expected) => {
    expect(contains(range, address)).toBe(expected)
  })

  it.each(['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/08', '10.0.0/8', '/8', ''])('%j is none', (text) => {
    expect(parseCidr(text)).toBeUndefined()
  })
})
