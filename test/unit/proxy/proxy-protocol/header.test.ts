import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { endsOf, type Ends } from '../../../../src/proxy/proxy-protocol/ends.ts'
import { readHeader } from '../../../../src/proxy/proxy-protocol/read-header.ts'
import { writeHeader } from '../../../../src/proxy/proxy-protocol/write-header.ts'
import { formatIp } from '../../../../src/lib/ip.ts'

const limit = 4 * 1024
const signature = '0d0a0d0a000d0a515549540a'

function text(line: string): Buffer {
  return Buffer.from(line, 'latin1')
}

/** Version 2 by its bytes in hexadecimal: command, family, and what follows with its length. */
function block(command: string, family: string, rest: string, length = rest.length / 2): Buffer {
  return Buffer.from(`${signature}${command}${family}${length.toString(16).padStart(4, '0')}${rest}`, 'hex')
}

const ipv4Block = 'c0000201c6336402dc0401bb'
const ipv4Ends = { source: { address: '192.0.2.1', port: 56_324 }, destination: { address: '198.51.100.2', port: 443 } }
const ipv6Block = `20010db8${'0'.repeat(22)}0120010db8${'0'.repeat(22)}020001ffff`
const ipv6Ends = { source: { address: '2001:db8::1', port: 1 }, destination: { address: '2001:db8::2', port: 65_535 } }

const good: readonly (readonly [string, Buffer, Ends | undefined])[] = [
  ['TCP4', text('PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n'), ipv4Ends],
  [
    'TCP4 at its longest',
    text('PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n'),
    { source: { address: '255.255.255.255', port: 65_535 }, destination: { address: '255.255.255.255', port: 65_535 } },
  ],
  ['TCP6', text('PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n'), ipv6Ends],
  ['TCP6 in upper case and in full', text('PROXY TCP6 2001:0DB8:0:0:0:0:0:1 2001:DB8::0002 1 65535\r\n'), ipv6Ends],
  [
    'TCP6 at its longest',
    text(`PROXY TCP6 ${Array(2).fill(Array(8).fill('ffff').join(':')).join(' ')} 65535 65535\r\n`),
    {
      source: { address: Array(8).fill('ffff').join(':'), port: 65_535 },
      destination: { address: Array(8).fill('ffff').join(':'), port: 65_535 },
    },
  ],
  ['TCP6 with addresses of IPv4 that are mapped', text('PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c633:6402 56324 443\r\n'), ipv4Ends],
  ['UNKNOWN', text('PROXY UNKNOWN\r\n'), undefined],
  ['UNKNOWN with whatever', text('PROXY UNKNOWN ffff::1 what \x01\xff? 70000\r\n'), undefined],
  ['UNKNOWN at its longest', text(`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`), undefined],
  ['TCP over IPv4', block('21', '11', ipv4Block), ipv4Ends],
  ['TCP over IPv6', block('21', '21', ipv6Block), ipv6Ends],
  ['TCP over IPv4 with TLVs', block('21', '11', `${ipv4Block}020005${text('a.com').toString('hex')}04000100`), ipv4Ends],
  ['TLVs that do not add up, which nobody reads', block('21', '21', `${ipv6Block}02ffff00`), ipv6Ends],
  ['a header at the bound', block('21', '11', ipv4Block + '00'.repeat(limit - 28)), ipv4Ends],
  ['LOCAL', block('20', '00', ''), undefined],
  ['LOCAL with addresses', block('20', '11', ipv4Block), undefined],
  ['LOCAL with a family that nobody knows and addresses that are cut off', block('20', 'f1', '00'), undefined],
  ['unspecified', block('21', '00', ''), undefined],
  ['unspecified with bytes', block('21', '00', '0102030405'), undefined],
  ['a transport that is unspecified', block('21', '10', ipv4Block), undefined],
  ['UDP over IPv4', block('21', '12', ipv4Block), undefined],
  ['UDP over IPv6', block('21', '22', ipv6Block), undefined],
  ['a UNIX stream', block('21', '31', '2f'.repeat(216)), undefined],
  ['UNIX datagrams', block('21', '32', '2f'.repeat(216)), undefined],
]

const bad: readonly (readonly [string, Buffer])[] = [
  ['HTTP', text('GET / HTTP/1.1\r\n')],
  ['HTTP that looks like it at first', text('PROPFIND / HTTP/1.1\r\n')],
  ['TLS', Buffer.from('16030100', 'hex')],
  ['a NUL', Buffer.from([0])],
  ['lower case', text('proxy TCP4 192.0.2.1 198.51.100.2 56324 443\r\n')],
  ['no space', text('PROXY\r\n')],
  ['two spaces', text('PROXY  TCP4 192.0.2.1 198.51.100.2 56324 443\r\n')],
  ['a TAB', text('PROXY TCP4\t192.0.2.1 198.51.100.2 56324 443\r\n')],
  ['a space at the end', text('PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n')],
  ['a word too many', text('PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 1\r\n')],
  ['a word too few', text('PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n')],
  ['nothing behind the protocol', text('PROXY TCP4\r\n')],
  ['a protocol that there is not', text('PROXY TCP5 192.0.2.1 198.51.100.2 56324 443\r\n')],
  ['UNKNOWN that goes on', text('PROXY UNKNOWNS\r\n')],
  ['UDP', text('PROXY UDP4 192.0.2.1 198.51.100.2 56324 443\r\n')],
  ['an address of the other family', text('PROXY TCP4 2001:db8::1 198.51.100.2 56324 443\r\n')],
  ['a destination of the other family', text('PROXY TCP6 2001:db8::1 198.51.100.2 56324 443\r\n')],
  ['a leading zero in an address', text('PROXY TCP4 192.0.02.1 198.51.100.2 56324 443\r\n')],
  ['an address with a zone', text('PROXY TCP6 fe80::1%eth0 2001:db8::1 56324 443\r\n')],
  ['a name for an address', text('PROXY TCP4 localhost 198.51.100.2 56324 443\r\n')],
  ['a leading zero in a port', text('PROXY TCP4 192.0.2.1 198.51.100.2 056324 443\r\n')],
  ['a sign', text('PROXY TCP4 192.0.2.1 198.51.100.2 +5632 443\r\n')],
  ['a port beyond the last', text('PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n')],
  ['a port that is none', text('PROXY TCP4 192.0.2.1 198.51.100.2 56324 https\r\n')],
  ['LF alone', text('PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n')],
  ['CR alone', text('PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\rG')],
  ['LF within UNKNOWN', text('PROXY UNKNOWN a\nb\r\n')],
  ['a line of 108 bytes', text(`PROXY UNKNOWN ${'f'.repeat(92)}\r\n`)],
  ['a line without end', text(`PROXY UNKNOWN ${'f'.repeat(93)}`)],
  ['a line whose CR is the last byte that fits', text(`PROXY UNKNOWN ${'f'.repeat(92)}\r`)],
  ['a signature that breaks off', Buffer.from('0d0a0d0a000d0a515549550a', 'hex')],
  ['version 1 in binary', block('11', '11', ipv4Block)],
  ['version 3', block('31', '11', ipv4Block)],
  ['a command that there is not', block('22', '11', ipv4Block)],
  ['an unassigned family', block('21', '41', ipv4Block)],
  ['an unassigned transport', block('21', '13', ipv4Block)],
  ['addresses of IPv4 that are cut off', block('21', '11', ipv4Block.slice(2))],
  ['addresses of IPv6 that are cut off', block('21', '21', ipv4Block)],
  ['a header beyond the bound', block('21', '11', '', limit - 15)],
  ['the longest one that there is', block('21', '11', '', 65_535)],
]

describe('the reader of PROXY headers', () => {
  it.each(good)('[wire:proxy-header-ends] reads %s, and takes no byte of what follows', (_name, bytes, ends) => {
    const expected = { kind: 'header', length: bytes.length, ends }
    expect(readHeader(bytes, limit)).toEqual(expected)
    expect(readHeader(Buffer.concat([bytes, text('PROXY TCP4 ')]), limit)).toEqual(expected)
  })

  it.each(good)('[wire:proxy-header-pieces] waits for the last byte of %s', (_name, bytes) => {
    for (let length = 0; length < bytes.length; length++)
      expect(readHeader(bytes.subarray(0, length), limit)).toEqual({ kind: 'incomplete' })
  })

  it.each(bad)('[wire:proxy-header-strict] refuses %s', (_name, bytes) => {
    expect(readHeader(bytes, limit)).toMatchObject({ kind: 'refused' })
  })

  it('[wire:proxy-header-strict] refuses what is none at its first byte that differs', () => {
    for (const [bytes, at] of [
      [text('GET / HTTP/1.1'), 0],
      [text('POST / HTTP/1.1'), 1],
      [text('PROXY\t'), 5],
      [Buffer.from('0d0a0d0a010d', 'hex'), 4],
      [block('31', '11', ipv4Block), 12],
      [block('21', '51', ipv4Block), 13],
    ] as const) {
      expect(readHeader(bytes.subarray(0, at), limit)).toEqual({ kind: 'incomplete' })
      expect(readHeader(bytes.subarray(0, at + 1), limit)).toMatchObject({ kind: 'refused' })
    }
  })

  it('[wire:proxy-header-bound] refuses a header that is too long as soon as it says so', () => {
    expect(readHeader(block('21', '11', '', limit - 15), limit)).toMatchObject({ kind: 'refused', reason: 'a header that is too long' })
    expect(readHeader(block('21', '11', '', limit - 16), limit)).toEqual({ kind: 'incomplete' })
    expect(readHeader(text(`PROXY UNKNOWN ${'x'.repeat(92)}`), limit)).toEqual({ kind: 'incomplete' })
    expect(readHeader(text(`PROXY UNKNOWN ${'x'.repeat(93)}`), limit)).toMatchObject({ kind: 'refused' })
  })

  /** Good headers, whole or changed somewhere, and noise. */
  const anything = fc
    .tuple(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        fc.constantFrom(...good, ...bad).map(([, bytes]) => bytes),
        fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.concat([Buffer.from(signature, 'hex'), bytes])),
        fc.string({ maxLength: 110 }).map((rest) => text(`PROXY ${rest}\r\n`)),
      ),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 2 }),
    )
    .map(([bytes, changes]) => {
      const changed = Buffer.from(bytes)
      if (changed.length > 0) for (const [at, value] of changes) changed[at % changed.length] = value
      return changed
    })

  it('[wire:proxy-header-pieces] says the same of every beginning that suffices, whatever comes, and never throws', () => {
    fc.assert(
      fc.property(anything, (bytes) => {
        const whole = readHeader(bytes, limit)
        let decided = false
        for (let length = 0; length <= bytes.length; length++) {
          const result = readHeader(bytes.subarray(0, length), limit)
          if (result.kind === 'incomplete') expect(decided).toBe(false)
          else {
            decided = true
            expect(result).toEqual(whole)
          }
        }
        expect(decided).toBe(whole.kind !== 'incomplete')
        if (whole.kind === 'header') expect(whole.length).toBeLessThanOrEqual(bytes.length)
      }),
      { numRuns: 2_000 },
    )
  })

  it('never waits for more than the bound', () => {
    fc.assert(
      fc.property(anything, fc.integer({ min: 536, max: 65_551 }), (bytes, bound) => {
        const padded = Buffer.concat([bytes, Buffer.alloc(Math.max(0, bound + 1 - bytes.length))])
        expect(readHeader(padded, bound).kind).not.toBe('incomplete')
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('the writer of PROXY headers', () => {
  it('[wire:stream-proxy-header] writes version 1 as a line', () => {
    expect(writeHeader('v1', ipv4Ends).toString('latin1')).toBe('PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n')
    expect(writeHeader('v1', ipv6Ends).toString('latin1')).toBe('PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n')
  })

  it('[wire:stream-proxy-header] writes version 2 as a block', () => {
    expect(writeHeader('v2', ipv4Ends)).toEqual(block('21', '11', ipv4Block))
    expect(writeHeader('v2', ipv6Ends)).toEqual(block('21', '21', ipv6Block))
  })

  it('[wire:stream-proxy-header] maps the end of IPv4 where the other one is of IPv6', () => {
    const mixed = { source: ipv4Ends.source, destination: ipv6Ends.destination }
    expect(writeHeader('v1', mixed).toString('latin1')).toBe('PROXY TCP6 ::ffff:c000:201 2001:db8::2 56324 65535\r\n')
    for (const version of ['v1', 'v2'] as const) {
      expect(readHeader(writeHeader(version, mixed), limit)).toMatchObject({ kind: 'header', ends: mixed })
    }
  })

  it('leaves out a zone', () => {
    const local = { source: { address: 'fe80::1%eth0', port: 1 }, destination: { address: 'fe80::2%2', port: 2 } }
    expect(writeHeader('v1', local).toString('latin1')).toBe('PROXY TCP6 fe80::1 fe80::2 1 2\r\n')
  })

  it('says of ends without addresses that they are not known', () => {
    const gone = endsOf({})
    expect(writeHeader('v1', gone).toString('latin1')).toBe('PROXY UNKNOWN\r\n')
    expect(writeHeader('v2', gone)).toEqual(block('21', '00', ''))
  })

  it('writes what the reader reads, for all addresses and ports', () => {
    const port = fc.integer({ min: 0, max: 65_535 })
    const ipv4 = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((bits) => formatIp({ version: 4, bits }))
    const ipv6 = fc
      .oneof(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), fc.bigInt({ min: 0n, max: 0xffffn }))
      .filter((bits) => bits >> 32n !== 0xffffn)
      .map((bits) => formatIp({ version: 6, bits }))
    const end = fc.record({ address: fc.oneof(ipv4, ipv6), port })
    fc.assert(
      fc.property(fc.constantFrom('v1' as const, 'v2' as const), end, end, (version, source, destination) => {
        const bytes = writeHeader(version, { source, destination })
        expect(readHeader(bytes, limit)).toEqual({ kind: 'header', length: bytes.length, ends: { source, destination } })
        expect(bytes.length).toBeLessThanOrEqual(107)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('the ends of a socket', () => {
  it('are addresses of IPv4 where a socket of both families shows them mapped', () => {
    const socket = { remoteAddress: '::ffff:192.0.2.1', remotePort: 5, localAddress: '::ffff:198.51.100.2', localPort: 443 }
    expect(endsOf(socket)).toEqual({ source: { address: '192.0.2.1', port: 5 }, destination: { address: '198.51.100.2', port: 443 } })
  })
})
