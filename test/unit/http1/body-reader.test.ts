import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyReader } from '../../../src/proxy/http1/body-reader.ts'
import { CHUNKED_BODY, CLOSE_BODY, DEFAULT_BODY_LIMITS, lengthBody, NO_BODY } from '../../../src/proxy/http1/codec.ts'
import { CHUNK_END, chunkStart, lastChunk } from '../../../src/proxy/http1/encode-chunk.ts'
import { readBody } from './reading.ts'

describe('bodies by length and without one', () => {
  it('[wire:body-length] takes exactly the announced bytes and leaves the rest', () => {
    expect(readBody('hellonext', lengthBody(5))).toMatchObject({ data: 'hello', end: 'end', taken: 5 })
    expect(readBody('hell', lengthBody(5))).toMatchObject({ data: 'hell', end: 'more' })
    expect(readBody('next', NO_BODY)).toMatchObject({ data: '', end: 'end', taken: 0 })
    expect(readBody('next', lengthBody(0))).toMatchObject({ data: '', end: 'end', taken: 0 })
  })

  it('[wire:body-close] takes everything as data until the connection closes, and sees no end in the bytes', () => {
    expect(readBody('0\r\n\r\nnext', CLOSE_BODY, [3, 7])).toMatchObject({ data: '0\r\n\r\nnext', end: 'more' })
    expect(readBody('', CLOSE_BODY)).toMatchObject({ data: '', end: 'more' })
  })
})

describe('chunked bodies', () => {
  it.each([
    ['[wire:body-chunk-size]', 'one chunk', '5\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['[wire:body-chunk-size]', 'no data', '0\r\n\r\n', ''],
    [
      '[wire:body-chunk-size]',
      'hexadecimal sizes in both cases',
      'a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n',
      '01234567890123456789',
    ],
    ['[wire:body-chunk-size]', 'zeros in front', '00000000000a\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
    ['[wire:body-chunk-size]', 'a last chunk of many zeros', '1\r\nx\r\n000000000000\r\n\r\n', 'x'],
    ['[wire:body-chunk-size]', 'data that looks like framing', '7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n', '\r\n0\r\n\r\n'],
    ['[wire:body-chunk-extension]', 'an extension', '5;a=b\r\nhello\r\n0;c\r\n\r\n', 'hello'],
    ['[wire:body-chunk-extension]', 'an extension with a quoted string', '5;a="b;c,\td"\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['[wire:body-chunk-extension]', 'white space before an extension', '5 \t;a\r\nhello\r\n0\r\n\r\n', 'hello'],
    ['[wire:body-chunk-extension]', 'an extension of 256 bytes', `5;${'a'.repeat(255)}\r\nhello\r\n0\r\n\r\n`, 'hello'],
  ])('%s accepts %s', (_rule, _case, text, data) => {
    expect(readBody(text + 'GET', CHUNKED_BODY)).toEqual({ data, end: 'end', reason: undefined, taken: text.length, trailers: undefined })
  })

  it.each([
    ['[wire:body-chunk-size]', 'no size', '\r\nhello', 'chunk-size'],
    ['[wire:body-chunk-size]', 'a size that is no number', 'g\r\n', 'chunk-size'],
    ['[wire:body-chunk-size]', 'a prefix', '0x5\r\nhello\r\n', 'chunk-size'],
    ['[wire:body-chunk-size]', 'a sign', '+5\r\nhello\r\n', 'chunk-size'],
    ['[wire:body-chunk-size]', 'a negative size', '-1\r\n', 'chunk-size'],
    ['[wire:body-chunk-size]', 'an underscore', '1_0\r\n', 'chunk-size'],
    ['[wire:body-chunk-size]', 'white space before the size', ' 5\r\nhello\r\n', 'chunk-size'],
    ['[wire:body-chunk-size]', 'white space after the size', '5 \r\nhello\r\n', 'chunk-size'],
    ['[wire:body-chunk-size]', '13 digits', '0000000000005\r\nhello\r\n', 'chunk-size'],
    ['[wire:body-chunk-line-end]', 'a bare LF after the size', '5\nhello\r\n0\r\n\r\n', 'bare-lf'],
    ['[wire:body-chunk-line-end]', 'a bare CR after the size', '5\rhello\r\n0\r\n\r\n', 'chunk-line-end'],
    ['[wire:body-chunk-line-end]', 'a bare LF after an extension', '5;a\nhello\r\n0\r\n\r\n', 'bare-lf'],
    ['[wire:body-chunk-line-end]', 'a bare CR in an extension', '5;a\rb\r\nhello\r\n', 'chunk-line-end'],
    ['[wire:body-chunk-line-end]', 'a bare LF after the last chunk', '0\n\r\n', 'bare-lf'],
    ['[wire:body-chunk-line-end]', 'a bare LF as the end', '0\r\n\n', 'bare-lf'],
    ['[wire:body-chunk-line-end]', 'a CR without LF as the end', '0\r\n\rX', 'bare-cr'],
    ['[wire:body-chunk-data-end]', 'a bare LF after the data', '5\r\nhello\n0\r\n\r\n', 'chunk-data-end'],
    ['[wire:body-chunk-data-end]', 'junk after the data', '5\r\nhelloXX0\r\n\r\n', 'chunk-data-end'],
    ['[wire:body-chunk-data-end]', 'a CR and junk after the data', '5\r\nhello\rX0\r\n\r\n', 'chunk-data-end'],
    ['[wire:body-chunk-data-end]', 'more data than the size says', '4\r\nhello\r\n0\r\n\r\n', 'chunk-data-end'],
    ['[wire:body-chunk-extension]', 'a control byte in an extension', '5;a\x01\r\nhello\r\n', 'chunk-extension'],
    ['[wire:body-chunk-extension]', 'NUL in an extension', '5;\0\r\nhello\r\n', 'chunk-extension'],
    ['[wire:body-chunk-extension]', 'a byte above 0x7F in an extension', '5;\xe4\r\nhello\r\n', 'chunk-extension'],
    ['[wire:body-chunk-extension]', 'an extension of 257 bytes', `5;${'a'.repeat(256)}\r\nhello\r\n`, 'chunk-extension-too-long'],
    [
      '[wire:body-chunk-extension]',
      'more than 16 KiB of extensions',
      `1;${'a'.repeat(255)}\r\nx\r\n`.repeat(65),
      'chunk-extension-too-long',
    ],
    ['[wire:body-trailers]', 'a folded trailer', '0\r\nA: b\r\n c\r\n\r\n', 'obs-fold'],
    ['[wire:body-trailers]', 'a bare LF after a trailer', '0\r\nA: b\n\r\n', 'bare-lf'],
    ['[wire:body-trailers]', 'a trailer that is none', '0\r\nGET / HTTP/1.1\r\n\r\n', 'space-before-colon'],
    ['[wire:body-trailers]', 'more than 8 KiB of trailers', `0\r\nA: ${'b'.repeat(8_192)}\r\n\r\n`, 'trailers-too-large'],
  ])('%s refuses %s', (_rule, _case, text, reason) => {
    expect(readBody(text, CHUNKED_BODY)).toMatchObject({ end: 'refused', reason })
    const each = Array.from(text, (_, i) => i)
    expect(readBody(text, CHUNKED_BODY, each)).toMatchObject({ end: 'refused', reason })
  })

  it('[wire:body-trailers] gives trailers apart from everything else', () => {
    const text = '1\r\nx\r\n0\r\nGrpc-Status: 0\r\nX-Sum:  abc \r\n\r\n'
    const trailers = [
      ['Grpc-Status', '0'],
      ['X-Sum', 'abc'],
    ]
    expect(readBody(text + 'GET', CHUNKED_BODY)).toMatchObject({ data: 'x', end: 'end', taken: text.length, trailers })
    expect(readBody(text + 'GET', CHUNKED_BODY, [9, 12, 30])).toMatchObject({ data: 'x', end: 'end', taken: text.length, trailers })
  })

  it('counts extensions for each body anew', () => {
    const reader = new BodyReader(DEFAULT_BODY_LIMITS)
    const text = `1;${'a'.repeat(255)}\r\nx\r\n`.repeat(60) + '0\r\n\r\n'
    for (let i = 0; i < 3; i++) {
      reader.start(CHUNKED_BODY)
      const bytes = Buffer.from(text)
      let at = 0
      let step = reader.step(bytes, at)
      for (; step === 'data'; step = reader.step(bytes, at)) at = reader.next
      expect(step).toBe('end')
    }
  })
})

describe('[wire:body-any-split] the body reader', () => {
  const data = fc.array(fc.string({ unit: fc.constantFrom(...Array.from('ab\r\n0;\0\xff')), minLength: 1, maxLength: 20 }), {
    maxLength: 6,
  })
  const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 12 })

  it('reads back what the chunk writer wrote, for any split of the bytes', () => {
    fc.assert(
      fc.property(data, cuts, (chunks, places) => {
        const text = chunks.map((chunk) => chunkStart(chunk.length) + chunk + CHUNK_END).join('') + lastChunk(undefined)
        expect(readBody(text + 'rest', CHUNKED_BODY, places)).toMatchObject({ data: chunks.join(''), end: 'end', taken: text.length })
      }),
    )
  })

  it('takes arbitrary bytes without throwing or hanging, and gives the same result for any split', () => {
    const noise = fc.array(fc.constantFrom('0', '1', '3', 'a', '\r\n', '\r', '\n', ';', ' ', 'x', 'A: b', '\0', '\r\n0\r\n\r\n'), {
      maxLength: 25,
    })
    fc.assert(
      fc.property(noise, cuts, (parts, places) => {
        const text = parts.join('')
        const whole = readBody(text, CHUNKED_BODY)
        const split = readBody(text, CHUNKED_BODY, places)
        expect({ ...split, taken: 0 }).toEqual({ ...whole, taken: 0 })
        if (whole.end === 'end') expect(split.taken).toBe(whole.taken)
      }),
      { numRuns: 1_000 },
    )
  })
})
