/** Tunnels at their edges: bytes and FINs that come before the 101, with it, and faster than the other side takes them. */
import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { response } from '../../harness/scripted-backend.ts'

const h = harness()
const ask = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
const switched = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
const large = 8 * 1024 * 1024

describe('a tunnel', () => {
  it('[wire:exchange-tunnel-half-close] whose client said all and FIN before the 101 brings both to the backend, and the answer back', async () => {
    const { web, client } = await h.scene((_request, connection) => {
      setTimeout(() => connection.write(switched), 60)
      connection.socket.removeAllListeners('end').on('end', () => connection.socket.end('bye'))
    })
    client.send(ask + 'hello')
    client.end()
    expect((await client.answer()).status).toBe(101)
    expect(await client.closed()).toBe('end')
    expect([client.received, (await web.connection(0)).bytes.endsWith('\r\n\r\nhello')]).toEqual(['bye', true])
  })

  it('[wire:exchange-tunnel-half-close] whose backend says 101, bytes and FIN at once brings all of it, and takes what the client still says', async () => {
    const web = await h.backend((_request, connection) => {
      // Without the harness's own answer to a FIN.
      connection.socket.removeAllListeners('end')
      connection.socket.end(switched + 'bye', 'latin1')
    })
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] })
    const client = await h.client(gate)
    client.send(ask)
    expect((await client.answer()).status).toBe(101)
    expect(await client.closed()).toBe('end')
    expect(client.received).toBe('bye')
    client.send('still here')
    const upstream = await web.connection(0)
    await eventually(() => upstream.bytes.endsWith('still here'), "the client's bytes")
    client.end()
    await eventually(() => gate.connections.size === 0, 'the end')
  })

  it('[wire:exchange-tunnel-half-close] brings every byte before a FIN although the other side takes them late, both ways at once', async () => {
    let arrived = 0
    const { gate, client } = await h.scene((_request, connection) => {
      connection.write(switched)
      connection.socket.removeAllListeners('data').on('data', (bytes) => (arrived += bytes.length))
      connection.socket.pause()
      setTimeout(() => connection.socket.resume(), 300)
      connection.socket.removeAllListeners('end')
      connection.socket.end(Buffer.alloc(large, 'b'))
    })
    client.send(ask)
    expect((await client.answer()).status).toBe(101)
    client.socket.pause()
    setTimeout(() => client.socket.resume(), 300)
    client.socket.end(Buffer.alloc(large, 'c'))
    await eventually(() => client.ending === 'end' && arrived === large, 'all bytes of both sides', 6_000)
    expect(client.received.length).toBe(large)
    await eventually(() => gate.connections.size === 0, 'the end')
    expect(gate.runtime.counters.tunnels).toBe(0)
  })

  it('[wire:exchange-upgrade] that is refused leaves what the client sent ahead as its next request', async () => {
    const { web, client } = await h.scene((request, connection) => connection.write(response(request.line, '200 OK', 'Upgrade: other\r\n')))
    client.send(ask + 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n')
    const first = await client.answer()
    expect([first.status, first.header('upgrade')]).toEqual([200, undefined])
    expect((await client.answer()).body).toBe('GET /next HTTP/1.1')
    expect([web.connections.length, web.rest]).toEqual([1, ''])
  })

  it('[wire:exchange-upgrade] cannot be asked for in HTTP/1.0, with a body, with another method or by a list', async () => {
    const { web, client, gate } = await h.scene()
    const lines = 'Host: a\r\nConnection: upgrade, keep-alive\r\nUpgrade: websocket\r\n'
    for (const bytes of [
      `GET / HTTP/1.0\r\n${lines}\r\n`,
      `GET / HTTP/1.1\r\n${lines}Content-Length: 1\r\n\r\nx`,
      `GET / HTTP/1.1\r\n${lines}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `POST / HTTP/1.1\r\n${lines}\r\n`,
      `GET / HTTP/1.1\r\n${lines}Upgrade: h2c\r\n\r\n`,
      `GET / HTTP/1.1\r\n${lines.replace('websocket', 'websocket, h2c')}\r\n`,
      `GET / HTTP/1.1\r\n${lines.replace('websocket', 'h2c')}HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n`,
    ]) {
      client.send(bytes)
      expect((await client.answer()).body).toBe('ok')
    }
    for (const { head } of web.requests) expect(head).not.toMatch(/^(upgrade|connection|http2-settings):/im)
    await pause(20)
    expect([gate.runtime.counters.tunnels, web.rest]).toEqual([0, ''])
  })
})
