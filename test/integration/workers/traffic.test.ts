/** Two worker processes as one data plane: whatever is spoken, connections are shared, and what was agreed with one holds with the other. */
import { connect as connectTls } from 'node:tls'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { GatewayConfig } from '../../../src/config/config.ts'
import type { HttpRouteConfig } from '../../../src/config/route.ts'
import { startBackend, type TestBackend } from '../../harness/backend.ts'
import { createTestAuthority, keysOf } from '../../harness/certificates.ts'
import { freePort, gatewayConfig, httpListener, httpsListener, pool, routeTo } from '../../harness/data-plane.ts'
import { Http2Client } from '../../harness/http2-client.ts'
import { RawClient } from '../../harness/raw-client.ts'
import { always, Backend, response } from '../../harness/scripted-backend.ts'
import { DatagramPeer, streamBackend, StreamClient, streamListener, streamPool, streamRoute } from '../../harness/streams.ts'
import { startWorkers, type TestWorkers } from '../../harness/workers.ts'

let stable: TestBackend
let canary: TestBackend

beforeAll(async () => {
  stable = await startBackend('stable')
  canary = await startBackend('canary')
})
afterAll(async () => {
  await stable.stop()
  await canary.stop()
})

async function plainClients(port: number, count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => RawClient.plain(port)))
}

/** How many connections each worker has, as soon as all have been told. */
async function shares(gateway: TestWorkers): Promise<readonly (number | undefined)[]> {
  return [
    await gateway.metric('gatewright_worker_connections{worker="1"}'),
    await gateway.metric('gatewright_worker_connections{worker="2"}'),
  ]
}

function canaryConfig(route: Partial<HttpRouteConfig['rules'][number]>): GatewayConfig {
  const listener = httpListener(80)
  const [web, next] = [pool('web', stable.port), pool('next', canary.port)]
  const base = routeTo(web, [listener])
  const rules = base.rules.map((rule) => ({ ...rule, ...route }))
  return gatewayConfig({ listeners: [listener], pools: [web, next], routes: [{ ...base, rules }] })
}

describe('two workers', () => {
  it('[wire:worker-share] share the connections of HTTP/1.1 evenly', async () => {
    const gateway = startWorkers()
    await gateway.serve(canaryConfig({}))
    const clients = await plainClients(gateway.port(80), 20)
    const answers = await Promise.all(clients.map((client) => client.get('a.example')))
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(['200 stable']))
    expect(await shares(gateway)).toEqual([10, 10])
    for (const client of clients) await client.close()
  })

  it('[wire:worker-share] give a new connection to the worker that has fewer, whoever had the last one', async () => {
    const gateway = startWorkers()
    await gateway.serve(canaryConfig({}))
    const first = await plainClients(gateway.port(80), 8)
    for (const client of first) await client.get('a.example')
    // Every second one is the same worker's.
    for (const client of first.filter((_, i) => i % 2 === 0)) await client.close()
    await expect.poll(() => shares(gateway), { timeout: 5_000 }).toSatisfy((all: number[]) => all.includes(0) && all.includes(4))
    const more = await plainClients(gateway.port(80), 4)
    for (const client of more) await client.get('a.example')
    expect(await shares(gateway)).toEqual([4, 4])
    for (const client of [...first, ...more]) await client.close()
  })

  it('[wire:worker-weights] split requests by weight exactly, each for itself', async () => {
    const gateway = startWorkers()
    const backends: HttpRouteConfig['rules'][number]['backends'] = [
      { kind: 'pool', pool: 'Service/default/web:80', weight: 90, filters: [] },
      { kind: 'pool', pool: 'Service/default/next:80', weight: 10, filters: [] },
    ]
    await gateway.serve(canaryConfig({ backends }))
    const clients = await plainClients(gateway.port(80), 10)
    const before = canary.requests.length
    await Promise.all(
      clients.map(async (client) => {
        for (let i = 0; i < 100; i += 1) expect((await client.get('a.example')).status).toBe(200)
      }),
    )
    expect(await shares(gateway)).toEqual([5, 5])
    // Of each prefix of a worker's requests a backend has its share, give or take less than 2.
    expect(Math.abs(canary.requests.length - before - 100)).toBeLessThan(4)
    for (const client of clients) await client.close()
  })

  it('[wire:retry-policy] keep together to the retries that a policy allows', async () => {
    const sick = await Backend.listen(always(response('sick', '500 Internal Server Error')))
    onTestFinished(() => sick.close())
    const hour = 3_600_000
    const retryBudget = { percent: 0, interval: hour, minRetries: { count: 3, interval: hour } }
    const config = canaryConfig({ retry: { codes: [500], attempts: 1, backoff: 1 } })
    const gateway = startWorkers()
    await gateway.serve({ ...config, pools: [{ ...pool('web', sick.port), retryBudget }] })
    const clients = await plainClients(gateway.port(80), 20)
    const answers = await Promise.all(clients.map((client) => client.get('a.example')))
    expect(await shares(gateway)).toEqual([10, 10])
    expect(answers.map(({ status }) => status).filter((status) => status === 500)).toHaveLength(3)
    expect(answers.map(({ status }) => status).filter((status) => status === 503)).toHaveLength(17)
    expect(sick.requests).toHaveLength(23)
    for (const client of clients) await client.close()
  })

  it('[wire:worker-agree] keep a session with its endpoint, whichever of them reads its token', async () => {
    const listener = httpListener(80)
    const both = pool('both', stable.port, canary.port)
    const route = routeTo(both, [listener])
    const session = { kind: 'header', name: 'X-Session', keepsBackend: false } as const
    const gateway = startWorkers()
    await gateway.serve(
      gatewayConfig({
        listeners: [listener],
        pools: [both],
        routes: [{ ...route, rules: route.rules.map((rule) => ({ ...rule, session })) }],
      }),
    )
    const [first, ...others] = await plainClients(gateway.port(80), 8)
    const answer = await first?.get('a.example')
    const token = answer?.headers.get('x-session') ?? ''
    expect(token).not.toBe('')
    for (const client of others) {
      client.send(`GET / HTTP/1.1\r\nHost: a.example\r\nX-Session: ${token}\r\n\r\n`)
      expect((await client.answer()).body).toBe(answer?.body)
    }
    expect(await shares(gateway)).toEqual([4, 4])
    for (const client of [...others, ...(first === undefined ? [] : [first])]) await client.close()
  })

  it('[wire:worker-agree] serve HTTPS and HTTP/2, resume each other’s TLS sessions, and take a new certificate together', async () => {
    const authority = createTestAuthority()
    const [old, fresh] = [authority.issue('a.example'), authority.issue('a.example')]
    const listener = httpsListener(443, '', [old])
    const web = pool('web', stable.port)
    const gateway = startWorkers()
    const config = gatewayConfig({ listeners: [listener], pools: [web], routes: [routeTo(web, [listener])], certificates: [old.config] })
    await gateway.serve(config, keysOf(old))
    const port = gateway.port(443)

    const one = await Http2Client.connect(port, 'https')
    const two = await Http2Client.connect(port, 'https')
    expect([await one.request(), await two.request()]).toMatchObject([
      { status: 200, body: 'stable' },
      { status: 200, body: 'stable' },
    ])
    expect(await shares(gateway)).toEqual([1, 1])

    const visit = async (session?: Buffer): Promise<{ session: Buffer | undefined; resumed: boolean; fingerprint: string }> => {
      const client = connectTls({
        port,
        host: '127.0.0.1',
        servername: 'a.example',
        ca: authority.certificate,
        maxVersion: 'TLSv1.2',
        ...(session !== undefined && { session }),
      })
      let ticket: Buffer | undefined
      client.on('session', (given: Buffer) => (ticket = given))
      await once(client, 'secureConnect')
      const raw = new RawClient(client)
      expect(await raw.get('a.example')).toMatchObject({ status: 200, body: 'stable' })
      // Left open, so that the next one is the other worker's.
      open.push(raw)
      return { session: ticket, resumed: client.isSessionReused(), fingerprint: client.getPeerCertificate().fingerprint256 }
    }
    const open: RawClient[] = []
    const first = await visit()
    expect(first.resumed).toBe(false)
    expect([await visit(first.session), await visit(first.session)].map(({ resumed }) => resumed)).toEqual([true, true])

    const renewed = httpsListener(443, '', [fresh])
    await gateway.serve({ ...config, listeners: [renewed], certificates: [fresh.config] }, keysOf(fresh))
    const after = [await visit(first.session), await visit(first.session)]
    expect(after.map(({ resumed }) => resumed)).toEqual([false, false])
    expect(after.map(({ fingerprint }) => fingerprint)).not.toContain(first.fingerprint)
    await one.close()
    await two.close()
    for (const client of open) await client.close()
  })

  it('serve TCP', async () => {
    const backend = await streamBackend()
    const listener = streamListener('TCP', 5432)
    const target = streamPool('db', [backend.port])
    const gateway = startWorkers()
    await gateway.serve(
      gatewayConfig({ listeners: [listener], pools: [target], streams: [streamRoute('tcp', 'db', [listener], [target])] }),
    )
    const clients = await Promise.all(Array.from({ length: 6 }, () => StreamClient.plain(gateway.port(5432))))
    for (const [i, client] of clients.entries()) {
      client.socket.write(`hello ${i}`)
      await client.hears(`hello ${i}`)
    }
    expect(await shares(gateway)).toEqual([3, 3])
    // FIN goes both ways: a socket that was handed over may be half open, as others.
    for (const client of clients) client.socket.end()
    for (const client of clients) await client.gone()
  })

  it('[wire:worker-udp] serve a UDP port in one of them, so that a client stays where its session is', async () => {
    const backend = await DatagramPeer.open((text) => `re: ${text}`)
    const listeners = [streamListener('UDP', 52), streamListener('UDP', 53)]
    const target = streamPool('dns', [backend.port], { udp: true })
    const gateway = startWorkers()
    const result = await gateway.serve(
      gatewayConfig({ listeners, pools: [target], streams: [streamRoute('udp', 'dns', listeners, [target])] }),
    )
    expect(result.ports.map(({ port, transport }) => `${transport} ${port}`)).toEqual(['UDP 52', 'UDP 53'])
    const clients = await Promise.all(Array.from({ length: 4 }, () => DatagramPeer.open()))
    for (const specified of [52, 53]) {
      for (const client of clients) for (let i = 0; i < 5; i += 1) client.send(`${specified} ${i}`, gateway.port(specified))
    }
    for (const client of clients) expect(await client.hears(10)).toHaveLength(10)
    // A session is a source port of its own: one for each client and port.
    expect(new Set(backend.received.map(({ from }) => from)).size).toBe(8)
    expect(await gateway.metric('gatewright_udp_sessions{gateway="default/test",port="52"}')).toBe(4)
    expect(await gateway.metric('gatewright_stream_passed_total{gateway="default/test",route="udp/default/dns",kind="udp"}')).toBe(8)
  })

  it('report a UDP port that another program has', async () => {
    const other = await DatagramPeer.open()
    const listener = streamListener('UDP', 53)
    const gateway = startWorkers()
    const place = (port: number) => () => ({ address: '127.0.0.1', port })
    expect(await gateway.serve(gatewayConfig({ listeners: [listener] }), undefined, place(other.port))).toMatchObject({
      ports: [],
      failedPorts: [{ port: 53, transport: 'UDP' }],
    })
    other.close()
    await expect.poll(() => gateway.reports.at(-1)?.get('default/test')?.failedPorts, { timeout: 5_000 }).toEqual([])
    expect(await gateway.serve(gatewayConfig({ listeners: [] }), undefined, place(await freePort()))).toMatchObject({ ports: [] })
  })
})
