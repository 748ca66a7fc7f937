/** Peers that take little, but take all the time, so little that the kernel takes nothing more of the gateway for several bounds. */
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createTestAuthority } from '../../harness/certificates.ts'
import { gatewayConfig } from '../../harness/data-plane.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { FrameClient } from '../../harness/frame-client.ts'
import { harness } from '../../harness/harness.ts'
import { endHeaders, endStream, frame, frameType, headerBlock, uint32 } from '../../harness/http2-frames.ts'
import { status200 } from '../../harness/raw-http2-backend.ts'
import { response } from '../../harness/scripted-backend.ts'
import { sip } from '../../harness/sip.ts'
import { socketKinds, startPlane, streamBackend, StreamClient, streamListener, streamPool, streamRoute } from '../../harness/streams.ts'

const h = harness()
const size = 8_000_000
const bounds = { writeStuckTime: 1_000 }
const severalBounds = 3_600
/** A dead one may have two of them, and the sweep its tick. */
const twoBounds = 4_000

/** The other side takes everything at once when `slow` has had its time. */
async function sipAWhile(slow: Socket): Promise<void> {
  const sips = sip(slow)
  await pause(severalBounds)
  sips.gulp()
}

describe.each(socketKinds)('a stream over $name', ({ options }) => {
  async function scene(serve: (socket: Socket) => void) {
    const backend = await streamBackend(serve)
    const plane = startPlane({ ...options, bounds })
    const listener = streamListener('TCP', 5432)
    const pools = [streamPool('db', [backend.port])]
    await plane.serve(gatewayConfig({ listeners: [listener], pools, streams: [streamRoute('tcp', 'db', [listener], pools)] }))
    return { backend, plane, client: await StreamClient.plain(plane.port(5432)) }
  }

  it('[wire:stream-stuck] is left to a client that takes little, but takes', async () => {
    const { client } = await scene((socket) => socket.end(Buffer.alloc(size)))
    await sipAWhile(client.socket)
    await eventually(() => client.ended || client.closed, 'the end')
    expect([client.received.length, client.error]).toEqual([size, undefined])
  })

  it('[wire:stream-stuck] is left to a backend that takes little, but takes', async () => {
    let taken = 0
    const { backend, client } = await scene((socket) => socket.on('data', (bytes) => (taken += bytes.length)).pause())
    client.socket.end(Buffer.alloc(size))
    const socket = await eventually(() => backend.connections[0], 'the connection')
    await sipAWhile(socket)
    await eventually(() => taken === size || socket.destroyed, 'the end')
    expect(taken).toBe(size)
  })

  it('[wire:stream-stuck] is not left to a client that takes no more', async () => {
    const { plane, client } = await scene((socket) => socket.end(Buffer.alloc(size)))
    const sips = sip(client.socket)
    await pause(bounds.writeStuckTime)
    sips.stop()
    await eventually(() => plane.dataPlane.ports[0]?.open === 0, 'the end', twoBounds)
  })
})

describe.each(['http', 'https'] as const)('an exchange of HTTP/1.1 over %s', (scheme) => {
  it('[wire:exchange-write-stuck] is left to a client that takes little, but takes', async () => {
    const body = 'x'.repeat(size)
    const { gate, client } = await h.scene((_request, connection) => connection.write(response(body)), { bounds, scheme })
    client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
    await sipAWhile(client.socket)
    expect((await client.answer()).body.length).toBe(size)
    expect((await gate.record()).flag).toBe('')
  })

  it('[wire:exchange-write-stuck] is not left to a client that takes nothing', async () => {
    const { gate, client } = await h.scene((_request, connection) => connection.write(response('x'.repeat(size))), { bounds, scheme })
    client.socket.pause()
    client.send('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
    expect((await gate.record()).flag).toBe('client-gone')
  })
})

/** `y` is the end of it. */
const request = `POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size - 1)}y`

function answerAtTheEnd(socket: Socket): void {
  socket.on('data', (bytes: Buffer) => {
    if (bytes.at(-1) === 'y'.charCodeAt(0)) socket.write(response('ok'))
  })
}

describe('a request of HTTP/1.1', () => {
  it('[wire:exchange-write-stuck] is left to a backend that takes little of its body, but takes', async () => {
    const web = await streamBackend(answerAtTheEnd)
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] }, { bounds })
    const client = await h.client(gate)
    client.send(request)
    await sipAWhile(await eventually(() => web.connections[0], 'the connection'))
    expect((await client.answer()).status).toBe(200)
    expect((await gate.record()).flag).toBe('')
  })

  it('[wire:exchange-write-stuck] is left to such a backend over TLS', async () => {
    const authority = createTestAuthority()
    const { config, key } = authority.issue('web.example')
    const sockets: Socket[] = []
    const server = createTlsServer({ cert: config.chain, key: key.reveal() }, (socket) => {
      sockets.push(socket)
      answerAtTheEnd(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    const tls = { serverName: 'web.example', authorities: { kind: 'bundle', pem: authority.certificate }, names: [] } as const
    const gate = await h.gateway({ pools: { web: [port] }, tls: { web: tls }, rules: [{ backends: ['web'] }] }, { bounds })
    const client = await h.client(gate)
    client.send(request)
    await sipAWhile(await eventually(() => sockets[0], 'the connection'))
    expect((await client.answer()).status).toBe(200)
    expect((await gate.record()).flag).toBe('')
  })
})

describe('a stream of HTTP/2', () => {
  const largest = uint32(0x7fff_0000)
  /** A window that is never in the way. */
  const open = Buffer.concat([
    frame(frameType.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), largest])),
    frame(frameType.windowUpdate, 0, 0, largest),
  ])

  async function answered() {
    const web = await h.backend((_request, connection) => connection.write(response('x'.repeat(size))))
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] }, { bounds })
    const client = FrameClient.greet(gate.port)
    client.socket.write(open)
    client.socket.write(frame(frameType.headers, endStream | endHeaders, 1, headerBlock()))
    return { gate, client }
  }

  it('[wire:h2-window-stuck] is left to a client that takes little, but takes', async () => {
    const { gate, client } = await answered()
    await sipAWhile(client.socket)
    expect((await gate.record()).flag).toBe('')
    await eventually(() => client.frames.some(({ type, flags }) => type === frameType.data && (flags & endStream) !== 0), 'the end')
    expect(client.resetOf(1)).toBeUndefined()
    client.socket.destroy()
  })

  it('[wire:h2-window-stuck] is not left to a client that reads nothing', async () => {
    const { gate, client } = await answered()
    client.socket.pause()
    expect((await gate.record()).flag).toBe('client-gone')
    client.socket.destroy()
  })

  it('[wire:exchange-write-stuck] is left to a backend that takes little, but takes', async () => {
    let asked: Socket | undefined
    const web = await h.rawHttp2Backend((socket) => {
      socket.write(open)
      asked = socket
    })
    const gate = await h.gateway({ pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] }, { bounds })
    const client = await h.client(gate)
    client.send(request)
    const socket = await eventually(() => asked, 'the request')
    await sipAWhile(socket)
    await eventually(() => socket.bytesRead > size, 'the body')
    await pause(200)
    socket.write(frame(frameType.headers, endStream | endHeaders, 1, status200))
    expect((await client.answer()).status).toBe(200)
    expect((await gate.record()).flag).toBe('')
  })
})
