/**
 * The cost of a pass: everything anew, and after one change, at 100, 1,000 and 5,000 routes. Targets at 5,000 routes: one changed
 * route costs at most 5 % of a full pass and at most 10 ms. Then the same for ListenerSets of one Gateway, each with two listeners and a
 * route, without a target. `npm run bench:translate`
 */
import type { EndpointSlice, Namespace, Service } from '../src/api/core.ts'
import type { Gateway, GatewayClass, Listener, ListenerSet } from '../src/api/gateway.ts'
import type { HttpRoute } from '../src/api/route.ts'
import { SnapshotBuilder } from '../src/cluster/snapshot-builder.ts'
import { translate, type Pass, type TranslateOptions } from '../src/translate/translate.ts'
import { metaOf as meta } from './meta-of.ts'

const OPTIONS: TranslateOptions = { controllerName: 'gatewright.dev/gateway-controller', anyClassIsOurs: false }
const NAMESPACES = 50
const CHANGES = 60
const FULL_PASSES = 7
const TARGET_SHARE = 0.05
const TARGET_MS = 10

const namespaceOf = (i: number) => `team-${i % NAMESPACES}`

function route(i: number, revision: number): HttpRoute {
  const backend = { group: '', kind: 'Service', name: `app-${i}`, port: 80, filters: [] }
  const match = (value: string) => ({ path: { type: 'PathPrefix' as const, value }, headers: [], queryParams: [] })
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: {
      ...meta(namespaceOf(i), `route-${i}`),
      generation: revision + 1,
      creationTimestamp: new Date(1.7e12 + ((i * 7919) % 5000) * 1000).toISOString(),
    },
    spec: {
      parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'infra', name: 'gateway' }],
      hostnames: [`app-${i}.example.com`],
      rules: [
        { matches: [match(`/v${revision}`)], filters: [], backendRefs: [{ ...backend, weight: 90 }] },
        { matches: [match('/')], filters: [], backendRefs: [{ ...backend, weight: 1 }] },
      ],
    },
  }
}

function service(i: number): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta(namespaceOf(i), `app-${i}`),
    spec: { type: 'ClusterIP', ports: [{ port: 80, protocol: 'TCP', targetPort: 8080 }] },
  }
}

function slice(i: number, revision: number): EndpointSlice {
  const name = `app-${i}`
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: meta(namespaceOf(i), `${name}-x`, { 'kubernetes.io/service-name': name }),
    addressType: 'IPv4',
    endpoints: [1, 2, 3].map((n) => ({ addresses: [`10.${revision % 250}.${i % 250}.${n}`], conditions: { ready: true } })),
    ports: [{ port: 8080, protocol: 'TCP' }],
  }
}

function world(routes: number): SnapshotBuilder {
  const builder = new SnapshotBuilder()
  const gatewayClass: GatewayClass = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: meta('', 'gatewright'),
    spec: { controllerName: OPTIONS.controllerName },
  }
  const gateway: Gateway = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: meta('infra', 'gateway'),
    spec: {
      gatewayClassName: 'gatewright',
      listeners: [
        {
          name: 'http',
          port: 80,
          protocol: 'HTTP',
          allowedRoutes: { namespaces: { from: 'Selector', selector: { matchLabels: { routes: 'yes' } } }, kinds: [] },
        },
      ],
      addresses: [],
    },
  }
  builder.set(gatewayClass)
  builder.set(gateway)
  for (let i = 0; i < NAMESPACES; i += 1) {
    const namespace: Namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: meta('', namespaceOf(i), { routes: 'yes' }) }
    builder.set(namespace)
  }
  for (let i = 0; i < routes; i += 1) {
    builder.set(route(i, 0))
    builder.set(service(i))
    builder.set(slice(i, 0))
  }
  return builder
}

function listenerSet(i: number, revision: number): ListenerSet {
  const listener = (name: string, port: number, hostname: string): Listener => ({
    name,
    port,
    protocol: 'HTTP',
    hostname,
    allowedRoutes: { namespaces: { from: 'Same' }, kinds: [] },
  })
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'ListenerSet',
    metadata: { ...meta(namespaceOf(i), `set-${i}`), generation: revision + 1 },
    spec: {
      parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'infra', name: 'gateway' },
      listeners: [listener('web', 80, `set-${i}.example.com`), listener('high', 8080, `v${revision}.set-${i}.example.com`)],
    },
  }
}

/** As many sets as routes, each route on a set of its own. */
function worldOfSets(sets: number): SnapshotBuilder {
  const builder = world(sets)
  const gateway = builder.snapshot().get('Gateway', 'infra', 'gateway')
  if (gateway === undefined) throw new Error('the world must have a Gateway')
  builder.set({ ...gateway, spec: { ...gateway.spec, allowedListeners: { namespaces: { from: 'All' } } } })
  for (let i = 0; i < sets; i += 1) {
    builder.set(listenerSet(i, 0))
    const { spec, ...rest } = route(i, 0)
    const parentRefs = [{ group: 'gateway.networking.k8s.io', kind: 'ListenerSet', name: `set-${i}` }]
    builder.set({ ...rest, spec: { ...spec, hostnames: [], parentRefs } })
  }
  return builder
}

/** CPU time of the process, all threads: what others do on the machine counts less than by the clock. */
function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** CPU milliseconds of snapshot and pass together, for each of `times` edits. */
function changes(builder: SnapshotBuilder, first: Pass, times: number, edit: (revision: number) => void): number {
  let pass = first
  const samples: number[] = []
  for (let revision = 1; revision <= times; revision += 1) {
    edit(revision)
    const begin = cpuMilliseconds()
    pass = translate(builder.snapshot(), OPTIONS, pass)
    samples.push(cpuMilliseconds() - begin)
  }
  return median(samples)
}

function fullPass(builder: SnapshotBuilder): number {
  const full: number[] = []
  for (let i = 0; i < FULL_PASSES; i += 1) {
    const fresh = builder.snapshot()
    const begin = cpuMilliseconds()
    translate(fresh, OPTIONS)
    full.push(cpuMilliseconds() - begin)
  }
  return median(full)
}

function measure(routes: number): { readonly full: number; readonly oneRoute: number; readonly oneSlice: number } {
  const builder = world(routes)
  const full = fullPass(builder)
  const pass = translate(builder.snapshot(), OPTIONS)
  const oneRoute = changes(builder, pass, CHANGES, (revision) => builder.set(route((revision * 37) % routes, revision)))
  const settled = translate(builder.snapshot(), OPTIONS, pass)
  const oneSlice = changes(builder, settled, CHANGES, (revision) => builder.set(slice((revision * 37) % routes, revision)))
  return { full, oneRoute, oneSlice }
}

function measureSets(sets: number): { readonly full: number; readonly oneSet: number } {
  const builder = worldOfSets(sets)
  const full = fullPass(builder)
  const pass = translate(builder.snapshot(), OPTIONS)
  return { full, oneSet: changes(builder, pass, CHANGES, (revision) => builder.set(listenerSet((revision * 37) % sets, revision))) }
}

const sizes = [100, 1000, 5000]
// The first world warms the compiler up.
measure(1000)
console.log('routes   full pass   one route changed   one EndpointSlice changed')
for (const routes of sizes) {
  const { full, oneRoute, oneSlice } = measure(routes)
  const cell = (ms: number) => `${ms.toFixed(2)} ms (${((100 * ms) / full).toFixed(1)} %)`
  console.log(`${String(routes).padStart(6)}   ${`${full.toFixed(1)} ms`.padStart(9)}   ${cell(oneRoute).padEnd(17)}   ${cell(oneSlice)}`)
  if (routes !== 5000) continue
  const met = oneRoute <= TARGET_MS && oneRoute <= TARGET_SHARE * full
  console.log(
    `one route of 5,000 changed (target <= ${TARGET_MS} ms and <= ${TARGET_SHARE * 100} % of a full pass): ${met ? 'met' : 'MISSED'}`,
  )
  if (!met) process.exitCode = 1
}

console.log('  sets   full pass   one ListenerSet changed')
for (const sets of sizes) {
  const { full, oneSet } = measureSets(sets)
  console.log(
    `${String(sets).padStart(6)}   ${`${full.toFixed(1)} ms`.padStart(9)}   ${oneSet.toFixed(2)} ms (${((100 * oneSet) / full).toFixed(1)} %)`,
  )
}
