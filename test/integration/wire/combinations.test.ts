/** Rules of the wire where they meet: each case breaks or uses two or more of them at once, and looks at both sides' raw bytes. */
import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { always, response } from '../../harness/scripted-backend.ts'

const h = harness()

const chunkedAnswer =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n'

describe('a refused path', () => {
  it.each(['/../x', '/a/%2e%2E/%2e./b/../..', '/%00', '/%', '/%g0', '/a%2', '/.%2e/x'])(
    '[wire:exchange-path-refused] as in %s closes the connection, and nothing behind it is served',
    async (target) => {
      const { web, client } = await h.scene()
      client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\nGET /behind HTTP/1.1\r\nHost: a\r\n\r\n`)
      const answer = await client.answer()
      expect([answer.status, answer.header('connection')]).toEqual([400, 'close'])
      expect(await client.closed()).toBe('end')
      expect([client.received, web.connections.length]).toEqual(['', 0])
    },
  )
})

describe('HTTP/1.0 with keep-alive', () => {
  it('[wire:exchange-http10] gets no chunks and no trailers of a chunked answer, but a close, and nothing behind it is served', async () => {
    const { web, client } = await h.scene(always(chunkedAnswer))
    const request = 'GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTE: trailers\r\n\r\n'
    client.send(request + request)
    expect(await client.closed()).toBe('end')
    expect(client.received).toMatch(/^HTTP\/1\.1 200 OK\r\nTrailer: X-Sum\r\nConnection: close\r\n\r\nok$/)
    expect(web.requests).toHaveLength(1)
  })

  it('[wire:exchange-http10] keeps its connection over answers without a body', async () => {
    const { web, client } = await h.scene(always('HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 10\r\n\r\n'))
    for (let i = 0; i < 2; i++) {
      client.send('GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n')
      const answer = await client.answer()
      expect([answer.header('connection'), answer.header('content-length')]).toEqual(['keep-alive', '10'])
    }
    expect(web.connections).toHaveLength(1)
  })
})

describe('an answer without a body', () => {
  it.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n'],
    ['HEAD', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
  ])('[wire:exchange-no-body] to %s keeps both connections: %j', async (method, bytes) => {
    const { web, client } = await h.scene(always(bytes))
    for (let i = 0; i < 3; i++) {
      const answer = await client.request({ method })
      expect(answer.header('transfer-encoding')).toBeUndefined()
      expect(answer.header('connection')).toBeUndefined()
    }
    expect([web.connections.length, client.received]).toEqual([1, ''])
  })

  it('[wire:exchange-no-body] that brings one all the same is cut where its head ends, and the upstream connection is not used again', async () => {
    const { web, client } = await h.scene(
      always('HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
    )
    for (let i = 0; i < 3; i++) expect((await client.request({ method: 'HEAD' })).header('content-length')).toBe('40')
    expect([web.connections.length, client.received]).toEqual([3, ''])
  })
})

describe('Expect: 100-continue', () => {
  it.each(['0', '1'])(
    '[wire:exchange-early-answer] with chunks sent at once and answered without a 100 sends no byte of them; %s more requests behind are not served',
    async (behind) => {
      const { web, client } = await h.scene(undefined, undefined, (connection) => {
        if (connection.bytes.endsWith('\r\n\r\n')) connection.write(response('no', '417 Expectation Failed'))
      })
      const next = 'GET /behind HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(Number(behind))
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n${next}`)
      const answer = await client.answer()
      expect([answer.status, answer.body, answer.header('connection')]).toEqual([417, 'no', 'close'])
      expect(await client.closed()).toBe('end')
      const upstream = await web.connection(0)
      await eventually(() => upstream.ending !== 'open', 'the end of the upstream connection')
      expect(upstream.bytes).not.toContain('body')
      expect(client.received).toBe('')
    },
  )

  it('[wire:exchange-expect] relays a 100 and a final answer that come in one packet, and never sends the body behind it', async () => {
    const { web, client } = await h.scene(undefined, undefined, (connection) => {
      if (connection.bytes.endsWith('\r\n\r\n')) connection.write('HTTP/1.1 100 Continue\r\n\r\n' + response('early'))
    })
    client.send('PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n')
    expect((await client.answer()).status).toBe(100)
    const answer = await client.answer()
    expect([answer.body, answer.header('connection')]).toEqual(['early', 'close'])
    client.send('0123456789')
    expect(await client.closed()).toBe('end')
    expect((await web.connection(0)).bytes).not.toContain('0123')
  })

  it('[wire:exchange-expect] in HTTP/1.0 means nothing, whatever it says, and is not forwarded', async () => {
    const { web, client } = await h.scene()
    client.send('POST / HTTP/1.0\r\nHost: a\r\nExpect: 200-maybe\r\nContent-Length: 4\r\n\r\nbody')
    expect((await client.answer()).status).toBe(200)
    expect([web.request.header('expect'), web.request.body]).toEqual([undefined, 'body'])
  })
})

describe('an upgrade', () => {
  const ask = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nTE: trailers\r\n\r\n'
  const switched = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

  it('[wire:exchange-upgrade] keeps bytes that came with it from the backend until 101, then sends them once and in order', async () => {
    const { web, client } = await h.scene((_request, connection) => void setTimeout(() => connection.write(switched + 'server first'), 60))
    client.send(ask + 'GET /not-a-request HTTP/1.1\r\n\r\n')
    await pause(20)
    expect(web.rest).toBe('')
    expect((await client.answer()).status).toBe(101)
    await eventually(() => client.received === 'server first', "the server's bytes")
    const upstream = await web.connection(0)
    await eventually(() => upstream.bytes.endsWith('GET /not-a-request HTTP/1.1\r\n\r\n'), "the client's bytes")
    expect(upstream.bytes.match(/not-a-request/g)).toHaveLength(1)
  })

  it('[wire:header-te] forwards TE: trailers beside the upgrade', async () => {
    const { web, client } = await h.scene(always(response('plain')))
    client.send(ask)
    expect((await client.answer()).body).toBe('plain')
    expect(web.request.header('te')).toBe('trailers')
    expect(web.request.header('connection')?.toLowerCase().split(', ').sort()).toEqual(['te', 'upgrade'])
  })

  it.each([
    ['another protocol', 'Connection: upgrade\r\nUpgrade: h2c\r\n'],
    ['two protocols', 'Connection: upgrade\r\nUpgrade: websocket, foo\r\n'],
    ['no Upgrade', 'Connection: upgrade\r\n'],
    ['an Upgrade that Connection does not name', 'Upgrade: websocket\r\n'],
  ])('[wire:exchange-unasked-101] that the backend answers with %s is a 502, and no byte goes through', async (_what, lines) => {
    const { web, client } = await h.scene(always(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\nsecret`))
    client.send(ask)
    expect((await client.answer()).status).toBe(502)
    expect(client.received).not.toContain('secret')
    const upstream = await web.connection(0)
    await eventually(() => upstream.ending !== 'open', 'the end of the upstream connection')
  })
})

describe('what a backend sends too much or too little', () => {
  it('[wire:exchange-reuse] two answers in one packet: the second answers no request', async () => {
    const { web, client } = await h.scene((request, connection) =>
      connection.write(request.line.includes('/first') ? response('one') + response('stolen') : response('own')),
    )
    expect((await client.request({ target: '/first' })).body).toBe('one')
    expect((await client.request({ target: '/second' })).body).toBe('own')
    expect(web.connections).toHaveLength(2)
  })

  it('[wire:exchange-reuse] one byte behind a chunked answer, or behind a 204, ends the upstream connection', async () => {
    const { web, client } = await h.scene((request, connection) =>
      connection.write((request.line.includes('/none') ? 'HTTP/1.1 204 No Content\r\n\r\n' : chunkedAnswer) + '\0'),
    )
    expect((await client.request({ target: '/none' })).status).toBe(204)
    expect((await client.request({ target: '/second' })).body).toBe('ok')
    expect((await client.request({ target: '/none' })).status).toBe(204)
    expect(web.connections).toHaveLength(3)
  })

  it.each([
    ['closes with FIN', (socket: { end(): void }) => socket.end()],
    ['is reset', (socket: { resetAndDestroy(): void }) => socket.resetAndDestroy()],
  ] as const)('[wire:exchange-broken-answer] a chunked answer whose backend %s has no last chunk', async (_what, stop) => {
    const { client } = await h.scene((_request, connection) => {
      connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
      setTimeout(() => stop(connection.socket as never), 30)
    })
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.closed()
    expect(client.received.endsWith('5\r\nhello\r\n')).toBe(true)
  })

  it('[wire:exchange-broken-answer] a chunked answer that breaks its framing has no last chunk, for HTTP/1.0 a reset', async () => {
    const { gate, client } = await h.scene((_request, connection) => {
      connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n')
      setTimeout(() => connection.write('5\r\nhelloXX0\r\n\r\n'), 30)
    })
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await client.closed()
    expect(client.received).not.toContain('0\r\n\r\n')
    const old = await h.client(gate)
    old.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
    expect(await old.closed()).toBe('reset')
  })
})

describe('trailers', () => {
  it('[wire:exchange-trailers] reach a client that takes them, without what a trailer must not say; no header comes of them', async () => {
    const { client } = await h.scene(always(chunkedAnswer))
    const answer = await client.request({ fields: ['TE: gzip;q=0.5, Trailers', 'Connection: TE'] })
    expect(answer.trailers).toBe('X-Sum: 1\r\n')
    expect(answer.header('x-sum')).toBeUndefined()
    expect((await client.request()).trailers).toBe('')
  })

  it('[wire:exchange-trailers] of a request cannot change its route, its length or what the gateway says', async () => {
    const { web, client } = await h.scene()
    const forbidden = [
      'Host: b',
      'Content-Length: 3',
      'Transfer-Encoding: chunked',
      'X_Forwarded_For: 1.2.3.4',
      'X-Request-Id: evil',
      'Cookie: a',
      'Connection: close',
    ]
    client.send(
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n${forbidden.join('\r\n')}\r\nX-Sum: 1\r\n\r\n`,
    )
    expect((await client.answer()).body).toBe('ok')
    expect(web.request.trailers).toBe('X-Sum: 1\r\n')
    expect([web.request.header('host'), web.rest]).toEqual(['a', ''])
  })
})
