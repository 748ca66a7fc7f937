/** What is rare and valid: each arrives once and unchanged, and the connections on both sides live on. */
import { describe, expect, it } from 'vitest'
import { harness } from '../../harness/harness.ts'
import { always } from '../../harness/scripted-backend.ts'

const h = harness()

/** What is sent; what arrives, up to the lines that the gateway adds, when it is not the same. */
type Case = readonly [what: string, bytes: string, arrives?: string]

function get(lines: string, target = '/'): string {
  return `GET ${target} HTTP/1.1\r\nHost: a\r\n${lines}`
}

const heads: readonly Case[] = [
  ['one empty line before the request line', '\r\n' + get(''), get('')],
  ['a method that nobody knows', 'M-SEARCH!#$% / HTTP/1.1\r\nHost: a\r\n'],
  ['a method in lower case', 'get / HTTP/1.1\r\nHost: a\r\n'],
  ['a long method', `${'M'.repeat(100)} / HTTP/1.1\r\nHost: a\r\n`],
  ['HTTP/1.9', get('').replace('1.1', '1.9'), get('')],
  ['HTTP/1.0 with Host', get('Connection: keep-alive\r\n').replace('1.1', '1.0'), get('')],
  ['Host in upper case with an empty port', 'GET / HTTP/1.1\r\nhOsT:A:\r\n'],
  ['Host with a final dot', 'GET / HTTP/1.1\r\nHost: a.example.\r\n'],
  ['Host with an underscore', 'GET / HTTP/1.1\r\nHost: a_b.example\r\n'],
  ['Host as IPv6', 'GET / HTTP/1.1\r\nHost: [::1]:8080\r\n'],
  ['Host as IPv4', 'GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n'],
  ['Host as the last line', 'GET / HTTP/1.1\r\nX: 1\r\nHost: a\r\n'],
  ['an absolute target without a path', 'GET http://a HTTP/1.1\r\nHost: a\r\n', get('')],
  ['an absolute target with a query and no path', 'GET HTTP://A?x HTTP/1.1\r\nHost: a:80\r\n', 'GET /?x HTTP/1.1\r\n'],
  ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: a\r\n'],
  ['double slashes', get('', '//a///b')],
  ['characters that browsers send raw', get('', "/[]{}|^\\'`?[]{}|^\\'`")],
  ['encoded slashes and dots', get('', '/a%2Fb%5Cc%25?%2f%5c')],
  ['bytes that are no UTF-8, encoded', get('', '/%E9%FF')],
  ['raw bytes above 0x7f in the target', get('', '/\xe9?\xff'), get('', '/%E9?%FF')],
  ['a query of question marks', get('', '/???a=b?')],
  ['an empty query', get('', '/?')],
  ['a target of 16,000 bytes', get('', '/' + 'x'.repeat(16_000))],
  ['an empty value', get('X-Empty:\r\n')],
  ['a value of white space', get('X-Empty: \t \r\n')],
  ['tabs within a value', get('X: a\tb\r\n')],
  ['bytes above 0x7f in a value', get('X: \x80\xa0\xff\r\n')],
  ['a name of every token character', get("!#$%&'*+-.^_`|~09azAZ: x\r\n")],
  ['a name that JavaScript knows', get('__proto__: x\r\nconstructor: y\r\nhasOwnProperty: z\r\n')],
  ['a value of 60,000 bytes', get(`X: ${'y'.repeat(60_000)}\r\n`)],
  ['127 fields beside Host', get('X: y\r\n'.repeat(127))],
  ['many lines of one name', get('Cookie: a\r\nX: 1\r\ncookie: b\r\nCOOKIE: c\r\n')],
  ['no space behind a colon', get('X:y\r\n')],
  ['a colon in a value', get('X: a:b: c\r\n')],
  ['Content-Length: 0 on GET', get('Content-Length: 0\r\n')],
  ['Content-Length with leading zeros', get('Content-Length: 000\r\n')],
  ['Authorization', get('Authorization: Bearer x\r\n')],
  ['an empty Connection', get('Connection: \r\n'), get('')],
  ['a Connection of commas', get('Connection: , ,\r\n'), get('')],
  ['Expect without a body', get('Expect: 100-continue\r\n'), get('')],
]

describe('[wire:exchange-unusual-kept] a head', () => {
  it.each(heads.map(([what, bytes, arrives = bytes]) => [what, bytes, arrives] as const))('with %s', async (_what, bytes, arrives) => {
    const { web, client } = await h.scene(always('HTTP/1.1 204 No Content\r\n\r\n'))
    for (let i = 0; i < 2; i++) {
      client.send(bytes + '\r\n')
      expect((await client.answer()).status).toBe(204)
    }
    expect(web.requests).toHaveLength(2)
    for (const { raw } of web.requests) expect(raw.startsWith(arrives)).toBe(true)
    for (const { raw } of web.requests)
      expect(raw.slice(arrives.length)).toMatch(/^(Host: .*\r\n)?X-Forwarded-For: [^\0]*X-Request-Id: \w+\r\n\r\n$/)
    expect([web.rest, web.connections.length]).toEqual(['', 1])
  })
})

const bodies: readonly (readonly [what: string, framing: string, bytes: string, body: string])[] = [
  ['a length with leading zeros', 'Content-Length: 003', 'abc', 'abc'],
  ['a body that looks like a request', 'Content-Length: 27', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['chunked in upper case', 'Transfer-Encoding: CHUNKED', '3\r\nabc\r\n0\r\n\r\n', 'abc'],
  ['white space around chunked', 'Transfer-Encoding: \t chunked \t', '3\r\nabc\r\n0\r\n\r\n', 'abc'],
  ['sizes with leading zeros and capitals', 'Transfer-Encoding: chunked', '00000000000A\r\n0123456789\r\n000\r\n\r\n', '0123456789'],
  ['extensions', 'Transfer-Encoding: chunked', '3;a=b;c="d e"\r\nabc\r\n0;last\r\n\r\n', 'abc'],
  ['white space before an extension', 'Transfer-Encoding: chunked', '3 ;a\r\nabc\r\n0\r\n\r\n', 'abc'],
  ['chunks that hold line ends', 'Transfer-Encoding: chunked', '7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n\r\n'],
  ['an empty chunked body', 'Transfer-Encoding: chunked', '0\r\n\r\n', ''],
  ['many small chunks', 'Transfer-Encoding: chunked', '1\r\nx\r\n'.repeat(5_000) + '0\r\n\r\n', 'x'.repeat(5_000)],
]

describe('[wire:exchange-unusual-kept] a body', () => {
  it.each(bodies)('with %s', async (_what, framing, bytes, body) => {
    const { web, client } = await h.scene(always('HTTP/1.1 204 No Content\r\n\r\n'))
    for (let i = 0; i < 2; i++) {
      client.send(`DELETE / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${bytes}`)
      expect((await client.answer()).status).toBe(204)
    }
    expect(web.requests.map((request) => request.body === body)).toEqual([true, true])
    expect([web.rest, web.connections.length]).toEqual(['', 1])
  })
})

const answers: readonly (readonly [what: string, bytes: string, body: string])[] = [
  ['no reason', 'HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nok', 'ok'],
  ['no reason and no space', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok', 'ok'],
  ['a status that nobody knows', 'HTTP/1.1 599 Odd\r\nContent-Length: 2\r\n\r\nok', 'ok'],
  ['two equal lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok', 'ok'],
  ['no fields but a length', 'HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nok', 'ok'],
  ['chunks with extensions', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2;x=y\r\nok\r\n0\r\n\r\n', 'ok'],
  ['bytes above 0x7f in fields and reason', 'HTTP/1.1 200 \xe9\r\nX: \xff\r\nContent-Length: 2\r\n\r\nok', 'ok'],
]

describe('[wire:exchange-unusual-kept] an answer', () => {
  it.each(answers)('with %s', async (_what, bytes, body) => {
    const { web, client } = await h.scene(always(bytes))
    for (let i = 0; i < 2; i++) expect((await client.request()).body).toBe(body)
    expect(web.connections).toHaveLength(1)
  })
})
