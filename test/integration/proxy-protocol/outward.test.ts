/** Streams whose backends are told for whom a connection is (PROXY protocol), by what the gateway knows or was told itself. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { BackendTlsConfig } from '../../../src/config/backend-tls.ts'
import type { ListenerConfig } from '../../../src/config/listener.ts'
import type { PoolConfig } from '../../../src/config/pool.ts'
import type { ProxyProtocolVersion, StreamRouteConfig } from '../../../src/config/stream-route.ts'
import type { Ends } from '../../../src/proxy/proxy-protocol/ends.ts'
import { readHeader } from '../../../src/proxy/proxy-protocol/read-header.ts'
import { writeHeader } from '../../../src/proxy/proxy-protocol/write-header.ts'
import { createTestAuthority, keysOf } from '../../harness/certificates.ts'
import { freePort, gatewayConfig, type TestDataPlane } from '../../harness/data-plane.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { ends, header1, header2, proxyAddress, proxyRanges, tlsViaProxy, viaProxy } from '../../harness/proxied.ts'
import { RawClient } from '../../harness/raw-client.ts'
import {
  passthrough,
  startPlane,
  streamBackend,
  StreamClient,
  streamListener,
  streamPool,
  streamRoute,
  terminated,
} from '../../harness/streams.ts'

const authority = createTestAuthority()
const certificate = authority.issue('db.example')
const tcp = streamListener('TCP', 5432)
const passes = streamListener('TLS', 443, { ...passthrough, hostname: 'db.example' })
const ended = streamListener('TLS', 8443, { ...terminated(certificate), hostname: 'db.example' })
const versions = ['v1', 'v2'] as const

interface Told {
  readonly ends: Ends | undefined
  /** 1 or 2. */
  readonly version: number
}

/** Backends that take a header off each connection and tell of it; `serve` gets the rest. */
async function toldBackend(serve: (socket: Socket) => void = (socket) => socket.pipe(socket)) {
  const told: Told[] = []
  const backend = await streamBackend((socket) => {
    let received = Buffer.alloc(0)
    const onData = (bytes: Buffer): void => {
      received = Buffer.concat([received, bytes])
      const result = readHeader(received, 4096)
      if (result.kind === 'refused') socket.destroy()
      if (result.kind !== 'header') return
      told.push({ ends: result.ends, version: received[0] === 0x50 ? 1 : 2 })
      socket.off('data', onData)
      socket.pause()
      if (received.length > result.length) socket.unshift(received.subarray(result.length))
      serve(socket)
    }
    socket.on('data', onData)
  })
  return { ...backend, told }
}

function serveTls(socket: Socket): void {
  const server = createTlsServer({ cert: certificate.config.chain, key: certificate.key.reveal(), allowHalfOpen: true }, (secured) => {
    secured.on('error', () => {})
    secured.pipe(secured)
  })
  server.on('tlsClientError', () => {})
  server.emit('connection', socket)
}

const overTls: BackendTlsConfig = { serverName: 'db.example', authorities: { kind: 'bundle', pem: authority.certificate }, names: [] }

function routes(pool: PoolConfig, proxyProtocol: ProxyProtocolVersion | undefined): readonly StreamRouteConfig[] {
  const more = proxyProtocol === undefined ? {} : { proxyProtocol }
  return [
    { ...streamRoute('tcp', 'tcp', [tcp], [pool]), ...more },
    { ...streamRoute('passthrough', 'passes', [passes], [pool], ['db.example']), ...more },
    { ...streamRoute('terminate', 'ends', [ended], [pool], ['db.example']), ...more },
  ]
}

async function serve(plane: TestDataPlane, pool: PoolConfig, proxyProtocol: ProxyProtocolVersion | undefined): Promise<void> {
  const listeners: readonly ListenerConfig[] = [tcp, passes, ended]
  const streams = routes(pool, proxyProtocol)
  const config = gatewayConfig({ listeners, streams, pools: [pool], certificates: [certificate.config] })
  expect((await plane.serve(config, keysOf(certificate))).failedPorts).toEqual([])
}

async function scene(pool: PoolConfig, proxyProtocol: ProxyProtocolVersion): Promise<TestDataPlane> {
  const plane = startPlane({ acceptProxyProtocol: proxyRanges })
  await serve(plane, pool, proxyProtocol)
  return plane
}

async function secure(port: number): Promise<StreamClient> {
  const options = { servername: 'db.example', ca: authority.certificate, checkServerIdentity: () => undefined }
  const socket = connectTls({ port, host: '127.0.0.1', ...options })
  await once(socket, 'secureConnect')
  return new StreamClient(socket)
}

/** The ends of a client's own connection, as it sees them. */
function endsAt(socket: Socket): Ends {
  return {
    source: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
    destination: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
  }
}

describe.each(versions)('[wire:stream-proxy-header] a route that asks for a header of %s', (asked) => {
  const version = asked === 'v1' ? 1 : 2

  it('has TCP begin with it, whoever speaks first', async () => {
    const backend = await toldBackend((socket) => {
      socket.write('220 ready\r\n')
      socket.pipe(socket)
    })
    const plane = await scene(streamPool('db', [backend.port]), asked)
    const client = await StreamClient.plain(plane.port(5432))
    await client.hears('220 ready\r\n')
    client.socket.write('helo')
    await client.hears('220 ready\r\nhelo')
    expect(backend.told).toEqual([{ ends: endsAt(client.socket), version }])
    const counters = plane.dataPlane.routers.get('default/test')?.streams.find(({ config }) => config.kind === 'tcp')?.counters
    expect(counters).toMatchObject({ sent: 4, received: 15 })
  })

  it('has TLS that passes through begin with it, before the ClientHello', async () => {
    const backend = await toldBackend(serveTls)
    const plane = await scene(streamPool('db', [backend.port]), asked)
    const client = await secure(plane.port(443))
    client.socket.write('through')
    await client.hears('through')
    expect(backend.told).toEqual([{ ends: endsAt(client.socket), version }])
  })

  it('has what was in TLS begin with it', async () => {
    const backend = await toldBackend()
    const plane = await scene(streamPool('db', [backend.port]), asked)
    const client = await secure(plane.port(8443))
    client.socket.write('ended')
    await client.hears('ended')
    expect(backend.told).toEqual([{ ends: endsAt(client.socket), version }])
  })

  it('says it in clear text before the TLS of a BackendTLSPolicy', async () => {
    const backend = await toldBackend(serveTls)
    const plane = await scene(streamPool('db', [backend.port], { tls: overTls }), asked)
    for (const connect of [() => StreamClient.plain(plane.port(5432)), () => secure(plane.port(8443))]) {
      const client = await connect()
      client.socket.write('secured')
      await client.hears('secured')
      expect(backend.told.at(-1)).toEqual({ ends: endsAt(client.socket), version })
      client.socket.end()
      await eventually(() => client.closed, 'the end')
      expect(client.error).toBeUndefined()
    }
  })

  it('[wire:proxy-header-client] says what the header of its own client says', async () => {
    const backend = await toldBackend()
    const plane = await scene(streamPool('db', [backend.port]), asked)
    const options = { servername: 'db.example', ca: authority.certificate }
    for (const header of [header1, header2]) {
      const clear = new StreamClient(await viaProxy(plane.port(5432), Buffer.concat([header, Buffer.from('hello')])))
      await clear.hears('hello')
      const secured = new StreamClient(await tlsViaProxy(plane.port(8443), header, options))
      secured.socket.write('hello')
      await secured.hears('hello')
    }
    expect(backend.told).toEqual([1, 2, 3, 4].map(() => ({ ends, version })))
  })

  it.each([
    ['IPv6', { source: { address: '2001:db8::1', port: 1 }, destination: { address: '2001:db8::2', port: 2 } }],
    ['two families', { source: { address: '192.0.2.1', port: 1 }, destination: { address: '2001:db8::2', port: 2 } }],
  ])('speaks of %s', async (_name, said) => {
    const backend = await toldBackend()
    const plane = await scene(streamPool('db', [backend.port]), asked)
    const client = new StreamClient(await viaProxy(plane.port(5432), writeHeader('v2', said)))
    await eventually(() => backend.told.length === 1, 'a header')
    expect(backend.told).toEqual([{ ends: said, version }])
    expect(client.closed).toBe(false)
  })

  it("says its client's own ends where the header of that one says nothing", async () => {
    const backend = await toldBackend()
    const plane = await scene(streamPool('db', [backend.port]), asked)
    const socket = await viaProxy(plane.port(5432), 'PROXY UNKNOWN\r\n')
    await eventually(() => backend.told.length === 1, 'a header')
    expect(backend.told).toEqual([{ ends: endsAt(socket), version }])
    expect(backend.told[0]?.ends?.source.address).toBe(proxyAddress)
  })

  it('tells the next endpoint too when one does not take the connection', async () => {
    const backend = await toldBackend()
    const dead = await freePort()
    for (const pool of [streamPool('db', [dead, backend.port]), { ...streamPool('db', [dead, backend.port]), key: 'other' }]) {
      const plane = await scene(pool, asked)
      for (let i = 0; i < 4; i++) {
        const client = await StreamClient.plain(plane.port(5432))
        client.socket.write('hello')
        await client.hears('hello')
        expect(backend.told.at(-1)).toEqual({ ends: endsAt(client.socket), version })
      }
    }
  })
})

describe('backends that are told of their clients before TLS', () => {
  const question = 'a question'

  it('hear nothing but that until they have shown who they are', async () => {
    const backend = await toldBackend(serveTls)
    const plane = await scene(streamPool('db', [backend.port], { tls: { ...overTls, serverName: 'else.example' } }), 'v2')
    const client = await StreamClient.plain(plane.port(5432))
    client.socket.write(question)
    await eventually(() => client.closed, 'the end')
    expect(client.text()).toBe('')
    expect(backend.told.length).toBeGreaterThan(0)
  })

  it('are followed by another endpoint when they cannot be connected to, or break off', async () => {
    const backend = await toldBackend(serveTls)
    const broken = await streamBackend((socket) => socket.destroy())
    const pool = streamPool('db', [await freePort(), broken.port, backend.port], { tls: overTls })
    const plane = await scene(pool, 'v1')
    for (let i = 0; i < 6; i++) {
      const client = await StreamClient.plain(plane.port(5432))
      client.socket.write(question)
      await client.hears(question)
      client.socket.end()
      await eventually(() => client.closed, 'the end')
    }
  })

  it('[wire:stream-back-pressure] are held back, and hold back, as others', async () => {
    const size = 32 * 1024 * 1024
    const backend = await toldBackend((socket) => {
      const server = createTlsServer({ cert: certificate.config.chain, key: certificate.key.reveal() }, (secured) => {
        secured.on('error', () => {})
        secured.pause()
        secured.write(Buffer.alloc(size, 7))
        sides.push(secured)
      })
      server.emit('connection', socket)
    })
    const sides: TLSSocket[] = []
    const plane = await scene(streamPool('db', [backend.port], { tls: overTls }), 'v2')
    const client = await StreamClient.plain(plane.port(5432))
    client.socket.pause()
    client.socket.write(Buffer.alloc(size, 9))
    await pause(500)
    const counters = () => plane.dataPlane.routers.get('default/test')?.streams.find(({ config }) => config.kind === 'tcp')?.counters
    expect(counters()?.sent).toBeLessThan(24 * 1024 * 1024)
    expect(counters()?.received).toBeLessThan(24 * 1024 * 1024)
    let taken = 0
    sides[0]?.on('data', (bytes: Buffer) => (taken += bytes.length)).resume()
    client.socket.resume()
    await eventually(() => taken === size && counters()?.received === size, 'all of both')
    await eventually(() => client.socket.bytesRead === size, 'all of it')
    expect(client.received.every((byte) => byte === 7)).toBe(true)
  })
})

it('[wire:stream-keep] a route that begins or ceases to ask for a header leaves its connections alone', async () => {
  const backend = await streamBackend()
  const pool = streamPool('db', [backend.port])
  const plane = startPlane()
  await serve(plane, pool, undefined)
  const before = await StreamClient.plain(plane.port(5432))
  before.socket.write('one')
  await before.hears('one')
  await serve(plane, pool, 'v1')
  before.socket.write(', two')
  await before.hears('one, two')
  const after = await StreamClient.plain(plane.port(5432))
  const { source, destination } = endsAt(after.socket)
  const line = `PROXY TCP4 127.0.0.1 127.0.0.1 ${source.port} ${destination.port}\r\n`
  await after.hears(line)
  await serve(plane, pool, undefined)
  after.socket.write('three')
  await after.hears(`${line}three`)
  const last = await StreamClient.plain(plane.port(5432))
  last.socket.write('four')
  await last.hears('four')
})

const nginx = ['/usr/local/sbin/nginx', '/usr/sbin/nginx'].find((path) => existsSync(path))

describe.skipIf(nginx === undefined)('nginx behind a route', () => {
  /** Answers with what it was told of its client, in clear text and over TLS. */
  async function startNginx(): Promise<{ readonly clear: number; readonly secure: number }> {
    const folder = mkdtempSync(join(tmpdir(), 'gatewright-nginx-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    chmodSync(folder, 0o755)
    const [clear, secured] = [await freePort(), await freePort()]
    writeFileSync(join(folder, 'cert.pem'), certificate.config.chain)
    writeFileSync(join(folder, 'key.pem'), certificate.key.reveal())
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`)
    const told = '$proxy_protocol_addr $proxy_protocol_port $proxy_protocol_server_addr $proxy_protocol_server_port'
    const config = `daemon off; master_process off; pid ${folder}/pid; error_log stderr error;
events {}
http {
  access_log off; default_type text/plain; ${paths.join(' ')}
  server {
    listen 127.0.0.1:${clear} proxy_protocol;
    listen 127.0.0.1:${secured} ssl proxy_protocol;
    ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;
    location / { return 200 "${told}"; }
  }
}
`
    writeFileSync(join(folder, 'nginx.conf'), config)
    const child = spawn(nginx ?? '', ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
    onTestFinished(async () => {
      child.kill('SIGTERM')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    })
    for (const port of [clear, secured]) {
      const until = performance.now() + 6_000
      for (;;) {
        const up = await RawClient.plain(port).catch(() => undefined)
        await up?.close()
        if (up !== undefined) break
        if (performance.now() > until) throw new Error('Cannot go on: nginx must listen')
        await pause(20)
      }
    }
    return { clear, secure: secured }
  }

  it.each(versions)(
    'understands %s, in clear text and before TLS, also of a client that came by a proxy',
    { timeout: 20_000 },
    async (asked) => {
      const ports = await startNginx()
      const told = ({ source, destination }: Ends): string => `${source.address} ${source.port} ${destination.address} ${destination.port}`
      const options = { servername: 'db.example', ca: authority.certificate }
      for (const [pool, specified] of [
        [streamPool('clear', [ports.clear]), 5432],
        [streamPool('clear', [ports.clear]), 8443],
        [streamPool('policy', [ports.secure], { tls: overTls }), 5432],
        [streamPool('through', [ports.secure]), 443],
      ] as const) {
        const plane = await scene(pool, asked)
        const port = plane.port(specified)
        const isSecure = specified !== 5432
        const own = isSecure ? (await secure(port)).socket : (await StreamClient.plain(port)).socket
        const came = isSecure ? await tlsViaProxy(port, header2, options) : await viaProxy(port, header1)
        for (const [socket, expected] of [
          [own, endsAt(own)],
          [came, ends],
        ] as const) {
          expect((await new RawClient(socket).get('db.example')).body).toBe(told(expected))
        }
      }
    },
  )
})
