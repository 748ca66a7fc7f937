import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import { response } from '../../harness/scripted-backend.ts'
import type { BackendConnection } from '../../harness/scripted-backend.ts'
import type { ReceivedRequest } from '../../harness/received-requests.ts'

const h = harness()

const asking = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Key: x\r\n\r\n'
const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: y\r\n\r\n'

/** Switches, then says everything back. */
function echo(request: ReceivedRequest, connection: BackendConnection): void {
  if (!request.line.includes('/chat')) return connection.write(response('ok'))
  connection.write(switching)
  connection.socket.on('data', (bytes) => connection.socket.write(bytes))
}

describe('an upgrade', () => {
  it('[wire:exchange-upgrade] to websocket goes through, with bytes of both directions', async () => {
    const { web, gate, client } = await h.scene(echo)
    client.send(asking)
    const answer = await client.answer()
    expect(answer.status).toBe(101)
    expect(answer.header('upgrade')?.toLowerCase()).toBe('websocket')
    expect(answer.header('connection')?.toLowerCase()).toBe('upgrade')
    expect(answer.header('sec-websocket-accept')).toBe('y')
    const sent = web.connections[0]?.requests[0]
    expect(sent?.header('connection')?.toLowerCase()).toBe('upgrade')
    expect(sent?.header('upgrade')?.toLowerCase()).toBe('websocket')
    expect(sent?.header('sec-websocket-key')).toBe('x')
    expect(gate.runtime.counters.tunnels).toBe(1)
    for (const bytes of ['hello', '\x00\xff\x81', 'GET / HTTP/1.1\r\n', 'x'.repeat(300_000)]) {
      const before = client.received.length
      client.send(bytes)
      await eventually(() => client.received.length >= before + bytes.length, 'the echo')
      expect(client.received.slice(before) === bytes).toBe(true)
    }
  })

  it("[wire:exchange-upgrade] lets the client's early bytes wait until the backend has switched", async () => {
    const { web, client } = await h.scene((_request, connection) => {
      setTimeout(() => {
        expect(connection.rest).toBe('')
        connection.write(switching + 'first')
      }, 50)
    })
    client.send(asking + 'early')
    expect((await client.answer()).status).toBe(101)
    await eventually(() => client.received === 'first', "the backend's first bytes")
    await eventually(() => web.rest === 'early', "the client's first bytes")
  })

  it('[wire:exchange-upgrade] that is answered otherwise is an ordinary exchange, and the next request is served', async () => {
    const { web, client } = await h.scene((_request, connection) => connection.write(response('no', '403 Forbidden')))
    client.send(asking + 'GET /next HTTP/1.1\r\nHost: a\r\n\r\n')
    expect((await client.answer()).status).toBe(403)
    expect((await client.answer()).status).toBe(403)
    expect(web.requests.map(({ line }) => line)).toEqual(['GET /chat HTTP/1.1', 'GET /next HTTP/1.1'])
  })

  it.each([
    ['of another protocol than was asked for', switching.replace('websocket', 'other')],
    ['without Connection: upgrade', switching.replace('Connection: Upgrade\r\n', '')],
  ])('[wire:exchange-unasked-101] %s is a 502', async (_what, bytes) => {
    const { gate, client } = await h.scene((_request, connection) => connection.write(bytes))
    client.send(asking)
    expect((await client.answer()).status).toBe(502)
    expect(await gate.record()).toMatchObject({ flag: 'upstream-protocol' })
  })

  it('[wire:exchange-unasked-101] that nobody asked for is a 502', async () => {
    const { client } = await h.scene((_request, connection) => connection.write(switching))
    expect((await client.request()).status).toBe(502)
  })

  it.each([
    ['to h2c', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'],
    ['that Connection does not name', 'Upgrade: websocket\r\n'],
    ['to a protocol that is not allowed', 'Connection: Upgrade\r\nUpgrade: other\r\n'],
    ['with a body', 'Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\nX: 1\r\n'.replace('0', '2')],
  ])('[wire:exchange-no-upgrade] %s is served as plain HTTP', async (what, lines) => {
    const { web, client } = await h.scene()
    client.send(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n${what === 'with a body' ? 'hi' : ''}`)
    expect((await client.answer()).status).toBe(200)
    expect(web.request.head).not.toMatch(/upgrade|http2-settings/i)
    expect((await client.request()).status).toBe(200)
  })

  it('[wire:exchange-upgrade] to a protocol that the configuration names goes through', async () => {
    const { client } = await h.scene((_request, connection) => connection.write(switching.replace('websocket', 'other')), {
      upgrades: ['other'],
    })
    client.send(asking.replace('WebSocket', 'other'))
    expect((await client.answer()).status).toBe(101)
  })

  it('[wire:exchange-tunnel-half-close] passes a half-close each way', async () => {
    const { web, gate, client } = await h.scene((_request, connection) => {
      connection.write(switching)
      connection.socket.removeAllListeners('end')
      connection.socket.on('end', () => {
        connection.write('after')
        setTimeout(() => connection.socket.end('last'), 30)
      })
    })
    client.send(asking)
    expect((await client.answer()).status).toBe(101)
    client.send('bye')
    client.end()
    expect(await client.closed()).toBe('end')
    expect(client.received).toBe('afterlast')
    expect(web.rest).toBe('bye')
    expect(await gate.record()).toMatchObject({ status: 101, flag: '', requestBytes: 3, responseBytes: 9 })
    await eventually(() => gate.connections.size === 0, 'the end of the connection')
    expect(gate.runtime.counters.tunnels).toBe(0)
  })

  it('[wire:exchange-tunnel-half-close] from the backend leaves the way to it open', async () => {
    const { web, gate, client } = await h.scene((_request, connection) => connection.socket.end(switching))
    client.send(asking)
    expect((await client.answer()).status).toBe(101)
    expect(await client.closed()).toBe('end')
    client.send('still')
    await eventually(() => web.rest === 'still', 'bytes after the half-close')
    client.end()
    await eventually(() => gate.connections.size === 0, 'the end of the connection')
  })

  it.each(['client', 'backend'])('ends on both sides when the %s is reset', async (who) => {
    const { web, gate, client } = await h.scene(echo)
    client.send(asking)
    await client.answer()
    if (who === 'client') client.reset()
    else web.connections[0]?.socket.resetAndDestroy()
    if (who === 'client') await eventually(() => web.connections[0]?.ending !== 'open', 'the end of the backend side')
    else expect(await client.closed()).toBe('reset')
    await eventually(() => gate.runtime.counters.tunnels === 0 && gate.connections.size === 0, 'the end of the tunnel')
  })

  it('[wire:exchange-tunnel-idle] is kept while a byte of either side comes, and ends when none does', async () => {
    const { gate, client } = await h.scene(
      (_request, connection) => {
        connection.write(switching)
        let left = 6
        const beat = setInterval(() => {
          connection.write('.')
          if (--left === 0) clearInterval(beat)
        }, 100)
      },
      { bounds: { tunnelIdleTime: 400 } },
    )
    client.send(asking)
    await client.answer()
    await client.closed()
    expect(client.received).toBe('......')
    expect(await gate.record()).toMatchObject({ status: 101, flag: 'idle' })
  })

  it('[wire:exchange-tunnel-lives] outlives the timeouts of its route, and its drain', async () => {
    const web = await h.backend(echo)
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'], request: 100, backendRequest: 100 }] })
    const client = await h.client(gate)
    client.send(asking)
    await client.answer()
    for (const connection of gate.connections) connection.drain()
    await pause(250)
    client.send('alive')
    await eventually(() => client.received === 'alive', 'the echo')
  })

  it('[wire:exchange-tunnel-lives] goes on when its route is gone from the configuration', async () => {
    const { web, gate, client } = await h.scene(echo)
    client.send(asking)
    await client.answer()
    gate.update({ pools: {}, rules: [] })
    client.send('alive')
    await eventually(() => client.received === 'alive', 'the echo')
    expect(web.connections[0]?.ending).toBe('open')
  })
})
