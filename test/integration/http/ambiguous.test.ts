/**
 * What two parsers could read in two ways, sent behind one good request on a kept connection. Each is refused before a
 * byte of it reaches the backend, nothing behind it is served, and the pooled connection serves the next client.
 */
import { describe, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'

const h = harness()

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
const inChunks = '0\r\n\r\n' + smuggled

type Case = readonly [what: string, status: number, bytes: string]

/** A POST with these framing lines, and a body that one reading would take for another request. */
function post(lines: string, body = inChunks): string {
  return `POST / HTTP/1.1\r\nHost: a\r\n${lines}\r\n${body}`
}

const framing: readonly Case[] = [
  ['Content-Length beside Transfer-Encoding', 400, post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n')],
  ['Transfer-Encoding before Content-Length', 400, post('Transfer-Encoding: chunked\r\nContent-Length: 6\r\n')],
  ['two lengths that differ', 400, post('Content-Length: 0\r\nContent-Length: 39\r\n', smuggled)],
  ['two equal lengths', 400, post('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc')],
  ['a list of equal lengths', 400, post('Content-Length: 3, 3\r\n', 'abc')],
  ['a length with a sign', 400, post('Content-Length: +3\r\n', 'abc')],
  ['a negative length', 400, post('Content-Length: -1\r\n', smuggled)],
  ['a hexadecimal length', 400, post('Content-Length: 0x3\r\n', 'abc')],
  ['a length with an exponent', 400, post('Content-Length: 3e0\r\n', 'abc')],
  ['an empty length', 400, post('Content-Length: \r\n', smuggled)],
  ['a length of 16 digits', 400, post('Content-Length: 0000000000000003\r\n', 'abc')],
  ['a length that overflows', 400, post('Content-Length: 18446744073709551619\r\n', 'abc')],
  ['a length with space within', 400, post('Content-Length: 3 3\r\n', 'abc')],
  ['a length in other digits', 400, post('Content-Length: \xb3\r\n', 'abc')],
  ['two Transfer-Encodings', 400, post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n')],
  ['chunked and identity in two lines', 400, post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n')],
  ['chunked twice in one line', 501, post('Transfer-Encoding: chunked, chunked\r\n')],
  ['chunked that is not last', 501, post('Transfer-Encoding: chunked, identity\r\n')],
  ['an unknown coding', 501, post('Transfer-Encoding: xchunked\r\n')],
  ['gzip before chunked', 501, post('Transfer-Encoding: gzip, chunked\r\n')],
  ['chunked with a vertical tab', 400, post('Transfer-Encoding: \x0bchunked\r\n')],
  ['chunked with a no-break space', 400, post('Transfer-Encoding: chunked\xa0\r\n')],
  ['chunked in quotes', 400, post('Transfer-Encoding: "chunked"\r\n')],
  ['an empty coding', 400, post('Transfer-Encoding: \r\n')],
  ['Transfer-Encoding in HTTP/1.0', 400, post('Transfer-Encoding: chunked\r\n').replace('1.1', '1.0')],
  ['a space before the colon of a length', 400, post('Content-Length : 39\r\n', smuggled)],
  ['a tab before the colon of a coding', 400, post('Transfer-Encoding\t: chunked\r\n')],
  ['a folded coding', 400, post('Transfer-Encoding:\r\n chunked\r\n')],
  ['a folded line', 400, post('X: a\r\n b\r\n')],
  ['a first field that begins with a space', 400, `POST / HTTP/1.1\r\n Host: a\r\nContent-Length: 39\r\n\r\n${smuggled}`],
  ['TRACE with a body', 400, `TRACE / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc`],
]

const lineEnds: readonly Case[] = [
  ['a bare LF behind the request line', 400, `GET / HTTP/1.1\nHost: a\r\n\r\n${smuggled}`],
  ['a bare LF behind a field', 400, `GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n${smuggled}`],
  ['a bare LF as the end of the head', 400, `GET / HTTP/1.1\r\nHost: a\r\n\n${smuggled}`],
  ['a bare CR in a value', 400, `GET / HTTP/1.1\r\nHost: a\r\nX: b\rY: c\r\n\r\n${smuggled}`],
  ['a bare CR behind the request line', 400, `GET / HTTP/1.1\rHost: a\r\n\r\n${smuggled}`],
  ['two CRs', 400, `GET / HTTP/1.1\r\r\nHost: a\r\n\r\n${smuggled}`],
  ['NUL in a value', 400, `GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n${smuggled}`],
  ['NUL in a name', 400, `GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n${smuggled}`],
  ['DEL in a value', 400, `GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n${smuggled}`],
  ['a name with a slash', 400, `GET / HTTP/1.1\r\nHost: a\r\nX/Y: b\r\n\r\n${smuggled}`],
  ['an empty name', 400, `GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n${smuggled}`],
  ['a line without a colon', 400, `GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n${smuggled}`],
]

const hosts: readonly Case[] = [
  ['no Host', 400, `GET / HTTP/1.1\r\nX: y\r\n\r\n${smuggled}`],
  ['two Hosts', 400, `GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${smuggled}`],
  ['two equal Hosts', 400, `GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n${smuggled}`],
  ['a Host with a list', 400, `GET / HTTP/1.1\r\nHost: a, b\r\n\r\n${smuggled}`],
  ['a Host with a path', 400, `GET / HTTP/1.1\r\nHost: a/b\r\n\r\n${smuggled}`],
  ['a Host with user information', 400, `GET / HTTP/1.1\r\nHost: x@a\r\n\r\n${smuggled}`],
  ['a Host with a bad port', 400, `GET / HTTP/1.1\r\nHost: a:80x\r\n\r\n${smuggled}`],
  ['a target that names another host', 400, `GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`],
  ['a target with user information', 400, `GET http://x@a/ HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`],
]

const targets: readonly Case[] = [
  ['a target that is no path', 400, `GET x HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`],
  ['a target with a fragment', 400, `GET /#x HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`],
  ['a target of another scheme', 400, `GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`],
  ['* with GET', 400, `GET * HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`],
  ['two spaces in the request line', 400, `GET  / HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`],
  ['a tab in the request line', 400, `GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`],
  ['a space in the target', 400, `GET /a b HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`],
  ['no version', 400, `GET /\r\nHost: a\r\n\r\n${smuggled}`],
  ['HTTP/0.9', 400, `GET / HTTP/0.9\r\nHost: a\r\n\r\n${smuggled}`],
  ['HTTP/2.0', 505, `GET / HTTP/2.0\r\nHost: a\r\n\r\n${smuggled}`],
  ['a version in lower case', 400, `GET / http/1.1\r\nHost: a\r\n\r\n${smuggled}`],
  ['a method that is no token', 400, `G(T / HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`],
  ['CONNECT', 405, `CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n${smuggled}`],
  ['the preface of HTTP/2', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['white space before the request line', 400, ` GET / HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`],
  ['two empty lines before the request line', 400, `\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`],
  ['another expectation', 417, post('Expect: 200-ok\r\nContent-Length: 3\r\n', 'abc')],
  ['a request line that is too long', 414, `GET /${'x'.repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n${smuggled}`],
  ['a head that is too large', 431, `GET / HTTP/1.1\r\nHost: a\r\n${`X: ${'y'.repeat(8_000)}\r\n`.repeat(9)}\r\n${smuggled}`],
  ['too many fields', 431, `GET / HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(128)}\r\n${smuggled}`],
]

describe.each([
  ['framing', framing],
  ['line ends and fields', lineEnds],
  ['hosts', hosts],
  ['targets', targets],
])('[wire:exchange-ambiguous-refused] %s', (_subject, cases) => {
  it.each(cases)('%s gives %i', async (_what, status, bytes) => {
    const { web, gate, client } = await h.scene()
    await client.request({ target: '/first' })
    client.send(bytes)
    const answer = await client.answer()
    expect(answer.status).toBe(status)
    expect(answer.header('connection')).toBe('close')
    expect(await client.closed()).toBe('end')
    expect(client.received).toBe('')
    const next = await h.client(gate)
    expect((await next.request({ target: '/next' })).body).toBe('ok')
    expect(web.requests.map(({ line }) => line)).toEqual(['GET /first HTTP/1.1', 'GET /next HTTP/1.1'])
    expect([web.rest, web.connections.length]).toEqual(['', 1])
  })
})

const chunks: readonly (readonly [what: string, body: string])[] = [
  ['a size in other digits', 'g\r\nabc\r\n0\r\n\r\n'],
  ['an empty size', '\r\nabc\r\n0\r\n\r\n'],
  ['a size with a sign', '+3\r\nabc\r\n0\r\n\r\n'],
  ['a size with 0x', '0x3\r\nabc\r\n0\r\n\r\n'],
  ['a size of 13 digits', '0000000000003\r\nabc\r\n0\r\n\r\n'],
  ['a size before a bare LF', '3\nabc\r\n0\r\n\r\n'],
  ['a bare LF within an extension', '3;a\nb\r\nabc\r\n0\r\n\r\n'],
  ['a size before a space and more', '3 3\r\nabc\r\n0\r\n\r\n'],
  ['junk behind the data', '3\r\nabcXX\r\n0\r\n\r\n'],
  ['a bare LF behind the data', '3\r\nabc\n0\r\n\r\n'],
  ['a bare CR behind the data', '3\r\nabc\rX0\r\n\r\n'],
  ['an extension that is too long', `3;${'x'.repeat(300)}\r\nabc\r\n0\r\n\r\n`],
  ['a control byte in an extension', '3;\x01\r\nabc\r\n0\r\n\r\n'],
  ['a bare LF behind the last size', '3\r\nabc\r\n0\n\r\n'],
  ['a bare LF behind a trailer', '3\r\nabc\r\n0\r\nX: y\n\r\n'],
  ['a folded trailer', '3\r\nabc\r\n0\r\nX: y\r\n z\r\n\r\n'],
  ['trailers that are too large', `3\r\nabc\r\n0\r\nX: ${'y'.repeat(9_000)}\r\n\r\n`],
]

describe('[wire:exchange-chunks-refused] a chunked body', () => {
  it.each(chunks)('with %s gives 400, and the backend sees no end of it', async (_what, body) => {
    const { web, gate, client } = await h.scene()
    await client.request({ target: '/first' })
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}${smuggled}`)
    expect((await client.answer()).status).toBe(400)
    expect(await client.closed()).toBe('end')
    await eventually(() => web.connections[0]?.ending !== 'open', 'the end of the upstream connection')
    const next = await h.client(gate)
    expect((await next.request({ target: '/next' })).body).toBe('ok')
    expect(web.requests.map(({ line }) => line)).toEqual(['GET /first HTTP/1.1', 'GET /next HTTP/1.1'])
    expect(web.rest).not.toContain('smuggled')
  })
})

const answers: readonly (readonly [what: string, bytes: string])[] = [
  [
    'Content-Length beside Transfer-Encoding',
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  ],
  ['lengths that differ', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc'],
  ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nabc'],
  ['Transfer-Encoding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc'],
  ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 3\r\n\r\nabc'],
  ['a bare CR in a value', 'HTTP/1.1 200 OK\r\nX: a\rb\r\nContent-Length: 3\r\n\r\nabc'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 3\r\n\r\nabc'],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nabc'],
  ['a status that is none', 'HTTP/1.1 99 Odd\r\nContent-Length: 3\r\n\r\nabc'],
  ['no HTTP at all', 'SSH-2.0-OpenSSH\r\n\r\n'],
  ['a head that is too large', `HTTP/1.1 200 OK\r\n${`X: ${'y'.repeat(8_000)}\r\n`.repeat(9)}\r\n`],
]

describe('[wire:exchange-bad-answer] an answer', () => {
  it.each(answers)('with %s is a 502, and its connection is used no more', async (_what, bytes) => {
    const { web, gate, client } = await h.scene((request, connection) =>
      connection.write(request.line.includes('/bad') ? bytes : 'HTTP/1.1 204 No Content\r\n\r\n'),
    )
    await client.request()
    expect((await client.request({ target: '/bad' })).status).toBe(502)
    expect(await gate.record(1)).toMatchObject({ status: 502, flag: 'upstream-protocol' })
    expect((await client.request()).status).toBe(204)
    expect(web.connections).toHaveLength(2)
  })
})
