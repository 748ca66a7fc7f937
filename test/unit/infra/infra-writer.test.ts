import { describe, expect, it } from 'vitest'
import type { GatewayPlan } from '../../../src/infra/gateway-plan.ts'
import { InfraWriter, type ObservedInfra } from '../../../src/infra/infra-writer.ts'
import { type Manifest, managedBy, proxyManifests, proxyResources } from '../../../src/infra/proxy-manifests.ts'
import type { KubeApi, KubeObject, Resource } from '../../../src/kube/kube-api.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'

const keyOf = (resource: Resource, namespace: string, name: string): string => `${resource.kind} ${namespace}/${name}`

/** An API server that gives `1000m` back as `1`, and a watch that shows what happened when it is told to. */
function cluster() {
  const stored = new Map<string, { resource: Resource; object: KubeObject }>()
  let shown = new Map(stored)
  const calls: string[] = []
  let version = 0
  let broken: string | undefined
  const put = (resource: Resource, object: KubeObject): KubeObject => {
    version += 1
    const canonical = JSON.parse(JSON.stringify(object).replaceAll('1000m', '1')) as KubeObject
    const kept = { ...canonical, metadata: { ...canonical.metadata, uid: `u-${object.metadata.name}`, resourceVersion: String(version) } }
    stored.set(keyOf(resource, object.metadata.namespace ?? '', object.metadata.name), { resource, object: kept })
    return kept
  }
  const api: KubeApi = {
    get: async (resource, { namespace, name }) => stored.get(keyOf(resource, namespace, name))?.object,
    apply: async (resource, object) => {
      const key = keyOf(resource, object.metadata.namespace ?? '', object.metadata.name)
      if (object.metadata.name === broken) throw new Error('quota exceeded')
      calls.push(`apply ${key}`)
      return put(resource, object)
    },
    delete: async (resource, { namespace, name }, options) => {
      calls.push(`delete ${keyOf(resource, namespace, name)} ${options?.uid ?? ''}`)
      stored.delete(keyOf(resource, namespace, name))
    },
    create: async () => Promise.reject(new Error('not used')),
    replace: async () => Promise.reject(new Error('not used')),
    patch: async () => Promise.reject(new Error('not used')),
  }
  const observed: ObservedInfra = {
    get: (resource, namespace, name) => shown.get(keyOf(resource, namespace, name))?.object,
    all: () => [...shown.values()],
  }
  return {
    writer: new InfraWriter(api, observed, silentLogger),
    put,
    watch: () => void (shown = new Map(stored)),
    breakOn: (name: string | undefined) => void (broken = name),
    remove: (resource: Resource, name: string) => void stored.delete(keyOf(resource, 'infra', name)),
    taken: () => calls.splice(0),
  }
}

const deployment = (name: string, cpu = '1000m'): Manifest => ({
  resource: proxyResources.deployment,
  object: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      namespace: 'infra',
      labels: managedBy,
      ownerReferences: [{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', name, uid: 'g', controller: true }],
    },
    spec: { template: { cpu } },
  },
})

const wanted = (...manifests: Manifest[]) =>
  manifests.map((manifest) => ({ gateway: `infra/${manifest.object.metadata.name}`, manifests: [manifest] }))
const none: ReadonlySet<string> = new Set()

describe('the writer of infrastructure', () => {
  it('applies what is new or differs, and nothing twice', async () => {
    const { writer, watch, taken } = cluster()
    await writer.write(wanted(deployment('a')), none)
    expect(taken()).toEqual(['apply Deployment infra/a'])
    // The watch has not shown it yet.
    await writer.write(wanted(deployment('a')), none)
    watch()
    await writer.write(wanted(deployment('a')), none)
    expect(taken()).toEqual([])
    await writer.write(wanted(deployment('a', '2')), none)
    expect(taken()).toEqual(['apply Deployment infra/a'])
  })

  it('repairs what somebody else changed or deleted, and leaves what others add', async () => {
    const { writer, watch, put, remove, taken } = cluster()
    const one = deployment('a')
    await writer.write(wanted(one), none)
    watch()
    await writer.write(wanted(one), none)
    taken()
    put(one.resource, { ...one.object, status: { ready: 1 }, spec: { template: { cpu: '1000m' }, paused: false } })
    watch()
    await writer.write(wanted(one), none)
    expect(taken()).toEqual([])
    put(one.resource, deployment('a', '7').object)
    watch()
    await writer.write(wanted(one), none)
    expect(taken()).toEqual(['apply Deployment infra/a'])
    watch()
    await writer.write(wanted(one), none)
    remove(one.resource, 'a')
    watch()
    await writer.write(wanted(one), none)
    expect(taken()).toEqual(['apply Deployment infra/a'])
  })

  it('deletes what is not asked for any more, and keeps what a Gateway has for which nothing new is asked', async () => {
    const { writer, watch, taken } = cluster()
    await writer.write(wanted(deployment('a'), deployment('b')), none)
    watch()
    taken()
    await writer.write([], new Set(['infra/b']))
    expect(taken()).toEqual(['delete Deployment infra/a u-a'])
  })

  it('deletes the Service of an address that is not asked for any more, and no other', async () => {
    const { writer, watch, taken } = cluster()
    const settings = { image: 'gatewright:1', controller: '10.96.0.9:15010', defaults: {} }
    const asking = (...addresses: GatewayPlan['addresses']) => {
      const plan = { gateway: 'infra/web', namespace: 'infra', name: 'web', labels: {}, annotations: {}, ports: [], addresses }
      return [{ gateway: 'infra/web', manifests: proxyManifests(plan, { name: 'web', uid: 'g' }, settings) }]
    }
    const [first, second, third] = ['web-1', 'web-2', 'web-3'].map((service, at) => ({
      type: 'IPAddress',
      value: `192.0.2.${at}`,
      service,
    }))
    if (first === undefined || second === undefined || third === undefined) throw new Error('there are three')
    await writer.write(asking(first, second, third), none)
    expect(taken().filter((call) => call.includes('Service '))).toEqual(
      ['web', 'web-1', 'web-2', 'web-3'].map((name) => `apply Service infra/${name}`),
    )
    watch()
    await writer.write(asking(first, third), none)
    expect(taken()).toEqual(['delete Service infra/web-2 u-web-2'])
  })

  it('makes the rest of a Gateway where one object cannot be made', async () => {
    const { writer, breakOn, taken } = cluster()
    breakOn('a')
    const manifests = [deployment('a'), deployment('b')]
    expect(await writer.write([{ gateway: 'infra/a', manifests }], none)).toEqual(
      new Map([['infra/a', 'Cannot make Deployment infra/a: quota exceeded']]),
    )
    expect(taken()).toEqual(['apply Deployment infra/b'])
  })

  it('does not take over what somebody else made', async () => {
    const { writer, put, taken } = cluster()
    const one = deployment('a')
    put(one.resource, { ...one.object, metadata: { name: 'a', namespace: 'infra' } })
    const failures = await writer.write(wanted(one), none)
    expect(failures).toEqual(
      new Map([['infra/a', 'Cannot make Deployment infra/a: there is one already that is not managed by gatewright; delete or rename it']]),
    )
    expect(taken()).toEqual([])
  })

  it('lets the failure of one Gateway stop no other, and tries it again', async () => {
    const { writer, breakOn, taken } = cluster()
    breakOn('a')
    expect([...(await writer.write(wanted(deployment('a'), deployment('b')), none)).keys()]).toEqual(['infra/a'])
    expect(taken()).toEqual(['apply Deployment infra/b'])
    breakOn(undefined)
    expect(await writer.write(wanted(deployment('a'), deployment('b')), none)).toEqual(new Map())
    expect(taken()).toEqual(['apply Deployment infra/a'])
  })
})
