/** Peers that are slow, stuck, gone or many: what is awaited is bounded, what is buffered is bounded, and nothing is left behind. */
import { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { response } from '../../harness/scripted-backend.ts'
import type { ClientConnection } from '../../../src/proxy/http/connection-context.ts'
import { serveHttp1 } from '../../../src/proxy/http1/serve.ts'
import type { Client } from '../../harness/client.ts'
import { descriptorShare } from '../../harness/descriptors.ts'
import type { Gateway } from '../../harness/gateway.ts'

const h = harness()

/** Requests under way and connections, over all endpoints. */
function upstreamLoad(gate: Gateway): { active: number; connections: number } {
  const endpoints = [...gate.runtime.pools.all()].flatMap((pool) => [...pool.endpoints])
  return {
    active: endpoints.reduce((sum, one) => sum + one.active, 0),
    connections: endpoints.reduce((sum, one) => sum + one.connections, 0),
  }
}

/** A client whose kernel is the test: it takes the writes that it is told to, and nothing lies between its bytes and the gateway. */
function clientByHand(gate: Gateway, onWrite: (done: () => void, bytes: Buffer) => void): { slow: Duplex; connection: ClientConnection } {
  const slow = new Duplex({ read() {}, write: (bytes: Buffer, _encoding, done) => onWrite(done, bytes) })
  const socket = Object.assign(slow, { setNoDelay: () => slow, resetAndDestroy: () => slow.destroy() }) as unknown as Socket
  const context = {
    runtime: gate.runtime,
    port: gate.live,
    scheme: 'http',
    sniListener: undefined,
    clientAddress: '',
    trusted: false,
    clientCertificate: undefined,
  } as const
  return { slow, connection: serveHttp1(socket, context) }
}

describe('a backend', () => {
  it('[wire:exchange-upstream-head] that sends its head byte by byte gets the time of a head from its first byte on, then it is a 504', async () => {
    const { web, client } = await h.scene(
      (_request, connection) => {
        let at = 0
        const bytes = `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(1_000)}`
        const timer = setInterval(() => connection.write(bytes[at++] ?? ''), 20)
        connection.socket.once('close', () => clearInterval(timer))
      },
      { bounds: { headTime: 300 } },
    )
    const started = performance.now()
    expect((await client.request()).status).toBe(504)
    expect(performance.now() - started).toBeLessThan(1_500)
    const upstream = await web.connection(0)
    await eventually(() => upstream.ending !== 'open', 'the end of the upstream connection')
  })

  it('[wire:exchange-upstream-head] may take longer than that before its first byte, and between a 100 and its answer', async () => {
    const { client } = await h.scene(
      (_request, connection) => {
        setTimeout(() => connection.write('HTTP/1.1 100 Co'), 700)
        setTimeout(() => connection.write('ntinue\r\n\r\n'), 720)
        setTimeout(() => connection.write(response('late')), 1_500)
      },
      { bounds: { headTime: 300 } },
    )
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await client.answer()).status).toBe(100)
    expect((await client.answer()).body).toBe('late')
  })

  it('[wire:exchange-back-pressure] that never reads an upload of 200 MB costs no memory, nor does a client that never reads an answer of 200 MB', async () => {
    const piece = Buffer.alloc(1024 * 1024, 'x')
    const total = 200
    /** Writes all of it, as fast as it is taken; how many pieces were. */
    const pump = (socket: Socket): { taken: number } => {
      const progress = { taken: 0 }
      const more = (): void => {
        if (progress.taken === total || socket.destroyed) return
        socket.write(piece, (error) => {
          if (error) return
          progress.taken += 1
          more()
        })
      }
      more()
      return progress
    }
    let download = { taken: 0 }
    const { gate, client } = await h.scene(
      (_request, connection) => {
        connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total * piece.length}\r\n\r\n`)
        download = pump(connection.socket)
      },
      undefined,
      (connection) => void (connection.bytes.startsWith('PUT') && connection.socket.pause()),
    )
    const before = process.memoryUsage().arrayBuffers
    client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total * piece.length}\r\n\r\n`)
    const upload = pump(client.socket)
    const reader = await h.client(gate)
    reader.socket.pause()
    reader.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => upload.taken > 0 && download.taken > 0, 'the first pieces')
    await pause(500)
    // The kernels hold some megabytes on each way.
    expect(Math.max(upload.taken, download.taken)).toBeLessThan(total / 4)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * piece.length)
  })
})

describe('a bound', () => {
  it('[wire:exchange-slow-body] does not count against a client whose body the gateway has paused', async () => {
    const length = 12 * 1024 * 1024
    let arrived = 0
    const { client } = await h.scene(undefined, { bounds: { bodyIdleTime: 500, bodyRate: 1_000 } }, ({ bytes, socket }) => {
      arrived = bytes.length - bytes.indexOf('\r\n\r\n') - 4
      // From here on bytes are only counted: the harness would look through all of them again and again.
      socket.removeAllListeners('data').on('data', (more) => {
        arrived += more.length
        if (arrived === length) socket.write(response('all'))
      })
      socket.pause()
      setTimeout(() => socket.resume(), 1_500)
    })
    client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`)
    client.socket.write(Buffer.alloc(length, 'x'))
    await eventually(() => client.received !== '', 'an answer', 8_000)
    expect([(await client.answer()).body, arrived]).toEqual(['all', length])
  })

  it('[wire:exchange-upstream-silence] does not count against a backend whose answer the gateway has paused', async () => {
    const length = 12 * 1024 * 1024
    const { client } = await h.scene((_request, connection) => connection.write(response('x'.repeat(length))), {
      bounds: { upstreamIdleBodyTime: 300 },
    })
    client.socket.pause()
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await pause(1_200)
    client.socket.resume()
    expect((await client.answer()).body.length).toBe(length)
  })

  it('[wire:exchange-idle-client] of idle connections does not run while a request is under way', async () => {
    const { client } = await h.scene((_request, connection) => void setTimeout(() => connection.write(response('late')), 1_000), {
      bounds: { clientIdleTime: 300, headTime: 300, bodyIdleTime: 300 },
    })
    expect((await client.request({ method: 'POST', body: 'x' })).body).toBe('late')
  })
})

describe('a half-close', () => {
  it('[wire:exchange-half-close] behind pipelined requests comes after all their answers', async () => {
    const { client } = await h.scene((request, connection) => void setTimeout(() => connection.write(response(request.line)), 20))
    client.send(['/1', '/2', '/3'].map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''))
    client.end()
    for (const target of ['/1', '/2', '/3']) expect((await client.answer()).body).toBe(`GET ${target} HTTP/1.1`)
    expect(await client.closed()).toBe('end')
  })

  it('[wire:exchange-half-close] in place of a body that waits for a 100 ends the request on both sides', async () => {
    const { web, gate, client } = await h.scene(undefined, { bounds: { continueTime: 200 } })
    client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n')
    client.end()
    expect((await client.answer()).status).toBe(400)
    expect(await client.closed()).toBe('end')
    const upstream = await web.connection(0)
    await eventually(() => upstream.ending !== 'open', 'the end of the upstream connection')
    await eventually(() => upstreamLoad(gate).active === 0, 'no request under way')
  })

  it.each(['', 'GET', 'GET / HTTP/1.1\r\nHost: a\r\n'])(
    '[wire:exchange-half-close] behind %j ends the connection at once',
    async (bytes) => {
      const { web, client } = await h.scene()
      if (bytes !== '') client.send(bytes)
      client.end()
      expect(await client.closed()).toBe('end')
      expect([client.received, web.connections.length]).toEqual(['', 0])
    },
  )
})

describe('a pooled connection', () => {
  it('[wire:exchange-stale] of which only the write tells that it was reset is replaced at once', async () => {
    const { web, gate, client } = await h.scene()
    await client.request()
    let answer = ''
    const { slow } = clientByHand(gate, (done, bytes) => {
      answer += bytes.toString('latin1')
      done()
    })
    const upstream = await web.connection(0)
    await pause(50)
    const started = performance.now()
    // Both within one turn of the event loop, so that the reset was not seen when the request is written.
    upstream.socket.resetAndDestroy()
    slow.push('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => answer.endsWith('ok'), 'an answer')
    expect(performance.now() - started).toBeLessThan(700)
    expect(web.connections).toHaveLength(2)
    slow.destroy()
  })
})

describe('an answer that crosses the upload', () => {
  it('[wire:exchange-early-answer] arrives although its backend is reset behind it', async () => {
    const answered: number[] = []
    for (let i = 0; i < 20; i++) {
      const { client } = await h.scene(undefined, undefined, (connection) => {
        if (connection.bytes.length < 100_000) return
        connection.socket.pause()
        connection.socket.end(response('too much', '413 Content Too Large'), () => connection.socket.resetAndDestroy())
      })
      client.send(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n${'x'.repeat(3_000_000)}`)
      answered.push((await client.answer()).status)
    }
    expect(answered).toEqual(answered.map(() => 413))
  })
})

describe('a client that is reset', () => {
  const within: readonly (readonly [phase: string, bytes: string])[] = [
    ['before its first byte', ''],
    ['within its request line', 'GET /x'],
    ['within its fields', 'GET / HTTP/1.1\r\nHost: a\r\nX'],
    ['within a body by length', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome'],
    ['within a chunk', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nsome'],
    ['within trailers', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\nZ'],
    ['before a 100', 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n'],
    ['while the backend works', 'GET /work HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['while the backend works, with more requests behind', 'GET /work HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(5)],
    ['within an answer', 'GET /half HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['within a tunnel', 'GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nbytes'],
    ['behind its answer', 'GET /whole HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['behind a refusal', 'GET /\0 HTTP/1.1\r\n'],
  ]

  it.each(within)('[wire:exchange-client-gone] %s leaves nothing behind: no connection, no request under way', async (_phase, bytes) => {
    const { gate, client } = await h.scene((request, connection) => {
      const path = request.line.split(' ')[1]
      if (path === '/whole') connection.write(response('ok'))
      if (path === '/half') connection.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
      if (path === '/tunnel') connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nhello')
    })
    if (bytes !== '') client.send(bytes)
    await pause(60)
    client.reset()
    await eventually(() => gate.connections.size === 0, "the end of the client's connection")
    await eventually(() => upstreamLoad(gate).active === 0, 'the end of the request upstream')
    const { counters } = gate.runtime
    expect([counters.connections, counters.tunnels]).toEqual([0, 0])
    // An idle connection may be kept, one on which something was doubtful may not.
    expect(upstreamLoad(gate).connections).toBe(bytes.includes('/whole') ? 1 : 0)
  })
})

describe('a thousand idle connections, or as many as there are file descriptors for', () => {
  it('[wire:exchange-idle-client] cost no request its answer, and leave nothing behind', async () => {
    const { gate, client } = await h.scene()
    const many: Client[] = []
    // One after another, and each known to the harness at once: when one fails, the others are closed too.
    const count = Math.floor(1_000 * descriptorShare(2_400))
    while (many.length < count) many.push(await h.client(gate))
    await eventually(() => gate.connections.size === count + 1, 'all connections')
    for (const one of many.filter((_, i) => i % 50 === 0)) expect((await one.request()).body).toBe('ok')
    expect((await client.request()).body).toBe('ok')
    for (const one of many) one.close()
    await eventually(() => gate.connections.size === 1, 'their end', 4_000)
    expect(gate.runtime.counters.connections).toBe(1)
  })
})

describe('a tunnel', () => {
  it('[wire:exchange-write-stuck] whose client takes little, but takes, is not cut off', async () => {
    const web = await h.backend((_request, connection) => {
      connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
      // One after another, so that each read, and so each write to the client, is a small one.
      const timer = setInterval(() => connection.socket.write(Buffer.alloc(20_000, 'x')), 10)
      connection.socket.once('close', () => clearInterval(timer))
    })
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] }, { bounds: { writeStuckTime: 1_000 } })
    const writes: (() => void)[] = []
    const { slow, connection } = clientByHand(gate, (done) => writes.push(done))
    slow.push('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
    await eventually(() => slow.writableLength > 64 * 1024, 'more than the client takes')
    await pause(200)
    // Less waits than before and than what blocks the other side, but not nothing.
    while (slow.writableLength > 64 * 1024) writes.shift()?.()
    expect(slow.writableLength).toBeGreaterThan(0)
    await pause(1_400)
    expect(connection.phase).toBe('tunnel')
    slow.destroy()
  })
})
