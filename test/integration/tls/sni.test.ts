import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { GatewayConfig } from '../../../src/config/config.ts'
import { startBackend, type TestBackend } from '../../harness/backend.ts'
import { createTestAuthority, keysOf, type TestCertificate } from '../../harness/certificates.ts'
import { byteByByteRelay, helloOf } from '../../harness/client-hello.ts'
import {
  freePort,
  gatewayConfig,
  httpListener,
  httpsListener,
  pool,
  routeTo,
  startDataPlane,
  type TestDataPlane,
} from '../../harness/data-plane.ts'
import { RawClient } from '../../harness/raw-client.ts'
import { socketKinds } from '../../harness/streams.ts'

describe.each(socketKinds)('TLS termination, over $name until it begins', ({ options: sockets }) => {
  const authority = createTestAuthority()
  const exact = authority.issue('shop.example.com')
  const wildcard = authority.issue('*.example.com')
  const fallback = authority.issue('fallback.test')
  const listeners = {
    exact: httpsListener(443, 'shop.example.com', [exact]),
    wildcard: httpsListener(443, '*.example.com', [wildcard]),
    any: httpsListener(443, '', [fallback]),
  }
  let backend: TestBackend
  const started: TestDataPlane[] = []
  const clients: RawClient[] = []

  beforeAll(async () => {
    backend = await startBackend('one')
  })
  afterEach(async () => {
    backend.release()
    for (const client of clients.splice(0)) await client.close()
    for (const plane of started.splice(0)) await plane.stop()
  })
  afterAll(() => backend.stop())

  function start(options = {}): TestDataPlane {
    const plane = startDataPlane({ ...sockets, ...options })
    started.push(plane)
    return plane
  }
  function config(
    used: readonly (typeof listeners.exact)[],
    certificates: readonly TestCertificate[] = [exact, wildcard, fallback],
  ): GatewayConfig {
    const one = pool('one', backend.port)
    return gatewayConfig({
      listeners: used,
      pools: [one],
      routes: [routeTo(one, used)],
      certificates: certificates.map((certificate) => certificate.config),
    })
  }
  const keys = keysOf(exact, wildcard, fallback)
  async function client(plane: TestDataPlane, servername: string, options: ConnectionOptions = {}): Promise<RawClient> {
    // Node sends no server name for an address.
    const one = await RawClient.tls(plane.port(443), {
      ca: authority.certificate,
      checkServerIdentity: () => undefined,
      servername,
      ...options,
    })
    clients.push(one)
    return one
  }
  function certificateOf(one: RawClient): string | undefined {
    return (one.socket as TLSSocket).getPeerCertificate().subjectaltname
  }
  async function plain(plane: TestDataPlane): Promise<RawClient> {
    const one = await RawClient.plain(plane.port(443))
    clients.push(one)
    return one
  }

  it('[wire:tls-sni] chooses listener and certificate by server name: exact, then wildcard, then the listener without hostname', async () => {
    const plane = start()
    await plane.serve(config(Object.values(listeners)), keys)
    for (const [serverName, names] of [
      ['shop.example.com', 'DNS:shop.example.com'],
      ['SHOP.example.com', 'DNS:shop.example.com'],
      ['shop.example.com.', 'DNS:shop.example.com'],
      ['other.example.com', 'DNS:*.example.com'],
      ['deep.other.example.com', 'DNS:*.example.com'],
      ['example.com', 'DNS:fallback.test'],
      ['somewhere.test', 'DNS:fallback.test'],
      ['', 'DNS:fallback.test'],
    ] as const) {
      const one = await client(plane, serverName)
      expect([serverName, certificateOf(one)]).toEqual([serverName, names])
      expect(await one.get(serverName || 'somewhere.test')).toMatchObject({ status: 200, body: 'one' })
    }
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('[wire:tls-alpn] serves %s and names the protocol', async (version) => {
    const plane = start()
    await plane.serve(config([listeners.exact]), keys)
    const one = await client(plane, 'shop.example.com', { maxVersion: version, minVersion: version, ALPNProtocols: ['http/1.1'] })
    const socket = one.socket as TLSSocket
    expect([socket.getProtocol(), socket.alpnProtocol]).toEqual([version, 'http/1.1'])
    const both = await client(plane, 'shop.example.com', { maxVersion: version, ALPNProtocols: ['http/1.1', 'h2'] })
    expect((both.socket as TLSSocket).alpnProtocol).toBe('h2')
    expect(await one.get('shop.example.com')).toMatchObject({ status: 200 })
  })

  it('[wire:tls-versions] refuses versions below the minimum of the listener, each listener of a port with its own', async () => {
    const plane = start()
    await plane.serve(config([httpsListener(443, 'shop.example.com', [exact], 'TLSv1.3'), listeners.wildcard]), keys)
    await expect(client(plane, 'shop.example.com', { maxVersion: 'TLSv1.2' })).rejects.toThrow('protocol version')
    expect((await client(plane, 'other.example.com', { maxVersion: 'TLSv1.2' })).socket).toBeDefined()
    await expect(
      client(plane, 'other.example.com', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow()
  })

  it('[wire:tls-ciphers] offers TLS 1.2 no suite without forward secrecy or authenticated encryption', async () => {
    const plane = start()
    await plane.serve(config([listeners.exact]), keys)
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:AES128-GCM-SHA256' } as const
    await expect(client(plane, 'shop.example.com', weak)).rejects.toThrow('handshake failure')
  })

  it('[wire:tls-unmatched-sni] closes a connection whose server name nothing matches before TLS begins, without a byte', async () => {
    const plane = start()
    await plane.serve(config([listeners.exact]), keys)
    await expect(client(plane, 'stranger.test')).rejects.toMatchObject({ code: 'ECONNRESET' })
    // No server name is for listeners without hostname.
    await expect(client(plane, '')).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(plane.dataPlane.ports[0]?.counters).toMatchObject({ hellosRefused: 2, handshakesFailed: 0 })
    const bytes = await helloOf({ servername: 'stranger.test' })
    const raw = await plain(plane)
    raw.socket.write(bytes)
    await raw.closed
    expect(raw.received).toBe('')
  })

  it('[wire:client-hello-strict] closes what is no TLS, and clients that leave within their hello', async () => {
    const plane = start()
    await plane.serve(config([listeners.exact]), keys)
    const http = await plain(plane)
    http.send('GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n')
    await http.closed
    expect(http.received).toBe('')
    const leaving = await plain(plane)
    leaving.socket.end((await helloOf({ servername: 'shop.example.com' })).subarray(0, 50))
    await leaving.closed
    await expect.poll(() => plane.dataPlane.ports[0]?.open).toBe(0)
  })

  it('[wire:handshake-timeout] ends connections that do not finish their handshake in time, at either half of it', async () => {
    const plane = start({ bounds: { handshakeTime: 300 } })
    await plane.serve(config([listeners.exact]), keys)
    const silent = await plain(plane)
    const half = await plain(plane)
    half.socket.write((await helloOf({ servername: 'shop.example.com' })).subarray(0, 50))
    const noFinish = await plain(plane)
    noFinish.socket.write(await helloOf({ servername: 'shop.example.com' }))
    await Promise.all([silent.closed, half.closed, noFinish.closed])
    expect(noFinish.received.length).toBeGreaterThan(0)
    await expect.poll(() => plane.dataPlane.ports[0]?.open).toBe(0)
  })

  it('survives resets, ends and garbage at every stage of a handshake, and keeps nothing of them', async () => {
    const plane = start()
    await plane.serve(config([listeners.exact]), keys)
    const bytes = await helloOf({ servername: 'shop.example.com' })
    const garbage = Buffer.alloc(300, 0x17)
    for (const said of [Buffer.alloc(0), bytes.subarray(0, 3), bytes, Buffer.concat([bytes, garbage]), Buffer.concat([bytes, bytes])]) {
      for (const leave of ['resetAndDestroy', 'end', 'destroy'] as const) {
        const one = await plain(plane)
        one.socket.write(said)
        await delay(5)
        one.socket[leave]()
        await delay(5)
        one.socket.destroy()
      }
    }
    await expect.poll(() => plane.dataPlane.ports[0]?.open).toBe(0)
    expect(await (await client(plane, 'shop.example.com')).get('shop.example.com')).toMatchObject({ status: 200 })
  })

  it('closes with a client that closes an idle connection', async () => {
    const plane = start()
    await plane.serve(config([listeners.exact]), keys)
    const one = await client(plane, 'shop.example.com')
    await one.get('shop.example.com')
    one.socket.end()
    await one.closed
    expect(one.error).toBeUndefined()
    await expect.poll(() => plane.dataPlane.ports[0]?.open).toBe(0)
  })

  it('does not let the bound of the handshake end a connection that has finished it', async () => {
    const plane = start({ bounds: { handshakeTime: 300 } })
    await plane.serve(config([listeners.exact]), keys)
    const one = await client(plane, 'shop.example.com')
    await delay(900)
    expect(await one.get('shop.example.com')).toMatchObject({ status: 200 })
  })

  it('[wire:client-hello-pieces] accepts a hello that comes byte by byte', async () => {
    const plane = start()
    await plane.serve(config([listeners.exact]), keys)
    const relay = await byteByByteRelay(plane.port(443))
    const one = await RawClient.tls(relay.port, { ca: authority.certificate, servername: 'shop.example.com' })
    clients.push(one)
    expect(await one.get('shop.example.com')).toMatchObject({ status: 200, body: 'one' })
    await one.close()
    relay.close()
  })

  it('[wire:tls-alpn] sends the alert for it to a client that offers only other protocols', async () => {
    const plane = start()
    await plane.serve(config([listeners.exact]), keys)
    await expect(client(plane, 'shop.example.com', { ALPNProtocols: ['spdy/3'] })).rejects.toThrow('no application protocol')
  })

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('[wire:tls-tickets] resumes %s sessions at their listener and nowhere else', async (version) => {
    const plane = start()
    await plane.serve(config([listeners.exact, listeners.wildcard]), keys)
    const first = await client(plane, 'shop.example.com', { maxVersion: version })
    const session = await sessionOf(first.socket as TLSSocket)
    const resumed = async (serverName: string): Promise<boolean> =>
      ((await client(plane, serverName, { maxVersion: version, session })).socket as TLSSocket).isSessionReused()
    expect(await resumed('shop.example.com')).toBe(true)
    expect(await resumed('other.example.com')).toBe(false)
  })

  it('[wire:tls-early-data] gives out tickets that allow no early data', async () => {
    const plane = start()
    await plane.serve(config([listeners.exact]), keys)
    const session = await sessionOf((await client(plane, 'shop.example.com', { minVersion: 'TLSv1.3' })).socket as TLSSocket)
    const tags = derTags(session)
    // SSL_SESSION of OpenSSL: [10] is the ticket, [15] the early data that it allows.
    expect(tags).toContain(0xaa)
    expect(tags).not.toContain(0xaf)
  })

  it('[wire:tls-renegotiation] refuses to renegotiate', async () => {
    const plane = start()
    await plane.serve(config([listeners.exact]), keys)
    const one = await client(plane, 'shop.example.com', { maxVersion: 'TLSv1.2' })
    ;(one.socket as TLSSocket).renegotiate({}, () => {})
    await one.closed
    expect(String(one.error)).toMatch(/renegotiation/)
  })

  it('[wire:tls-half-close] answers a client that has said close_notify after its request', async () => {
    const plane = start()
    await plane.serve(config([listeners.exact]), keys)
    const one = await client(plane, 'shop.example.com', { allowHalfOpen: true } as ConnectionOptions)
    backend.hold()
    const before = backend.requests.length
    one.socket.end('GET / HTTP/1.1\r\nHost: shop.example.com\r\n\r\n')
    await backend.seen(before + 1)
    await delay(50)
    backend.release()
    expect(await one.answer()).toMatchObject({ status: 200, body: 'one' })
  })

  it('[wire:tls-certificate] chooses among the certificates of one listener by their names, else takes the first', async () => {
    const plane = start()
    await plane.serve(config([httpsListener(443, '', [fallback, wildcard, exact])]), keys)
    expect(certificateOf(await client(plane, 'shop.example.com'))).toBe('DNS:shop.example.com')
    expect(certificateOf(await client(plane, 'other.example.com'))).toBe('DNS:*.example.com')
    // A certificate's wildcard stands for one label (RFC 9525, section 6.3).
    expect(certificateOf(await client(plane, 'deep.other.example.com'))).toBe('DNS:fallback.test')
    expect(certificateOf(await client(plane, ''))).toBe('DNS:fallback.test')
  })

  it('[wire:tls-replace] replaces certificates for new connections and closes none', async () => {
    const plane = start()
    await plane.serve(config([listeners.exact]), keys)
    const before = await client(plane, 'shop.example.com')
    const old = (before.socket as TLSSocket).getPeerCertificate().fingerprint256
    const renewed = authority.issue('shop.example.com')
    await plane.serve(config([httpsListener(443, 'shop.example.com', [renewed])], [renewed]), keysOf(renewed))
    const after = await client(plane, 'shop.example.com')
    expect((after.socket as TLSSocket).getPeerCertificate().fingerprint256).not.toBe(old)
    expect(await before.get('shop.example.com')).toMatchObject({ status: 200 })
    expect(await after.get('shop.example.com')).toMatchObject({ status: 200 })
  })

  it('[wire:tls-replace] reports a certificate that cannot be used, keeps serving the last good one, and the other listeners', async () => {
    const plane = start()
    await plane.serve(config([listeners.exact, listeners.wildcard]), keys)
    const broken: TestCertificate = {
      config: { fingerprint: 'broken', chain: exact.config.chain, names: ['shop.example.com'] },
      key: wildcard.key,
    }
    const changed = httpsListener(443, 'shop.example.com', [broken])
    const report = await plane.serve(config([changed, listeners.wildcard], [broken, wildcard]), keysOf(broken, wildcard))
    expect(report.failedListeners).toEqual([
      {
        listener: changed.key,
        message: expect.stringMatching(/^Cannot use the certificate for shop\.example\.com: .*key values mismatch/),
      },
    ])
    expect(report.failedPorts).toEqual([])
    expect(certificateOf(await client(plane, 'shop.example.com'))).toBe('DNS:shop.example.com')
    expect(certificateOf(await client(plane, 'other.example.com'))).toBe('DNS:*.example.com')
    const mended = await plane.serve(config([listeners.exact, listeners.wildcard]), keys)
    expect(mended.failedListeners).toEqual([])
  })

  it('reports a port none of whose listeners has a usable certificate, and serves it once one has', async () => {
    const plane = start()
    const port = await freePort()
    const placement = () => ({ address: '127.0.0.1', port })
    const report = await plane.serve(config([listeners.exact]), new Map(), placement)
    const message = 'Cannot use the certificate for shop.example.com: its private key must be delivered with it, got none'
    expect(report.failedPorts).toEqual([{ port: 443, transport: 'TCP', message }])
    await expect(client(plane, 'shop.example.com')).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await plane.serve(config([listeners.exact]), keys, placement)).toMatchObject({ failedPorts: [], failedListeners: [] })
    expect(await (await client(plane, 'shop.example.com')).get('shop.example.com')).toMatchObject({ status: 200 })
  })

  it('[wire:port-scheme] opens a port anew when it changes between clear text and TLS, and drains what spoke the other', async () => {
    const plane = start()
    const port = await freePort()
    const placement = () => ({ address: '127.0.0.1', port })
    await plane.serve(config([httpListener(443)]), keys, placement)
    const clear = await plain(plane)
    await clear.get('shop.example.com')
    expect(await plane.serve(config([listeners.exact]), keys, placement)).toMatchObject({ failedPorts: [] })
    await clear.closed
    expect(await (await client(plane, 'shop.example.com')).get('shop.example.com')).toMatchObject({ status: 200 })
  })

  it('[wire:port-drain] drains the connections of a TLS listener that is gone while its port stays', async () => {
    const plane = start()
    await plane.serve(config([listeners.exact, listeners.wildcard]), keys)
    const leaves = await client(plane, 'shop.example.com')
    const stays = await client(plane, 'other.example.com')
    await leaves.get('shop.example.com')
    await stays.get('other.example.com')
    await plane.serve(config([listeners.wildcard]), keys)
    await leaves.closed
    expect(await stays.get('other.example.com')).toMatchObject({ status: 200 })
  })

  it('[wire:tls-misdirected] [feature:GatewayHTTPSListenerDetectMisdirectedRequests] answers 421, on the first request too, when another listener of the port matches Host better than that of the server name', async () => {
    const plane = start()
    await plane.serve(config(Object.values(listeners)), keys)
    const first = await client(plane, 'other.example.com')
    expect(await first.get('shop.example.com')).toMatchObject({ status: 421 })
    const fallbackOnly = await client(plane, '')
    expect(await fallbackOnly.get('other.example.com')).toMatchObject({ status: 421 })
    const specific = await client(plane, 'shop.example.com')
    expect(await specific.get('somewhere.test')).toMatchObject({ status: 421 })
    const good = await client(plane, 'other.example.com')
    expect(await good.get('third.example.com')).toMatchObject({ status: 200 })
    const alone = start()
    await alone.serve(config([listeners.exact]), keys)
    expect(await (await client(alone, 'shop.example.com')).get('somewhere.test')).toMatchObject({ status: 404 })
  })
})

/** The session that a later connection may resume; in TLS 1.3 it comes after the handshake. */
async function sessionOf(socket: TLSSocket): Promise<Buffer> {
  const session = socket.getProtocol() === 'TLSv1.3' ? (await once(socket, 'session'))[0] : socket.getSession()
  return session as Buffer
}

/** Tags of the elements of a DER sequence. */
function derTags(der: Buffer): number[] {
  const tags: number[] = []
  for (let at = headerLength(der, 0); at < der.length;) {
    tags.push(der[at] ?? 0)
    const header = headerLength(der, at)
    const long = (der[at + 1] ?? 0) >= 0x80
    at += header + (long ? der.readUIntBE(at + 2, header - 2) : (der[at + 1] ?? 0))
  }
  return tags
}

function headerLength(der: Buffer, at: number): number {
  const length = der[at + 1] ?? 0
  return length < 0x80 ? 2 : 2 + (length & 0x7f)
}
