/** TLSRoutes: TLS that passes through by server name, TLS that ends here, and both on one port with HTTPS. */
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { ListenerConfig } from '../../../src/config/listener.ts'
import type { PoolConfig } from '../../../src/config/pool.ts'
import type { StreamRouteConfig } from '../../../src/config/stream-route.ts'
import { startBackend } from '../../harness/backend.ts'
import { createTestAuthority, keysOf, type TestCertificate } from '../../harness/certificates.ts'
import { byteByByteRelay, helloOf } from '../../harness/client-hello.ts'
import { gatewayConfig, httpsListener, pool, routeTo, type TestDataPlane } from '../../harness/data-plane.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { RawClient } from '../../harness/raw-client.ts'
import {
  ask,
  passthrough,
  saying,
  type SocketKind,
  socketKinds,
  startPlane,
  streamBackend,
  StreamClient,
  streamListener,
  streamPool,
  streamRoute,
  terminated,
} from '../../harness/streams.ts'

let kind: SocketKind = socketKinds[0]

const authority = createTestAuthority()
const [exact, wildcard] = [authority.issue('abc.example.com'), authority.issue('*.example.com')]
const secret = streamListener('TLS', 443, passthrough)

/** Ends TLS itself, says its name and the server name that it was asked by, then sends everything back. */
async function tlsBackend(name: string, { config, key }: TestCertificate = wildcard): Promise<{ readonly port: number }> {
  const server = createTlsServer({ cert: config.chain, key: key.reveal() }, (socket) => {
    socket.on('error', () => {})
    socket.write(`${name} for ${String((socket as TLSSocket & { readonly servername: unknown }).servername)}:`)
    socket.pipe(socket)
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port }
}

async function secure(port: number, servername: string): Promise<StreamClient> {
  const socket = connectTls({ port, host: '127.0.0.1', servername, ca: authority.certificate, checkServerIdentity: () => undefined })
  const client = new StreamClient(socket)
  await Promise.race([once(socket, 'secureConnect'), once(socket, 'close').then(() => Promise.reject(new Error('closed')))])
  return client
}

/** Whether the connection ended without a byte. */
async function isRefused(port: number, hello: Buffer): Promise<boolean> {
  const client = StreamClient.dial(port)
  client.socket.write(hello)
  await eventually(() => client.closed || client.ended, 'the end')
  return client.received.length === 0
}

async function serve(
  plane: TestDataPlane,
  listeners: readonly ListenerConfig[],
  streams: readonly StreamRouteConfig[],
  pools: readonly PoolConfig[],
  more: { readonly certificates?: readonly TestCertificate[]; readonly http?: PoolConfig } = {},
): Promise<void> {
  const certificates = more.certificates ?? []
  const https = listeners.filter(({ protocol }) => protocol === 'HTTPS')
  const report = await plane.serve(
    gatewayConfig({
      listeners,
      streams,
      pools: more.http === undefined ? pools : [...pools, more.http],
      routes: more.http === undefined ? [] : [routeTo(more.http, https)],
      certificates: certificates.map(({ config }) => config),
    }),
    keysOf(...certificates),
  )
  expect(report.failedPorts).toEqual([])
}

describe.each(socketKinds)('[feature:TLSRoute] a TLSRoute, over $name', (used) => {
  beforeAll(() => {
    kind = used
  })

  it('[wire:stream-sni] passes TLS through by server name: exact, then the longest wildcard, whatever is older', async () => {
    const [a, b, c] = [await tlsBackend('a'), await tlsBackend('b'), await tlsBackend('c')]
    const pools = [streamPool('a', [a.port]), streamPool('b', [b.port]), streamPool('c', [c.port])] as const
    const plane = startPlane(kind.options)
    const streams = [
      streamRoute('passthrough', 'oldest', [secret], [pools[2]], ['*.com']),
      streamRoute('passthrough', 'wide', [secret], [pools[1]], ['*.example.com']),
      streamRoute('passthrough', 'exact', [secret], [pools[0]], ['abc.example.com']),
    ]
    await serve(plane, [secret], streams, pools)
    for (const [name, expected] of [
      ['abc.example.com', 'a for abc.example.com:'],
      ['ABC.example.com', 'a for ABC.example.com:'],
      ['other.example.com', 'b for other.example.com:'],
      ['deep.other.example.com', 'b for deep.other.example.com:'],
      ['else.com', 'c for else.com:'],
    ] as const) {
      const client = await secure(plane.port(443), name)
      await client.hears(expected)
      client.socket.write('ping')
      await client.hears(`${expected}ping`)
    }
  })

  it('[wire:stream-half-close] lets a client end its half with the ClientHello already', async () => {
    const hello = await helloOf({ servername: 'abc.example.com' })
    const backend = await streamBackend((socket) => {
      let heard = 0
      socket.on('data', (bytes: Buffer) => (heard += bytes.length))
      socket.on('end', () => socket.end(`heard ${heard}`))
    })
    const pools = [streamPool('a', [backend.port])]
    const plane = startPlane()
    await serve(plane, [secret], [streamRoute('passthrough', 'r', [secret], pools)], pools)
    const client = StreamClient.dial(plane.port(443))
    client.socket.end(hello)
    await client.hears(`heard ${hello.length}`)
    await eventually(() => client.closed, 'the end')
    expect(client.error).toBeUndefined()
  })

  it('[wire:stream-unmatched] ends a connection that no route is for before it has said anything', async () => {
    const backend = await tlsBackend('a')
    const pools = [streamPool('a', [backend.port])]
    const plane = startPlane(kind.options)
    const narrow = streamListener('TLS', 443, { ...passthrough, hostname: '*.example.com' })
    await serve(plane, [narrow], [streamRoute('passthrough', 'r', [narrow], pools, ['abc.example.com', '*.com'])], pools)
    for (const servername of ['abc.example.com', 'more.example.com']) await secure(plane.port(443), servername)
    for (const hello of [
      await helloOf({ servername: 'else.com' }),
      await helloOf({}),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(64),
    ])
      expect(await isRefused(plane.port(443), hello)).toBe(true)
    expect(plane.dataPlane.ports[0]?.counters.hellosRefused).toBe(4)
    // A route without a backend, and none at all.
    await serve(plane, [narrow], [streamRoute('passthrough', 'r', [narrow], [], ['abc.example.com'])], [])
    expect(await isRefused(plane.port(443), await helloOf({ servername: 'abc.example.com' }))).toBe(true)
    await serve(plane, [narrow], [], [])
    expect(await isRefused(plane.port(443), await helloOf({ servername: 'abc.example.com' }))).toBe(true)
  })

  it('[wire:stream-hello] gives the backend the very bytes of the hello, in however many pieces they came', async () => {
    const heard: Buffer[] = []
    const raw = await streamBackend((socket) => socket.on('data', (bytes: Buffer) => heard.push(bytes)))
    const pools = [streamPool('raw', [raw.port])]
    const plane = startPlane(kind.options)
    await serve(plane, [secret], [streamRoute('passthrough', 'r', [secret], pools, ['a.example'])], pools)
    const hello = await helloOf({ servername: 'a.example', ALPNProtocols: ['h2', 'postgresql'] })
    const client = await StreamClient.plain(plane.port(443))
    client.socket.write(Buffer.concat([hello, Buffer.from('and more')]))
    await eventually(() => Buffer.concat(heard).length === hello.length + 8, 'the hello')
    expect(Buffer.concat(heard).equals(Buffer.concat([hello, Buffer.from('and more')]))).toBe(true)

    const backend = await tlsBackend('whole')
    await serve(
      plane,
      [secret],
      [streamRoute('passthrough', 'r', [secret], [streamPool('whole', [backend.port])], ['a.example'])],
      [streamPool('whole', [backend.port])],
    )
    const relay = await byteByByteRelay(plane.port(443))
    onTestFinished(() => relay.close())
    const slow = await secure(relay.port, 'a.example')
    await slow.hears('whole for a.example:')
  })

  it('[wire:stream-hello] bounds a hello in size and time, and connections that say nothing', async () => {
    const backend = await tlsBackend('a')
    const pools = [streamPool('a', [backend.port])]
    const plane = startPlane({ ...kind.options, bounds: { handshakeTime: 400, connectionsPerPort: 8 } })
    await serve(plane, [secret], [streamRoute('passthrough', 'r', [secret], pools, ['a.example'])], pools)
    const hello = await helloOf({ servername: 'a.example' })
    const half = await StreamClient.plain(plane.port(443))
    half.socket.write(hello.subarray(0, hello.length / 2))
    const silent = await StreamClient.plain(plane.port(443))
    const huge = await StreamClient.plain(plane.port(443))
    // A ClientHello that says it is a megabyte long, and goes on.
    const record = Buffer.alloc(16_384 + 5)
    record.set([22, 3, 1, 0x40, 0, 1, 0x10, 0, 0])
    huge.socket.write(record)
    await eventually(() => huge.closed || huge.ended, 'the end of the huge one', 300)
    await eventually(() => (half.closed || half.ended) && (silent.closed || silent.ended), 'the end of the others')
    expect([half.text(), silent.text(), huge.text()]).toEqual(['', '', ''])
    await eventually(() => plane.dataPlane.ports[0]?.open === 0, 'nothing left')
  })

  it('[wire:stream-terminate] [feature:TLSRouteModeTerminate] ends TLS where its listener says so, and passes on what was in it', async () => {
    const backend = await streamBackend()
    const pools = [streamPool('plain', [backend.port])]
    const plane = startPlane(kind.options)
    const ends = streamListener('TLS', 443, { ...terminated(exact), hostname: 'abc.example.com' })
    const route = streamRoute('terminate', 'r', [ends], pools, ['abc.example.com'])
    await serve(plane, [ends], [route], pools, { certificates: [exact] })
    const client = await secure(plane.port(443), 'abc.example.com')
    const socket = client.socket as TLSSocket
    expect([socket.getPeerCertificate().subjectaltname, socket.alpnProtocol]).toEqual(['DNS:abc.example.com', false])
    client.socket.write('hello')
    await client.hears('hello')
    const [received] = backend.connections
    expect(received?.bytesRead).toBe(5)
    client.socket.write(Buffer.alloc(3_000_000, 1))
    await eventually(() => client.received.length === 3_000_005, 'all of it')
    client.socket.end()
    await eventually(() => client.closed, 'the end')
    // What no route takes is refused before TLS begins.
    expect(await isRefused(plane.port(443), await helloOf({ servername: 'else.example.com' }))).toBe(true)
    await serve(plane, [ends], [], pools, { certificates: [exact] })
    expect(await isRefused(plane.port(443), await helloOf({ servername: 'abc.example.com' }))).toBe(true)
  })

  it('[wire:stream-terminate] leaves the rest of a listener that ends TLS to a TCPRoute', async () => {
    const [named, rest] = [await streamBackend(saying('named')), await streamBackend(saying('rest'))]
    const pools = [streamPool('named', [named.port]), streamPool('rest', [rest.port])] as const
    const plane = startPlane(kind.options)
    const ends = streamListener('TLS', 443, terminated(wildcard))
    const streams = [
      streamRoute('tcp', 'all', [ends], [pools[1]]),
      streamRoute('terminate', 'one', [ends], [pools[0]], ['abc.example.com']),
    ]
    await serve(plane, [ends], streams, pools, { certificates: [wildcard] })
    await (await secure(plane.port(443), 'abc.example.com')).hears('named')
    await (await secure(plane.port(443), 'other.example.com')).hears('rest')
  })

  it('[wire:stream-mixed] [feature:TLSRouteModeMixed] has HTTPS, TLS that ends and TLS that passes on one port, told apart by server name', async () => {
    const web = await startBackend('web')
    onTestFinished(async () => await web.stop())
    const [through, plain] = [await tlsBackend('through'), await streamBackend(saying('plain'))]
    const pools = [streamPool('through', [through.port]), streamPool('plain', [plain.port])] as const
    const plane = startPlane(kind.options)
    const https = httpsListener(443, 'abc.example.com', [exact])
    const ends = streamListener('TLS', 443, { ...terminated(wildcard), hostname: 'mqtt.example.com' })
    const passes = streamListener('TLS', 443, { ...passthrough, hostname: '*.through.test' })
    const streams = [
      streamRoute('terminate', 'mqtt', [ends], [pools[1]], ['mqtt.example.com']),
      streamRoute('passthrough', 'db', [passes], [pools[0]], ['*.test']),
    ]
    await serve(plane, [https, ends, passes], streams, pools, { certificates: [exact, wildcard], http: pool('web', web.port) })
    const port = plane.port(443)
    const client = await RawClient.tls(port, { ca: authority.certificate, servername: 'abc.example.com' })
    onTestFinished(async () => await client.close())
    expect(await client.get('abc.example.com')).toMatchObject({ status: 200, body: 'web' })
    await (await secure(port, 'mqtt.example.com')).hears('plain')
    await (await secure(port, 'a.through.test')).hears('through for a.through.test:')
    expect(await isRefused(port, await helloOf({ servername: 'other.test' }))).toBe(true)
  })

  it('[wire:stream-keep] drains connections of a TLS listener that is gone, and of no other', async () => {
    const [a, b] = [await tlsBackend('a'), await tlsBackend('b')]
    const pools = [streamPool('a', [a.port]), streamPool('b', [b.port])] as const
    const listeners = ['a.test', 'b.test'].map((hostname) => streamListener('TLS', 443, { ...passthrough, hostname }))
    const [one, two] = listeners as [ListenerConfig, ListenerConfig]
    const streams = [
      streamRoute('passthrough', 'a', [one], [pools[0]], ['a.test']),
      streamRoute('passthrough', 'b', [two], [pools[1]], ['b.test']),
    ]
    const plane = startPlane({ ...kind.options, bounds: { drainTime: 200 } })
    await serve(plane, listeners, streams, pools)
    const [first, second] = [await secure(plane.port(443), 'a.test'), await secure(plane.port(443), 'b.test')]
    await first.hears('a for a.test:')
    await second.hears('b for b.test:')
    await serve(plane, [two], streams.slice(1), pools.slice(1))
    first.socket.write('1')
    await first.hears('a for a.test:1')
    await eventually(() => first.closed || first.ended, 'the end of the first')
    await pause(300)
    second.socket.write('2')
    await second.hears('b for b.test:2')
  })

  it('[wire:stream-hello] keeps what a client says behind its hello, and that it ended or went, while there is no backend yet', async () => {
    const shown = authority.issue('late.example')
    const tls = createTlsServer({ cert: shown.config.chain, key: shown.key.reveal(), allowHalfOpen: true }, (socket) => {
      const parts: Buffer[] = []
      socket.on('error', () => {})
      socket.on('data', (part: Buffer) => parts.push(part))
      socket.on('end', () => socket.end(`heard ${Buffer.concat(parts).length}`))
    })
    const late = await streamBackend((socket) => void setTimeout(() => tls.emit('connection', socket), 300))
    const terms = { serverName: 'late.example', authorities: { kind: 'bundle', pem: authority.certificate }, names: [] } as const
    const pools = [streamPool('late', [late.port], { tls: terms })]
    const plane = startPlane(kind.options)
    await serve(plane, [secret], [streamRoute('passthrough', 'r', [secret], pools, ['a.example'])], pools)
    const hello = await helloOf({ servername: 'a.example' })
    const client = await StreamClient.plain(plane.port(443))
    client.socket.write(hello)
    await pause(50)
    client.socket.write('more')
    await pause(50)
    client.socket.end(Buffer.alloc(300_000))
    await eventually(() => client.closed, 'the end')
    expect([client.text(), client.error]).toEqual([`heard ${hello.length + 4 + 300_000}`, undefined])

    const gone = await StreamClient.plain(plane.port(443))
    gone.socket.write(hello)
    await eventually(() => late.connections.length === 2, 'the connection to the backend')
    gone.socket.resetAndDestroy()
    await eventually(() => plane.dataPlane.ports[0]?.open === 0, 'the end')
    await eventually(() => plane.dataPlane.pools[0]?.endpoints[0]?.connections === 0, 'the end towards the backend')
  })

  it('[wire:stream-drain] lets connections that pass through go on while the data plane drains', async () => {
    const backend = await tlsBackend('a')
    const pools = [streamPool('a', [backend.port])]
    const plane = startPlane(kind.options)
    await serve(plane, [secret], [streamRoute('passthrough', 'r', [secret], pools, ['abc.example.com'])], pools)
    const client = await secure(plane.port(443), 'abc.example.com')
    await client.hears('a for abc.example.com:')
    const drained = plane.dataPlane.drain(900)
    await pause(600)
    client.socket.write('1')
    await client.hears('a for abc.example.com:1')
    await drained
    await client.gone()
  })

  it('[wire:stream-garbage] ends the connection when a backend sends garbage or nothing, and holds no one up', async () => {
    const garbage = await streamBackend((socket) => socket.end('this is no TLS'))
    const terms = { serverName: 'a.example', authorities: { kind: 'bundle', pem: authority.certificate }, names: [] } as const
    const silent = await streamBackend(() => {})
    const plane = startPlane({ ...kind.options, bounds: { connectTime: 300 } })
    const listener = streamListener('TCP', 80)
    for (const backend of [garbage, silent]) {
      const pools = [{ ...streamPool('x', [backend.port], { tls: terms }), key: `x${backend.port}` }]
      await serve(plane, [listener], [streamRoute('tcp', 'r', [listener], pools)], pools)
      const socket = connect(plane.port(80), '127.0.0.1')
      const client = new StreamClient(socket)
      socket.write('secret')
      await eventually(() => client.closed, 'the end')
      expect(client.text()).toBe('')
    }
    const good = await streamBackend(saying('good'))
    const pools = [streamPool('good', [good.port])]
    await serve(plane, [listener], [streamRoute('tcp', 'r', [listener], pools)], pools)
    expect(await ask(plane.port(80))).toBe('good')
  })
})
