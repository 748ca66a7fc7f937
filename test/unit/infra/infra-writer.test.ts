import { describe, expect, it } from 'vitest'
import type { GatewayPlan } from '../../../src/infra/gateway-plan.ts'
import { InfraWriter, type ObservedInfra } from '../../../src/infra/infra-writer.ts'
import { type Manifest, managedBy, proxyManifests, proxyResources } from '../../../src/infra/proxy-manifests.ts'
import type { KubeApi, KubeObject, Resource } from '../../../src/kube/kube-api.ts'
import { KubeError } from '../../../src/kube/kube-error.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'

const keyOf = (resource: Resource, namespace: string, name: string): string => `${resource.kind} ${namespace}/${name}`

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/** An API server that gives `1000m` back as `1`, and a watch that shows what happened when it is told to. */
function cluster() {
  const stored = new Map<string, { resource: Resource; object: KubeObject }>()
  let shown = new Map(stored)
  const calls: string[] = []
  let version = 0
  let broken: string | undefined
  let why: Error = new Error('quota exceeded')
  let tries = 0
  let time = 0
  let changes = 0
  let hanging: Promise<void> = Promise.resolve()
  const due: number[] = []
  const put = (resource: Resource, object: KubeObject): KubeObject => {
    version += 1
    const canonical = JSON.parse(JSON.stringify(object).replaceAll('1000m', '1')) as KubeObject
    const kept = { ...canonical, metadata: { ...canonical.metadata, uid: `u-${object.metadata.name}`, resourceVersion: String(version) } }
    stored.set(keyOf(resource, object.metadata.namespace ?? '', object.metadata.name), { resource, object: kept })
    return kept
  }
  const api: KubeApi = {
    get: async (resource, { namespace, name }) => stored.get(keyOf(resource, namespace, name))?.object,
    apply: async (resource, object, manager) => {
      const key = keyOf(resource, object.metadata.namespace ?? '', object.metadata.name)
      if (object.metadata.name === broken) {
        tries += 1
        await hanging
        throw why
      }
      if (manager !== undefined) {
        calls.push(`apply ${key} as ${manager}: ${JSON.stringify(object['spec'])}`)
        return object
      }
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
    writer: new InfraWriter({
      api,
      observed,
      logger: silentLogger,
      now: () => time,
      random: () => 1,
      later: (milliseconds) => void due.push(milliseconds),
      onChange: () => void (changes += 1),
    }),
    pass: (milliseconds: number) => void (time += milliseconds),
    because: (error: Error) => void (why = error),
    triesTaken: () => {
      const taken = tries
      tries = 0
      return taken
    },
    changes: () => changes,
    /** What is broken does not answer until the result is called. */
    hang: () => {
      const { promise, resolve } = withResolvers()
      hanging = promise
      return resolve
    },
    dueTaken: () => due.splice(0),
    put,
    watch: () => void (shown = new Map(stored)),
    breakOn: (name: string | undefined) => void (broken = name),
    remove: (resource: Resource, name: string) => void stored.delete(keyOf(resource, 'infra', name)),
    taken: () => calls.splice(0),
  }
}

const deployment = (name: string, cpu = '1000m', owner = name): Manifest => ({
  resource: proxyResources.deployment,
  object: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      namespace: 'infra',
      labels: managedBy,
      ownerReferences: [{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', name: owner, uid: 'g', controller: true }],
    },
    spec: { template: { cpu } },
  },
})

const wanted = (...manifests: Manifest[]) =>
  manifests.map((manifest) => ({ gateway: `infra/${manifest.object.metadata.name}`, manifests: [manifest] }))
/** What is under way beside the writer has ended. */
const settled = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve)
  })
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
    const { writer, watch, put, remove, taken, pass } = cluster()
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
    pass(500)
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
    await writer.write([{ gateway: 'infra/a', manifests }], none)
    expect(writer.failures).toEqual(
      new Map([['infra/a', { reason: 'Invalid', message: 'Cannot make Deployment infra/a: quota exceeded' }]]),
    )
    expect(taken()).toEqual(['apply Deployment infra/b'])
  })

  it('does not take over what somebody else made', async () => {
    const { writer, put, taken } = cluster()
    const one = deployment('a')
    put(one.resource, { ...one.object, metadata: { name: 'a', namespace: 'infra' } })
    await writer.write(wanted(one), none)
    expect(writer.failures.get('infra/a')?.message).toBe(
      'Cannot make Deployment infra/a: there is one already that is not managed by gatewright; delete or rename it',
    )
    expect(taken()).toEqual([])
  })

  it('lets the failure of one Gateway stop no other, and tries it again when it is due, later each time', async () => {
    const { writer, breakOn, taken, triesTaken, dueTaken, pass, changes } = cluster()
    breakOn('a')
    const both = wanted(deployment('a'), deployment('b'))
    await writer.write(both, none)
    expect([...writer.failures.keys()]).toEqual(['infra/a'])
    expect(taken()).toEqual(['apply Deployment infra/b'])
    expect(triesTaken()).toBe(1)
    expect(dueTaken()).toEqual([500])
    pass(499)
    await writer.write(both, none)
    expect(triesTaken()).toBe(0)
    expect(dueTaken()).toEqual([1])
    pass(1)
    await writer.write(both, none)
    await settled()
    expect(triesTaken()).toBe(1)
    expect(Math.max(...dueTaken())).toBe(1_000)
    expect(changes()).toBe(1)
    breakOn(undefined)
    pass(1_000)
    await writer.write(both, none)
    await settled()
    expect(writer.failures).toEqual(new Map())
    expect(changes()).toBe(2)
    expect(taken()).toEqual(['apply Deployment infra/a'])
  })

  it('asks for the next time although something else is due already', async () => {
    const { writer, breakOn, because, dueTaken, pass } = cluster()
    const both = [{ gateway: 'infra/a', manifests: [deployment('a'), deployment('b')] }]
    breakOn('b')
    await writer.write(both, none)
    pass(1_000)
    breakOn('a')
    because(new KubeError('Cannot reach it', { status: 0, reason: 'Unreachable' }))
    dueTaken()
    await writer.write([{ gateway: 'infra/a', manifests: [deployment('a', '2'), deployment('b')] }], none)
    expect(dueTaken()).toEqual([500])
  })

  it('tries at once what is asked for anew', async () => {
    const { writer, breakOn, taken } = cluster()
    breakOn('a')
    await writer.write(wanted(deployment('a')), none)
    breakOn(undefined)
    await writer.write(wanted(deployment('a', '2')), none)
    expect(taken()).toEqual(['apply Deployment infra/a'])
    expect(writer.failures).toEqual(new Map())
  })

  it('never pauses for longer than half a minute', async () => {
    const { writer, breakOn, triesTaken, pass } = cluster()
    breakOn('a')
    for (let i = 0; i < 20; i += 1) {
      await writer.write(wanted(deployment('a')), none)
      await settled()
      pass(30_000)
    }
    expect(triesTaken()).toBe(20)
  })

  it('waits for no object that failed before', async () => {
    const { writer, breakOn, because, pass, hang, taken } = cluster()
    breakOn('a')
    because(new KubeError('Cannot apply it', { status: 500, reason: 'InternalError' }))
    await writer.write(wanted(deployment('a')), none)
    const answer = hang()
    pass(500)
    await writer.write(wanted(deployment('a'), deployment('b')), none)
    expect(taken()).toEqual(['apply Deployment infra/b'])
    answer()
    await settled()
  })

  it('says what may pass by itself only when it has not, and nothing new where only numbers differ', async () => {
    const { writer, breakOn, because, pass, changes } = cluster()
    breakOn('a')
    for (const number of [1, 2]) {
      because(new KubeError(`Cannot apply it: try ${number}`, { status: 500, reason: 'InternalError' }))
      await writer.write(wanted(deployment('a')), none)
      await settled()
      pass(30_000)
      expect(writer.failures).toEqual(new Map())
    }
    for (const number of [3, 4]) {
      because(new KubeError(`Cannot apply it: try ${number}`, { status: 500, reason: 'InternalError' }))
      await writer.write(wanted(deployment('a')), none)
      await settled()
      pass(30_000)
      expect(writer.failures).toEqual(new Map([['infra/a', { reason: 'Pending', message: 'Cannot apply it: try 1' }]]))
    }
    expect(changes()).toBe(1)
  })

  it.each([
    [422, 'Invalid value', 'Invalid'],
    [500, 'failed to create typed patch object: .spec.template.spec.tolerations[0].foo: field not declared in schema', 'Invalid'],
    [403, 'denied by the policy', 'Invalid'],
    [403, 'exceeded quota: small', 'NoResources'],
  ])('tells a refusal (%i, %s) as %s', async (status, message, reason) => {
    const { writer, breakOn, because } = cluster()
    breakOn('a')
    because(new KubeError(message, { status, reason: 'No' }))
    await writer.write(wanted(deployment('a')), none)
    expect(writer.failures).toEqual(new Map([['infra/a', { reason, message }]]))
  })

  it('is not drawn into a quarrel about an object that somebody changes again and again', async () => {
    const { writer, watch, put, taken, dueTaken } = cluster()
    const one = deployment('a')
    await writer.write(wanted(one), none)
    watch()
    taken()
    for (let i = 0; i < 10; i += 1) {
      put(one.resource, deployment('a', `${i + 2}`).object)
      watch()
      await writer.write(wanted(one), none)
      watch()
    }
    expect(taken()).toEqual(['apply Deployment infra/a'])
    expect(Math.max(...dueTaken())).toBe(500)
  })

  it('repairs a selector that somebody else made narrower', async () => {
    const { writer, watch, put, taken } = cluster()
    const object = { ...deployment('a').object, kind: 'Service', spec: { selector: { app: 'a' }, ports: [] } }
    const one = { resource: proxyResources.service, object }
    await writer.write(wanted(one), none)
    watch()
    await writer.write(wanted(one), none)
    taken()
    put(one.resource, { ...object, spec: { selector: { app: 'a', extra: 'x' }, ports: [], sessionAffinity: 'None' } })
    watch()
    await writer.write(wanted(one), none)
    expect(taken()).toEqual(['apply Service infra/a'])
  })

  it('knows by its owner what lost our label, and repairs it', async () => {
    const { writer, watch, put, remove, taken } = cluster()
    const one = deployment('a')
    await writer.write(wanted(one), none)
    watch()
    await writer.write(wanted(one), none)
    taken()
    // The watch selects by the label.
    remove(one.resource, 'a')
    watch()
    put(one.resource, { ...one.object, metadata: { ...one.object.metadata, labels: { 'app.kubernetes.io/managed-by': 'me' } } })
    await writer.write(wanted(one), none)
    expect(taken()).toEqual(['apply Deployment infra/a'])
    expect(writer.failures).toEqual(new Map())
  })

  describe('of a Deployment that gets an autoscaler', () => {
    const withSpec = (spec: object): Manifest => ({ ...deployment('a'), object: { ...deployment('a').object, spec } })
    const fixed = withSpec({ replicas: 3 })
    const scaled = withSpec({})

    it('leaves the number of replicas as it is to somebody else, once', async () => {
      const { writer, watch, taken } = cluster()
      await writer.write(wanted(fixed), none)
      watch()
      taken()
      await writer.write(wanted(scaled), none)
      expect(taken()).toEqual(['apply Deployment infra/a as gatewright-replicas: {"replicas":3}', 'apply Deployment infra/a'])
      watch()
      await writer.write(wanted(scaled), none)
      await writer.write(wanted(withSpec({ paused: false })), none)
      expect(taken()).toEqual(['apply Deployment infra/a'])
    })

    it('does so also where it was another process that asked for a number', async () => {
      const { writer, watch, put, taken } = cluster()
      put(fixed.resource, fixed.object)
      watch()
      await writer.write(wanted(scaled), none)
      expect(taken()).toEqual(['apply Deployment infra/a as gatewright-replicas: {"replicas":3}', 'apply Deployment infra/a'])
    })
  })

  describe('of two Gateways whose objects would bear one name', () => {
    const byA = deployment('shared', '1000m', 'a')
    const byB = deployment('shared', '2', 'b')
    const [a, b] = [byA, byB].map((manifest, at) => ({ gateway: at === 0 ? 'infra/a' : 'infra/b', manifests: [manifest] }))
    if (a === undefined || b === undefined) throw new Error('there are two')
    const message = (owner: string) =>
      `Cannot make Deployment infra/shared: it belongs to Gateway infra/${owner}; give one of the two Gateways another name`

    it('makes those of the first one, and says so of the other', async () => {
      const { writer, taken, watch, pass } = cluster()
      for (let i = 0; i < 5; i += 1) {
        await writer.write([a, b], none)
        await settled()
        watch()
        pass(30_000)
      }
      expect(taken()).toEqual(['apply Deployment infra/shared'])
      expect(writer.failures).toEqual(new Map([['infra/b', { reason: 'Invalid', message: message('a') }]]))
    })

    it('leaves them to the one that has them', async () => {
      const { writer, taken, watch, put } = cluster()
      put(byB.resource, byB.object)
      watch()
      await writer.write([a, b], none)
      expect(writer.failures).toEqual(new Map([['infra/a', { reason: 'Invalid', message: message('b') }]]))
      await writer.write([a], new Set(['infra/b']))
      expect(taken()).toEqual(['apply Deployment infra/shared'])
    })

    it('leaves them also where the watch does not show it', async () => {
      const { writer, taken, put } = cluster()
      put(byB.resource, byB.object)
      await writer.write([a], none)
      expect(taken()).toEqual([])
      expect(writer.failures.get('infra/a')?.message).toBe(message('b'))
    })

    it('gives them to the other one when they are gone', async () => {
      const { writer, taken, watch, remove } = cluster()
      await writer.write([a, b], none)
      watch()
      remove(byA.resource, 'shared')
      watch()
      taken()
      await writer.write([b], none)
      expect(taken()).toEqual(['apply Deployment infra/shared'])
      expect(writer.failures).toEqual(new Map())
    })
  })
})
