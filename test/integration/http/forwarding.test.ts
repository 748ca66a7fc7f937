import { describe, expect, it } from 'vitest'
import { always, response } from '../../harness/scripted-backend.ts'
import { harness } from '../../harness/harness.ts'
import { listenerKey } from '../../harness/gateway-config.ts'

const h = harness()

describe('a request on its way to the backend', () => {
  it('arrives with its own lines, then what the gateway says of the client', async () => {
    const { web, client } = await h.scene()
    const answer = await client.request({ target: '/a%20b/c?x=1&y=%zz', fields: ['accept:  text/html ', 'X-Odd: \xff\x80', 'accept: b'] })
    expect(answer.status).toBe(200)
    expect(answer.body).toBe('ok')
    expect(web.request.raw).toBe(
      'GET /a%20b/c?x=1&y=%zz HTTP/1.1\r\nHost: a.example\r\naccept:  text/html \r\nX-Odd: \xff\x80\r\naccept: b\r\n' +
        'X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: a.example\r\nX-Request-Id: 00000000000000aa0000000000000001\r\n\r\n',
    )
  })

  it('[wire:exchange-one-path] is matched and forwarded with one normal path, the query untouched', async () => {
    const web = await h.backend()
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ path: '/a', backends: ['web'] }] })
    const client = await h.client(gate)
    expect((await client.request({ target: '/x/%2e%2E/%61/./b%2fc//d?p=/../%41' })).status).toBe(200)
    expect(web.request.line).toBe('GET /a/b%2Fc//d?p=/../%41 HTTP/1.1')
    expect((await client.request({ target: '/a/../b' })).status).toBe(404)
    expect((await client.request({ target: '/a/../../b' })).status).toBe(400)
    const other = await h.client(gate)
    expect((await other.request({ target: '/a%00' })).status).toBe(400)
  })

  it('[wire:exchange-hop-by-hop] loses hop-by-hop fields and what Connection names', async () => {
    const { web, client } = await h.scene()
    await client.request({
      fields: [
        'Connection: X-Mine, keep-alive, Host, X-Forwarded-For',
        'X-Mine: 1',
        'Keep-Alive: timeout=9',
        'Proxy-Connection: keep-alive',
        'Proxy-Authorization: Basic eA==',
        'TE: trailers, deflate',
        'Upgrade: something',
        'X-Stays: 1',
      ],
    })
    const { head } = web.request
    expect(head).not.toMatch(/x-mine|keep-alive|proxy-|deflate|upgrade/i)
    expect(web.request.header('x-stays')).toBe('1')
    expect(web.request.header('host')).toBe('a.example')
    expect(web.request.header('te')).toBe('trailers')
    expect(web.request.header('x-forwarded-for')).toBe('127.0.0.1')
  })

  it('[wire:exchange-nobody-trusted] says of its client only what the gateway saw', async () => {
    const { web, client } = await h.scene()
    await client.request({
      fields: [
        'X-Forwarded-For: 1.2.3.4',
        'x_forwarded_proto: https',
        'X-Real-IP: 1.2.3.4',
        'Forwarded: for=1.2.3.4',
        'X-Forwarded-Port: 1',
        'X-Request-Id: mine',
      ],
    })
    expect(web.request.head).not.toMatch(/1\.2\.3\.4|https|mine/)
    expect(web.request.headers('x-forwarded-for')).toEqual(['127.0.0.1'])
    expect(web.request.header('x-forwarded-port')).toBeUndefined()
  })

  it('[wire:exchange-trusted-peer] keeps what a trusted peer says, and adds the peer', async () => {
    const { web, client } = await h.scene(undefined, { trusted: true })
    await client.request({ fields: ['X-Forwarded-For: 1.2.3.4', 'X-Forwarded-Proto: https', 'X-Request-Id: mine'] })
    expect(web.request.headers('x-forwarded-for')).toEqual(['1.2.3.4, 127.0.0.1'])
    expect(web.request.headers('x-forwarded-proto')).toEqual(['https'])
    expect(web.request.headers('x-request-id')).toEqual(['mine'])
    expect(web.request.headers('x-forwarded-host')).toEqual(['a.example'])
  })

  it.each([
    [1, '9.9.9.9, 10.0.0.1', '10.0.0.1, 127.0.0.1'],
    [2, '9.9.9.9,1.2.3.4,10.0.0.1', '1.2.3.4, 10.0.0.1, 127.0.0.1'],
    [3, '1.2.3.4', '1.2.3.4, 127.0.0.1'],
  ])('[wire:exchange-trusted-hops] keeps what %i proxies before it have added: %s', async (trustedHops, said, kept) => {
    const { web, client } = await h.scene(undefined, { trusted: true, trustedHops })
    await client.request({ fields: [`X-Forwarded-For: ${said}`] })
    expect(web.request.headers('x-forwarded-for')).toEqual([kept])
  })

  it.each(['POST', 'PUT', 'PATCH'])('[wire:exchange-empty-length] says Content-Length: 0 for a %s without a body', async (method) => {
    const { web, client } = await h.scene()
    await client.request({ method })
    expect(web.request.headers('content-length')).toEqual(['0'])
  })

  it('keeps the method as the client spelled it', async () => {
    const { web, client } = await h.scene()
    await client.request({ method: 'pUrge' })
    expect(web.request.line).toBe('pUrge / HTTP/1.1')
  })

  it('[wire:exchange-absolute-form] becomes origin-form, with the target as Host', async () => {
    const { web, client } = await h.scene()
    await client.request({ target: 'http://a.example/x?y', host: 'A.example:80' })
    expect(web.request.line).toBe('GET /x?y HTTP/1.1')
    expect(web.request.headers('host')).toEqual(['a.example'])
  })

  it('[wire:exchange-asterisk] asks the backend about itself with OPTIONS *', async () => {
    const { web, client } = await h.scene()
    expect((await client.request({ method: 'OPTIONS', target: '*' })).status).toBe(200)
    expect(web.request.line).toBe('OPTIONS * HTTP/1.1')
  })
})

describe('an answer on its way to the client', () => {
  it('keeps its lines, and loses hop-by-hop fields', async () => {
    const { client } = await h.scene(
      always(
        'HTTP/1.1 299 Odd Words\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nConnection: X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok',
      ),
    )
    const answer = await client.request()
    expect(answer.head).toBe('HTTP/1.1 299 Odd Words\r\nset-cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n')
    expect((await client.request()).status).toBe(299)
  })

  it.each(['204 No Content', '304 Not Modified'])(
    '[wire:exchange-no-body] has no body with %s, whatever its fields say',
    async (status) => {
      const { web, client } = await h.scene((request, connection) => {
        connection.write(request.line.includes('/next') ? response('next') : `HTTP/1.1 ${status}\r\nETag: "x"\r\n\r\n`)
      })
      const answer = await client.request()
      expect(answer.status).toBe(Number(status.slice(0, 3)))
      expect(answer.header('etag')).toBe('"x"')
      expect((await client.request({ target: '/next' })).body).toBe('next')
      expect(web.connections).toHaveLength(1)
    },
  )

  it('[wire:exchange-no-body] has none for HEAD, and keeps the length that it would have', async () => {
    const { web, client } = await h.scene((request, connection) => {
      connection.write(request.line.startsWith('HEAD') ? 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n' : response('next'))
    })
    expect((await client.request({ method: 'HEAD' })).header('content-length')).toBe('1000')
    expect((await client.request()).body).toBe('next')
    expect(web.connections).toHaveLength(1)
  })

  it('[wire:exchange-until-close] that ends with the connection is framed anew in chunks', async () => {
    const { client } = await h.scene((_request, connection) => {
      connection.write('HTTP/1.1 200 OK\r\n\r\nsome')
      connection.socket.end('thing')
    })
    const answer = await client.request()
    expect(answer.header('transfer-encoding')).toBe('chunked')
    expect(answer.body).toBe('something')
    expect((await client.request()).body).toBe('something')
  })

  it('[wire:exchange-until-close] is cut off without a last chunk when the backend resets', async () => {
    const { client } = await h.scene((_request, connection) => {
      connection.socket.write('HTTP/1.1 200 OK\r\n\r\nsome', () => setTimeout(() => connection.socket.resetAndDestroy(), 30))
    })
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.closed()
    expect(client.received).toMatch(/some\r\n$/)
  })
})

describe('an HTTP/1.0 client', () => {
  it('[wire:exchange-http10] gets no chunks, and a close', async () => {
    const { web, client } = await h.scene(always('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'))
    client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
    const answer = await client.answer()
    expect(await client.closed()).toBe('end')
    expect(answer.header('transfer-encoding')).toBeUndefined()
    expect(answer.header('connection')).toBe('close')
    expect(answer.rawBody).toBe('abc')
    expect(web.request.line).toBe('GET / HTTP/1.1')
  })

  it('[wire:exchange-http10] keeps its connection when it asks to', async () => {
    const { client } = await h.scene()
    for (let i = 0; i < 2; i++) {
      client.send('GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n')
      expect((await client.answer()).header('connection')).toBe('keep-alive')
    }
  })

  it('[wire:exchange-http10] gets a reset when a body without a length breaks off', async () => {
    const { client } = await h.scene((_request, connection) => {
      connection.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', () =>
        setTimeout(() => connection.socket.destroy(), 30),
      )
    })
    client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
    expect(await client.closed()).toBe('reset')
  })

  it('[wire:exchange-no-host] without Host reaches only listeners for any host', async () => {
    const web = await h.backend()
    const gate = await h.gateway({ listeners: ['a.example'], pools: { web: [web.port] }, rules: [{ backends: ['web'] }] })
    const client = await h.client(gate)
    client.send('GET / HTTP/1.0\r\n\r\n')
    expect((await client.answer()).status).toBe(404)
    expect(web.requests).toHaveLength(0)
  })
})

describe("the gateway's own answers", () => {
  const failing = { kind: 'fail', backend: 'Service/test/x', reason: 'BackendNotFound', message: 'no such Service', weight: 1 } as const

  it.each([
    ['no-listener', 404, 'b.example', '/'],
    ['no-route', 404, 'a.example', '/none'],
    ['no-backend', 500, 'a.example', '/empty'],
    ['bad-backend', 500, 'a.example', '/bad'],
    ['no-endpoint', 503, 'a.example', '/nobody'],
    ['bad-filter', 500, 'a.example', '/filter'],
  ])('say %s with %i, keep the connection, and stand in the access log', async (flag, status, host, path) => {
    const gate = await h.gateway({
      listeners: ['a.example'],
      pools: { nobody: [] },
      rules: [
        { path: '/empty' },
        { path: '/bad', backends: [failing] },
        { path: '/nobody', backends: ['nobody'] },
        { path: '/filter', backends: ['nobody'], filters: [{ kind: 'fail', filter: 'ExtensionRef', reason: 'x', message: 'secret' }] },
      ],
    })
    const client = await h.client(gate)
    for (let i = 0; i < 2; i++) {
      const answer = await client.request({ host, target: path })
      expect(answer.status).toBe(status)
      expect(answer.body).toContain(flag)
      expect(answer.body).not.toContain('secret')
      const record = await gate.record(i)
      expect(record).toMatchObject({ status, flag, host, target: path, client: '127.0.0.1' })
      expect(answer.header('x-request-id')).toBe(record.requestId)
    }
  })

  it('[wire:exchange-misdirected] say 421 when another listener of the port is meant by Host than SNI chose', async () => {
    const web = await h.backend()
    const gate = await h.gateway(
      { listeners: ['a.example', '*.example', ''], pools: { web: [web.port] }, rules: [{ backends: ['web'] }] },
      { sniListener: listenerKey(1) },
    )
    const client = await h.client(gate)
    expect((await client.request({ host: 'b.example' })).status).toBe(200)
    expect((await client.request({ host: 'a.example' })).status).toBe(421)
    expect((await client.request({ host: 'elsewhere' })).status).toBe(421)
    expect((await client.request({ host: 'c.example' })).status).toBe(200)
  })

  it('have no body for HEAD', async () => {
    const gate = await h.gateway({ pools: {}, rules: [{ path: '/x' }] })
    const client = await h.client(gate)
    expect((await client.request({ method: 'HEAD' })).status).toBe(404)
    expect((await client.request({ method: 'HEAD' })).status).toBe(404)
  })

  it('[wire:exchange-overload] shed new requests with 503 while the process is overloaded', async () => {
    const { gate, client } = await h.scene()
    gate.runtime.overloaded = true
    expect((await client.request()).status).toBe(503)
    gate.runtime.overloaded = false
    expect((await client.request()).status).toBe(200)
  })
})

describe('counters and the access log', () => {
  it('tell listener, route, rule, backend, upstream and bytes', async () => {
    const { web, gate, client } = await h.scene()
    await client.request({ method: 'POST', target: '/x?y', body: 'abc' })
    expect(await gate.record()).toMatchObject({
      scheme: 'http',
      protocol: 'HTTP/1.1',
      method: 'POST',
      target: '/x?y',
      status: 200,
      flag: '',
      requestBytes: 3,
      responseBytes: 2,
      listener: listenerKey(0),
      route: 'HTTPRoute/test/r0',
      rule: 'HTTPRoute/test/r0/0',
      backend: 'web',
      upstream: `127.0.0.1:${web.port}`,
      attempts: 1,
    })
    const counters = gate.router.rules.get('HTTPRoute/test/r0/0')?.counters
    expect(counters?.byClass[2]).toBe(1)
    expect(counters?.durations.reduce((sum, count) => sum + count)).toBe(1)
    expect(gate.runtime.counters).toMatchObject({ connections: 1, connectionsTotal: 1, requests: 1 })
  })
})
