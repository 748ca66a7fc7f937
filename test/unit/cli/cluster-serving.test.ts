import { describe, expect, it } from 'vitest'
import type { ApiObject } from '../../../src/api/object.ts'
import { parse } from '../../../src/api/parse.ts'
import { ClusterServing } from '../../../src/cli/cluster-serving.ts'
import type { ProxyState } from '../../../src/delivery/proxy-session.ts'
import { type StoredObject, storedOf } from '../../../src/sources/kubernetes/stored-object.ts'
import type { KubeObject, Resource } from '../../../src/kube/kube-api.ts'

const V1 = 'gateway.networking.k8s.io/v1'
const serviceResource: Resource = { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true }

function objectOf(value: object): ApiObject {
  const parsed = parse(value)
  if (parsed.kind !== 'object') throw new Error(`Cannot use ${JSON.stringify(value)}`)
  return parsed.object
}

function gatewayClass(parametersName?: string): ApiObject {
  const parametersRef = { group: 'gatewright.dev', kind: 'GatewayParameters', name: parametersName, namespace: 'system' }
  const spec = { controllerName: 'gatewright.dev/gateway-controller', ...(parametersName !== undefined && { parametersRef }) }
  return objectOf({ apiVersion: V1, kind: 'GatewayClass', metadata: { name: 'gatewright' }, spec })
}

function gateway(more: object = {}): ApiObject {
  const listeners = [{ name: 'http', port: 80, protocol: 'HTTP' }]
  const spec = { gatewayClassName: 'gatewright', listeners, ...more }
  return objectOf({ apiVersion: V1, kind: 'Gateway', metadata: { name: 'gw', namespace: 'shop' }, spec })
}

const service: KubeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'gw-gatewright',
    namespace: 'shop',
    ownerReferences: [{ apiVersion: V1, kind: 'Gateway', name: 'gw', uid: 'u', controller: true }],
  },
  spec: { type: 'LoadBalancer' },
  status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
}

/** A cluster in which whatever is published is served at once, and one Service stands. */
function world() {
  const published = new Map<string, string>()
  const state: { objects: readonly ApiObject[]; stored: StoredObject | undefined; connected: boolean; now: number } = {
    objects: [],
    stored: undefined,
    connected: true,
    now: 0,
  }
  const serving = new ClusterServing({
    source: {
      read: () => ({ objects: state.objects, findings: [] }),
      want: () => Promise.resolve(),
      owned: {
        get: (_, namespace, name) => (namespace === 'shop' && name === 'gw-gatewright' ? service : undefined),
        all: () => [{ resource: serviceResource, object: service }],
      },
      stored: { get: () => undefined, at: () => state.stored, changes: () => undefined, all: () => [] },
      bundleVersion: undefined,
    },
    stream: {
      publish: (configs, versions) => {
        published.clear()
        for (const { gateway: path } of configs) published.set(path, versions.get(path) ?? '')
      },
      proxiesOf: (path): readonly ProxyState[] =>
        state.connected ? [{ pod: 'one', version: published.get(path) ?? 'none', result: undefined }] : [],
    },
    failures: () => new Map(),
    translate: { controllerName: 'gatewright.dev/gateway-controller', anyClassIsOurs: false, servesOn: true },
    now: () => state.now,
    later: () => {},
  })
  return {
    published,
    serving,
    state,
    pass: async (...objects: readonly ApiObject[]) => {
      state.objects = objects
      const { translation } = await serving.pass()
      const found = translation.statuses.find(({ kind }) => kind === 'Gateway')?.status
      if (found === undefined || !('addresses' in found)) throw new Error('there is no status of the Gateway')
      const conditions = found.conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`)
      return { addresses: found.addresses.map(({ value }) => value), conditions, infra: translation.infra.length }
    },
  }
}

describe('a Gateway that serves', () => {
  const mistakes: readonly (readonly [string, string, readonly ApiObject[]])[] = [
    ['whose class loses its parameters', 'Accepted Unknown Pending', [gatewayClass('gone'), gateway()]],
    [
      'whose own parameters are gone',
      'Accepted False InvalidParameters',
      [
        gatewayClass(),
        gateway({ infrastructure: { parametersRef: { group: 'gatewright.dev', kind: 'GatewayParameters', name: 'gone' } } }),
      ],
    ],
    [
      'that asks for an address of a type that cannot be had',
      'Accepted False UnsupportedAddress',
      [gatewayClass(), gateway({ addresses: [{ type: 'Hostname', value: 'gw.example.com' }] })],
    ],
  ]

  it.each(mistakes)('and %s says so, and serves on, with the address that it has', async (_, accepted, objects) => {
    const { pass, published } = world()
    const before = await pass(gatewayClass(), gateway())
    expect(before.conditions).toContain('Programmed True Programmed')
    const version = published.get('shop/gw')

    const after = await pass(...objects)
    expect(after.conditions).toContain(accepted)
    expect(after.conditions).not.toContain('Programmed True Programmed')
    expect(after).toMatchObject({ addresses: ['192.0.2.1'], infra: 0 })
    expect(published.get('shop/gw')).toBe(version)

    // The same from a controller that has just started and remembers nothing.
    const restarted = world()
    expect(await restarted.pass(...objects)).toEqual(after)
    expect(restarted.published.get('shop/gw')).toBe(version)

    expect(await pass(gatewayClass(), gateway())).toEqual(before)
  })

  it('keeps its address in its status when none of its listeners is valid any more', async () => {
    const { pass } = world()
    await pass(gatewayClass(), gateway())
    const tls = { certificateRefs: [{ name: 'absent' }] }
    const after = await pass(gatewayClass(), gateway({ listeners: [{ name: 'https', port: 443, protocol: 'HTTPS', tls }] }))
    expect(after.addresses).toEqual(['192.0.2.1'])
  })
})

describe('a controller that has just started', () => {
  const programmed = (generation: number, observedGeneration: number): StoredObject =>
    storedOf({
      apiVersion: V1,
      kind: 'Gateway',
      metadata: { name: 'gw', namespace: 'shop', generation },
      status: { conditions: [{ type: 'Programmed', status: 'True', reason: 'Programmed', message: '', observedGeneration }] },
    })

  it('leaves the status of a Gateway that was programmed until its proxies have had the time to connect', async () => {
    const { pass, serving, state } = world()
    state.stored = programmed(3, 3)
    state.connected = false
    const written = () => serving.view?.statuses.filter(({ kind }) => kind === 'Gateway').length
    await pass(gatewayClass(), gateway())
    expect(written()).toBe(0)
    state.now = 9_000
    await pass(gatewayClass(), gateway())
    expect(written()).toBe(0)
    state.now = 10_001
    expect((await pass(gatewayClass(), gateway())).conditions).toContain('Programmed False Pending')
    expect(written()).toBe(1)
  })

  it.each([
    ['of a generation before this one', programmed(3, 2)],
    ['never', undefined],
  ])('says at once what it finds of one that was programmed %s', async (_, stored) => {
    const { pass, serving, state } = world()
    state.stored = stored
    state.connected = false
    await pass(gatewayClass(), gateway())
    expect(serving.view?.statuses.filter(({ kind }) => kind === 'Gateway')).toHaveLength(1)
  })

  it('says what its proxies serve as soon as they connect', async () => {
    const { pass, serving, state } = world()
    state.stored = programmed(3, 3)
    await pass(gatewayClass(), gateway())
    expect(serving.view?.statuses.filter(({ kind }) => kind === 'Gateway')).toHaveLength(1)
  })
})

describe('a Gateway that goes to a class of another controller', () => {
  const stored = (generation: number, observedGeneration: number): StoredObject =>
    storedOf({
      apiVersion: V1,
      kind: 'Gateway',
      metadata: { name: 'gw', namespace: 'shop', generation },
      status: {
        addresses: [{ type: 'IPAddress', value: '192.0.2.1' }],
        conditions: [{ type: 'Programmed', status: 'True', reason: 'Programmed', message: '', observedGeneration }],
      },
    })
  const written = async (generation: number, observedGeneration: number) => {
    const { serving, state } = world()
    state.stored = stored(generation, observedGeneration)
    const { statuses } = await serving.pass()
    return statuses.filter(({ kind }) => kind === 'Gateway').map(({ status }) => status)
  }

  it('has its status taken back: it is programmed no more, and its address is gone', async () => {
    expect(await written(2, 1)).toMatchObject([
      {
        addresses: [],
        listeners: [],
        conditions: [
          { type: 'Accepted', status: 'Unknown', reason: 'Pending', observedGeneration: 2 },
          { type: 'Programmed', status: 'Unknown', reason: 'Pending', observedGeneration: 2 },
        ],
      },
    ])
  })

  it('is left alone where nobody has judged it yet', async () => {
    expect(await written(1, 0)).toEqual([])
  })

  it('keeps what the other controller has said of it', async () => {
    expect(await written(2, 2)).toEqual([])
  })
})
