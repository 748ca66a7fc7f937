/** TCPRoutes: connections that go through as they are. */
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { createServer as createTlsServer } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { PoolConfig } from '../../../src/config/pool.ts'
import type { StreamRouteConfig } from '../../../src/config/stream-route.ts'
import type { Bounds } from '../../../src/config/bounds.ts'
import type { AccessRecord } from '../../../src/telemetry/access-record.ts'
import { createTestAuthority } from '../../harness/certificates.ts'
import { freePort, gatewayConfig, type TestDataPlane } from '../../harness/data-plane.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import {
  ask,
  echo,
  saying,
  type SocketKind,
  socketKinds,
  startPlane,
  streamBackend,
  StreamClient,
  streamListener,
  streamPool,
  streamRoute,
} from '../../harness/streams.ts'

let kind: SocketKind = socketKinds[0]

const listener = streamListener('TCP', 5432)

function configOf(pools: readonly PoolConfig[], streams?: readonly StreamRouteConfig[]) {
  return gatewayConfig({ listeners: [listener], pools, streams: streams ?? [streamRoute('tcp', 'db', [listener], pools)] })
}

async function scene(pools: readonly PoolConfig[], bounds: Partial<Bounds> = {}): Promise<TestDataPlane> {
  const plane = startPlane({ ...kind.options, bounds })
  expect((await plane.serve(configOf(pools))).failedPorts).toEqual([])
  return plane
}

function countersOf(plane: TestDataPlane) {
  const [stream] = plane.dataPlane.routers.get('default/test')?.streams ?? []
  if (stream === undefined) throw new Error('no stream')
  return stream.counters
}

describe.each(socketKinds)('[feature:TCPRoute] a TCPRoute, over $name', (used) => {
  beforeAll(() => {
    kind = used
  })

  it('[wire:stream-pass] passes bytes on as they are, both ways, whoever speaks first', async () => {
    const backend = await streamBackend((socket) => {
      socket.write('220 ready\r\n')
      echo(socket)
    })
    const plane = await scene([streamPool('db', [backend.port])])
    const client = await StreamClient.plain(plane.port(5432))
    await client.hears('220 ready\r\n')
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    client.socket.write(all)
    await eventually(() => client.received.length === 11 + 256, 'the echo')
    expect(client.received.subarray(11)).toEqual(all)
    expect(countersOf(plane)).toEqual({ active: 1, passed: 1, failed: 0, sent: 256, received: 267 })
    client.socket.end()
    await client.gone()
    await eventually(() => countersOf(plane).active === 0, 'the end')
  })

  it('[wire:stream-half-close] lets either side end its half and hear the other out', async () => {
    const backend = await streamBackend((socket) => {
      const parts: Buffer[] = []
      socket.on('data', (part: Buffer) => parts.push(part))
      socket.on('end', () => setTimeout(() => socket.end(`heard ${Buffer.concat(parts).length}`), 50))
    })
    const plane = await scene([streamPool('db', [backend.port])])
    const client = await StreamClient.plain(plane.port(5432))
    client.socket.end('a question')
    await client.hears('heard 10')
    await eventually(() => client.closed, 'the end')
    expect(client.error).toBeUndefined()

    const other = await streamBackend((socket) => {
      socket.end('bye')
      socket.on('data', (part: Buffer) => heard.push(part.toString()))
    })
    const heard: string[] = []
    await plane.serve(configOf([streamPool('other', [other.port])]))
    const second = await StreamClient.plain(plane.port(5432))
    await second.hears('bye')
    await eventually(() => second.ended, 'FIN')
    second.socket.write('still here')
    await eventually(() => heard.join('') === 'still here', 'the bytes after FIN')
    second.socket.end()
    await eventually(() => second.closed, 'the end')
    expect(second.error).toBeUndefined()
  })

  it('[wire:stream-back-pressure] holds back who sends more than the other takes, loses nothing, and keeps little', async () => {
    const size = 64 * 1024 * 1024
    const backend = await streamBackend((socket) => socket.pause())
    const plane = await scene([streamPool('db', [backend.port])])
    const client = await StreamClient.plain(plane.port(5432))
    const piece = Buffer.alloc(1024 * 1024)
    for (let i = 0; i < size; i += piece.length) {
      piece.fill((i / piece.length) % 251)
      client.socket.write(Buffer.from(piece))
    }
    client.socket.end()
    await pause(500)
    // What the kernel's buffers hold, and 64 KiB here.
    expect(countersOf(plane).sent).toBeLessThan(24 * 1024 * 1024)
    const [socket] = backend.connections
    let received = 0
    let wrong = 0
    socket?.on('data', (part: Buffer) => {
      if (part[0] !== Math.floor(received / piece.length) % 251) wrong += 1
      received += part.length
    })
    const end = once(socket as NonNullable<typeof socket>, 'end')
    socket?.resume()
    await end
    expect([received, wrong]).toEqual([size, 0])
  })

  it('[wire:stream-back-pressure] does so the other way round', async () => {
    const size = 32 * 1024 * 1024
    const backend = await streamBackend((socket) => socket.resume().end(Buffer.alloc(size, 7)))
    const plane = await scene([streamPool('db', [backend.port])])
    const client = await StreamClient.plain(plane.port(5432))
    client.socket.pause()
    await pause(300)
    expect(countersOf(plane).received).toBeLessThan(24 * 1024 * 1024)
    client.socket.resume()
    client.socket.end()
    await eventually(() => client.closed, 'the end')
    expect(client.received.length).toBe(size)
  })

  it('[wire:stream-break] resets one side when the other was reset', async () => {
    const backend = await streamBackend((socket) => socket.once('data', () => socket.resetAndDestroy()))
    const plane = await scene([streamPool('db', [backend.port])])
    const client = await StreamClient.plain(plane.port(5432))
    client.socket.write('x')
    await eventually(() => client.closed, 'the end')
    expect(client.error?.code).toBe('ECONNRESET')

    const steady = await streamBackend()
    await plane.serve(configOf([streamPool('steady', [steady.port])]))
    const second = await StreamClient.plain(plane.port(5432))
    second.socket.write('x')
    await second.hears('x')
    const [socket] = steady.connections
    let reset = ''
    socket?.on('error', ({ message }) => {
      reset = message
    })
    second.socket.resetAndDestroy()
    await eventually(() => reset !== '', 'the reset')
    expect(reset).toContain('ECONNRESET')
    await eventually(() => countersOf(plane).active === 0, 'the end')
  })

  it('[wire:stream-weights] divides connections by weight, exactly, and gives a weight of 0 none', async () => {
    const [a, b, c] = [await streamBackend(saying('a')), await streamBackend(saying('b')), await streamBackend(saying('c'))]
    const pools = [streamPool('a', [a.port]), streamPool('b', [b.port]), streamPool('c', [c.port])]
    const plane = startPlane(kind.options)
    const [one, two, three] = pools as [PoolConfig, PoolConfig, PoolConfig]
    await plane.serve(
      configOf(pools, [
        streamRoute(
          'tcp',
          'db',
          [listener],
          [
            [one, 7],
            [two, 3],
            [three, 0],
          ],
        ),
      ]),
    )
    const counts: Record<string, number> = { a: 0, b: 0, c: 0 }
    for (let i = 0; i < 100; i += 1) {
      const name = await ask(plane.port(5432))
      counts[name] = (counts[name] ?? 0) + 1
    }
    expect(counts).toEqual({ a: 70, b: 30, c: 0 })
  })

  it('[wire:stream-retry] asks another endpoint when one does not take the connection', async () => {
    const [dead, backend] = [await freePort(), await streamBackend(saying('alive'))]
    const plane = await scene([streamPool('db', [dead, backend.port])])
    for (let i = 0; i < 20; i += 1) expect(await ask(plane.port(5432))).toBe('alive')
  })

  it('[wire:stream-refused] resets a connection that no endpoint takes', async () => {
    const plane = await scene([streamPool('db', [await freePort()])])
    const refused = async (): Promise<string | undefined> => {
      const client = StreamClient.dial(plane.port(5432))
      await eventually(() => client.closed, 'the end')
      return client.error?.code
    }
    expect(await refused()).toBe('ECONNRESET')
    expect(countersOf(plane).failed).toBe(1)
    await plane.serve(configOf([streamPool('none', [])]))
    expect(await refused()).toBe('ECONNRESET')
    const fail = { kind: 'fail', backend: 'Service/default/x:1', reason: 'BackendNotFound', message: '', weight: 1 } as const
    await plane.serve(configOf([], [{ ...streamRoute('tcp', 'db', [listener], []), backends: [fail] }]))
    expect(await refused()).toBe('ECONNRESET')
    await plane.serve(configOf([], []))
    expect(await refused()).toBe('ECONNRESET')
  })

  it('[wire:stream-oldest] gives all connections to the first of several routes on a listener', async () => {
    const [a, b] = [await streamBackend(saying('a')), await streamBackend(saying('b'))]
    const pools = [streamPool('a', [a.port]), streamPool('b', [b.port])]
    const plane = startPlane(kind.options)
    const routes = pools.map((pool, i) => streamRoute('tcp', `r${i}`, [listener], [pool]))
    await plane.serve(configOf(pools, routes))
    for (let i = 0; i < 10; i += 1) expect(await ask(plane.port(5432))).toBe('a')
    await plane.serve(configOf(pools, routes.slice(1)))
    for (let i = 0; i < 10; i += 1) expect(await ask(plane.port(5432))).toBe('b')
  })

  it('[wire:stream-keep] keeps connections through changes; those of a route that is gone have drain-time', async () => {
    const [backend, other] = [await streamBackend(), await streamBackend(saying('other'))]
    const pools = [streamPool('db', [backend.port])]
    const plane = startPlane({ ...kind.options, bounds: { drainTime: 300 } })
    await plane.serve(configOf(pools))
    const client = await StreamClient.plain(plane.port(5432))
    client.socket.write('1')
    await client.hears('1')
    // Its backends change, and the pool that it uses goes.
    const elsewhere = streamPool('other', [other.port])
    await plane.serve(configOf([elsewhere], [streamRoute('tcp', 'db', [listener], [elsewhere])]))
    expect(await ask(plane.port(5432))).toBe('other')
    await delay(500)
    client.socket.write('2')
    await client.hears('12')
    // The route goes, and another one comes.
    await plane.serve(configOf([elsewhere], [streamRoute('tcp', 'another', [listener], [elsewhere])]))
    client.socket.write('3')
    await client.hears('123')
    await eventually(() => client.closed || client.ended, 'the end after drain-time')
  })

  it('[wire:drain-revoked] keeps connections whose route is back before drain-time is over, and begins anew when it goes again', async () => {
    const backend = await streamBackend()
    const pools = [streamPool('db', [backend.port])]
    const plane = startPlane({ ...kind.options, bounds: { drainTime: 600 } })
    await plane.serve(configOf(pools))
    const client = await StreamClient.plain(plane.port(5432))
    client.socket.write('1')
    await client.hears('1')
    await plane.serve(configOf(pools, []))
    await delay(100)
    await plane.serve(configOf(pools))
    await delay(200)
    await plane.serve(configOf(pools, []))
    // Past the end of the first drain, and not of the second.
    await delay(400)
    client.socket.write('2')
    await client.hears('12')
    await plane.serve(configOf(pools))
    await delay(700)
    client.socket.write('3')
    await client.hears('123')
    await plane.serve(configOf(pools, []))
    await client.gone()
  })

  it('[wire:drain-revoked] keeps connections whose port is back, with their route', async () => {
    const backend = await streamBackend()
    const pools = [streamPool('db', [backend.port])]
    const port = await freePort()
    const plane = startPlane({ ...kind.options, bounds: { drainTime: 500 } })
    const place = () => ({ address: '127.0.0.1', port })
    await plane.serve(configOf(pools), undefined, place)
    const client = await StreamClient.plain(port)
    client.socket.write('1')
    await client.hears('1')
    await plane.serve(gatewayConfig({ listeners: [] }), undefined, place)
    await expect(StreamClient.plain(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect((await plane.serve(configOf(pools), undefined, place)).failedPorts).toEqual([])
    await delay(700)
    client.socket.write('2')
    await client.hears('12')
    const another = await StreamClient.plain(port)
    another.socket.write('3')
    await another.hears('3')
    // Of another route, it goes on draining.
    await plane.serve(gatewayConfig({ listeners: [] }), undefined, place)
    await plane.serve(configOf(pools, [streamRoute('tcp', 'other', [listener], pools)]), undefined, place)
    await client.gone()
    expect(await ask(port)).toBe('')
  })

  it('[wire:stream-idle] ends a connection in which nobody says anything', async () => {
    const backend = await streamBackend()
    const plane = await scene([streamPool('db', [backend.port])], { tunnelIdleTime: 600 })
    const client = await StreamClient.plain(plane.port(5432))
    for (let i = 1; i <= 6; i += 1) {
      client.socket.write('.')
      await client.hears('.'.repeat(i))
      await delay(200)
    }
    expect(client.closed).toBe(false)
    await eventually(() => client.closed || client.ended, 'the end')
  })

  it('[wire:stream-stuck] ends a connection whose side takes nothing of what waits for it', async () => {
    const backend = await streamBackend((socket) => socket.pause())
    const plane = await scene([streamPool('db', [backend.port])], { writeStuckTime: 500 })
    const client = await StreamClient.plain(plane.port(5432))
    client.socket.write(Buffer.alloc(48 * 1024 * 1024))
    await eventually(() => client.closed, 'the end', 10_000)
    expect(countersOf(plane).active).toBe(0)
  })

  it('[wire:stream-stuck] does so when the other side has ended long ago', async () => {
    const backend = await streamBackend((socket) => {
      socket.resume()
      socket.end(Buffer.alloc(4 * 1024 * 1024 + 10_000))
    })
    const bounds = { tunnelIdleTime: 500, writeStuckTime: 500, unsent: 16 * 1024 * 1024 }
    const plane = await scene([streamPool('db', [backend.port])], bounds)
    const client = await StreamClient.plain(plane.port(5432))
    client.socket.pause()
    await eventually(() => countersOf(plane).received === 4 * 1024 * 1024 + 10_000, 'the bytes')
    await eventually(() => plane.dataPlane.ports[0]?.open === 0, 'the end', 10_000)
    expect(countersOf(plane).active).toBe(0)
  })

  it('[wire:stream-many] bounds connections as any port does, and gives everything back', async () => {
    const backend = await streamBackend()
    const plane = await scene([streamPool('db', [backend.port])], { connectionsPerPort: 3 })
    const clients = await Promise.all([1, 2, 3].map(async () => await StreamClient.plain(plane.port(5432))))
    await eventually(() => countersOf(plane).active === 3, 'three connections')
    const fourth = await StreamClient.plain(plane.port(5432))
    await fourth.gone()
    for (const client of clients) client.socket.destroy()
    await eventually(() => countersOf(plane).active === 0 && plane.dataPlane.ports[0]?.open === 0, 'the end')
    const again = await StreamClient.plain(plane.port(5432))
    again.socket.write('x')
    await again.hears('x')
  })

  it('[wire:stream-tls] speaks TLS to the backends that a BackendTLSPolicy is for, and passes nothing to one that is somebody else', async () => {
    const authority = createTestAuthority()
    const shown = authority.issue('db.example')
    const server = createTlsServer({ cert: shown.config.chain, key: shown.key.reveal(), allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {})
      socket.pipe(socket)
    })
    server.on('tlsClientError', () => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const terms = { serverName: 'db.example', authorities: { kind: 'bundle', pem: authority.certificate }, names: [] } as const
    const plane = await scene([streamPool('db', [port], { tls: terms })])
    const client = await StreamClient.plain(plane.port(5432))
    client.socket.write('over TLS')
    await client.hears('over TLS')
    client.socket.end()
    await eventually(() => client.closed, 'the end')
    expect(client.error).toBeUndefined()
    await plane.serve(configOf([{ ...streamPool('db', [port], { tls: { ...terms, serverName: 'else.example' } }), key: 'else' }]))
    const refused = await StreamClient.plain(plane.port(5432))
    refused.socket.write('secret')
    await eventually(() => refused.closed, 'the end')
    expect(refused.text()).toBe('')
  })

  it('[wire:stream-log] has a line in the access log for each connection, at its end, and says why it ended', async () => {
    const backend = await streamBackend()
    const dead = await freePort()
    const records: AccessRecord[] = []
    const plane = startPlane({ ...kind.options, bounds: { tunnelIdleTime: 400 }, accessLog: (record) => records.push(record) })
    await plane.serve(configOf([streamPool('db', [backend.port])]))
    const client = await StreamClient.plain(plane.port(5432))
    client.socket.write('hello')
    await client.hears('hello')
    expect(records).toEqual([])
    client.socket.end()
    await eventually(() => records.length === 1, 'the record')
    expect(records[0]).toMatchObject({
      client: '127.0.0.1',
      scheme: '',
      protocol: 'TCP',
      host: '',
      flag: '',
      requestBytes: 5,
      responseBytes: 5,
      listener: listener.key,
      route: 'tcp/default/db',
      backend: 'Service/default/db:80;tcp',
      upstream: `127.0.0.1:${backend.port}`,
      attempts: 1,
    })
    await StreamClient.plain(plane.port(5432))
    await eventually(() => records.length === 2, 'the end of an idle one')
    const gone = await StreamClient.plain(plane.port(5432))
    gone.socket.write('x')
    await gone.hears('x')
    gone.socket.resetAndDestroy()
    await eventually(() => records.length === 3, 'the end of one that was reset')
    await plane.serve(configOf([streamPool('dead', [dead])]))
    StreamClient.dial(plane.port(5432))
    await eventually(() => records.length === 4, 'the end of one that nobody took')
    await plane.serve(configOf([streamPool('none', [])]))
    StreamClient.dial(plane.port(5432))
    await eventually(() => records.length === 5, 'the end of one without an endpoint')
    expect(records.map(({ flag }) => flag)).toEqual(['', 'idle', 'client-gone', 'connect-failed', 'no-endpoint'])
  })

  it('[wire:stream-drain] lets connections go on while the data plane drains, and ends them when its time is over', async () => {
    const backend = await streamBackend()
    const plane = await scene([streamPool('db', [backend.port])])
    const client = await StreamClient.plain(plane.port(5432))
    client.socket.write('1')
    await client.hears('1')
    const drained = plane.dataPlane.drain(400)
    await delay(100)
    client.socket.write('2')
    await client.hears('12')
    await drained
    await client.gone()
  })
})
