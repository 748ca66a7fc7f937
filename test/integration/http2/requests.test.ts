import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { harness } from '../../harness/harness.ts'
import { answerOf } from '../../harness/http2-client.ts'
import { always, response } from '../../harness/scripted-backend.ts'

const h = harness()

describe('a request over HTTP/2', () => {
  it.each(['http', 'https'] as const)('[wire:h2-start] reaches its backend in HTTP/1.1, over %s', async (scheme) => {
    const { web, gate } = await h.scene(undefined, { scheme })
    const client = await h.http2(gate)
    const answer = await client.request({ target: '/a?b=c', fields: ['x-odd: \xff\x80', 'accept: a', 'accept: b'] })
    expect(answer).toMatchObject({ status: 200, body: 'ok', resetCode: 0 })
    expect(web.request.raw).toBe(
      'GET /a?b=c HTTP/1.1\r\nhost: a.example\r\nx-odd: \xff\x80\r\naccept: a\r\naccept: b\r\n' +
        `X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Host: a.example\r\nX-Request-Id: 00000000000000aa0000000000000001\r\n\r\n`,
    )
    expect(await gate.record()).toMatchObject({ protocol: 'HTTP/2', scheme, status: 200, flag: '', method: 'GET', target: '/a?b=c' })
  })

  it('[wire:h2-start] is known by its preface however the bytes are split, and HTTP/1 by the first byte that differs', async () => {
    const { gate } = await h.scene()
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
    for (let cut = 0; cut <= preface.length; cut += 4) {
      const socket = connect({ port: gate.port, host: '127.0.0.1', noDelay: true })
      const first = new Promise<Buffer>((resolve) => {
        socket.once('data', resolve)
      })
      socket.write(preface.slice(0, cut), 'latin1')
      await new Promise((resolve) => setTimeout(resolve, 5))
      socket.write(Buffer.concat([Buffer.from(preface.slice(cut), 'latin1'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]))
      // A SETTINGS frame.
      expect((await first)[3]).toBe(4)
      socket.destroy()
    }
    const one = await h.client(gate)
    one.send('P')
    await new Promise((resolve) => setTimeout(resolve, 5))
    one.send('R')
    await new Promise((resolve) => setTimeout(resolve, 5))
    one.send('OPFIND / HTTP/1.1\r\nHost: a.example\r\n\r\n')
    expect(await one.answer()).toMatchObject({ status: 200 })
    expect((await gate.record()).protocol).toBe('HTTP/1.1')
  })

  it('[wire:h2-crumbs] has its cookie crumbs joined, and nothing else', async () => {
    const { web, gate } = await h.scene()
    await (await h.http2(gate)).request({ fields: ['cookie: a=1', 'x: 1', 'cookie: b=2', 'x: 2'] })
    expect(web.request.headers('cookie')).toEqual(['a=1; b=2'])
    expect(web.request.headers('x')).toEqual(['1', '2'])
  })

  it('[wire:h2-te] keeps `te: trailers`', async () => {
    const { web, gate } = await h.scene()
    await (await h.http2(gate)).request({ fields: ['te: trailers'] })
    expect(web.request.header('te')).toBe('trailers')
  })

  it('carries bodies with and without a length, and their trailers', async () => {
    const { web, gate } = await h.scene()
    const client = await h.http2(gate)
    const whole = client.request({ method: 'POST', fields: ['content-length: 5'], body: 'hello' })
    expect((await whole).status).toBe(200)
    expect(web.request.raw).toMatch(/content-length: 5\r\n[^]*\r\n\r\nhello$/)
    const stream = client.session.request({ ':method': 'PUT', ':path': '/', ':authority': 'a.example' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1', 'content-length': '5', authorization: 'x' }))
    stream.write('hel')
    stream.end('lo')
    expect((await answerOf(stream)).status).toBe(200)
    expect(web.requests[1]).toMatchObject({ body: 'hello', trailers: 'x-sum: 1\r\n' })
    expect(web.connections).toHaveLength(1)
  })

  it('[wire:h2-trailers] carries trailers that come before there is a connection to the backend', async () => {
    const { web, gate } = await h.scene()
    const { session } = await h.http2(gate)
    const stream = session.request({ ':method': 'PUT', ':path': '/', ':authority': 'a.example' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }))
    stream.end('hello')
    expect((await answerOf(stream)).status).toBe(200)
    expect(web.request).toMatchObject({ body: 'hello', trailers: 'x-sum: 1\r\n' })
  })

  it.each([1, 100_000, 3_000_000])('carries bodies of %i bytes both ways as they are', async (size) => {
    const { gate } = await h.scene((request, connection) => connection.write(response(request.body)))
    const body = Array.from({ length: size }, (_, i) => String.fromCharCode(i % 251)).join('')
    const answer = await (await h.http2(gate)).request({ method: 'POST', body })
    expect(answer.body.length).toBe(size)
    expect(answer.body === body).toBe(true)
  })

  it('[wire:h2-trailers] gets the trailers of its answer', async () => {
    const { gate } = await h.scene(
      always('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a\r\n\r\n'),
    )
    expect(await (await h.http2(gate)).request()).toMatchObject({ status: 200, body: 'ok', trailers: 'x-sum: 1\r\n', resetCode: 0 })
  })

  it('gets fields as they came, names in lower case, without what belongs to a connection', async () => {
    const fields =
      'Set-Cookie: a\r\nSet-Cookie: b\r\nETag: x\r\nX-A: 1\r\nX-A: 2\r\nConnection: X-Gone\r\nX-Gone: 1\r\nKeep-Alive: timeout=9\r\n'
    const { gate } = await h.scene(always(response('ok', '200 OK', fields)))
    const answer = await (await h.http2(gate)).request()
    expect(answer.head).toBe(':status: 200\r\nset-cookie: a\r\nset-cookie: b\r\netag: x\r\nx-a: 1\r\nx-a: 2\r\ncontent-length: 2\r\n')
  })

  it.each(['HEAD', 'GET'])('%s: answers without a body end with their head and keep their fields', async (method) => {
    const { gate } = await h.scene((_request, connection) =>
      connection.write(method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n' : 'HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n'),
    )
    const client = await h.http2(gate)
    const answer = await client.request({ method })
    expect(answer).toMatchObject({ status: method === 'HEAD' ? 200 : 304, body: '', resetCode: 0 })
    expect(answer.header('content-length')).toBe(method === 'HEAD' ? '7' : undefined)
  })

  it.each(['Content-Length: 2\r\n\r\nok', 'Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 'Content-Length: 0\r\n\r\n'])(
    'gets a 205 without what its backend says after it: %j',
    async (rest) => {
      const { gate } = await h.scene(always(`HTTP/1.1 205 Reset Content\r\nX-A: 1\r\n${rest}`))
      const client = await h.http2(gate)
      for (const _ of [1, 2]) {
        expect(await client.request()).toMatchObject({ status: 205, head: ':status: 205\r\nx-a: 1\r\n', body: '', resetCode: 0 })
      }
    },
  )

  it('[wire:h2-repeated] gets lines of a field as they are', async () => {
    const { gate } = await h.scene(always(response('ok', '200 OK', 'ETag: x\r\nETag: y\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n')))
    const answer = await (await h.http2(gate)).request()
    expect([answer.headers('etag'), answer.headers('set-cookie')]).toEqual([
      ['x', 'y'],
      ['a', 'b'],
    ])
  })

  it('gets 1xx answers', async () => {
    const { gate } = await h.scene(always(`HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n${response('ok')}`))
    expect(await (await h.http2(gate)).request()).toMatchObject({ status: 200, interim: [103] })
  })

  it('[wire:h2-refused] is refused where it could be read in two ways, and the connection goes on', async () => {
    const { web, gate } = await h.scene()
    const client = await h.http2(gate)
    const refused: readonly [number, object][] = [
      [400, { fields: ['host: b.example'] }],
      [400, { target: '/a#b' }],
      [400, { target: 'http://a.example/' }],
      [400, { target: '*' }],
      [400, { host: 'user@a.example' }],
      [400, { pseudo: { ':scheme': 'https' } }],
      [400, { pseudo: { ':scheme': 'ftp' } }],
      [405, { method: 'CONNECT', pseudo: { ':path': undefined, ':scheme': undefined } }],
      [501, { method: 'CONNECT', pseudo: { ':protocol': 'connect-udp' }, body: '' }],
      [400, { fields: ['content-length: 1,1'], body: 'x' }],
      [417, { fields: ['expect: something'], body: 'x' }],
      [414, { target: '/' + 'a'.repeat(17_000) }],
    ]
    for (const [status, request] of refused) {
      expect([JSON.stringify(request).slice(0, 80), (await client.request(request)).status]).toEqual([
        JSON.stringify(request).slice(0, 80),
        status,
      ])
    }
    expect(web.requests).toEqual([])
    expect((await client.request({ host: 'A.example:80', fields: ['host: a.example'] })).status).toBe(200)
    expect(web.request.headers('host')).toEqual(['A.example:80'])
  })

  it('gets an answer of ours, and the rest of its body is not wanted', async () => {
    const gate = await h.gateway({ pools: {}, rules: [{ path: '/a', backends: [] }] })
    const client = await h.http2(gate)
    expect(await client.request({ target: '/b' })).toMatchObject({ status: 404, resetCode: 0 })
    const stream = client.open({ method: 'POST', target: '/b' }, false)
    stream.write('x')
    const answer = await answerOf(stream)
    expect(answer).toMatchObject({ status: 404, body: expect.stringMatching(/^404 no-route\nrequest /) as string })
  })

  it('[wire:h2-cancel] that is reset cancels its backend, and nothing else', async () => {
    const { web, gate } = await h.scene(() => {})
    const client = await h.http2(gate)
    const one = client.open({}, true)
    const other = client.open({ target: '/other' }, true)
    const [first, second] = [await web.connection(0), await web.connection(1)]
    one.close(8)
    await expect.poll(() => first.ending).not.toBe('open')
    expect((await gate.record()).flag).toBe('client-gone')
    const answer = answerOf(other)
    second.write(response('other'))
    expect(await answer).toMatchObject({ status: 200, body: 'other' })
  })

  it('[wire:h2-broken-answer] is reset when its answer breaks off', async () => {
    const { gate } = await h.scene((_request, connection) => {
      connection.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n')
      setTimeout(() => connection.socket.destroy(), 20)
    })
    expect(await (await h.http2(gate)).request()).toMatchObject({ status: 200, resetCode: 2 })
  })

  it.each([1, 16])('is one of as many as a connection likes to carry, %i at a time', async (width) => {
    const { gate } = await h.scene()
    const client = await h.http2(gate)
    const statuses = new Set<number>()
    for (let i = 0; i < 500; i += width) {
      for (const { status } of await Promise.all(Array.from({ length: width }, () => client.request()))) statuses.add(status)
    }
    expect([...statuses]).toEqual([200])
    expect(client.goaways).toEqual([])
  })

  it('leaves nothing behind when it ends anywhere', async () => {
    const { gate } = await h.scene()
    for (let i = 0; i < 30; i++) {
      const socket = connect({ port: gate.port, host: '127.0.0.1' })
      const client = await h.http2(gate, { createConnection: () => socket })
      const stream = client.open({ method: 'POST' }, false)
      stream.write('x'.repeat(i * 1000))
      if (i % 3 === 0) stream.close(8)
      await new Promise((resolve) => setTimeout(resolve, i % 4))
      if (i % 3 === 1) socket.resetAndDestroy()
      else socket.destroy()
    }
    // What is left is the idle client of the scene.
    await expect.poll(() => [gate.connections.size, gate.runtime.counters.connections]).toEqual([1, 0])
    await expect.poll(() => [...gate.runtime.pools.all()].flatMap((pool) => [...pool.endpoints]).map(({ active }) => active)).toEqual([0])
  })
})
