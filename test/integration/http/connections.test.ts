import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { always, response } from '../../harness/scripted-backend.ts'

const h = harness()

describe("a client's connection", () => {
  it('is kept, and so is the one to the backend', async () => {
    const { web, gate, client } = await h.scene()
    for (let i = 0; i < 5; i++) expect((await client.request()).body).toBe('ok')
    expect(web.connections).toHaveLength(1)
    expect(gate.runtime.counters.connectionsTotal).toBe(1)
  })

  it('begins with what was read from it before', async () => {
    const { web, client } = await h.scene(undefined, { first: 'GET /fir' })
    client.send('st HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await client.answer()).body).toBe('ok')
    expect(web.request.line).toBe('GET /first HTTP/1.1')
  })

  it('[wire:exchange-nothing-behind-close] ends after Connection: close, and nothing behind it is served', async () => {
    const { web, client } = await h.scene()
    client.send('GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await client.answer()).header('connection')).toBe('close')
    expect(await client.closed()).toBe('end')
    expect(web.requests.map(({ line }) => line)).toEqual(['GET /1 HTTP/1.1'])
  })

  it('[wire:exchange-pipelining] carries requests sent ahead one at a time, in order', async () => {
    let underWay = 0
    const { web, client } = await h.scene((request, connection) => {
      underWay += 1
      expect(underWay).toBe(1)
      setTimeout(() => {
        underWay -= 1
        connection.write(response(request.line))
      }, 5)
    })
    client.send(
      ['/1', '/2', '/3'].map((target) => `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody`).join('') +
        'GET /4 HTTP/1.1\r\nHo',
    )
    for (const target of ['/1', '/2', '/3']) expect((await client.answer()).body).toBe(`POST ${target} HTTP/1.1`)
    client.send('st: a\r\n\r\n')
    expect((await client.answer()).body).toBe('GET /4 HTTP/1.1')
    expect(web.connections).toHaveLength(1)
  })

  it('[wire:exchange-pipelining] serves many small requests of one packet, some of which are answered by the gateway', async () => {
    const web = await h.backend()
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ path: '/web', backends: ['web'] }] })
    const client = await h.client(gate)
    client.send(Array.from({ length: 100 }, (_, i) => `GET ${i % 3 === 0 ? '/none' : '/web'} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''))
    for (let i = 0; i < 100; i++) expect((await client.answer()).status).toBe(i % 3 === 0 ? 404 : 200)
    expect(web.rest).toBe('')
  })

  it('[wire:exchange-read-ahead] is read ahead by no more than a bound', async () => {
    const { gate, client } = await h.scene(() => {})
    client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => gate.runtime.counters.requests === 1, 'the request')
    const chunk = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(1000)
    for (let i = 0; i < 400; i++) client.send(chunk)
    await pause(200)
    expect(client.socket.writableLength).toBeGreaterThan(0)
  })

  it('[wire:exchange-back-pressure] that asks on without taking its answers has to wait until it does', async () => {
    const gate = await h.gateway({ pools: {}, rules: [{ filters: [{ kind: 'redirect', hostname: 'b.example', status: 302 }] }] })
    const client = await h.client(gate)
    const [count, target] = [20_000, '/' + 'x'.repeat(2_000)]
    client.socket.pause()
    for (let sent = 0; sent < count; sent += 100) client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(100))
    let before = -1
    while (before !== gate.runtime.counters.requests) {
      before = gate.runtime.counters.requests
      await pause(200)
    }
    expect(before).toBeLessThan(count - 2_000)
    let taken = 0
    client.socket.on('data', (bytes) => {
      taken += bytes.toString('latin1').split('302 Found').length - 1
    })
    client.socket.resume()
    await eventually(() => gate.runtime.counters.requests === count && taken > count * 0.98, 'every answer', 10_000)
  })

  it('[wire:exchange-half-close] that says FIN after a complete request still gets its answer', async () => {
    const { client } = await h.scene((_request, connection) => setTimeout(() => connection.write(response('late')), 60))
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n')
    client.end()
    expect((await client.answer()).body).toBe('late')
    expect((await client.answer()).body).toBe('late')
    expect(await client.closed()).toBe('end')
  })

  it('[wire:exchange-client-gone] that is reset while the backend works cancels the request there', async () => {
    const { web, gate, client } = await h.scene(() => {})
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const connection = await web.connection(0)
    await eventually(() => connection.requests.length === 1, 'the request')
    client.reset()
    await eventually(() => connection.ending !== 'open', 'the end of the upstream connection')
    expect(await gate.record()).toMatchObject({ status: 0, flag: 'client-gone' })
  })

  it('[wire:exchange-client-gone] that is reset within the answer cancels the rest of it', async () => {
    const { web, gate, client } = await h.scene((_request, connection) =>
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc'),
    )
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => client.received.endsWith('abc'), 'the beginning of the body')
    client.reset()
    await eventually(() => web.connections[0]?.ending !== 'open', 'the end of the upstream connection')
    expect(await gate.record()).toMatchObject({ status: 200, flag: 'client-gone', responseBytes: 3 })
  })

  it('[wire:exchange-idle-client] is closed when nothing comes for too long', async () => {
    const { client } = await h.scene(undefined, { bounds: { clientIdleTime: 100 } })
    await client.request()
    expect(await client.closed()).toBe('end')
  })

  it('[wire:exchange-slow-head] gets 408 when a head takes too long', async () => {
    const { gate, client } = await h.scene(undefined, { bounds: { headTime: 100 } })
    await client.request()
    client.send('GET / HT')
    expect((await client.answer()).status).toBe(408)
    expect(await client.closed()).toBe('end')
    expect(await gate.record(1)).toMatchObject({ status: 408, flag: 'head-timeout' })
  })

  it('[wire:exchange-slow-body] gets 408 when a body stands still', async () => {
    const { web, gate, client } = await h.scene(undefined, { bounds: { bodyIdleTime: 100 } })
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc')
    expect((await client.answer()).status).toBe(408)
    expect(web.requests).toEqual([])
    expect(await gate.record()).toMatchObject({ flag: 'body-timeout' })
    await eventually(() => web.connections[0]?.ending !== 'open', 'the end of the upstream connection')
  })

  it('[wire:exchange-slow-body] gets 408 when a body trickles', async () => {
    const { client } = await h.scene(undefined, { bounds: { bodyIdleTime: 600, bodyRate: 500 } })
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n')
    const trickle = setInterval(() => client.send('x'), 50)
    expect((await client.answer()).status).toBe(408)
    clearInterval(trickle)
  })

  it('[wire:exchange-slow-body] may take its time as long as enough comes', async () => {
    const { web, client } = await h.scene(undefined, { bounds: { bodyIdleTime: 300, bodyRate: 500 } })
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n')
    for (let i = 0; i < 20; i++) {
      await pause(50)
      client.send('x'.repeat(100))
    }
    expect((await client.answer()).status).toBe(200)
    expect(web.request.body).toHaveLength(2000)
  })

  it('[wire:exchange-linger] gets its refusal although it goes on sending', async () => {
    const { client } = await h.scene()
    client.send('GET / HTTP/1.1\r\nHost: a b\r\n\r\n' + 'x'.repeat(30_000))
    const answer = await client.answer()
    expect(answer.status).toBe(400)
    expect(answer.header('connection')).toBe('close')
    client.send('x'.repeat(10_000))
    expect(await client.closed()).toBe('end')
  })

  it('[wire:exchange-linger] is cut off when it goes on sending without end', async () => {
    const { gate, client } = await h.scene(undefined, { bounds: { lingerTime: 60_000 } })
    client.send('GET / HTTP/1.1\r\nHost: a b\r\n\r\n')
    await client.answer()
    const flood = setInterval(() => client.socket.writable && client.send('x'.repeat(20_000)), 5)
    await eventually(() => gate.connections.size === 0, 'the end of the connection')
    clearInterval(flood)
  })

  it('[wire:exchange-drain] ends when it drains: at once if idle, after its answer if not', async () => {
    const { gate, client } = await h.scene((_request, connection) => setTimeout(() => connection.write(response('last')), 50))
    const idle = await h.client(gate)
    await idle.request()
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => gate.runtime.counters.requests === 2, 'the request')
    gate.live.draining = true
    for (const connection of gate.connections) connection.drain()
    expect(await idle.closed()).toBe('end')
    const answer = await client.answer()
    expect(answer.body).toBe('last')
    expect(answer.header('connection')).toBe('close')
    expect(await client.closed()).toBe('end')
  })
})

describe('a connection to a backend', () => {
  it.each([
    ['the backend says close', response('ok', '200 OK', 'Connection: close\r\n')],
    ['the answer is HTTP/1.0', response('ok').replace('1.1', '1.0')],
    ['bytes follow the answer', response('ok') + 'X'],
    ['the backend keeps idle connections for no time', response('ok', '200 OK', 'Keep-Alive: timeout=0\r\n')],
  ])('[wire:exchange-reuse] is not used again when %s', async (_reason, bytes) => {
    const { web, client } = await h.scene(always(bytes))
    expect((await client.request()).body).toBe('ok')
    expect((await client.request()).body).toBe('ok')
    expect(web.connections).toHaveLength(2)
    await eventually(() => web.connections[0]?.ending !== 'open', 'the end of the first connection')
  })

  it('[wire:exchange-idle-bytes] dies when bytes come that nobody asked for, and they answer no request', async () => {
    const { web, client } = await h.scene()
    await client.request()
    const first = await web.connection(0)
    first.write(response('poison'))
    await eventually(() => first.ending !== 'open', 'the end of the first connection')
    expect((await client.request()).body).toBe('ok')
    expect(web.connections).toHaveLength(2)
  })

  it('[wire:exchange-idle-bytes] dies when the backend says FIN', async () => {
    const { web, client } = await h.scene()
    await client.request()
    const first = await web.connection(0)
    first.socket.end()
    await eventually(() => first.ending !== 'open', 'the end of the first connection')
    expect((await client.request()).body).toBe('ok')
  })

  it('[wire:exchange-pool-idle] is closed after the time that an idle one is kept', async () => {
    const { web, client } = await h.scene(undefined, { bounds: { poolIdleTime: 300 } })
    await client.request()
    await eventually(() => web.connections[0]?.ending === 'end', 'the end of the connection')
    expect((await client.request()).body).toBe('ok')
  })

  it.each(['GET', 'HEAD', 'OPTIONS'])('[wire:exchange-stale] that closes under a %s is replaced by a fresh one, once', async (method) => {
    const { web, gate, client } = await h.scene((_request, connection) => {
      if (connection.requests.length === 2) connection.socket.destroy()
      else connection.write(response(''))
    })
    await client.request()
    expect((await client.request({ method })).status).toBe(200)
    expect(web.connections).toHaveLength(2)
    expect(await gate.record(1)).toMatchObject({ attempts: 2, flag: '' })
  })

  it.each([
    ['a POST', { method: 'POST' }],
    ['a GET with a body', { body: 'x' }],
    ['a DELETE', { method: 'DELETE' }],
  ])('[wire:exchange-stale] that closes under %s gives 502, and nothing is sent twice', async (_what, request) => {
    const { web, client } = await h.scene((_request, connection) => {
      if (connection.requests.length === 2) connection.socket.destroy()
      else connection.write(response(''))
    })
    await client.request()
    expect((await client.request(request)).status).toBe(502)
    expect(web.requests).toHaveLength(2)
  })

  it('[wire:exchange-stale] that closes after a first byte of the answer gives 502', async () => {
    const { web, client } = await h.scene((_request, connection) => {
      if (connection.requests.length < 2) connection.write(response(''))
      else connection.socket.end('H')
    })
    await client.request()
    expect((await client.request()).status).toBe(502)
    expect(web.requests).toHaveLength(2)
  })

  it('[wire:exchange-stale] that is fresh and closes gives 502', async () => {
    const { web, gate, client } = await h.scene((_request, connection) => connection.socket.destroy())
    expect((await client.request()).status).toBe(502)
    expect(web.requests).toHaveLength(1)
    expect(await gate.record()).toMatchObject({ status: 502, flag: 'upstream-closed' })
  })
})
