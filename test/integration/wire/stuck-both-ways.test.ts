/** A client that sends on and takes nothing, of a backend that sends back what it gets: each side waits for the other, and the client is the one to blame. */
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Gateway } from '../../harness/gateway.ts'
import { harness } from '../../harness/harness.ts'

const h = harness()

/** Whatever the client does, the endpoint has done nothing wrong. */
function failuresOf(gate: Gateway): number | undefined {
  return gate.runtime.pools.get('web')?.counters.failures
}

/** Sends on and takes nothing; resolves when its connection has ended. */
function stuck(port: number, head: string): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.pause()
  socket.write(head)
  socket.write(Buffer.alloc(60_000_000))
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
  })
}

async function scene() {
  const web = await h.http2Backend(({ stream }) => {
    stream.respond({ ':status': 200 })
    stream.pipe(stream)
  })
  const gate = await h.gateway(
    { pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] },
    { bounds: { writeStuckTime: 600 } },
  )
  return { web, gate }
}

describe('a client that takes nothing while its body is not taken either', () => {
  it.each(['text/plain', 'application/grpc'])('[wire:h2-window-stuck] of %s loses its stream, and no other', async (type) => {
    const { gate } = await scene()
    const client = await h.http2(gate, { settings: { initialWindowSize: 1_000 } })
    const stream = client.open({ method: 'POST', fields: [`content-type: ${type}`] }, false)
    stream.pause()
    stream.write(Buffer.alloc(2_000_000))
    await expect.poll(() => stream.closed, { timeout: 5_000 }).toBe(true)
    expect((await gate.record()).flag).toBe('client-gone')
    expect((await client.request({ method: 'POST', body: 'x' })).body).toBe('x')
    expect(failuresOf(gate)).toBe(0)
  })

  it('[wire:exchange-write-stuck] loses its connection in HTTP/1.1', async () => {
    const { gate } = await scene()
    await stuck(gate.port, 'POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 60000000\r\n\r\n')
    expect([(await gate.record()).flag, failuresOf(gate)]).toEqual(['client-gone', 0])
  })

  it('[wire:exchange-write-stuck] loses its tunnel in HTTP/1.1', async () => {
    const { gate } = await h.scene(
      (_request, connection) => {
        connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
        connection.socket.pipe(connection.socket)
      },
      { bounds: { writeStuckTime: 600 } },
    )
    await stuck(gate.port, 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n')
    expect([(await gate.record()).flag, failuresOf(gate)]).toEqual(['client-gone', 0])
  })
})
