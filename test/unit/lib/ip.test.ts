import { isIP } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatIp, isIp, isLoopback, mapped, parseIp, unmapped } from '../../../src/lib/ip.ts'

describe('IP addresses', () => {
  it.each([
    ['0.0.0.0', '0.0.0.0'],
    ['192.0.2.255', '192.0.2.255'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['2001:0DB8::000A', '2001:db8::a'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    // A single group stays, the longest run goes, and of two the first one (RFC 5952, section 4.2).
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:1:0:0:1:0:0', '::1:0:0:1:0:0'],
    ['10:0:0:a0:0:0:0:0', '10:0:0:a0::'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
  ])('%s is written %s', (text, written) => {
    const ip = parseIp(text)
    expect(ip && formatIp(ip)).toBe(written)
  })

  it('are read as they were written, and URLs write them alike', () => {
    const groups = fc.array(fc.constantFrom(0n, 0n, 1n, 0xa0n, 0xffffn), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(groups, (parts) => {
        const bits = parts.reduce<bigint>((all, part) => (all << 16n) | part, 0n)
        const text = formatIp({ version: 6, bits })
        expect(parseIp(text)).toEqual({ version: 6, bits })
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`)
      }),
    )
  })

  it('of version 4 can be mapped into version 6 and back', () => {
    const [four, six] = [
      { version: 4, bits: 0xc0000201n },
      { version: 6, bits: 0xffffc0000201n },
    ] as const
    expect([mapped(four), mapped(six), unmapped(six), unmapped(four)]).toEqual([six, six, four, four])
    expect(unmapped({ version: 6, bits: 0x1ffffc0000201n })).toEqual({ version: 6, bits: 0x1ffffc0000201n })
  })

  it('of this machine alone are known in every spelling', () => {
    for (const text of ['127.0.0.1', '127.8.9.10', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1']) expect(isLoopback(text), text).toBe(true)
    for (const text of ['128.0.0.1', '10.127.0.1', '::', '::2', '::127.0.0.1', '::ffff:10.0.0.1', '127.0.0', 'localhost', '']) {
      expect(isLoopback(text), text).toBe(false)
    }
  })

  it.each([
    ['0.0.0.0', 4, 0n],
    ['192.0.2.1', 4, 0xc0000201n],
    ['255.255.255.255', 4, 0xffffffffn],
    ['::', 6, 0n],
    ['::1', 6, 1n],
    ['2001:db8::a', 6, 0x20010db800000000000000000000000an],
    ['1:2:3:4:5:6:7:8', 6, 0x00010002000300040005000600070008n],
    ['::ffff:192.0.2.1', 6, 0xffffc0000201n],
    ['1::', 6, 1n << 112n],
  ] as const)('%s is one of version %d', (text, version, bits) => {
    expect(parseIp(text)).toEqual({ version, bits })
  })

  it.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.0.0.1',
    '1.2.3.4 ',
    ':',
    ':::',
    '1::2::3',
    '12345::',
    '1:2:3:4:5:6:7',
    'fe80::1%eth0',
    '1.2.3.4::',
    '::1.2.3',
    '1:2:3:4:5:6:7:8::',
  ])('%j is none', (text) => {
    expect(parseIp(text)).toBeUndefined()
  })

  it('are judged as Node judges them, zones aside', () => {
    const text = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{0,20}$/))
    fc.assert(fc.property(text, (address) => isIp(address) === (isIP(address) !== 0)))
  })
})
