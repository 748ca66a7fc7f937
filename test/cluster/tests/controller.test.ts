/** The controller in the cluster, installed with the manifests of deploy/: what becomes of traffic and statuses when things change or break. */
import { request as httpRequest } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { makeAuthority, makeLeaf } from '../../../src/x509/certificate.ts'
import { ApiClient, ApiError } from '../api-client.ts'
import { checkout } from '../checkout.ts'
import { readKubeconfig } from '../kubeconfig.ts'
import { controllerProcesses, environmentOf, proxyProcesses } from '../processes.ts'
import type { KubeObject } from '../objects.ts'
import {
  accepted,
  backend,
  conditionOf,
  gateway,
  GATEWAY_API,
  gatewayOf,
  type GatewayObject,
  httpListener,
  httpRoute,
  openGateways,
  programmed,
  routeOf,
} from './gateways.ts'
import { eventually, type Scene } from './scene.ts'
import { ask, Traffic } from './traffic.ts'

const SYSTEM = 'gatewright-system'
const routesPath = (namespace: string): string => `/apis/${GATEWAY_API}/namespaces/${namespace}/httproutes`

interface Lease extends KubeObject {
  readonly spec: { readonly holderIdentity?: string }
}

async function statusOf(host: string, address: string): Promise<number> {
  return (await ask({ address, port: 80, host })).status
}

async function served(host: string, address: string, within?: number): Promise<void> {
  await eventually(async () => (await statusOf(host, address)) === 200, `a 200 of ${host}`, within)
}

async function leaderOf({ api }: Scene): Promise<string> {
  const lease = await api.get<Lease>(`/apis/coordination.k8s.io/v1/namespaces/${SYSTEM}/leases/gatewright`)
  return lease.spec.holderIdentity ?? ''
}

/** Until nothing was written to Gateways and routes for three seconds: what was changed before is nothing that comes after. */
async function atRest({ api, namespace }: Scene): Promise<void> {
  const versions = async (): Promise<string> => {
    const paths = [`/apis/${GATEWAY_API}/namespaces/${namespace}/gateways`, routesPath(namespace)]
    const lists = await Promise.all(paths.map((path) => api.get<{ readonly items: readonly KubeObject[] }>(path)))
    return lists.flatMap(({ items }) => items.map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`)).join('\n')
  }
  await eventually(
    async () => {
      const before = await versions()
      await delay(3_000)
      return (await versions()) === before
    },
    'Gateways and routes at rest',
    40_000,
  )
}

function processOfPod(pod: string): number | undefined {
  return controllerProcesses().find((id) => environmentOf(id, 'POD_NAME') === pod)
}

async function controllersReady(scene: Scene): Promise<void> {
  await scene.cluster.kubectl(['-n', SYSTEM, 'rollout', 'status', 'deployment/gatewright', '--timeout=60s'])
  await eventually(async () => processOfPod((await leaderOf(scene)).split('_')[0] ?? '') !== undefined, 'a leader that runs')
}

/** What happens from now on, until the test ends: not what is there already, however late the API server begins to tell. */
async function watching(scene: Scene, path: string): Promise<{ readonly type: string; readonly object: KubeObject }[]> {
  const events: { type: string; object: KubeObject }[] = []
  const abort = new AbortController()
  onTestFinished(() => abort.abort())
  const { metadata } = await scene.api.get<{ readonly metadata: { readonly resourceVersion: string } }>(path)
  const query = `?watch=1&resourceVersion=${metadata.resourceVersion}`
  void scene.api.watch<KubeObject>(path + query, abort.signal, (event) => events.push(event)).catch(() => {})
  return events
}

describe('the canary of the founding text', () => {
  let scene: Scene
  let team: Scene
  beforeAll(async () => {
    scene = await openGateways()
    team = await openGateways()
  })
  afterAll(async () => {
    await scene.remove()
    await team.remove()
  })

  const label = async (value: string | null): Promise<void> => {
    await team.api.patch(
      `/api/v1/namespaces/${team.namespace}`,
      { metadata: { labels: { purpose: value } } },
      'application/merge-patch+json',
    )
  }

  it('is refused without the label of its namespace, splits 90 to 10 with it, and is refused again when it goes', async () => {
    const selector = { matchLabels: { purpose: 'routing' } }
    await scene.apply(gateway('my-app-gateway', [{ ...httpListener, allowedRoutes: { namespaces: { from: 'Selector', selector } } }]))
    const [stable, canary] = [await backend(team, 'my-app-stable'), await backend(team, 'my-app-canary')]
    const backends = [
      { ...stable, weight: 90 },
      { ...canary, weight: 10 },
    ]
    await team.apply(httpRoute('canary-route', 'my-app-gateway', 'myapp.example.com', backends, { namespace: scene.namespace }))
    const address = await programmed(scene, 'my-app-gateway')

    const refused = await accepted(team, 'canary-route', 'False')
    expect(refused.reason).toBe('NotAllowedByListeners')
    expect(refused.message).toContain('purpose: routing')
    await eventually(async () => (await statusOf('myapp.example.com', address)) === 404, 'a 404')
    expect((await gatewayOf(scene, 'my-app-gateway')).status?.listeners).toMatchObject([{ name: 'http', attachedRoutes: 0 }])

    await label('routing')
    await accepted(team, 'canary-route')
    await served('myapp.example.com', address)
    const counts = new Map<string, number>()
    for (let i = 0; i < 1_000; i += 1) {
      const { body } = await ask({ address, port: 80, host: 'myapp.example.com' })
      const { pod } = JSON.parse(body) as { readonly pod: string }
      counts.set(pod, (counts.get(pod) ?? 0) + 1)
    }
    expect(Math.abs((counts.get('my-app-stable') ?? 0) - 900)).toBeLessThanOrEqual(10)
    expect((counts.get('my-app-stable') ?? 0) + (counts.get('my-app-canary') ?? 0)).toBe(1_000)
    await eventually(
      async () => (await gatewayOf(scene, 'my-app-gateway')).status?.listeners?.[0]?.attachedRoutes === 1,
      'the route in attachedRoutes',
    )

    await label(null)
    expect((await accepted(team, 'canary-route', 'False')).reason).toBe('NotAllowedByListeners')
    await eventually(async () => (await statusOf('myapp.example.com', address)) === 404, 'a 404 again')
  })
})

describe('under traffic', () => {
  let scene: Scene
  let address: string
  beforeAll(async () => {
    scene = await openGateways()
    await scene.apply(
      gateway('web', [httpListener], {
        infrastructure: { parametersRef: { group: 'gatewright.dev', kind: 'GatewayParameters', name: 'two' } },
      }),
    )
    await scene.apply({
      apiVersion: 'gatewright.dev/v1alpha1',
      kind: 'GatewayParameters',
      metadata: { name: 'two' },
      spec: { replicas: 2, drain: { delay: '2s' } },
    })
    const web = await backend(scene, 'web')
    await scene.apply(httpRoute('steady', 'web', 'steady.example.com', [web]))
    address = await programmed(scene, 'web')
    await served('steady.example.com', address)
  })
  afterAll(() => scene.remove())

  const traffic = (): Traffic => new Traffic({ address, port: 80, host: 'steady.example.com' })
  const nothingFailed = async (running: Traffic): Promise<void> => {
    const { sent, failed } = await running.stop()
    expect(failed).toEqual([])
    expect(sent).toBeGreaterThan(50)
  }

  it('thirty changes at once fail no request, and all of them come to be', async () => {
    const running = traffic()
    const names = Array.from({ length: 30 }, (_, i) => `change-${i}`)
    await Promise.all(
      names.map((name, i) =>
        i % 3 === 0
          ? scene.apply(gateway(name, [httpListener]))
          : scene.apply(httpRoute(name, 'web', `${name}.example.com`, [{ name: 'web', port: 80 }])),
      ),
    )
    for (const [i, name] of names.entries()) {
      if (i % 3 === 0) await programmed(scene, name, 60_000)
      else await served(`${name}.example.com`, address)
    }
    await Promise.all(
      names.map((name, i) =>
        scene.api.delete(
          i % 3 === 0 ? `/apis/${GATEWAY_API}/namespaces/${scene.namespace}/gateways/${name}` : `${routesPath(scene.namespace)}/${name}`,
        ),
      ),
    )
    await eventually(async () => (await statusOf('change-1.example.com', address)) === 404, 'the end of the routes')
    await nothingFailed(running)
  }, 120_000)

  it('a rolling update of the proxies fails no request', async () => {
    const running = traffic()
    const pods = async (): Promise<readonly string[]> => {
      const selector = encodeURIComponent('gateway.networking.k8s.io/gateway-name=web')
      const list = await scene.api.get<{ readonly items: readonly KubeObject[] }>(
        `/api/v1/namespaces/${scene.namespace}/pods?labelSelector=${selector}`,
      )
      return list.items.map(({ metadata }) => metadata.name).sort()
    }
    const before = await pods()
    const parameters = `/apis/gatewright.dev/v1alpha1/namespaces/${scene.namespace}/gatewayparameters/two`
    await scene.api.patch(parameters, { spec: { log: { level: 'warn' }, workers: 2 } }, 'application/merge-patch+json')
    await eventually(
      async () => {
        const now = await pods()
        return now.length === before.length && now.every((name) => !before.includes(name))
      },
      'the new proxies alone',
      90_000,
    )
    await delay(500)
    await nothingFailed(running)
  }, 120_000)

  it('controllers that are killed are not missed, and what was changed meanwhile is served when they are back', async () => {
    const running = traffic()
    for (const id of controllerProcesses()) process.kill(id, 'SIGKILL')
    await scene.apply(httpRoute('meanwhile', 'web', 'meanwhile.example.com', [{ name: 'web', port: 80 }]))
    await served('meanwhile.example.com', address, 60_000)
    await accepted(scene, 'meanwhile')
    await nothingFailed(running)
    await controllersReady(scene)
  }, 120_000)

  it('an API server that is away for a minute is not missed', async () => {
    const running = traffic()
    await scene.cluster.stopComponent('kube-apiserver')
    await delay(60_000)
    await backAgain(scene)
    await eventually(
      () => scene.apply(httpRoute('after', 'web', 'after.example.com', [{ name: 'web', port: 80 }])).then(() => true),
      'the API server',
      60_000,
    )
    await served('after.example.com', address, 60_000)
    await accepted(scene, 'after')
    await nothingFailed(running)
  }, 240_000)

  it('what happened behind a compaction (410) is learned all the same, deletions too', async () => {
    await scene.apply(httpRoute('doomed', 'web', 'doomed.example.com', [{ name: 'web', port: 80 }]))
    await served('doomed.example.com', address)
    const running = traffic()
    const stopped = controllerProcesses()
    for (const id of stopped) process.kill(id, 'SIGSTOP')
    await scene.api.delete(`${routesPath(scene.namespace)}/doomed`)
    await scene.apply(httpRoute('born', 'web', 'born.example.com', [{ name: 'web', port: 80 }]))
    await compact()
    // Its own memory of events would hide the compaction.
    await scene.cluster.stopComponent('kube-apiserver')
    await backAgain(scene)
    for (const id of stopped) process.kill(id, 'SIGCONT')
    await served('born.example.com', address, 60_000)
    await eventually(async () => (await statusOf('doomed.example.com', address)) === 404, 'the end of the deleted route', 60_000)
    await accepted(scene, 'born')
    await nothingFailed(running)
    await controllersReady(scene)
  }, 180_000)

  it('a leader that is killed is followed in less than three seconds, and nothing is written twice', async () => {
    await controllersReady(scene)
    await atRest(scene)
    const gateways = await watching(scene, `/apis/${GATEWAY_API}/namespaces/${scene.namespace}/gateways`)
    const routes = await watching(scene, routesPath(scene.namespace))
    const leader = await leaderOf(scene)
    const id = processOfPod(leader.split('_')[0] ?? '')
    const killed = performance.now()
    process.kill(id ?? Number.NaN, 'SIGKILL')
    await eventually(async () => ![leader, ''].includes(await leaderOf(scene)), 'another leader', 10_000)
    expect(performance.now() - killed).toBeLessThan(3_000)
    await scene.apply(httpRoute('handed-over', 'web', 'handed-over.example.com', [{ name: 'web', port: 80 }]))
    await accepted(scene, 'handed-over')
    await delay(2_000)
    // What did not change was not written; what was created has been written once, and then its status once.
    expect(routes.map(({ type, object }) => `${type} ${object.metadata.name}`)).toEqual(['ADDED handed-over', 'MODIFIED handed-over'])
    const written = gateways.map(({ object }) => JSON.stringify((object as GatewayObject).status))
    // The new route, and where the proxies took their time, that they serve it.
    expect(written.length, written.join('\n')).toBeLessThanOrEqual(2)
    expect(new Set(written).size).toBe(written.length)
  }, 100_000)
})

/** The API server, and Kubernetes' own controllers, which would wait for longer and longer. */
async function backAgain({ cluster }: Scene): Promise<void> {
  await cluster.startComponent('kube-apiserver')
  await cluster.stopComponent('kube-controller-manager')
  await cluster.startComponent('kube-controller-manager')
}

/** Of everything that etcd has, by its own HTTP API. */
async function compact(): Promise<void> {
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    return new Promise((resolve, reject) => {
      const asked = httpRequest({ host: '127.0.0.1', port: 23_790, path, method: 'POST' }, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('end', () =>
          response.statusCode === 200 ? resolve(JSON.parse(text) as Record<string, unknown>) : reject(new Error(text)),
        )
      })
      asked.on('error', reject).end(JSON.stringify(body))
    })
  }
  const range = await post('/v3/kv/range', { key: Buffer.from('compact').toString('base64') })
  const { revision } = range['header'] as { readonly revision: string }
  await post('/v3/kv/compaction', { revision, physical: true })
}

describe('certificates', () => {
  const validity = { from: new Date(Date.now() - 60_000), until: new Date(Date.now() + 86_400_000) }
  const authority = makeAuthority('cluster tests', validity)
  const secretOf = (name: string, host: string) => {
    const { certificate, key } = makeLeaf(authority, [host], [], validity)
    const encoded = (text: string): string => Buffer.from(text).toString('base64')
    return {
      fingerprint: new X509Certificate(certificate).fingerprint256,
      object: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name },
        type: 'kubernetes.io/tls',
        data: { 'tls.crt': encoded(certificate), 'tls.key': encoded(key) },
      },
    }
  }
  const httpsListener = (secret: string) => ({ name: 'https', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: secret }] } })

  it('are exchanged under traffic without a failed handshake', async () => {
    const scene = await openGateways()
    onTestFinished(() => scene.remove())
    const [first, second] = [secretOf('cert', 'a.example.com'), secretOf('cert', 'a.example.com')]
    await scene.apply(first.object, gateway('web', [httpsListener('cert')]))
    await scene.apply(httpRoute('web', 'web', 'a.example.com', [await backend(scene, 'web')]))
    const target = { address: await programmed(scene, 'web'), port: 443, host: 'a.example.com', ca: authority.certificate }
    await eventually(async () => (await ask(target)).status === 200, 'a 200')
    const running = new Traffic(target)
    expect((await ask(target)).certificate).toBe(first.fingerprint)
    await scene.apply(second.object)
    await eventually(async () => (await ask(target)).certificate === second.fingerprint, 'the new certificate')
    await delay(500)
    const { sent, failed } = await running.stop()
    expect(failed).toEqual([])
    expect(sent).toBeGreaterThan(50)
  }, 90_000)

  it('of ten tenants are seen by nobody but their own proxies', async () => {
    const tenants = await Promise.all(Array.from({ length: 10 }, openGateways))
    onTestFinished(async () => void (await Promise.all(tenants.map((tenant) => tenant.remove()))))
    await Promise.all(
      tenants.map(async (tenant, i) => {
        await tenant.apply(secretOf('cert', `t${i}.example.com`).object, gateway('web', [httpsListener('cert')]))
      }),
    )
    for (const tenant of tenants) await programmed(tenant, 'web', 90_000)
    for (const [i, tenant] of tenants.entries()) {
      const { items } = await tenant.api.get<{ readonly items: readonly { readonly status: { readonly podIP?: string } }[] }>(
        `/api/v1/namespaces/${tenant.namespace}/pods?labelSelector=${encodeURIComponent('gateway.networking.k8s.io/gateway-name=web')}`,
      )
      const config = ':15000/config'
      expect((await fetch(`http://${items[0]?.status.podIP}${config}`)).status).toBe(403)
      const text = await fromWithin(tenant, 'web', `http://127.0.0.1${config}`)
      expect(text).toContain(`t${i}.example.com`)
      expect(text.match(/t\d\.example\.com/g)?.every((name) => name === `t${i}.example.com`)).toBe(true)
    }
    await expectRefused(tenants[0], tenants[1])
  }, 180_000)

  /** What a proxy's pod answers itself. */
  async function fromWithin({ cluster, namespace }: Scene, gatewayName: string, url: string): Promise<string> {
    const [pid] = proxyProcesses(`${namespace}/${gatewayName}`)
    const network = (await cluster.exec(['ip', 'netns', 'identify', String(pid)])).stdout.trim()
    const script = `fetch(${JSON.stringify(url)}).then((response) => response.text()).then((text) => process.stdout.write(text))`
    return (await cluster.exec(['ip', 'netns', 'exec', network, process.execPath, '-e', script])).stdout
  }

  /** A proxy that shows one Gateway's certificate to the controller and asks for another's configuration. */
  async function expectRefused(own: Scene | undefined, other: Scene | undefined): Promise<void> {
    if (own === undefined || other === undefined) throw new Error('there must be two tenants')
    const { data } = await own.api.get<{ readonly data: Readonly<Record<string, string>> }>(
      `/api/v1/namespaces/${own.namespace}/secrets/web-gatewright-credentials`,
    )
    const folder = mkdtempSync(join(tmpdir(), 'gatewright-stolen-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    for (const [name, value] of Object.entries(data)) writeFileSync(join(folder, name), Buffer.from(value, 'base64'))
    const { spec } = await own.api.get<{ readonly spec: { readonly clusterIP: string } }>(
      `/api/v1/namespaces/${SYSTEM}/services/gatewright`,
    )
    const proxyAs = async (gatewayName: string): Promise<string> => {
      const args = ['proxy', `--gateway=${gatewayName}`, `--controller=${spec.clusterIP}:15010`, `--credentials=${folder}`]
      const more = ['--address=127.0.0.1', '--admin-address=127.0.0.1', '--admin-port=0', '--log-level=debug', '--drain-delay=0']
      const child = own.cluster.spawn([process.execPath, join(checkout, 'dist/cli/main.js'), ...args, ...more], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let said = ''
      child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text))
      await delay(3_000)
      child.kill('SIGTERM')
      await new Promise((resolve) => child.once('exit', resolve))
      return said
    }
    const servedVersion = (said: string): string | undefined => /"version":"([^"]+)","message":"the first configuration/.exec(said)?.[1]
    const ownVersion = servedVersion(await proxyAs(`${own.namespace}/web`))
    expect(ownVersion).toBeDefined()
    // Whatever it asks for, its certificate decides.
    expect([ownVersion, undefined]).toContain(servedVersion(await proxyAs(`${other.namespace}/web`)))
  }
})

describe('what the cluster is told', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openGateways()
  })
  afterAll(() => scene.remove())

  interface EventObject extends KubeObject {
    readonly reason: string
    readonly note?: string
    readonly regarding: { readonly kind: string; readonly name: string }
  }
  const eventsOf = async (kind: string, name: string): Promise<readonly EventObject[]> => {
    const { items } = await scene.api.get<{ readonly items: readonly EventObject[] }>(
      `/apis/events.k8s.io/v1/namespaces/${scene.namespace}/events`,
    )
    return items.filter(({ regarding }) => regarding.kind === kind && regarding.name === name)
  }

  it('is one Event for a route that is refused and for a Gateway that cannot be programmed, however often it is looked at', async () => {
    const unusable = { addresses: [{ type: 'IPAddress', value: '198.51.100.1' }] }
    await scene.apply(gateway('web', [{ ...httpListener, hostname: 'a.example.com' }]), gateway('stuck', [httpListener], unusable))
    await scene.apply(httpRoute('refused', 'web', 'b.example.com', [{ name: 'nobody', port: 80 }]))
    expect((await accepted(scene, 'refused', 'False')).reason).toBe('NoMatchingListenerHostname')
    await eventually(async () => (await eventsOf('HTTPRoute', 'refused')).length > 0, 'an Event of the route')
    await eventually(
      async () => conditionOf((await gatewayOf(scene, 'stuck')).status?.conditions, 'Programmed')?.reason === 'AddressNotUsable',
      'AddressNotUsable',
    )
    await eventually(async () => (await eventsOf('Gateway', 'stuck')).length > 0, 'an Event of the Gateway')
    for (let i = 0; i < 20; i += 1) await scene.apply(httpRoute(`other-${i}`, 'web', 'a.example.com', [{ name: 'nobody', port: 80 }]))
    await accepted(scene, 'other-19')
    await delay(1_000)
    const ofRoute = await eventsOf('HTTPRoute', 'refused')
    expect(ofRoute.filter(({ reason }) => reason === 'NoMatchingListenerHostname')).toHaveLength(1)
    expect(new Set(ofRoute.map(({ reason }) => reason)).size).toBe(ofRoute.length)
    const ofGateway = await eventsOf('Gateway', 'stuck')
    expect(new Set(ofGateway.map(({ reason }) => reason)).size).toBe(ofGateway.length)
  })

  it('keeps what others wrote into a status', async () => {
    await scene.apply(httpRoute('shared', 'web', 'a.example.com', [{ name: 'nobody', port: 80 }]))
    await accepted(scene, 'shared')
    const { status } = await routeOf(scene, 'shared')
    const parentRef = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'elsewhere' }
    const condition = { type: 'Accepted', status: 'True', reason: 'Accepted', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }
    const foreign = { parentRef, controllerName: 'example.com/other', conditions: [condition] }
    const parents = [...(status?.parents ?? []), foreign]
    await scene.api.patch(`${routesPath(scene.namespace)}/shared/status`, { status: { parents } }, 'application/merge-patch+json')
    await scene.api.patch(
      `${routesPath(scene.namespace)}/shared`,
      { spec: { hostnames: ['c.example.com'] } },
      'application/merge-patch+json',
    )
    await accepted(scene, 'shared', 'False')
    expect((await routeOf(scene, 'shared')).status?.parents).toMatchObject([{}, { controllerName: 'example.com/other' }])
  })
})

describe('the token of the controller', () => {
  it('opens what it needs, and nothing else', async () => {
    const scene = await openGateways()
    onTestFinished(() => scene.remove())
    const own = new ApiClient(readKubeconfig(await scene.cluster.kubeconfigOf(SYSTEM, 'gatewright')))
    onTestFinished(() => own.close())
    const answerTo = async (asked: Promise<unknown>): Promise<number> => {
      try {
        await asked
        return 200
      } catch (error) {
        if (error instanceof ApiError) return error.status
        throw error
      }
    }
    const ns = scene.namespace
    const merge = 'application/merge-patch+json'
    await scene.apply(gateway('web', [httpListener]))
    const allowed = [
      own.get(`/apis/${GATEWAY_API}/gateways`),
      own.get('/api/v1/services'),
      own.get(`/apis/${GATEWAY_API}/namespaces/${ns}/gateways/web`),
    ]
    for (const asked of allowed) expect(await answerTo(asked)).toBe(200)
    const forbidden: Readonly<Record<string, () => Promise<unknown>>> = {
      'list pods': () => own.get('/api/v1/pods'),
      'list nodes': () => own.get('/api/v1/nodes'),
      'read logs': () => own.text(`/api/v1/namespaces/${ns}/pods/web/log`),
      'create pods': () =>
        own.post(`/api/v1/namespaces/${ns}/pods`, { metadata: { name: 'x' }, spec: { containers: [{ name: 'x', image: 'x' }] } }),
      'run in pods': () => own.post(`/api/v1/namespaces/${ns}/pods/web/exec`, {}),
      'write namespaces': () => own.patch(`/api/v1/namespaces/${ns}`, { metadata: { labels: { a: 'b' } } }, merge),
      'write the spec of a Gateway': () =>
        own.patch(`/apis/${GATEWAY_API}/namespaces/${ns}/gateways/web`, { spec: { listeners: [] } }, merge),
      'write routes': () => own.post(routesPath(ns), httpRoute('x', 'web', 'a.example.com', [])),
      'delete Gateways': () => own.delete(`/apis/${GATEWAY_API}/namespaces/${ns}/gateways/web`),
      'bind roles': () =>
        own.post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
          metadata: { name: 'x' },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        }),
      'read roles': () => own.get('/apis/rbac.authorization.k8s.io/v1/clusterroles'),
      'make tokens': () => own.post(`/api/v1/namespaces/${SYSTEM}/serviceaccounts/gatewright/token`, { spec: {} }),
      'write config maps': () => own.post(`/api/v1/namespaces/${ns}/configmaps`, { metadata: { name: 'x' } }),
      'write daemon sets': () => own.get('/apis/apps/v1/daemonsets'),
      'read leases of others': () => own.get('/apis/coordination.k8s.io/v1/namespaces/kube-system/leases'),
      'write definitions': () => own.delete('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gateways.gateway.networking.k8s.io'),
    }
    const answers = await Promise.all(Object.entries(forbidden).map(async ([what, asked]) => [what, await answerTo(asked())]))
    expect(answers).toEqual(Object.keys(forbidden).map((what) => [what, 403]))
  })
})
