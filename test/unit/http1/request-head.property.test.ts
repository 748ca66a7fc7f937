import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Refusal } from '../../../src/proxy/http1/codec.ts'
import { requestHeadText } from '../../../src/proxy/http1/encode-head.ts'
import type { RequestHead } from '../../../src/proxy/http1/request-head.ts'
import { readRequest, request } from './reading.ts'

const HOP_BY_HOP = /^(connection|keep-alive|proxy-.*|te|upgrade|expect|transfer-encoding|http2-settings)$/i

const token = fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019-_!~^`')), minLength: 1, maxLength: 12 })
const value = fc.string({ unit: fc.constantFrom(...Array.from('abc 019,;="\t\xe4\xff/')), maxLength: 30 })
const field = fc.oneof(
  fc.tuple(token, value).map(([name, text]) => `${name}:${text}`),
  fc.constantFrom(
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Connection: keep-alive, x-a',
    'connection: close',
    'TE: trailers',
    'X-A: 1',
    'X-Forwarded-For: 192.0.2.1',
    'Expect: 100-continue',
    'Upgrade: websocket',
    'Cookie: a=b',
    'Cookie: c=d',
    'Content-Length : 5',
    'Host: b.example',
  ),
)
const heads = fc
  .tuple(
    fc.constantFrom('GET', 'POST', 'OPTIONS', 'TRACE', 'brew'),
    fc.constantFrom('/', '/a/b?c=d', '/%41%2f', '/\xe4', '*', 'http://a.example/x', 'http://a.example?y'),
    fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2'),
    fc.array(field, { maxLength: 6 }),
  )
  .map(([method, target, version, fields]) => [`${method} ${target} ${version}`, 'Host: a.example', ...fields, '', ''].join('\r\n'))

const nasty = fc.constantFrom(
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  '\x0b',
  '\x80',
  '\xa0',
  '5',
  '#',
  '@',
  '\r\n ',
  '\r\n\r\n',
  'chunked',
  'Host: x',
)
const edits = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), nasty), { maxLength: 4 })
const mutated = fc.tuple(heads, edits).map(([text, list]) =>
  list.reduce((now, [place, removed, added]) => {
    const at = place % (now.length + 1)
    return now.slice(0, at) + added + now.slice(at + removed)
  }, text),
)
const cuts = fc.array(fc.nat({ max: 300 }), { maxLength: 12 })

/** Everything that a head says, as plain data. */
function said(result: RequestHead | Refusal | undefined): unknown {
  if (result?.kind !== 'request') return result
  return { ...result, fields: result.fields.entries(), lines: result.fields.lines(true, true) }
}

/** The head as the most lenient parser would split it. */
function lenientLines(text: string): string[] {
  return text.replace(/^\r\n/, '').split(/\r\n|\r|\n/)
}

describe('[wire:heads-any-split] the request head reader', () => {
  it('gives the same result for any split of the bytes', () => {
    fc.assert(
      fc.property(mutated, cuts, (text, places) => {
        const whole = readRequest(text)
        const split = readRequest(text, places)
        expect(said(split.result)).toEqual(said(whole.result))
        if (whole.result?.kind === 'request') expect(split.taken).toBe(whole.taken)
      }),
      { numRuns: 1_000 },
    )
  })

  it('takes arbitrary bytes without throwing, and the same way byte by byte', () => {
    const bytes = fc.array(fc.nat({ max: 255 }), { maxLength: 60 }).map((list) => String.fromCharCode(...list))
    fc.assert(
      fc.property(fc.constantFrom('', 'GET / HTTP/1.1\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nA:'), bytes, (start, rest) => {
        const text = start + rest
        const each = Array.from(text, (_, i) => i)
        expect(said(readRequest(text, each).result)).toEqual(said(readRequest(text).result))
      }),
      { numRuns: 500 },
    )
  })
})

describe('[wire:heads-one-reading] a head that is accepted', () => {
  it('is read in one way only: a parser that ends lines at any CR or LF finds the same lines', () => {
    let accepted = 0
    fc.assert(
      fc.property(mutated, (text) => {
        const { result, taken } = readRequest(text)
        if (result?.kind !== 'request') return
        accepted++
        const lines = lenientLines(text.slice(0, taken))
        expect(lines.slice(-2)).toEqual(['', ''])
        const fields = lines
          .slice(1, -2)
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).replace(/^[ \t]+|[ \t]+$/g, '')])
        expect(lines[0]?.split(' ')).toHaveLength(3)
        expect(lines[0]?.split(' ')[0]).toBe(result.method)
        const named = (name: string) => fields.filter((pair) => pair[0]?.trim().toLowerCase() === name)
        if (result.scheme === undefined && named('connection').length === 0) expect(result.fields.entries()).toEqual(fields)
        expect(named('host').length).toBeLessThanOrEqual(1)
        expect(named('content-length').length + named('transfer-encoding').length).toBeLessThanOrEqual(1)
        expect(result.body.kind === 'chunked').toBe(named('transfer-encoding').length === 1)
        if (result.body.kind === 'length') expect(Number(named('content-length')[0]?.[1])).toBe(result.body.length)
      }),
      { numRuns: 2_000 },
    )
    expect(accepted).toBeGreaterThan(200)
  })

  it('says the same after it was forwarded', () => {
    fc.assert(
      fc.property(mutated, (text) => {
        const { result } = readRequest(text)
        if (result?.kind !== 'request') return
        const sent = requestHeadText(result, result.path + result.search, false)
        const again = request(sent.replace('\r\nHost: \r\n', '\r\nHost: none\r\n'))
        expect([again.method, again.path, again.search, again.body]).toEqual([result.method, result.path, result.search, result.body])
        if (result.host !== '') expect(again.host).toBe(result.host)
        expect(again.expectContinue).toBe(result.expectContinue)
        const kept = (head: RequestHead) =>
          head.fields.entries().filter(([name]) => !HOP_BY_HOP.test(name) && !/^(content-length|host)$/i.test(name))
        expect(kept(again)).toEqual(kept(result))
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('[wire:heads-untouched] untouched fields', () => {
  it('are forwarded byte for byte, in their order and on their lines', () => {
    const plain = fc.array(
      fc.tuple(token, value).filter(([name]) => !HOP_BY_HOP.test(name)),
      { maxLength: 8 },
    )
    fc.assert(
      fc.property(plain, (fields) => {
        const lines = ['Host: a.example', ...fields.map(([name, text]) => `${name}:${text}`)].map((line) => line + '\r\n').join('')
        const head = `GET /a?b HTTP/1.1\r\n${lines}\r\n`
        expect(requestHeadText(request(head), '/a?b', false)).toBe(head)
      }),
    )
  })
})
