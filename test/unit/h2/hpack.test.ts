import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HpackDecoder } from '../../../src/proxy/h2/hpack-decoder.ts'
import { HpackEncoder } from '../../../src/proxy/h2/hpack-encoder.ts'

const wide = { bytes: 1_000_000, fields: 10_000 }
const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')

function decode(decoder: HpackDecoder, block: Buffer, limits = wide) {
  return decoder.decode(block, 0, block.length, limits)
}

function fieldsIn(decoder: HpackDecoder, block: Buffer): string[] {
  const decoded = decode(decoder, block)
  if (decoded.kind !== 'fields') throw new Error(`got ${decoded.kind}`)
  return decoded.fields
}

function encode(encoder: HpackEncoder, fields: readonly string[], sensitive?: ReadonlySet<string>): Buffer {
  const target = Buffer.alloc(encoder.bound(fields))
  return target.subarray(0, encoder.encode(fields, target, 0, sensitive))
}

const request = (...more: string[]): string[] => [
  ':method',
  'GET',
  ':scheme',
  'http',
  ':path',
  '/',
  ':authority',
  'www.example.com',
  ...more,
]
const custom = [':method', 'GET', ':scheme', 'https', ':path', '/index.html', ':authority', 'www.example.com', 'custom-key', 'custom-value']

describe('HPACK of a peer', () => {
  it('requests with plain texts (RFC 7541, appendix C.3)', () => {
    const decoder = new HpackDecoder(4_096)
    expect(fieldsIn(decoder, bytes('8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d'))).toEqual(request())
    expect(fieldsIn(decoder, bytes('8286 84be 5808 6e6f 2d63 6163 6865'))).toEqual(request('cache-control', 'no-cache'))
    expect(fieldsIn(decoder, bytes('8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65'))).toEqual(custom)
  })

  it("requests in Huffman's code (RFC 7541, appendix C.4)", () => {
    const decoder = new HpackDecoder(4_096)
    expect(fieldsIn(decoder, bytes('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff'))).toEqual(request())
    expect(fieldsIn(decoder, bytes('8286 84be 5886 a8eb 1064 9cbf'))).toEqual(request('cache-control', 'no-cache'))
    expect(fieldsIn(decoder, bytes('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf'))).toEqual(custom)
  })

  it('answers that drive entries out of a table of 256 bytes (RFC 7541, appendix C.6)', () => {
    const decoder = new HpackDecoder(256)
    const first = ['cache-control', 'private', 'date', 'Mon, 21 Oct 2013 20:13:21 GMT', 'location', 'https://www.example.com']
    expect(
      fieldsIn(
        decoder,
        bytes(
          '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
        ),
      ),
    ).toEqual([':status', '302', ...first])
    expect(fieldsIn(decoder, bytes('4883 640e ffc1 c0bf'))).toEqual([':status', '307', ...first])
    const third = bytes(
      '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
    )
    expect(fieldsIn(decoder, third)).toEqual([
      ':status',
      '200',
      'cache-control',
      'private',
      'date',
      'Mon, 21 Oct 2013 20:13:22 GMT',
      'location',
      'https://www.example.com',
      'content-encoding',
      'gzip',
      'set-cookie',
      'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    ])
    // Its three entries: set-cookie, content-encoding, date.
    expect(decode(decoder, bytes('c0')).kind).toBe('fields')
    expect(decode(decoder, bytes('c1')).kind).toBe('broken')
  })

  it.each([
    ['index 0', '80'],
    ['an index beyond both tables', 'be'],
    ['a name beyond both tables', '7f 00 01 61'],
    ['an integer without an end', 'ff 80 80 80'],
    ['an integer beyond all sense', 'ff ff ff ff ff ff 0f'],
    ['zeroes without an end', 'ff 80 80 80 80 80 80 80 80 00'],
    ['a text longer than the head', '00 05 61 62'],
    ['a name without a value', '00 01 61'],
    ['a table larger than was allowed', '3f e2 1f'],
    ['a change of the table behind a field', '82 20'],
    ["EOS in Huffman's code", '00 84 ff ff ff fc 01 61'],
    ["padding of a byte in Huffman's code", '00 82 1f ff 01 61'],
    ["padding of zeroes in Huffman's code", '00 81 18 01 61'],
  ])('is broken by %s', (_name, hex) => {
    const decoder = new HpackDecoder(4_096)
    expect(decode(decoder, bytes(hex)).kind).toBe('broken')
  })

  it('may shrink its table to nothing, and let it grow again, before the first field', () => {
    const decoder = new HpackDecoder(4_096)
    expect(fieldsIn(decoder, bytes('4001 6101 62'))).toEqual(['a', 'b'])
    expect(decode(decoder, bytes('20 3fe11f be')).kind).toBe('broken')
    expect(fieldsIn(new HpackDecoder(4_096), bytes('20 3fe11f 4001 6101 62'))).toEqual(['a', 'b'])
  })

  it('keeps its table right, and nothing else, when a head is larger than it may be', () => {
    const decoder = new HpackDecoder(4_096)
    const one = bytes('4001 6101 62')
    // 34 bytes each, 33 of them for a field.
    expect(decode(decoder, Buffer.concat([one, one]), { bytes: 67, fields: 10 }).kind).toBe('too-large')
    expect(decode(decoder, Buffer.concat([one, one]), { bytes: 68, fields: 10 }).kind).toBe('fields')
    expect(decode(decoder, Buffer.concat([one, one, one]), { bytes: 1_000, fields: 2 }).kind).toBe('too-large')
    expect(fieldsIn(decoder, bytes('be c4'))).toEqual(['a', 'b', 'a', 'b'])
  })

  it('names what no table may hold', () => {
    const decoder = new HpackDecoder(4_096)
    expect(decode(decoder, bytes('1001 6101 62 0001 6301 64'))).toEqual({
      kind: 'fields',
      fields: ['a', 'b', 'c', 'd'],
      sensitive: new Set(['a']),
    })
  })

  it('every byte and every truncation of a head gives a head or none, and never throws', () => {
    const whole = encode(new HpackEncoder(4_096), request('x-a', 'b'.repeat(300), 'cookie', 'c=d'))
    for (let end = 0; end < whole.length; end++)
      expect(decode(new HpackDecoder(4_096), whole.subarray(0, end)).kind).toMatch(/fields|broken/)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (block) => {
        expect(decode(new HpackDecoder(4_096), Buffer.from(block), { bytes: 500, fields: 5 }).kind).toMatch(/fields|too-large|broken/)
      }),
    )
  })
})

const text = (least: number) =>
  fc.string({ minLength: least, maxLength: 60, unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) })
const name = fc.oneof(
  fc.constantFrom(':method', ':path', 'cookie', 'etag', 'via', 'x-a', 'x-b', 'x-c', 'content-type', 'grpc-status'),
  text(1),
)
const value = fc.oneof(fc.constantFrom('', 'GET', 'POST', '/', '0', 'application/grpc', 'a'.repeat(200)), text(0))
const head = fc.array(fc.tuple(name, value), { maxLength: 20 }).map((fields) => fields.flat())

describe('HPACK of our own', () => {
  it('is read as it was written, whatever the sizes of the table', () => {
    const step = fc.record({ fields: head, size: fc.option(fc.constantFrom(0, 40, 100, 300, 4_096, 65_536)) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const encoder = new HpackEncoder(4_096)
        const decoder = new HpackDecoder(4_096)
        for (const { fields, size } of steps) {
          if (size !== null) encoder.setPeerTableSize(size)
          expect(fieldsIn(decoder, encode(encoder, fields))).toEqual(fields)
        }
      }),
    )
  })

  it('says a field in one byte from the third time on', () => {
    const encoder = new HpackEncoder(4_096)
    const fields = ['content-type', 'application/grpc', 'x-long', 'y'.repeat(100)]
    expect(encode(encoder, fields).length).toBeGreaterThan(100)
    expect(encode(encoder, fields).length).toBeGreaterThan(100)
    expect(encode(encoder, fields).length).toBe(2)
  })

  it('lets values that change drive nothing out', () => {
    const encoder = new HpackEncoder(4_096)
    const fields = (id: number): string[] => ['x-same', 'y'.repeat(50), 'x-other', String(id).repeat(20)]
    for (let id = 1; id <= 1_000; id++) encode(encoder, fields(id))
    // One byte for what stays.
    expect(encode(encoder, ['x-same', 'y'.repeat(50)])).toHaveLength(1)
  })

  it('keeps short secrets out of every table, and what a peer wants kept out', () => {
    const encoder = new HpackEncoder(4_096)
    const fields = ['authorization', 'secret', 'x-secret', 'mine']
    for (let i = 0; i < 4; i++) {
      const decoded = decode(new HpackDecoder(4_096), encode(encoder, fields, new Set(['x-secret'])))
      expect(decoded).toEqual({ kind: 'fields', fields, sensitive: new Set(['authorization', 'x-secret']) })
    }
  })

  it('remembers no more names than it should, whatever comes', () => {
    const encoder = new HpackEncoder(4_096)
    const decoder = new HpackDecoder(4_096)
    for (let id = 0; id < 5_000; id++) {
      const fields = [`x-${id}`, 'y', `x-${id % 50}`, 'z']
      expect(fieldsIn(decoder, encode(encoder, fields))).toEqual(fields)
    }
  })
})
