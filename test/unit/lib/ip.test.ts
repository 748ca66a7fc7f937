import { isIP } from 'node:net'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isIp, isLoopback, parseIp } from '../../../src/lib/ip.ts'

describe('IP addresses', () => {
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
