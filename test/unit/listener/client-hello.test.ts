import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readClientHello } from '../../../src/proxy/listener/client-hello.ts'
import { helloOf } from '../../harness/client-hello.ts'

const limit = 16 * 1024

/** Numbers of 1 to 3 bytes and vectors with a length of 1 or 2 bytes, as TLS writes them. */
const number = (width: number, value: number): Buffer => {
  const bytes = Buffer.alloc(width)
  bytes.writeUIntBE(value, 0, width)
  return bytes
}
const vector = (width: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  return Buffer.concat([number(width, content.length), content])
}
const extension = (type: number, content: Buffer): Buffer => Buffer.concat([number(2, type), vector(2, content)])
const serverName = (name: string, type = 0): Buffer => extension(0, vector(2, number(1, type), vector(2, Buffer.from(name, 'latin1'))))
const alpn = (...protocols: string[]): Buffer =>
  extension(16, vector(2, ...protocols.map((name) => vector(1, Buffer.from(name, 'latin1')))))
const body = (extensions: Buffer): Buffer =>
  Buffer.concat([
    number(2, 0x0303),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32, 1)),
    vector(2, number(2, 0x1301)),
    vector(1, number(1, 0)),
    extensions,
  ])
const message = (content: Buffer): Buffer => Buffer.concat([number(1, 1), vector(3, content)])
const records = (bytes: Buffer, sizes: readonly number[]): Buffer => {
  const parts: Buffer[] = []
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = Math.min(sizes[i] ?? 16_384, bytes.length - at)
    parts.push(number(1, 22), number(2, 0x0301), vector(2, bytes.subarray(at, at + size)))
    at += size
  }
  return Buffer.concat(parts)
}
const hello = (...extensions: readonly Buffer[]): Buffer => message(body(vector(2, ...extensions)))
const grease = [extension(0x0a0a, Buffer.alloc(0)), extension(0xfafa, Buffer.from([0]))]

describe('the ClientHello reader', () => {
  it('reads server name and protocols of a real client', async () => {
    const bytes = await helloOf({ servername: 'Shop.Example.com', ALPNProtocols: ['h2', 'http/1.1'] })
    expect(readClientHello(bytes, limit)).toEqual({
      kind: 'hello',
      hello: { serverName: 'shop.example.com', protocols: ['h2', 'http/1.1'] },
    })
  })

  it('reads a real hello that names nothing', async () => {
    expect(readClientHello(await helloOf({}), limit)).toEqual({ kind: 'hello', hello: { serverName: undefined, protocols: [] } })
  })

  it('reads a hello of a client before TLS 1.3 that has no extensions at all', () => {
    expect(readClientHello(records(message(body(Buffer.alloc(0))), []), limit)).toEqual({
      kind: 'hello',
      hello: { serverName: undefined, protocols: [] },
    })
  })

  it('ignores GREASE values among extensions and protocols', () => {
    const bytes = records(hello(...grease, serverName('a.example'), alpn('\x1a\x1a', 'http/1.1')), [])
    expect(readClientHello(bytes, limit)).toEqual({
      kind: 'hello',
      hello: { serverName: 'a.example', protocols: ['\x1a\x1a', 'http/1.1'] },
    })
  })

  it('[wire:client-hello-pieces] reads the same from any cut into records and segments, and nothing before the last byte', () => {
    const whole = hello(...grease, serverName('A.Example.'), alpn('h2', 'http/1.1'), extension(51, Buffer.alloc(1_600, 5)))
    const expected = { kind: 'hello', hello: { serverName: 'a.example', protocols: ['h2', 'http/1.1'] } }
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 20 }), fc.nat(), (sizes, cut) => {
        const bytes = records(whole, sizes)
        expect(readClientHello(bytes, limit)).toEqual(expected)
        expect(readClientHello(Buffer.concat([bytes, Buffer.from('what follows')]), limit)).toEqual(expected)
        expect(readClientHello(bytes.subarray(0, cut % bytes.length), limit)).toEqual({ kind: 'incomplete' })
      }),
    )
  })

  it('reads a hello whose every byte is a record of its own', () => {
    const whole = hello(serverName('a.example'))
    expect(readClientHello(records(whole, Array<number>(whole.length).fill(1)), limit)).toMatchObject({
      kind: 'hello',
      hello: { serverName: 'a.example' },
    })
  })

  it('[wire:client-hello-bound] refuses a hello above the bound as soon as its length is known', () => {
    const long = records(hello(extension(21, Buffer.alloc(17_000))), [])
    expect(readClientHello(long.subarray(0, 9), limit)).toMatchObject({ kind: 'refused' })
    expect(readClientHello(records(hello(extension(21, Buffer.alloc(16_000))), []), limit)).toMatchObject({ kind: 'hello' })
  })

  it('[wire:client-hello-bound] counts the headers of records, so that tiny records cannot outgrow the bound', () => {
    const whole = hello(extension(21, Buffer.alloc(4_000)))
    const bytes = records(whole, Array<number>(whole.length).fill(1))
    expect(readClientHello(bytes.subarray(0, limit), limit)).toMatchObject({ kind: 'refused' })
  })

  it.each([
    ['plain HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['an SSLv2 hello', Buffer.from([0x80, 0x2e, 1, 3, 1])],
    ['another version of records', Buffer.from([22, 2, 0, 0, 5])],
    ['an alert first', Buffer.from([21, 3, 1, 0, 2, 1, 0])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a record that is too long', Buffer.from([22, 3, 1, 0x40, 1])],
    ['a ServerHello', records(Buffer.concat([number(1, 2), vector(3, body(Buffer.alloc(0)))]), [])],
    [
      'another record inside the hello',
      Buffer.concat([records(hello(serverName('a.example')).subarray(0, 20), []), Buffer.from([20, 3, 3, 0, 1, 1])]),
    ],
    ['bytes behind the extensions', records(message(Buffer.concat([body(vector(2)), Buffer.from([0])])), [])],
    ['an extension beyond the end', records(message(body(vector(2, number(2, 5), number(2, 9)))), [])],
    ['one extension twice', records(hello(serverName('a.example'), serverName('b.example')), [])],
    [
      'two server names',
      records(hello(extension(0, vector(2, number(1, 0), vector(2, Buffer.from('a')), number(1, 0), vector(2, Buffer.from('b'))))), []),
    ],
    ['a server name of unknown type', records(hello(serverName('a.example', 1)), [])],
    ['an empty server name', records(hello(serverName('')), [])],
    ['a server name with NUL', records(hello(serverName('a.example\0.b')), [])],
    ['an empty protocol', records(hello(alpn('h2', '')), [])],
    ['a list of no protocols', records(hello(alpn()), [])],
  ])('[wire:client-hello-strict] refuses %s', (_name, bytes) => {
    expect(readClientHello(bytes, limit)).toMatchObject({ kind: 'refused' })
  })

  it('never throws, whatever the bytes, and a refused beginning stays refused', () => {
    const valid = records(hello(...grease, serverName('a.example'), alpn('h2')), [40, 3])
    const mutated = fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([at, byte]) => {
      const copy = Buffer.from(valid)
      copy[at] = byte
      return copy
    })
    const anything = fc.oneof(
      mutated,
      fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.concat([Buffer.from([22, 3, 1]), bytes])),
    )
    fc.assert(
      fc.property(anything, fc.nat(), (bytes, cut) => {
        const part = readClientHello(bytes.subarray(0, cut % (bytes.length + 1)), limit)
        const whole = readClientHello(bytes, limit)
        if (part.kind !== 'incomplete') expect(whole.kind).toBe(part.kind)
      }),
      { numRuns: 2_000 },
    )
  })
})
