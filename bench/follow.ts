/**
 * What one more route costs at each station of its way from a watch's event to the table that it is looked up in, with few and with many
 * routes there: what grows with their number is what makes the last of thousands slower than the first. `npm run bench:follow`
 */
import type { EndpointSlice, Namespace, Service } from '../src/api/core.ts'
import type { Gateway, GatewayClass } from '../src/api/gateway.ts'
import type { ApiObject } from '../src/api/object.ts'
import type { HttpRoute } from '../src/api/route.ts'
import { SnapshotFeed } from '../src/cli/snapshot-feed.ts'
import { deltaOf, emptyResources, resourcesOf, withDelta, type ConfigDelta } from '../src/delivery/gateway-resources.ts'
import { ResourceMap } from '../src/delivery/resource-map.ts'
import { compile } from '../src/routing/compile.ts'
import type { Router } from '../src/routing/router.ts'
import { translate, type Pass, type TranslateOptions } from '../src/translate/translate.ts'
import { metaOf as meta } from './meta-of.ts'

const OPTIONS: TranslateOptions = { controllerName: 'gatewright.dev/gateway-controller', anyClassIsOurs: false }
const SIZES = [300, 3_000]
const COMES = 200

function world(): ApiObject[] {
  const gatewayClass: GatewayClass = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: meta('', 'gatewright'),
    spec: { controllerName: OPTIONS.controllerName },
  }
  const gateway: Gateway = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: meta('team', 'gateway'),
    spec: {
      gatewayClassName: 'gatewright',
      listeners: [{ name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'Same' }, kinds: [] } }],
      addresses: [],
    },
  }
  const namespace: Namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: meta('', 'team') }
  const service: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta('team', 'web'),
    spec: { type: 'ClusterIP', ports: [{ port: 80, protocol: 'TCP', targetPort: 8080 }] },
  }
  const slice: EndpointSlice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: meta('team', 'web-x', { 'kubernetes.io/service-name': 'web' }),
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }],
    ports: [{ port: 8080, protocol: 'TCP' }],
  }
  return [gatewayClass, gateway, namespace, service, slice]
}

function route(i: number): HttpRoute {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { ...meta('team', `route-${i}`), creationTimestamp: new Date(1.7e12 + Math.floor(i / 40) * 1000).toISOString() },
    spec: {
      parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'gateway' }],
      hostnames: [`route-${i}.example.com`],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' }, headers: [], queryParams: [] }],
          filters: [],
          backendRefs: [{ group: '', kind: 'Service', name: 'web', port: 80, weight: 1, filters: [] }],
        },
      ],
    },
  }
}

/** CPU time would count the collector's threads in; the clock is what a route waits for. */
class Stations {
  readonly samples = new Map<string, number[]>()

  pass<T>(name: string, work: () => T): T {
    const began = performance.now()
    const made = work()
    const known = this.samples.get(name)
    if (known === undefined) this.samples.set(name, [performance.now() - began])
    else known.push(performance.now() - began)
    return made
  }

  median(name: string): number {
    return (this.samples.get(name) ?? []).toSorted((a, b) => a - b)[Math.floor((this.samples.get(name) ?? []).length / 2)] ?? Number.NaN
  }
}

function follow(size: number): Stations {
  const objects = world()
  for (let i = 0; i < size; i += 1) objects.push(route(i))
  const feed = new SnapshotFeed()
  const received = new ResourceMap()
  let pass: Pass | undefined
  let sent = emptyResources('team/gateway')
  let served = emptyResources('team/gateway')
  let router: Router | undefined
  let stations = new Stations()
  for (let i = size; i <= size + COMES; i += 1) {
    // The first one brings all.
    if (i > size) objects.push(route(i))
    if (i === size + 1) stations = new Stations()
    const list = stations.pass('the list of objects', () => objects.slice())
    const snapshot = stations.pass('snapshot', () => feed.follow(list))
    const done: Pass = stations.pass('translate', () => translate(snapshot, OPTIONS, pass))
    pass = done
    const { configs, keys } = done.translation
    const [config] = configs
    if (config === undefined) throw new Error('there must be a configuration')
    const published = resourcesOf(config, keys)
    const delta = stations.pass('what changed', () => deltaOf(sent, published))
    sent = published
    const text = stations.pass('encode', () => JSON.stringify(delta))
    const read = stations.pass('decode', () => JSON.parse(text) as ConfigDelta)
    const next = stations.pass('apply the change', () => withDelta(served, read))
    const [adopted] = stations.pass('adopt', () => received.adopt([next.config]))
    if (adopted === undefined) throw new Error('a configuration must be adopted')
    served = { ...next, config: adopted }
    router = stations.pass('compile', () => compile(adopted, router))
  }
  return stations
}

follow(SIZES[0] ?? 1)
const measured = SIZES.map(follow)
const names = [...(measured[0]?.samples.keys() ?? [])]
const row = (name: string, values: readonly number[]): string =>
  `${name.padEnd(22)}${values.map((value) => `${value.toFixed(3)} ms`.padStart(14)).join('')}`
console.log(`${'one more route at'.padEnd(22)}${SIZES.map((size) => `${size} routes`.padStart(14)).join('')}`)
for (const name of names) {
  console.log(
    row(
      name,
      measured.map((stations) => stations.median(name)),
    ),
  )
}
console.log(
  row(
    'together',
    measured.map((stations) => names.reduce((sum, name) => sum + stations.median(name), 0)),
  ),
)
