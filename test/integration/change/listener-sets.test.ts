import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startBackend, type TestBackend } from '../../harness/backend.ts'
import { createTestAuthority } from '../../harness/certificates.ts'
import { RawClient } from '../../harness/raw-client.ts'
import { quietPort } from '../../load/quiet-port.ts'
import type { Manifest } from '../../load/world.ts'
import { Pipeline } from './pipeline.ts'

const v1 = 'gateway.networking.k8s.io/v1'
const [webPort, contestedPort, securePort] = [80, 8080, 443]
/** How often the port goes to and fro. */
const rounds = 15

describe('a ListenerSet that takes a port away from another under traffic', () => {
  const authority = createTestAuthority()
  const certificate = authority.issue('secure.test', 'taker.test')
  const placed = new Map<number, number>()
  const backends = new Map<string, TestBackend>()
  let pipeline: Pipeline

  beforeAll(async () => {
    for (const port of [webPort, contestedPort, securePort]) placed.set(port, await quietPort())
    for (const name of ['gateway', 'loser', 'other', 'taker']) backends.set(name, await startBackend(name))
    pipeline = new Pipeline((_gateway, port) => ({ address: '127.0.0.1', port: placed.get(port) ?? 0 }), 5_000)
  })
  afterAll(async () => {
    await pipeline.dataPlane.drain(100)
    for (const backend of backends.values()) await backend.stop()
  })

  /** The taker is the oldest of the sets, so that it has what it asks for from the moment when it comes. */
  function world(taker: readonly Listener[]): ReadonlyMap<string, Manifest> {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'certificate', namespace: 'default' },
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': base64(certificate.config.chain), 'tls.key': base64(certificate.key.reveal()) },
    }
    const all: readonly Manifest[] = [
      { apiVersion: v1, kind: 'GatewayClass', metadata: { name: 'edge' }, spec: { controllerName: 'gatewright.dev/gateway-controller' } },
      {
        apiVersion: v1,
        kind: 'Gateway',
        metadata: { name: 'edge', namespace: 'default' },
        spec: {
          gatewayClassName: 'edge',
          allowedListeners: { namespaces: { from: 'All' } },
          listeners: [http('own', webPort, 'gateway.test')],
        },
      },
      secret,
      ...set('loser', '2026-02-01T00:00:00Z', [http('contested', contestedPort, 'loser.test'), http('kept', webPort, 'loser.test')]),
      ...set('other', '2026-03-01T00:00:00Z', [http('web', webPort, 'other.test'), https('secure', securePort, 'secure.test')]),
      ...(taker.length === 0 ? [] : set('taker', '2026-01-01T00:00:00Z', taker)),
      route('gateway', 'Gateway', 'edge'),
      ...['loser', 'other', 'taker'].map((name) => route(name, 'ListenerSet', name)),
      ...[...backends].flatMap(([name, { port }]) => service(name, port)),
    ]
    return new Map(all.map((manifest) => [`${manifest.kind}/${manifest.metadata.name}`, manifest]))
  }

  const serve = async (taker: readonly Listener[]): Promise<void> => {
    const { failedPorts, failedListeners } = await pipeline.serve(world(taker))
    expect([...failedPorts, ...failedListeners]).toEqual([])
  }
  const plain = (port: number): Promise<RawClient> => RawClient.plain(placed.get(port) ?? 0)
  const secure = (port: number, servername: string): Promise<RawClient> =>
    RawClient.tls(placed.get(port) ?? 0, { ca: authority.certificate, servername })

  async function once(client: Promise<RawClient>, host: string): Promise<{ status: number; body: string }> {
    const opened = await client
    const { status, body } = await opened.get(host)
    await opened.close()
    return { status, body }
  }

  it('[feature:ListenerSet] is noticed by nobody else: no request fails, no connection ends', { timeout: 60_000 }, async () => {
    await serve([])
    const over = new AbortController()
    const bystanders = [
      { name: 'the Gateway’s own listener', client: await plain(webPort), host: 'gateway.test', answer: 'gateway' },
      { name: 'the loser’s other listener', client: await plain(webPort), host: 'loser.test', answer: 'loser' },
      { name: 'another set on the port of the Gateway', client: await plain(webPort), host: 'other.test', answer: 'other' },
      { name: 'another set by TLS', client: await secure(securePort, 'secure.test'), host: 'secure.test', answer: 'other' },
    ]
    // Each has one connection for the whole time: it would reject when that ended.
    const traffic = bystanders.map(async ({ name, client, host, answer }) => {
      let requests = 0
      for (; !over.signal.aborted; requests += 1) {
        const { status, body } = await client.get(host)
        expect({ name, status, body }).toEqual({ name, status: 200, body: answer })
      }
      return requests
    })
    for (let round = 0; round < rounds; round += 1) {
      expect(await once(plain(contestedPort), 'loser.test')).toEqual({ status: 200, body: 'loser' })
      // Another protocol, so that nothing of the port is left to the loser.
      await serve([https('contested', contestedPort, 'taker.test')])
      expect(await once(secure(contestedPort, 'taker.test'), 'taker.test')).toEqual({ status: 200, body: 'taker' })
      // Another owner of the same hostname.
      await serve([http('contested', contestedPort, 'loser.test')])
      expect(await once(plain(contestedPort), 'loser.test')).toEqual({ status: 200, body: 'taker' })
      await serve([])
    }
    over.abort()
    for (const requests of await Promise.all(traffic)) expect(requests).toBeGreaterThan(rounds)
    for (const { client } of bystanders) await client.close()
  })

  it('lets what the loser has under way come to its end', async () => {
    await serve([])
    const loser = backends.get('loser')
    const before = loser?.requests.length ?? 0
    const client = await plain(contestedPort)
    loser?.hold()
    const answer = client.get('loser.test')
    await loser?.seen(before + 1)
    await serve([https('contested', contestedPort, 'taker.test')])
    expect(await once(secure(contestedPort, 'taker.test'), 'taker.test')).toEqual({ status: 200, body: 'taker' })
    loser?.release()
    expect((await answer).status).toBe(200)
    await client.close()
  })
})

interface Listener {
  readonly name: string
  readonly port: number
  readonly [field: string]: unknown
}

function http(name: string, port: number, hostname: string): Listener {
  return { name, port, protocol: 'HTTP', hostname }
}

function https(name: string, port: number, hostname: string): Listener {
  return { name, port, protocol: 'HTTPS', hostname, tls: { certificateRefs: [{ name: 'certificate' }] } }
}

function set(name: string, creationTimestamp: string, listeners: readonly Listener[]): readonly Manifest[] {
  const metadata = { name, namespace: 'default', creationTimestamp }
  return [{ apiVersion: v1, kind: 'ListenerSet', metadata, spec: { parentRef: { name: 'edge' }, listeners } }]
}

function route(name: string, kind: string, parent: string): Manifest {
  const spec = { parentRefs: [{ kind, name: parent }], rules: [{ backendRefs: [{ name, port: 80 }] }] }
  return { apiVersion: v1, kind: 'HTTPRoute', metadata: { name, namespace: 'default' }, spec }
}

function service(name: string, port: number): readonly Manifest[] {
  return [
    { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec: { ports: [{ port: 80 }] } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'] }],
      ports: [{ port }],
    },
  ]
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
