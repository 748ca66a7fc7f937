import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createTestAuthority, keysOf } from '../../harness/certificates.ts'
import { freePort, gatewayConfig, httpsListener, startDataPlane } from '../../harness/data-plane.ts'
import { RawClient } from '../../harness/raw-client.ts'

describe('a handshake that is under way', () => {
  it('ends with a close when its listener has gone meanwhile', async () => {
    const authority = createTestAuthority()
    const certificate = authority.issue('stays.example.com', 'goes.example.com')
    const stays = httpsListener(443, 'stays.example.com', [certificate])
    const goes = httpsListener(443, 'goes.example.com', [certificate])
    const port = await freePort()
    const plane = startDataPlane()
    const serve = (listeners: (typeof stays)[]) =>
      plane.serve(gatewayConfig({ listeners, certificates: [certificate.config] }), keysOf(certificate), () => ({
        address: '127.0.0.1',
        port,
      }))
    await serve([stays, goes])

    const relay = await holdingRelay(port)
    const client = RawClient.tls(relay.port, { ca: authority.certificate, servername: 'goes.example.com' })
    await relay.held
    await serve([stays])
    relay.release()
    const opened = await client
    await opened.closed
    expect(opened.error).toBeUndefined()
    expect(opened.received).toBe('')
    relay.close()
    await plane.stop()
  })
})

/** A relay for one client that holds back what the client says after its first flight: the end of the handshake. */
async function holdingRelay(target: number) {
  const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true })
  const server = createServer()
  const waiting: Buffer[] = []
  let flights = 0
  let released = false
  let told = (): void => {}
  const held = new Promise<void>((resolve) => {
    told = resolve
  })
  server.once('connection', (socket) => {
    upstream.pipe(socket)
    socket.on('error', () => {})
    upstream.on('error', () => {})
    socket.on('end', () => upstream.end())
    socket.on('data', (bytes: Buffer) => {
      flights += 1
      if (flights === 1 || released) upstream.write(bytes)
      else waiting.push(bytes)
      if (waiting.length > 0) told()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    held,
    release() {
      released = true
      for (const bytes of waiting) upstream.write(bytes)
    },
    close() {
      upstream.destroy()
      server.close()
    },
  }
}
