import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ListenerConfig } from '../../../src/config/listener.ts'
import { startBackend, type TestBackend } from '../../harness/backend.ts'
import { createTestAuthority, keysOf } from '../../harness/certificates.ts'
import { freePort, gatewayConfig, httpsListener, pool, routeTo, startDataPlane, type TestDataPlane } from '../../harness/data-plane.ts'
import { RawClient } from '../../harness/raw-client.ts'

describe('TLS connections of a port whose listeners change', () => {
  const authority = createTestAuthority()
  const certificate = authority.issue('shop.example.com', '*.example.com')
  const wildcard = httpsListener(443, '*.example.com', [certificate])
  const exact = httpsListener(443, 'shop.example.com', [certificate])
  let backend: TestBackend
  let plane: TestDataPlane
  let port: number

  beforeAll(async () => {
    backend = await startBackend('shop')
  })
  beforeEach(async () => {
    plane = startDataPlane()
    port = await freePort()
  })
  afterEach(async () => {
    backend.release()
    await plane.stop()
  })
  afterAll(() => backend.stop())

  async function serve(...listeners: ListenerConfig[]): Promise<void> {
    const shop = pool('shop', backend.port)
    const config = gatewayConfig({ listeners, pools: [shop], routes: [routeTo(shop, listeners)], certificates: [certificate.config] })
    await plane.serve(config, keysOf(certificate), () => ({ address: '127.0.0.1', port }))
  }
  function client(to: number, servername: string): Promise<RawClient> {
    return RawClient.tls(to, { ca: authority.certificate, servername })
  }

  it('go on when a listener comes that matches their server name better, and when it goes again', async () => {
    await serve(wildcard)
    const shop = await client(port, 'shop.example.com')
    const other = await client(port, 'other.example.com')
    expect(await shop.get('shop.example.com')).toMatchObject({ status: 200 })
    await serve(wildcard, exact)
    expect(await shop.get('shop.example.com')).toMatchObject({ status: 200 })
    expect(await other.get('shop.example.com')).toMatchObject({ status: 421 })
    expect(await other.get('other.example.com')).toMatchObject({ status: 200 })
    await serve(wildcard)
    expect(await shop.get('shop.example.com')).toMatchObject({ status: 200 })
    expect(await other.get('shop.example.com')).toMatchObject({ status: 200 })
    await shop.close()
    await other.close()
  })

  it('[wire:drain-revoked] go on when their listener is back before their request has been answered', async () => {
    plane = startDataPlane({ bounds: { drainTime: 300 } })
    await serve(wildcard, exact)
    const shop = await client(port, 'shop.example.com')
    const [asked] = [backend.requests.length, backend.hold()]
    const answer = shop.get('shop.example.com')
    await backend.seen(asked + 1)
    await serve(wildcard)
    await serve(wildcard, exact)
    await delay(500)
    backend.release()
    expect((await answer).headers.get('connection')).not.toBe('close')
    expect(await shop.get('shop.example.com')).toMatchObject({ status: 200 })
    await shop.close()
  })

  it('[wire:drain-revoked] of HTTP/2, which have heard GOAWAY, end with their last stream and not before', async () => {
    plane = startDataPlane({ bounds: { drainTime: 300 } })
    await serve(wildcard, exact)
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: authority.certificate, servername: 'shop.example.com' })
    const goaway = once(session, 'goaway')
    const [asked] = [backend.requests.length, backend.hold()]
    const stream = session.request({ ':path': '/', ':authority': 'shop.example.com' })
    const head = once(stream, 'response')
    await backend.seen(asked + 1)
    await serve(wildcard)
    await goaway
    await serve(wildcard, exact)
    await delay(500)
    backend.release()
    expect((await head)[0]).toMatchObject({ ':status': 200 })
    stream.resume()
    await once(session, 'close')
  })

  it('close after a handshake that their listener did not outlive', async () => {
    await serve(wildcard, exact)
    const relay = await holdingRelay(port)
    const opening = client(relay.port, 'shop.example.com')
    await relay.held
    await serve(wildcard)
    relay.release()
    const opened = await opening
    await opened.closed
    expect(opened.error).toBeUndefined()
    expect(opened.received).toBe('')
    relay.close()
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
