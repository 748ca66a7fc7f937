/** The same way over TLS, where sockets behave otherwise: reading set up afterwards, no resets, writes that end later. */
import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { type Respond, response } from '../../harness/scripted-backend.ts'

const h = harness()
const scene = (respond?: Respond) => h.scene(respond, { scheme: 'https' })
const asking = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

describe('over TLS', () => {
  it('requests are served on a kept connection, and the backend learns of https', async () => {
    const { web, client } = await scene()
    for (let i = 0; i < 3; i++) expect((await client.request()).body).toBe('ok')
    expect(web.requests[0]?.headers('x-forwarded-proto')).toEqual(['https'])
    expect(web.connections).toHaveLength(1)
  })

  it.each([100, 5_000, 70_000, 3_000_000])('bodies of %i bytes arrive as they are, both ways', async (length) => {
    const body = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))
      .join('')
      .repeat(Math.ceil(length / 256))
      .slice(0, length)
    const { web, client } = await scene((request, connection) => connection.write(response(request.body)))
    for (let i = 0; i < 2; i++) expect((await client.request({ method: 'POST', body })).body === body).toBe(true)
    expect(web.requests.every((request) => request.body === body)).toBe(true)
  })

  it('[wire:exchange-pipelining] requests sent ahead are served in order', async () => {
    const { client } = await scene((request, connection) => setTimeout(() => connection.write(response(request.line)), 3))
    client.send(['/1', '/2', '/3'].map((target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''))
    for (const target of ['/1', '/2', '/3']) expect((await client.answer()).body).toBe(`GET ${target} HTTP/1.1`)
  })

  it('[wire:exchange-http10] an answer until close that breaks off ends the connection, and the process lives', async () => {
    const { gate, client } = await scene((_request, connection) => {
      connection.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', () =>
        setTimeout(() => connection.socket.destroy(), 30),
      )
    })
    client.send('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
    await client.closed()
    expect(await gate.record()).toMatchObject({ status: 200, flag: 'upstream-closed' })
  })

  it('a tunnel echoes, and ends on both sides when the backend is reset', async () => {
    const { web, gate, client } = await scene((_request, connection) => {
      connection.write(switching)
      connection.socket.on('data', (bytes) => connection.socket.write(bytes))
    })
    client.send(asking)
    expect((await client.answer()).status).toBe(101)
    const bytes = 'x'.repeat(500_000)
    client.send(bytes)
    await eventually(() => client.received === bytes, 'the echo')
    web.connections[0]?.socket.resetAndDestroy()
    await client.closed()
    await eventually(() => gate.connections.size === 0, 'the end of the connection')
  })

  it('[wire:exchange-back-pressure] an answer is not read faster than the client takes it', async () => {
    const total = 30_000_000
    const { web, client } = await scene((_request, connection) => {
      connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`)
      connection.socket.write(Buffer.alloc(total))
    })
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => client.received.length > 1000, 'the beginning')
    client.socket.pause()
    await pause(200)
    expect(web.connections[0]?.socket.writableLength).toBeGreaterThan(1_000_000)
    client.socket.resume()
    expect((await client.answer()).body).toHaveLength(total)
  })

  it('[wire:exchange-client-gone] a client that is reset cancels its request', async () => {
    const { web, gate, client } = await scene(() => {})
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => web.requests.length === 1, 'the request')
    client.reset()
    await eventually(() => web.connections[0]?.ending !== 'open', 'the end of the upstream connection')
    expect(await gate.record()).toMatchObject({ flag: 'client-gone' })
  })

  it('[wire:exchange-linger] a refusal is followed by an orderly end', async () => {
    const { client } = await scene()
    client.send('GET / HTTP/1.1\r\nHost: a b\r\n\r\n' + 'x'.repeat(30_000))
    expect((await client.answer()).status).toBe(400)
    expect(await client.closed()).toBe('end')
  })
})
