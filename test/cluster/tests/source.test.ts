/** The source, the client and the election against a real API server: what a scripted one could only imitate. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../../src/kube/connect.ts'
import { delay } from '../../../src/kube/delay.ts'
import type { KubeObject, Resource } from '../../../src/kube/kube-api.ts'
import { LeaderElection } from '../../../src/kube/lease.ts'
import { KubernetesSource } from '../../../src/sources/kubernetes/kubernetes-source.ts'
import { objectKey } from '../../../src/sources/source.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { eventually, openScene } from './scene.ts'
import type { Scene } from './scene.ts'

const V1 = 'gateway.networking.k8s.io/v1'
const routes: Resource = { group: 'gateway.networking.k8s.io', version: 'v1', plural: 'httproutes', kind: 'HTTPRoute', namespaced: true }
const secrets: Resource = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true }
const deployments: Resource = { group: 'apps', version: 'v1', plural: 'deployments', kind: 'Deployment', namespaced: true }

function route(name: string, hostname = `${name}.example.com`): object {
  return { apiVersion: V1, kind: 'HTTPRoute', metadata: { name }, spec: { parentRefs: [{ name: 'gw' }], hostnames: [hostname] } }
}

describe('a real API server', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene()
  })
  afterAll(() => scene.remove())

  const client = async (deadline = 15_000) => {
    const made = await connect({ kubeconfig: scene.cluster.kubeconfig, userAgent: 'gatewright/test', deadline })
    onTestFinished(() => made.close())
    return made
  }
  const follow = async () => {
    const api = await client()
    const now = () => performance.now()
    const source = new KubernetesSource({
      api,
      owned: 'app.kubernetes.io/managed-by=gatewright',
      logger: silentLogger,
      random: Math.random,
      delay,
      now,
    })
    onTestFinished(() => source.stop())
    let calls = 0
    await source.start(() => (calls += 1))
    const ours = () => source.read().objects.filter(({ metadata }) => metadata.namespace === scene.namespace)
    const keys = () => ours().map(objectKey)
    const one = (kind: string, name: string) => ours().find((object) => object.kind === kind && object.metadata.name === name)
    return { api, source, keys, one, calls: () => calls }
  }

  it('is discovered and followed: every kind, the version of the definitions, and no complaint', async () => {
    const { source } = await follow()
    expect(source.isComplete).toBe(true)
    expect(source.bundleVersion).toBe('v1.7.0')
    expect(source.read().findings).toEqual([])
    for (const kind of ['GatewayClass', 'Gateway', 'ListenerSet', 'HTTPRoute', 'UDPRoute', 'EndpointSlice', 'Deployment']) {
      expect(source.resource(kind)?.version, kind).toBe('v1')
    }
  })

  it('tells of additions, changes and deletions, and objects whose status alone changed are the same', async () => {
    const { api, source, keys, one } = await follow()
    await scene.apply(route('a'))
    await eventually(() => Promise.resolve(one('HTTPRoute', 'a')), 'the route')
    const before = one('HTTPRoute', 'a')
    const condition = {
      type: 'Accepted',
      status: 'True',
      reason: 'Accepted',
      message: '',
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    const name = { namespace: scene.namespace, name: 'a' }
    const parents = [{ parentRef: { name: 'gw' }, controllerName: 'other.example/c', conditions: [condition] }]
    const stale = source.stored.get('HTTPRoute', scene.namespace, 'a')?.resourceVersion
    await api.patch(routes, name, { status: { parents } }, 'status')
    await eventually(() => Promise.resolve(source.stored.get('HTTPRoute', scene.namespace, 'a')?.status?.['parents']), 'the status')
    const withStatus = one('HTTPRoute', 'a')
    const parentRef = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'gw' }
    expect(withStatus).toEqual({ ...before, status: { parents: [{ parentRef, controllerName: 'other.example/c' }] } })
    await api.patch(routes, name, { status: { parents: [{ ...parents[0], conditions: [{ ...condition, status: 'False' }] }] } }, 'status')
    await eventually(
      () => Promise.resolve(JSON.stringify(source.stored.get('HTTPRoute', scene.namespace, 'a')?.status).includes('"False"')),
      'the next status',
    )
    expect(one('HTTPRoute', 'a')).toBe(withStatus)
    const conflict = api.patch(routes, name, { metadata: { resourceVersion: stale }, status: {} }, 'status')
    await expect(conflict).rejects.toMatchObject({ status: 409, reason: 'Conflict' })
    await api.delete(routes, name)
    await eventually(() => Promise.resolve(!keys().includes(`HTTPRoute/${scene.namespace}/a`)), 'the end of the route')
    await api.delete(routes, name)
  })

  it('gives Secrets as metadata, and what they hold only where it is wanted', async () => {
    const { api, source, one } = await follow()
    await scene.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tls' }, stringData: { word: 'first' } })
    await eventually(() => Promise.resolve(one('Secret', 'tls')), 'the Secret')
    expect(one('Secret', 'tls')).toMatchObject({ unloaded: true, data: {} })
    await source.want([`Secret/${scene.namespace}/tls`])
    const word = () => Buffer.from((one('Secret', 'tls') as { data: Record<string, string> }).data['word'] ?? '', 'base64').toString()
    expect(word()).toBe('first')
    await api.patch(secrets, { namespace: scene.namespace, name: 'tls' }, { stringData: { word: 'second' } })
    await eventually(() => Promise.resolve(word() === 'second'), 'the new word')
  })

  it('applies for us, and shows what is ours', async () => {
    const { api, source } = await follow()
    const labels = { app: 'x', 'app.kubernetes.io/managed-by': 'gatewright' }
    const deployment: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'ours', namespace: scene.namespace, labels },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'x' } },
        template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'x' }] } },
      },
    }
    await api.apply(deployments, deployment)
    await eventually(() => Promise.resolve(source.owned.get(deployments, scene.namespace, 'ours')), 'the Deployment')
    await api.delete(deployments, { namespace: scene.namespace, name: 'ours' })
    await eventually(() => Promise.resolve(!source.owned.get(deployments, scene.namespace, 'ours')), 'its end')
  })

  it('may go away and forget its history meanwhile: nothing is lost', async () => {
    const { source, keys, one } = await follow()
    await scene.apply(route('stays'), route('goes'))
    await eventually(() => Promise.resolve(one('HTTPRoute', 'goes')), 'the routes')
    const before = one('HTTPRoute', 'stays')
    await scene.cluster.stopComponent('kube-apiserver')
    await delay(1_000)
    await scene.cluster.startComponent('kube-apiserver')
    await eventually(() => scene.api.text('/readyz'), 'the API server')
    await scene.cluster.kubectl(['delete', 'httproute', 'goes', '--namespace', scene.namespace])
    await scene.apply(route('comes'))
    await eventually(() => Promise.resolve(one('HTTPRoute', 'comes') && one('HTTPRoute', 'goes') === undefined), 'both changes')
    expect(one('HTTPRoute', 'stays')).toBe(before)
    expect(keys().filter((key) => key.startsWith('HTTPRoute/'))).toHaveLength(2)
    await eventually(() => Promise.resolve(source.read().findings.length === 0), 'the end of all complaints')
  })

  it('lets one lead, and the next one within three seconds of a stop, or of a death', async () => {
    const candidates = await Promise.all(
      ['a', 'b', 'c'].map(async (identity) => {
        const api = await client(1_000)
        let isDead = false
        const dead = <T>(promise: () => Promise<T>): Promise<T> => (isDead ? new Promise<T>(() => {}) : promise())
        const election = new LeaderElection({
          api: {
            get: (...asked) => dead(() => api.get(...asked)),
            create: (...asked) => dead(() => api.create(...asked)),
            replace: (...asked) => dead(() => api.replace(...asked)),
          },
          lease: { namespace: scene.namespace, name: 'leader' },
          identity,
          onLead: () => {},
          onFollow: () => {},
          failing: () => {},
          now: () => performance.now(),
          timestamp: () => new Date().toISOString().replace('Z', '000Z'),
          delay,
        })
        election.start()
        return { election, die: () => (isDead = true) }
      }),
    )
    const leader = () => candidates.filter(({ election }) => election.isLeader)
    await eventually(() => Promise.resolve(leader().length === 1), 'a leader')
    const [first] = leader()
    expect(first?.election.epoch).toBe(1)
    await first?.election.stop()
    let since = performance.now()
    await eventually(() => Promise.resolve(leader().length === 1), 'the second leader')
    expect(performance.now() - since).toBeLessThan(1_500)
    const [second] = leader()
    expect(second?.election.epoch).toBe(2)
    second?.die()
    since = performance.now()
    await eventually(() => Promise.resolve(leader().some((one) => one !== second)), 'the third leader')
    expect(performance.now() - since).toBeLessThan(3_500)
    expect(leader().map(({ election }) => election.epoch)).toEqual([3])
    await leader()[0]?.election.stop()
  })
})
