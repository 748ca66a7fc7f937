/** What the API server demands of a source beyond what every source must do. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { delay } from '../../../src/kube/delay.ts'
import type { KubeObject } from '../../../src/kube/kube-api.ts'
import type { ObservedInfra } from '../../../src/infra/infra-writer.ts'
import type { StoredObjects } from '../../../src/status/stored-object.ts'
import { KubernetesSource, type KubernetesSourceOptions } from '../../../src/sources/kubernetes/kubernetes-source.ts'
import { objectKey } from '../../../src/sources/source.ts'
import type { Logger } from '../../../src/telemetry/logger.ts'
import { BUILT_IN, GATEWAY_KINDS, type ServedResource, STANDARD } from '../../harness/api-server/resources.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { clientOf, scriptedApi, serviceObject } from '../../harness/kube.ts'

const V1 = 'gateway.networking.k8s.io/v1'
const CONTROLLER = 'gatewright.dev/gateway-controller'

async function world(resources: readonly ServedResource[] = STANDARD, options: Partial<KubernetesSourceOptions> = {}) {
  const api = await scriptedApi(resources)
  const log: string[] = []
  const note = (message: string) => void log.push(message)
  const logger: Logger = { debug: note, info: note, warn: note, error: note }
  const source = new KubernetesSource({
    api: clientOf(api),
    logger,
    random: () => 0,
    delay: (milliseconds, signal) => delay(Math.min(milliseconds / 10, 50), signal),
    now: () => performance.now(),
    ...options,
  })
  onTestFinished(() => source.stop())
  let calls = 0
  const start = async () => await source.start(() => (calls += 1))
  const keys = () => source.read().objects.map(objectKey).sort()
  const object = (key: string) => source.read().objects.find((one) => objectKey(one) === key)
  const codes = () => source.read().findings.map(({ code }) => code)
  return { api, source, start, keys, object, codes, log, calls: () => calls }
}

function route(name: string, hostname = `${name}.example.com`, version = 'v1'): KubeObject {
  return {
    apiVersion: `gateway.networking.k8s.io/${version}`,
    kind: 'HTTPRoute',
    metadata: { name, namespace: 'shop' },
    spec: { parentRefs: [{ name: 'gw' }], hostnames: [hostname] },
  }
}

function gatewayClass(name: string, controllerName = CONTROLLER): KubeObject {
  return { apiVersion: V1, kind: 'GatewayClass', metadata: { name }, spec: { controllerName } }
}

function gateway(name: string, gatewayClassName: string, port: unknown = 80): KubeObject {
  const listeners = [{ name: 'http', port, protocol: 'HTTP' }]
  return { apiVersion: V1, kind: 'Gateway', metadata: { name, namespace: 'shop' }, spec: { gatewayClassName, listeners } }
}

function secret(name: string, value = 'one'): KubeObject {
  const data = { key: Buffer.from(value).toString('base64') }
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'shop' }, type: 'Opaque', data }
}

function configMap(name: string, value = 'one'): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' }, data: { key: value } }
}

const kindOf = (kind: string): ServedResource => {
  const found = GATEWAY_KINDS.find((resource) => resource.kind === kind)
  if (found === undefined) throw new Error(`Cannot use ${kind}: it must be a kind of the Gateway API`)
  return found
}

describe('the kinds', () => {
  it('are all followed, those of the cluster itself too', async () => {
    const { api, start } = await world()
    await start()
    await eventually(() => api.watched.length >= 19, 'all watches')
    const kinds =
      'BackendTLSPolicy ConfigMap CustomResourceDefinition EndpointSlice GRPCRoute Gateway GatewayClass HTTPRoute ' +
      'ListenerSet Namespace ReferenceGrant Secret Service TCPRoute TLSRoute UDPRoute XBackend XBackendTrafficPolicy XTelemetryPolicy'
    expect(api.watched.join(' ')).toBe(kinds)
  })

  it('that are not installed are no error, and are picked up when they come', async () => {
    const { api, start, keys, codes, calls } = await world(BUILT_IN)
    await start()
    expect(codes()).toEqual([])
    const before = calls()
    api.install(kindOf('HTTPRoute'))
    api.put(route('a'))
    await eventually(() => keys().includes('HTTPRoute/shop/a'), 'the route')
    expect(calls()).toBeGreaterThan(before)
  })

  it('of the experimental group are picked up when they come, and leave the others whole when they are not there', async () => {
    const { api, start, keys, codes } = await world(STANDARD.filter(({ kind }) => !kind.startsWith('XBackend')))
    api.put(route('a'))
    await start()
    expect(codes()).toEqual([])
    expect(keys()).toContain('HTTPRoute/shop/a')
    api.install(kindOf('XBackend'))
    api.put({
      apiVersion: 'gateway.networking.x-k8s.io/v1alpha1',
      kind: 'XBackend',
      metadata: { name: 'api', namespace: 'shop' },
      spec: { type: 'ExternalHostname', port: { number: 443 }, externalHostname: { hostname: 'api.example.com' } },
    })
    await eventually(() => keys().includes('XBackend/shop/api'), 'the XBackend')
    expect(keys()).toContain('HTTPRoute/shop/a')
  })

  it('that go take their objects with them', async () => {
    const { api, start, keys } = await world()
    api.put(route('a'))
    await start()
    expect(keys()).toContain('HTTPRoute/shop/a')
    api.uninstall('HTTPRoute')
    await eventually(() => !keys().includes('HTTPRoute/shop/a'), 'the end of the route')
  })

  it('are read in v1 before v1beta1, and change to v1 without a moment in which an object is missing', async () => {
    const beta: ServedResource = { ...kindOf('HTTPRoute'), version: 'v1beta1' }
    const { api, source, keys } = await world([...STANDARD.filter(({ kind }) => kind !== 'HTTPRoute'), beta])
    api.put(route('a', 'a.example.com', 'v1beta1'))
    let isWhole = true
    await source.start(() => (isWhole &&= keys().includes('HTTPRoute/shop/a')))
    expect(api.asked({ verb: 'list', kind: 'HTTPRoute' })[0]?.path).toBe('/apis/gateway.networking.k8s.io/v1beta1/httproutes')
    expect(source.read().objects.find(({ kind }) => kind === 'HTTPRoute')?.apiVersion).toBe(V1)
    api.fail({ verb: 'list', kind: 'HTTPRoute' }, { delay: 100 })
    api.install(kindOf('HTTPRoute'))
    await eventually(() => source.resource('HTTPRoute')?.version === 'v1', 'the other version')
    await eventually(() => api.asked({ verb: 'watch', kind: 'HTTPRoute' }).some(({ path }) => path.includes('/v1/')), 'its watch')
    api.put(route('b'))
    await eventually(() => keys().includes('HTTPRoute/shop/b'), 'the next route')
    expect(isWhole).toBe(true)
  })

  it('tell the version of their bundle', async () => {
    const { source, start } = await world()
    await start()
    expect(source.bundleVersion).toBe('v1.7.0')
  })
})

describe('the start', () => {
  it('waits for every kind, and says in the log and in a finding what it waits for', async () => {
    const { api, source, start, keys, log, codes, calls } = await world()
    api.put(route('a'))
    api.fail({ verb: 'list', kind: 'HTTPRoute' }, { status: 403, reason: 'Forbidden', message: 'no' }, Infinity)
    let isDone = false
    const starting = start().then(() => (isDone = true))
    await eventually(() => codes().includes('api-server'), 'the finding')
    await pause(50)
    expect(isDone).toBe(false)
    expect(source.isComplete).toBe(false)
    expect(log).toEqual(['Cannot list the objects of kind HTTPRoute: the API server answered 403 Forbidden: no'])
    api.heal()
    await starting
    expect(keys()).toContain('HTTPRoute/shop/a')
    expect(codes()).toEqual([])
    expect(log[1]).toBe('follows the objects of kind HTTPRoute again')
    expect(calls()).toBe(0)
  })

  it('of a command that looks once does not wait: what cannot be had is a finding', async () => {
    const { api, start, keys, codes } = await world(STANDARD, { failFast: true })
    api.put(route('a'))
    api.fail({ kind: 'Secret' }, { status: 403, reason: 'Forbidden' }, Infinity)
    await start()
    expect(keys()).toEqual(['HTTPRoute/shop/a'])
    expect(codes()).toEqual(['api-server'])
  })

  it('of a command that looks once fails when there is no server', async () => {
    const { api, start } = await world(STANDARD, { failFast: true })
    await api.down()
    await expect(start()).rejects.toThrow(/^Cannot .*: no answer came from the API server/)
  })

  it('ends when it is stopped', async () => {
    const { api, source, start } = await world()
    api.fail({ verb: 'list', kind: 'HTTPRoute' }, 'hang', Infinity)
    const starting = start()
    await eventually(() => api.asked({ verb: 'list', kind: 'HTTPRoute' })[0], 'the list')
    void source.stop()
    await starting
  })
})

describe('an object', () => {
  it('is the same while only its status, its managers or its version change; writers see these', async () => {
    const { api, source, start, object, calls } = await world()
    api.put(route('a'))
    api.put(serviceObject('web'))
    await start()
    const before = source.read()
    const [httpRoute, service] = [object('HTTPRoute/shop/a'), object('Service/shop/web')]
    const parents = [{ parentRef: { name: 'gw' }, controllerName: 'other.example/c', conditions: [] }]
    api.edit('Service', 'shop', 'web', { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }, 'status')
    api.edit('Service', 'shop', 'web', { metadata: { managedFields: [{ manager: 'x' }], finalizers: ['a/b'] } })
    const { metadata } = api.edit('HTTPRoute', 'shop', 'a', { metadata: { finalizers: ['a/b'] } })
    await eventually(() => source.stored.get('HTTPRoute', 'shop', 'a')?.finalizers.length === 1, 'the finalizer')
    await eventually(() => source.stored.get('Service', 'shop', 'web')?.finalizers.length === 1, 'the finalizer')
    expect(calls()).toBeGreaterThan(0)
    expect(source.read().objects).toBe(before.objects)
    expect(object('HTTPRoute/shop/a')).toBe(httpRoute)
    expect(object('Service/shop/web')).toBe(service)
    expect(source.stored.get('Service', 'shop', 'web')?.status).toEqual({ loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } })
    expect(source.stored.get('HTTPRoute', 'shop', 'a')).toMatchObject({
      resourceVersion: metadata.resourceVersion,
      generation: 1,
      annotations: {},
    })
    api.edit('HTTPRoute', 'shop', 'a', { status: { parents } }, 'status')
    await eventually(() => source.stored.get('HTTPRoute', 'shop', 'a')?.status !== undefined, 'the status')
    const withStatus = object('HTTPRoute/shop/a')
    api.edit('HTTPRoute', 'shop', 'a', { status: { parents: [{ ...parents[0], conditions: [{ type: 'Accepted' }] }] } }, 'status')
    await eventually(() => JSON.stringify(source.stored.get('HTTPRoute', 'shop', 'a')?.status).includes('Accepted'), 'the conditions')
    expect(object('HTTPRoute/shop/a')).toBe(withStatus)
  })

  it('says of its status only whose it is, so that ours can be taken back', async () => {
    const { api, start, object } = await world()
    api.put(route('a'))
    const conditions = [{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }]
    const entry = (name: string, controllerName: string) => ({ parentRef: { name }, controllerName, conditions })
    const parents = [entry('a', CONTROLLER), entry('b', CONTROLLER), entry('c', 'other.example/c')]
    api.edit('HTTPRoute', 'shop', 'a', { status: { parents } }, 'status')
    await start()
    const found = object('HTTPRoute/shop/a')
    expect(found?.kind === 'HTTPRoute' ? found.status?.parents : undefined).toEqual([
      { parentRef: { name: 'a' }, controllerName: CONTROLLER },
      { parentRef: { name: 'c' }, controllerName: 'other.example/c' },
    ])
  })

  it('is another one when its spec, its labels or its annotations change', async () => {
    const { api, start, object } = await world()
    api.put(route('a'))
    await start()
    let last = object('HTTPRoute/shop/a')
    for (const patch of [
      { metadata: { labels: { a: 'b' } } },
      { metadata: { annotations: { a: 'b' } } },
      { spec: { hostnames: ['x.example.com'] } },
    ]) {
      api.edit('HTTPRoute', 'shop', 'a', patch)
      await eventually(() => object('HTTPRoute/shop/a') !== last, 'another object')
      last = object('HTTPRoute/shop/a')
    }
  })

  it('is the same after everything was listed again', async () => {
    const { api, start, object, keys } = await world()
    api.put(route('a'))
    api.put(route('b'))
    await start()
    const before = object('HTTPRoute/shop/a')
    await eventually(() => api.watched.includes('HTTPRoute'), 'the watch')
    api.hold()
    api.remove('HTTPRoute', 'shop', 'b')
    api.store.compact()
    api.watchesEnd('reset')
    await eventually(() => !keys().includes('HTTPRoute/shop/b'), 'the deletion')
    expect(object('HTTPRoute/shop/a')).toBe(before)
  })

  it('is the same after a restart of the server that served its kind late', async () => {
    const { api, source, start, object, keys } = await world()
    api.put(route('a'))
    await start()
    const before = object('HTTPRoute/shop/a')
    const { port } = api
    await api.down()
    api.hide('HTTPRoute')
    await api.listen(port)
    await eventually(() => source.read().findings.some(({ message }) => message.includes('404')), 'the refusal')
    expect(keys()).toContain('HTTPRoute/shop/a')
    api.show()
    api.put(route('b'))
    await eventually(() => keys().includes('HTTPRoute/shop/b'), 'the next route')
    expect(object('HTTPRoute/shop/a')).toBe(before)
  })

  it('that was deleted and made anew has no last valid version', async () => {
    const { api, start, keys, codes } = await world()
    api.put(route('a'))
    await start()
    await eventually(() => api.watched.includes('HTTPRoute'), 'the watch')
    api.remove('HTTPRoute', 'shop', 'a')
    api.put({ ...route('a'), spec: { hostnames: 'no list' } })
    await eventually(() => codes().length > 0, 'the finding')
    expect(keys()).toEqual([])
  })

  it('is held without what nobody reads', async () => {
    const { api, source, start } = await world()
    const last = 'kubectl.kubernetes.io/last-applied-configuration'
    const { metadata, ...rest } = route('a')
    api.put({ ...rest, metadata: { ...metadata, annotations: { [last]: 'long' }, managedFields: [{ manager: 'x' }] } })
    await start()
    const held = JSON.stringify([source.read().objects, source.stored.get('HTTPRoute', 'shop', 'a')])
    expect(held).toContain('a.example.com')
    expect(held).not.toMatch(/last-applied|managedFields/)
  })
})

describe('a Gateway', () => {
  it('of a foreign class is passed over: it is not even validated', async () => {
    const { api, start, keys, codes } = await world(STANDARD, { controllerName: CONTROLLER })
    api.put(gatewayClass('ours'))
    api.put(gatewayClass('theirs', 'other.example/c'))
    api.put(gateway('good', 'ours'))
    api.put(gateway('bad', 'ours', 'no port'))
    api.put(gateway('foreign', 'theirs', 'no port'))
    api.put(gateway('orphan', 'none', 'no port'))
    await start()
    expect(keys()).toEqual(['Gateway/shop/good', 'GatewayClass//ours', 'GatewayClass//theirs'])
    expect(codes()).toHaveLength(1)
  })

  it('is looked at when its class becomes ours, and not any more when it takes another one', async () => {
    const { api, source, start, keys } = await world(STANDARD, { controllerName: CONTROLLER })
    api.put(gateway('gw', 'ours'))
    await start()
    expect(keys()).toEqual([])
    api.put(gatewayClass('ours'))
    await eventually(() => keys().includes('Gateway/shop/gw'), 'the Gateway')
    api.edit('Gateway', 'shop', 'gw', { spec: { gatewayClassName: 'theirs' } })
    await eventually(() => !keys().includes('Gateway/shop/gw'), 'its end')
    expect(source.stored.get('Gateway', 'shop', 'gw')?.generation).toBe(2)
  })

  it('keeps its identity and its last valid version as every object does', async () => {
    const { api, source, start, object, codes } = await world(STANDARD, { controllerName: CONTROLLER })
    api.put(gatewayClass('ours'))
    api.put(gateway('gw', 'ours'))
    await start()
    const before = object('Gateway/shop/gw')
    api.edit('Gateway', 'shop', 'gw', { status: { conditions: [] } }, 'status')
    await eventually(() => source.stored.get('Gateway', 'shop', 'gw')?.status !== undefined, 'the status')
    expect(object('Gateway/shop/gw')).toBe(before)
    api.put(gateway('gw', 'ours', 'no port'))
    await eventually(() => codes().length > 0, 'the finding')
    expect(object('Gateway/shop/gw')).toBe(before)
    api.put(gateway('gw', 'ours', 81))
    await eventually(() => codes().length === 0, 'the end of the finding')
    expect(object('Gateway/shop/gw')).not.toBe(before)
  })
})

describe('Secrets and ConfigMaps', () => {
  const contentOf = (object: unknown): unknown => (object as { data?: { key?: string } } | undefined)?.data?.key
  const ONE = Buffer.from('one').toString('base64')
  const TWO = Buffer.from('two').toString('base64')

  it('are watched as metadata, and none is read before it is wanted', async () => {
    const { api, start, object } = await world()
    const last = 'kubectl.kubernetes.io/last-applied-configuration'
    api.put({ ...secret('tls'), metadata: { name: 'tls', namespace: 'shop', annotations: { [last]: 'key material' } } })
    api.put(configMap('ca'))
    await start()
    for (const kind of ['Secret', 'ConfigMap']) {
      expect(api.asked({ kind }).every(({ isMetadataOnly, verb }) => isMetadataOnly && verb !== 'get')).toBe(true)
    }
    expect(object('Secret/shop/tls')).toMatchObject({ unloaded: true, data: {} })
    expect(object('ConfigMap/shop/ca')).toMatchObject({ unloaded: true, data: {} })
    expect(JSON.stringify(object('Secret/shop/tls'))).not.toContain('key material')
  })

  it('are there when the promise for what is wanted resolves', async () => {
    const { api, source, start, object, calls } = await world()
    api.put(secret('tls'))
    api.put(configMap('ca'))
    api.put(secret('other'))
    await start()
    api.fail({ verb: 'get' }, { delay: 50 })
    await source.want(['Secret/shop/tls', 'ConfigMap/shop/ca', 'Secret/shop/none'])
    expect(contentOf(object('Secret/shop/tls'))).toBe(ONE)
    expect(contentOf(object('ConfigMap/shop/ca'))).toBe('one')
    expect(object('Secret/shop/other')).toMatchObject({ unloaded: true })
    expect(object('Secret/shop/none')).toBeUndefined()
    expect(calls()).toBe(2)
    await source.want(['ConfigMap/shop/ca', 'Secret/shop/none', 'Secret/shop/tls'])
    expect(api.asked({ verb: 'get' })).toHaveLength(2)
  })

  it('are read again when they change, and the last good version stays until then', async () => {
    const { api, source, start, object } = await world()
    api.put(secret('tls'))
    await start()
    await source.want(['Secret/shop/tls'])
    const seen = new Set<unknown>()
    api.fail({ verb: 'get' }, { delay: 50 })
    api.put(secret('tls', 'two'))
    await eventually(() => {
      seen.add(contentOf(object('Secret/shop/tls')))
      return contentOf(object('Secret/shop/tls')) === TWO
    }, 'the new version')
    expect([...seen]).toEqual([ONE, TWO])
  })

  it('are the same when only their labels or annotations changed', async () => {
    const { api, source, start, object } = await world()
    api.put(secret('tls'))
    await start()
    await source.want(['Secret/shop/tls'])
    const before = object('Secret/shop/tls')
    api.edit('Secret', 'shop', 'tls', { metadata: { annotations: { touched: 'yes' } } })
    await eventually(() => api.asked({ verb: 'get', kind: 'Secret' }).length === 2, 'the second look')
    await pause(50)
    expect(object('Secret/shop/tls')).toBe(before)
  })

  it('are forgotten when they are not wanted any more', async () => {
    const { api, source, start, object } = await world()
    api.put(secret('tls'))
    await start()
    await source.want(['Secret/shop/tls'])
    await source.want([])
    expect(object('Secret/shop/tls')).toMatchObject({ unloaded: true, data: {} })
    api.put(secret('tls', 'two'))
    await pause(50)
    expect(api.asked({ verb: 'get' })).toHaveLength(1)
  })

  it('that nobody wants are no reason to look again', async () => {
    const { api, start, keys, calls } = await world()
    await start()
    const before = calls()
    api.put(secret('other'))
    api.put(configMap('other'))
    await eventually(() => keys().length === 2, 'both')
    expect(keys()).toEqual(['ConfigMap/shop/other', 'Secret/shop/other'])
    expect(calls()).toBe(before)
  })

  it('that are wanted and come later are read at once', async () => {
    const { api, source, start, object, calls } = await world()
    await start()
    await source.want(['Secret/shop/tls'])
    const before = calls()
    api.put(secret('tls'))
    await eventually(() => calls() > before, 'the call')
    expect(contentOf(object('Secret/shop/tls'))).toBe(ONE)
  })

  it('that are deleted are gone', async () => {
    const { api, source, start, object, calls } = await world()
    api.put(secret('tls'))
    await start()
    await source.want(['Secret/shop/tls'])
    await eventually(() => api.watched.includes('Secret'), 'the watch')
    const before = calls()
    api.remove('Secret', 'shop', 'tls')
    await eventually(() => calls() > before, 'the call')
    expect(object('Secret/shop/tls')).toBeUndefined()
    api.put(secret('tls', 'two'))
    await eventually(() => contentOf(object('Secret/shop/tls')) === TWO, 'the new one')
  })

  it('that may not be read are a finding and stay pending, and are read when that is mended', async () => {
    const { api, source, start, object } = await world()
    api.put(secret('tls'))
    await start()
    api.fail({ verb: 'get' }, { status: 403, reason: 'Forbidden', message: 'no' })
    await source.want(['Secret/shop/tls'])
    expect(object('Secret/shop/tls')).toMatchObject({ unloaded: true })
    expect(source.read().findings).toEqual([
      {
        code: 'object-not-readable',
        severity: 'error',
        object: { kind: 'Secret', namespace: 'shop', name: 'tls' },
        message: 'Cannot read Secret shop/tls: the API server answered 403 Forbidden: no',
        fix: { text: 'Allow the controller to get Secrets of namespace shop.' },
      },
    ])
    await eventually(() => contentOf(object('Secret/shop/tls')) === ONE, 'the Secret')
    expect(source.read().findings).toEqual([])
  })

  it('that cannot be read again, or became invalid, keep their last good version, and a finding says why', async () => {
    const { api, source, start, object } = await world()
    api.put(secret('tls'))
    await start()
    await source.want(['Secret/shop/tls'])
    const before = object('Secret/shop/tls')
    api.fail({ verb: 'get' }, { status: 403, reason: 'Forbidden' }, Infinity)
    api.put(secret('tls', 'two'))
    const message = () => source.read().findings[0]?.message ?? ''
    await eventually(() => message().endsWith('; its last version stays in use'), 'the finding')
    expect(object('Secret/shop/tls')).toBe(before)
    api.heal()
    await eventually(() => contentOf(object('Secret/shop/tls')) === TWO, 'the new version')
    const good = object('Secret/shop/tls')
    api.put({ ...secret('tls'), data: { key: '***' } })
    await eventually(() => message().endsWith('; its last valid version stays in use'), 'the finding')
    expect(message()).not.toContain('***')
    expect(object('Secret/shop/tls')).toBe(good)
  })

  it('that change while they are read are read once more', async () => {
    const { api, source, start, object } = await world()
    api.put(secret('tls'))
    await start()
    await eventually(() => api.watched.includes('Secret'), 'the watch')
    api.fail({ verb: 'get' }, 'drop-answer')
    api.fail({ verb: 'get' }, { delay: 30 })
    const wanted = source.want(['Secret/shop/tls'])
    api.put(secret('tls', 'two'))
    await wanted
    await eventually(() => contentOf(object('Secret/shop/tls')) === TWO, 'the new version')
  })
})

describe('what is ours', () => {
  it('is followed whole by its label, and nothing else of its kinds', async () => {
    const owned = 'app.kubernetes.io/managed-by=gatewright'
    const { api, source, start, keys } = await world(STANDARD, { owned })
    const labels = { 'app.kubernetes.io/managed-by': 'gatewright' }
    const deployment = (name: string, of: object) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: 'shop', ...of },
      spec: { replicas: 2 },
      status: { readyReplicas: 1 },
    })
    api.put(deployment('ours', { labels }))
    api.put(deployment('theirs', {}))
    await start()
    expect(source.owned.all().map(({ resource, object: { metadata } }) => `${resource.kind} ${metadata.name}`)).toEqual(['Deployment ours'])
    expect(source.owned.get({ kind: 'Deployment' }, 'shop', 'ours')).toMatchObject({ spec: { replicas: 2 } })
    expect(source.stored.get('Deployment', 'shop', 'ours')).toMatchObject({ generation: 1, status: { readyReplicas: 1 } })
    expect(source.stored.get('Deployment', 'shop', 'theirs')).toBeUndefined()
    expect([...source.stored.all('Deployment')].map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(['shop/ours'])
    // As the writers take them.
    const forWriters: { stored: StoredObjects; owned: ObservedInfra } = source
    expect(forWriters.owned.all()).toHaveLength(1)
    expect(keys()).toEqual([])
    api.edit('Deployment', 'shop', 'ours', { spec: { replicas: 3 } })
    await eventually(() => source.stored.get('Deployment', 'shop', 'ours')?.generation === 2, 'the change')
    expect(source.resource('Deployment')).toMatchObject({ group: 'apps', version: 'v1', plural: 'deployments' })
  })
})

describe('trouble', () => {
  it('of every kind leaves the source equal to the server', async () => {
    const { api, source, start, keys } = await world()
    const names = Array.from({ length: 20 }, (_, i) => `r${i}`)
    for (const name of names) api.put(route(name))
    await start()
    const endings = ['end', 'reset', 'half-line', 'expired'] as const
    let seed = 7
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
    for (let step = 0; step < 120; step += 1) {
      const name = names[random(names.length)] ?? ''
      if (api.get('HTTPRoute', 'shop', name) === undefined || random(3) > 0) api.put(route(name, `h${step}.example.com`))
      else api.remove('HTTPRoute', 'shop', name)
      if (random(4) === 0) api.watchesEnd(endings[random(endings.length)] ?? 'end')
      if (random(15) === 0) api.store.compact()
      if (random(10) === 0) api.fail({ verb: random(2) === 0 ? 'list' : 'watch' }, random(2) === 0 ? { status: 500 } : 'drop')
      if (random(8) === 0) api.hold()
      if (random(4) === 0) api.release()
      if (random(3) === 0) await pause(5)
    }
    api.release()
    api.heal()
    const expected = () =>
      api.store
        .list(api.resource('HTTPRoute'))
        .map(({ metadata, spec }) => `${metadata.name} ${String((spec as { hostnames: string[] }).hostnames[0])}`)
    const held = () =>
      source
        .read()
        .objects.flatMap((one) => (one.kind === 'HTTPRoute' ? [`${one.metadata.name} ${one.spec.hostnames[0] ?? ''}`] : []))
        .sort()
    await eventually(() => JSON.stringify(held()) === JSON.stringify(expected().sort()), 'the same on both sides')
    expect(keys().length).toBe(expected().length)
  })
})
