import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { DataPlaneOptions } from '../../../src/proxy/data-plane.ts'
import { startBackend, type TestBackend } from '../../harness/backend.ts'
import { freePort, gatewayConfig, httpListener, pool, routeTo, startDataPlane, type TestDataPlane } from '../../harness/data-plane.ts'
import { RawClient } from '../../harness/raw-client.ts'

describe('the data plane', () => {
  let backend: TestBackend
  const started: TestDataPlane[] = []
  const clients: RawClient[] = []
  const blockers: Server[] = []

  beforeAll(async () => {
    backend = await startBackend('one')
  })
  afterEach(async () => {
    backend.release()
    for (const client of clients.splice(0)) await client.close()
    for (const plane of started.splice(0)) await plane.stop()
    for (const blocker of blockers.splice(0)) await new Promise((resolve) => blocker.close(resolve))
  })
  afterAll(() => backend.stop())

  function start(options?: Partial<DataPlaneOptions>): TestDataPlane {
    const plane = startDataPlane(options)
    started.push(plane)
    return plane
  }
  async function client(port: number, host?: string): Promise<RawClient> {
    const one = await RawClient.plain(port, host)
    clients.push(one)
    return one
  }
  async function block(): Promise<{ server: Server; port: number }> {
    const server = createServer().listen(0, '127.0.0.1')
    blockers.push(server)
    await once(server, 'listening')
    return { server, port: (server.address() as AddressInfo).port }
  }
  function config(ports: readonly number[]) {
    const listeners = ports.map((port) => httpListener(port))
    const one = pool('one', backend.port)
    return gatewayConfig({ listeners, pools: [one], routes: [routeTo(one, listeners)] })
  }

  it('serves a port of the specification where the placement says', async () => {
    const plane = start()
    const port = await freePort()
    const report = await plane.serve(config([80]), undefined, () => ({ address: '127.0.0.1', port }))
    expect(report).toEqual({
      ports: [{ port: 80, transport: 'TCP', address: '127.0.0.1', listenPort: port }],
      failedPorts: [],
      failedListeners: [],
    })
    expect(await (await client(port)).get('a.example')).toMatchObject({ status: 200, body: 'one' })
  })

  it('[wire:port-keep] opens and closes ports while others serve, and touches no connection of those', async () => {
    const plane = start()
    await plane.serve(config([80]))
    const stays = await client(plane.port(80))
    await stays.get('a.example')
    const first = plane.port(80)

    await plane.serve(config([80, 81]))
    const second = plane.port(81)
    expect(plane.port(80)).toBe(first)
    expect(await (await client(second)).get('a.example')).toMatchObject({ body: 'one' })

    await plane.serve(config([80]))
    await expect(client(second)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    expect(await stays.get('a.example')).toMatchObject({ status: 200, body: 'one' })
  })

  it('[wire:port-keep] gives a connection the routes of the newest configuration, request by request', async () => {
    const plane = start()
    const other = await startBackend('two')
    const listeners = [httpListener(80)]
    const [one, two] = [pool('one', backend.port), pool('two', other.port)]
    await plane.serve(gatewayConfig({ listeners, pools: [one], routes: [routeTo(one, listeners)] }))
    const keptAlive = await client(plane.port(80))
    expect(await keptAlive.get('a.example')).toMatchObject({ body: 'one' })
    await plane.serve(gatewayConfig({ listeners, pools: [two], routes: [routeTo(two, listeners)] }))
    expect(await keptAlive.get('a.example')).toMatchObject({ body: 'two' })
    await other.stop()
  })

  it('lets a request under way end on the pool that a new configuration no longer has', async () => {
    const plane = start()
    const listeners = [httpListener(80)]
    await plane.serve(config([80]))
    const waiting = await client(plane.port(80))
    backend.hold()
    const before = backend.requests.length
    const answer = waiting.get('a.example')
    await backend.seen(before + 1)
    await plane.serve(gatewayConfig({ listeners }))
    backend.release()
    expect(await answer).toMatchObject({ status: 200, body: 'one' })
    expect(await waiting.get('a.example')).toMatchObject({ status: 404 })
  })

  it('reports a port that is taken, serves the others, and opens it once it is free', async () => {
    const reports: string[] = []
    const plane = start({ onReport: (report) => reports.push(JSON.stringify(report.get('default/test')?.failedPorts)) })
    const taken = await block()
    const report = await plane.serve(config([80, 81]), undefined, (_, port) => ({
      address: '127.0.0.1',
      port: port === 80 ? taken.port : 0,
    }))
    expect(report.failedPorts).toEqual([
      {
        port: 80,
        transport: 'TCP',
        message: `Cannot listen on 127.0.0.1:${taken.port}: port ${taken.port} must be free, got one that another process uses`,
      },
    ])
    expect(await (await client(plane.port(81))).get('a.example')).toMatchObject({ status: 200 })
    await new Promise((resolve) => taken.server.close(resolve))
    while (reports.length === 0) await delay(20)
    expect(reports).toEqual(['[]'])
    expect(await (await client(taken.port)).get('a.example')).toMatchObject({ status: 200 })
  })

  it('reports an address that this machine has not', async () => {
    const report = await start().serve(config([80]), undefined, () => ({ address: '192.0.2.1', port: 8080 }))
    expect(report.failedPorts[0]?.message).toBe(
      'Cannot listen on 192.0.2.1:8080: 192.0.2.1 must be an address of this machine, got one that no interface has',
    )
  })

  it('gives a socket that two Gateways are placed on to the first, and to the second when the first is gone', async () => {
    const plane = start()
    const port = await freePort()
    const second = { ...config([80]), gateway: 'default/second' }
    const placement = () => ({ address: '127.0.0.1', port })
    const report = await plane.dataPlane.apply([config([80]), second], new Map(), placement)
    expect(report.get('default/test')?.failedPorts).toEqual([])
    expect(report.get('default/second')?.failedPorts).toEqual([
      {
        port: 80,
        transport: 'TCP',
        message: `Cannot listen on 127.0.0.1:${port}: the address must be free, got one where port 80 of Gateway default/test listens`,
      },
    ])
    const keptAlive = await client(port)
    await keptAlive.get('a.example')
    const after = await plane.dataPlane.apply([second], new Map(), placement)
    expect(after.get('default/second')).toMatchObject({ ports: [{ listenPort: port }], failedPorts: [] })
    expect(await keptAlive.get('a.example')).toMatchObject({ status: 200 })
  })

  it('does not serve a port whose listeners differ in protocol, and says so', async () => {
    const listeners = [httpListener(80), { ...httpListener(80, '', 'other'), protocol: 'TCP' as const }, httpListener(81)]
    const report = await start().serve(gatewayConfig({ listeners }))
    expect(report.failedPorts).toEqual([
      {
        port: 80,
        transport: 'TCP',
        message: 'Cannot serve port 80: its listeners must have protocols that can share it, got HTTP and TCP',
      },
    ])
    expect(report.ports.map(({ port }) => port)).toEqual([81])
  })

  it('listens on IPv6, and on both families at once', async () => {
    const plane = start()
    const report = await plane.serve(config([80, 81]), undefined, (_, port) => ({ address: port === 80 ? '::1' : '::', port: 0 }))
    expect(report.failedPorts).toEqual([])
    expect(await (await client(plane.port(80), '::1')).get('a.example')).toMatchObject({ status: 200 })
    expect(await (await client(plane.port(81), '::1')).get('a.example')).toMatchObject({ status: 200 })
    expect(await (await client(plane.port(81), '127.0.0.1')).get('a.example')).toMatchObject({ status: 200 })
  })

  it('opens a port anew when all addresses give way to one', async () => {
    const plane = start()
    const port = await freePort()
    await plane.serve(config([80]), undefined, () => ({ address: '0.0.0.0', port }))
    const report = await plane.serve(config([80]), undefined, () => ({ address: '127.0.0.1', port }))
    expect(report).toMatchObject({ ports: [{ address: '127.0.0.1', listenPort: port }], failedPorts: [] })
    expect(await (await client(port)).get('a.example')).toMatchObject({ status: 200 })
  })

  it('[wire:connection-limit] sheds connections above the bound and takes new ones when others have closed', async () => {
    const plane = start({ bounds: { connectionsPerPort: 2 } })
    await plane.serve(config([80]))
    const first = await client(plane.port(80))
    const second = await client(plane.port(80))
    await first.get('a.example')
    await second.get('a.example')
    const third = await client(plane.port(80))
    await third.closed
    expect(third.received).toBe('')
    await first.close()
    await expect.poll(() => plane.dataPlane.ports[0]?.open).toBe(1)
    expect(await (await client(plane.port(80))).get('a.example')).toMatchObject({ status: 200 })
  })

  it('[wire:connection-limit] bounds the connections of the process over all ports', async () => {
    const plane = start({ bounds: { connections: 1 } })
    await plane.serve(config([80, 81]))
    await (await client(plane.port(80))).get('a.example')
    const shed = await client(plane.port(81))
    await shed.closed
    expect(shed.received).toBe('')
  })

  it('[wire:memory-watermark] answers new requests with 503 while memory is above the watermark', async () => {
    const plane = start({ bounds: { memory: 1 } })
    await plane.serve(config([80]))
    await expect.poll(() => plane.dataPlane.runtime.overloaded, { timeout: 5_000 }).toBe(true)
    expect(await (await client(plane.port(80))).get('a.example')).toMatchObject({ status: 503 })
  })
})
