import { describe, expect, it } from 'vitest'
import { applyEdits } from '../../../src/proxy/http/edits.ts'
import { CHUNKED_BODY, CLOSE_BODY, lengthBody, NO_BODY } from '../../../src/proxy/http1/codec.ts'
import { isTrailer, lastChunk } from '../../../src/proxy/http1/encode-chunk.ts'
import { answerText, bodyForClient, requestHeadText, responseHeadText } from '../../../src/proxy/http1/encode-head.ts'
import { FORWARDED, FORWARDED_ALIAS } from '../../../src/proxy/http1/field-kind.ts'
import { FieldList } from '../../../src/proxy/http1/field-list.ts'
import { request, response } from './reading.ts'

/** The lines of the request that is forwarded for one with these lines. */
function forwarded(method: string, ...lines: string[]): string[] {
  const head = request([`${method} / HTTP/1.1`, 'Host: a.example', ...lines, '', ''].join('\r\n'))
  return requestHeadText(head, '/', head.upgrade !== '')
    .split('\r\n')
    .slice(1, -2)
}

/** The lines of the response that a client gets for one with these lines. */
function answered(line: string, lines: string[], keepAlive = true, http10 = false): string[] {
  const head = response([line, ...lines, '', ''].join('\r\n'), { method: 'GET', upgrade: 'websocket' })
  return responseHeadText(head, bodyForClient(head.body, http10), keepAlive, http10).split('\r\n').slice(0, -2)
}

describe('forwarded requests', () => {
  it('[wire:header-hop-by-hop] leave out hop-by-hop fields and what Connection names', () => {
    const lines = [
      'A: 1',
      'Connection: keep-alive, X-Hop',
      'x-hop: 1',
      'B: 2',
      'Keep-Alive: 5',
      'Proxy-Connection: x',
      'Proxy-Authorization: x',
      'X-HOP: 2',
      'C: 3',
    ]
    expect(forwarded('GET', ...lines, 'Proxy-Authenticate: x', 'Upgrade: foo', 'TE: gzip', 'HTTP2-Settings: x')).toEqual([
      'Host: a.example',
      'A: 1',
      'B: 2',
      'C: 3',
    ])
  })

  it('[wire:header-connection-protected] keep what Connection may not name: Host, framing, what the gateway sets', () => {
    const named = 'Connection: Host, Content-Length, Transfer-Encoding, X-Forwarded-For, :path, close, x-hop'
    expect(forwarded('POST', named, 'Content-Length: 3', 'X-Forwarded-For: 192.0.2.1', 'X-Hop: 1')).toEqual([
      'Host: a.example',
      'Content-Length: 3',
      'X-Forwarded-For: 192.0.2.1',
    ])
    expect(forwarded('POST', named, 'Transfer-Encoding: chunked')).toEqual(['Host: a.example', 'Transfer-Encoding: chunked'])
  })

  it('[wire:header-te] carry TE: trailers and no other member', () => {
    expect(forwarded('GET', 'TE: gzip, trailers;q=1, trailers')).toEqual(['Host: a.example', 'TE: trailers', 'Connection: TE'])
    expect(forwarded('GET', 'TE: gzip')).toEqual(['Host: a.example'])
  })

  it('[wire:header-upgrade] carry an upgrade that was asked for properly, spelled as it came', () => {
    expect(forwarded('GET', 'Connection: Upgrade', 'Upgrade: WebSocket', 'Sec-WebSocket-Version: 13')).toEqual([
      'Host: a.example',
      'Sec-WebSocket-Version: 13',
      'Connection: upgrade',
      'Upgrade: WebSocket',
    ])
    expect(forwarded('GET', 'Upgrade: websocket')).toEqual(['Host: a.example'])
    expect(forwarded('GET', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: x')).toEqual(['Host: a.example'])
  })

  it('[wire:header-expect] carry Expect only when the client waits for the answer', () => {
    expect(forwarded('POST', 'Expect: 100-Continue', 'Content-Length: 3')).toEqual([
      'Host: a.example',
      'Expect: 100-Continue',
      'Content-Length: 3',
    ])
    expect(forwarded('POST', 'Expect: 100-continue', 'Content-Length: 0')).toEqual(['Host: a.example', 'Content-Length: 0'])
  })

  it('[wire:header-length] say Content-Length: 0 for POST, PUT and PATCH without a body, and nothing for others', () => {
    for (const method of ['POST', 'PUT', 'PATCH']) expect(forwarded(method)).toEqual(['Host: a.example', 'Content-Length: 0'])
    for (const method of ['GET', 'DELETE', 'OPTIONS', 'brew']) expect(forwarded(method)).toEqual(['Host: a.example'])
    expect(forwarded('POST', 'content-LENGTH:\t007 ')).toEqual(['Host: a.example', 'content-LENGTH:\t007 '])
  })

  it('[wire:header-host] always have a Host, that of an absolute-form target if there is one', () => {
    expect(requestHeadText(request('GET / HTTP/1.0\r\nA: b\r\n\r\n'), '/', false)).toBe('GET / HTTP/1.1\r\nA: b\r\nHost: \r\n\r\n')
    const absolute = request('GET http://A.example:80/x HTTP/1.1\r\nhost: a.example\r\nA: b\r\n\r\n')
    expect(requestHeadText(absolute, '/x', false)).toBe('GET /x HTTP/1.1\r\nA: b\r\nHost: A.example:80\r\n\r\n')
  })

  it('write the length of a body that brought no field of its own', () => {
    const made = { method: 'PUT', fields: FieldList.empty(), body: lengthBody(5), expectContinue: false, teTrailers: false }
    expect(requestHeadText(made, '/', false)).toBe('PUT / HTTP/1.1\r\nHost: \r\nContent-Length: 5\r\n\r\n')
  })
})

describe('forwarded responses', () => {
  it('keep untouched lines and the reason as they came, Set-Cookie on its own lines', () => {
    const lines = ['set-cookie: a=b', 'Content-length:  5', 'Set-Cookie: c=d', 'X-\x7e: \xe4']
    expect(answered('HTTP/1.1 200 Very fine', lines)).toEqual(['HTTP/1.1 200 Very fine', ...lines])
  })

  it('[wire:response-until-close] frame a body until close as chunks for 1.1 and by close for 1.0', () => {
    expect(bodyForClient(CLOSE_BODY, false)).toBe(CHUNKED_BODY)
    expect(bodyForClient(CLOSE_BODY, true)).toBe(CLOSE_BODY)
    expect(answered('HTTP/1.0 200 OK', ['A: b'])).toEqual(['HTTP/1.1 200 OK', 'A: b', 'Transfer-Encoding: chunked'])
    expect(answered('HTTP/1.0 200 OK', ['A: b'], true, true)).toEqual(['HTTP/1.1 200 OK', 'A: b', 'Connection: close'])
  })

  it('[wire:header-http10] give HTTP/1.0 clients no chunks, and keep-alive only by name', () => {
    const chunked = ['Transfer-Encoding: chunked']
    expect(answered('HTTP/1.1 200 OK', chunked)).toEqual(['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'])
    expect(answered('HTTP/1.1 200 OK', chunked, true, true)).toEqual(['HTTP/1.1 200 OK', 'Connection: close'])
    expect(answered('HTTP/1.1 200 OK', ['Content-Length: 1'], true, true)).toEqual([
      'HTTP/1.1 200 OK',
      'Content-Length: 1',
      'Connection: keep-alive',
    ])
    expect(bodyForClient(lengthBody(1), true)).toEqual(lengthBody(1))
    expect(bodyForClient(NO_BODY, true)).toBe(NO_BODY)
  })

  it('[wire:header-close] say close when the connection ends, and never what the upstream said of its own', () => {
    expect(answered('HTTP/1.1 200 OK', ['Connection: close', 'Keep-Alive: timeout=5', 'Content-Length: 1'])).toEqual([
      'HTTP/1.1 200 OK',
      'Content-Length: 1',
    ])
    expect(answered('HTTP/1.1 200 OK', ['Content-Length: 1'], false)).toEqual(['HTTP/1.1 200 OK', 'Content-Length: 1', 'Connection: close'])
  })

  it('[wire:header-upgrade] pass a 101 on', () => {
    expect(answered('HTTP/1.1 101 Switching', ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Accept: x'])).toEqual([
      'HTTP/1.1 101 Switching',
      'Sec-WebSocket-Accept: x',
      'Connection: upgrade',
      'Upgrade: websocket',
    ])
  })
})

describe('edits of fields', () => {
  const fields = () => request('GET / HTTP/1.1\r\nHost: a.example\r\nX-A: 1\r\nB: 2\r\nx-a: 3\r\nContent-Length: 3\r\n\r\n').fields

  it('set, add and remove lines, and leave the others as they are', () => {
    const edited = fields()
    edited.set('X-A', 'x-a', '4')
    edited.add('C', 'c', '5')
    edited.add('c', 'c', '6')
    expect(edited.lines(true, false)).toBe('Host: a.example\r\nB: 2\r\nContent-Length: 3\r\nX-A: 4\r\nC: 5\r\nc: 6\r\n')
    expect([edited.get('x-a'), edited.get('c'), edited.has('b'), edited.has('d')]).toEqual(['4', '5, 6', true, false])
    edited.remove('c')
    edited.remove('b')
    edited.set('x-A', 'x-a', '7')
    expect(edited.lines(false, false)).toBe('Host: a.example\r\nx-A: 7\r\n')
    expect(edited.has('c')).toBe(false)
  })

  it('[wire:header-framing-edits] never touch framing and hop-by-hop fields, and never leave a request without Host', () => {
    const edited = fields()
    for (const name of ['content-length', 'transfer-encoding', 'connection', 'upgrade', 'te', 'keep-alive', 'proxy-connection', 'expect']) {
      edited.set(name, name, 'x')
      edited.add(name, name, 'y')
      edited.remove(name)
    }
    edited.remove('host')
    expect(edited.lines(true, true)).toBe(fields().lines(true, true))
    edited.set('Host', 'host', 'b.example')
    edited.add('Host', 'host', 'c.example')
    expect(edited.lines(true, true)).toBe('X-A: 1\r\nB: 2\r\nx-a: 3\r\nContent-Length: 3\r\nHost: c.example\r\n')
  })

  it('[wire:header-framing-edits] never touch them by the edits of filters either, whatever these name', () => {
    const names = ['expect', 'proxy-authorization', 'proxy-authenticate', 'content-length', 'transfer-encoding', 'te']
    const edits = names.map((name) => ({ name, lower: name, value: 'x' }))
    const edited = fields()
    applyEdits(edited, { set: edits, add: edits, remove: new Set(names) })
    expect(edited.lines(true, true)).toBe(fields().lines(true, true))
  })

  it('[wire:header-forwarded-names] know every spelling of the fields that tell where a request came from', () => {
    const names = [
      'X-Forwarded-For',
      'x-forwarded-proto',
      'X_FORWARDED_FOR',
      'x-forwarded_host',
      'X-Forwarded-Anything-Else',
      'Forwarded',
      'X-Real-IP',
      'x_real-ip',
      'X-Request-Id',
      'x_request-ID',
    ]
    const others = [
      'X-Forwarded',
      'X-Request-Ia',
      'X-Request-Ids',
      'X-Real',
      'X-Real-IPs',
      'XX-Forwarded-For',
      'Forwarder',
      'x-foo-bar-baz',
    ]
    const text = [...names, ...others].map((name) => `${name}: 1\r\n`).join('')
    const { fields: list } = request(`GET / HTTP/1.1\r\nHost: a\r\n${text}\r\n`)
    list.add('X-Forwarded-Port', 'x-forwarded-port', '2')
    list.removeKind(FORWARDED_ALIAS)
    expect(list.entries().map(([name]) => name)).toEqual([
      'Host',
      ...names.filter((name) => !name.includes('_')),
      ...others,
      'X-Forwarded-Port',
    ])
    list.removeKind(FORWARDED)
    expect(list.entries().map(([name]) => name)).toEqual(['Host', ...others])
  })

  it('join several lines for matching, cookies as crumbs', () => {
    const { fields: list } = request('GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\na: 2\r\nCookie: b=c\r\ncookie: d=e\r\n\r\n')
    expect([list.get('a'), list.get('cookie'), list.get('b')]).toEqual(['1, 2', 'b=c; d=e', undefined])
  })
})

describe('trailers', () => {
  it('[wire:header-trailers] forward none that frames, routes, authenticates, controls or describes the content', () => {
    const trailers = FieldList.empty()
    for (const name of [
      'Grpc-Status',
      'Set-Cookie',
      'Content-Type',
      'Authorization',
      'X-Forwarded-For',
      'Server-Timing',
      'Trailer',
      'If-Match',
    ])
      trailers.add(name, name.toLowerCase(), '1')
    expect(lastChunk(trailers)).toBe('0\r\nGrpc-Status: 1\r\nServer-Timing: 1\r\n\r\n')
    for (const name of [
      'host',
      'content-length',
      'transfer-encoding',
      'connection',
      'cookie',
      'te',
      'x_real_ip',
      'cache-control',
      'expect',
    ])
      expect(isTrailer(name)).toBe(false)
    expect(lastChunk(undefined)).toBe('0\r\n\r\n')
  })
})

describe('answers of our own', () => {
  it('are complete with one string', () => {
    expect(answerText(404, '', 'no route\n', true, false, true)).toBe(
      'HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 9\r\n\r\nno route\n',
    )
  })

  it('[wire:header-close] say close, count the text for HEAD, and keep HTTP/1.0 alive by name', () => {
    expect(answerText(405, 'Allow: GET\r\n', '', false, false, true)).toBe(
      'HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    )
    expect(answerText(503, '', 'x', true, true, false)).toBe(
      'HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n',
    )
  })
})
