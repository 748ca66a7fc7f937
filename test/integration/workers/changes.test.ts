/** What two worker processes say together: a configuration is served when both serve it, and its ports are those of both. */
import { createServer } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { GatewayConfig } from '../../../src/config/config.ts'
import { startBackend } from '../../harness/backend.ts'
import { createTestAuthority, keysOf } from '../../harness/certificates.ts'
import { freePort, gatewayConfig, httpListener, httpsListener, pool, routeTo } from '../../harness/data-plane.ts'
import { RawClient } from '../../harness/raw-client.ts'
import { startWorkers, type TestWorkers } from '../../harness/workers.ts'

async function backend(name: string) {
  const started = await startBackend(name)
  onTestFinished(() => started.stop())
  return started
}

const listener = httpListener(80)

function configTo(name: string, port: number): GatewayConfig {
  const target = pool(name, port)
  return gatewayConfig({ listeners: [listener], pools: [target], routes: [routeTo(target, [listener])] })
}

async function clientsOf(gateway: TestWorkers, count: number): Promise<RawClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => RawClient.plain(gateway.port(80))))
  onTestFinished(async () => {
    for (const client of clients) await client.close()
  })
  return clients
}

describe('a change of the configuration', () => {
  it('[wire:worker-apply] is reported when both workers serve it, and touches no connection', async () => {
    const [blue, green] = [await backend('blue'), await backend('green')]
    const gateway = startWorkers()
    await gateway.serve(configTo('blue', blue.port))
    const clients = await clientsOf(gateway, 6)
    for (const client of clients) expect((await client.get('a.example')).body).toBe('blue')
    for (let i = 0; i < 30; i += 1) {
      const [name, port] = i % 2 === 0 ? ['green', green.port] : ['blue', blue.port]
      await gateway.serve(configTo(name, port))
      const bodies = await Promise.all(clients.map(async (client) => (await client.get('a.example')).body))
      expect(new Set(bodies)).toEqual(new Set([name]))
    }
    expect(await gateway.metric('gatewright_connections_total')).toBe(6)
  })

  it('that takes a Gateway away drains its connections in both', async () => {
    const blue = await backend('blue')
    const gateway = startWorkers()
    await gateway.serve(configTo('blue', blue.port))
    const clients = await clientsOf(gateway, 4)
    for (const client of clients) await client.get('a.example')
    const port = gateway.port(80)
    expect([...(await gateway.workers.apply([], new Map(), () => ({ address: '127.0.0.1', port: 0 })))]).toEqual([])
    for (const client of clients) await client.closed
    await expect(RawClient.plain(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('[wire:worker-apply] says once that a port is taken, and says so when it is free', async () => {
    const blue = await backend('blue')
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const gateway = startWorkers()
    const result = await gateway.serve(configTo('blue', blue.port), undefined, () => ({ address: '127.0.0.1', port }))
    expect(result).toMatchObject({
      ports: [],
      failedPorts: [
        {
          port: 80,
          transport: 'TCP',
          message: `Cannot listen on 127.0.0.1:${port}: port ${port} must be free, got one that another process uses`,
        },
      ],
    })
    expect(result.failedPorts).toHaveLength(1)
    other.close()
    await expect
      .poll(() => gateway.reports.at(-1)?.get('default/test'), { timeout: 5_000 })
      .toMatchObject({ ports: [{ port: 80, listenPort: port }], failedPorts: [] })
    const client = await RawClient.plain(port)
    expect(await client.get('a.example')).toMatchObject({ status: 200, body: 'blue' })
    await client.close()
  })

  it('that turns a port from clear text to TLS, or from one address to all, finds it free at once', async () => {
    const blue = await backend('blue')
    const certificate = createTestAuthority().issue('a.example')
    const gateway = startWorkers()
    const port = await freePort()
    const at = (address: string) => () => ({ address, port })
    const secure = httpsListener(80, '', [certificate])
    const target = pool('blue', blue.port)
    const secureConfig = gatewayConfig({
      listeners: [secure],
      pools: [target],
      routes: [routeTo(target, [secure])],
      certificates: [certificate.config],
    })
    for (let i = 0; i < 3; i += 1) {
      expect((await gateway.serve(configTo('blue', blue.port), undefined, at('127.0.0.1'))).failedPorts).toEqual([])
      expect((await gateway.serve(secureConfig, keysOf(certificate), at('127.0.0.1'))).failedPorts).toEqual([])
      expect((await gateway.serve(secureConfig, keysOf(certificate), at('0.0.0.0'))).failedPorts).toEqual([])
    }
    const client = await RawClient.tls(port, { rejectUnauthorized: false, servername: 'a.example' })
    expect(await client.get('a.example')).toMatchObject({ status: 200, body: 'blue' })
    await client.close()
  })

  it('names a certificate that cannot be used once, and leaves the rest alone', async () => {
    const blue = await backend('blue')
    const certificate = createTestAuthority().issue('a.example')
    const secure = httpsListener(443, '', [certificate])
    const gateway = startWorkers()
    const target = pool('blue', blue.port)
    const result = await gateway.serve(
      gatewayConfig({
        listeners: [listener, secure],
        pools: [target],
        routes: [routeTo(target, [listener])],
        certificates: [{ ...certificate.config, chain: 'none' }],
      }),
      keysOf(certificate),
    )
    expect(result.failedListeners).toMatchObject([{ listener: secure.key }])
    expect(result.ports.map(({ port }) => port)).toContain(80)
    const [client] = await clientsOf(gateway, 1)
    expect(await client?.get('a.example')).toMatchObject({ status: 200 })
  })
})

describe('the numbers of two workers', () => {
  it('are added', async () => {
    const blue = await backend('blue')
    const gateway = startWorkers()
    await gateway.serve(configTo('blue', blue.port))
    const clients = await clientsOf(gateway, 4)
    for (const [i, client] of clients.entries()) for (let n = 0; n <= i; n += 1) await client.get('a.example')
    const labels = '{gateway="default/test",route="HTTPRoute/default/blue"'
    expect(await gateway.metric(`gatewright_requests_total${labels},rule="HTTPRoute/default/blue/0",code="2xx"}`)).toBe(10)
    expect(await gateway.metric(`gatewright_request_duration_seconds_count${labels}}`)).toBe(10)
    expect(await gateway.metric('gatewright_connections{gateway="default/test",port="80"}')).toBe(4)
    // One endpoint, whoever knows of it.
    expect(await gateway.metric('gatewright_upstream_endpoints{pool="Service/default/blue:80"}')).toBe(1)
    expect(await gateway.workers.pools()).toMatchObject([
      { pool: 'Service/default/blue:80', endpoints: [{ endpoint: `127.0.0.1:${blue.port}`, health: 'available' }] },
    ])
  })

  it('keep to the bounds of the proxy together', async () => {
    const blue = await backend('blue')
    const gateway = startWorkers({ plane: { bounds: { connectionsPerPort: 6 } } })
    await gateway.serve(configTo('blue', blue.port))
    const clients = await clientsOf(gateway, 6)
    for (const client of clients) expect((await client.get('a.example')).status).toBe(200)
    const [more] = await clientsOf(gateway, 1)
    await more?.closed
    expect(await gateway.metric('gatewright_connections_shed_total{gateway="default/test",port="80",reason="port"}')).toBe(1)
  })
})
