/** Which Services the routes send anything to and what each of their ports lacks: an echo backend, a mapping, the Service itself. */
import type { EndpointSlice, Service, ServicePort } from '../api/core.ts'
import type { ReferenceGrant } from '../api/gateway.ts'
import type { BackendObjectReference, HttpRouteFilter, Route } from '../api/route.ts'
import { EXPERIMENTAL_GROUP, type XBackend } from '../api/x-backend.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { changedSpan } from '../lib/list-change.ts'
import { type Transport, transportOfRoute } from '../lib/transport.ts'
import { mayRefer } from './reference-grant.ts'
import { allRoutes } from './routes.ts'
import type { ServiceMapping } from './service-mapping.ts'

export interface ServiceNeed {
  readonly namespace: string
  readonly name: string
  /** As the files define it. */
  readonly service: Service | undefined
  /** The Service is the one that finds the pods of the XBackend of this name, whose manifests no folder runs. */
  readonly backend: string | undefined
  /** Ports that routes or mappings name and the Service has not. */
  readonly missingPorts: readonly ServicePort[]
  readonly mappings: readonly ServiceMapping[]
  /** Ports that nothing answers for. */
  readonly echoPorts: readonly ServicePort[]
  /** The EndpointSlices of the files. */
  readonly slices: readonly EndpointSlice[]
  /** `namespace/name` of the routes that name it; empty when only a mapping does. */
  readonly routes: readonly string[]
  /** Ports that nothing answers for and that are asked for authorisation: an echo backend's 200 would allow everything. */
  readonly unasked: readonly { readonly port: number; readonly routes: readonly string[] }[]
}

interface Wanted {
  readonly namespace: string
  readonly name: string
  readonly backend: string | undefined
  /** By transport and number. */
  readonly ports: Map<string, ServicePort>
  readonly routes: Set<string>
  /** Ports by which a route asks for authorisation, with those routes. */
  readonly guards: Map<number, Set<string>>
  readonly mappings: ServiceMapping[]
}

interface RouteTarget {
  /** `namespace/name` */
  readonly route: string
  readonly targets: readonly Target[]
}

/** A port of a Service, or an XBackend. */
interface Target {
  readonly kind: 'Service' | 'XBackend'
  readonly namespace: string
  readonly name: string
  /** 0 of an XBackend, which says it itself. */
  readonly port: number
  readonly transport: Transport
  /** It is asked whether a request may pass. */
  readonly guards: boolean
}

/** The Services that routes and mappings name, and in what they were found: the next search begins with it. */
export interface WantedServices {
  readonly routes: readonly Route[]
  readonly grants: readonly ReferenceGrant[]
  readonly backends: readonly XBackend[]
  readonly mappings: readonly ServiceMapping[]
  readonly targets: WeakMap<Route, RouteTarget>
  readonly wanted: readonly Wanted[]
}

/** Only the Services for which the overlay has something to do, in a stable order. */
export function serviceNeeds(snapshot: Snapshot, { wanted }: WantedServices, echo: boolean): readonly ServiceNeed[] {
  return wanted
    .map((entry) => needOf(snapshot, entry, echo))
    .filter((need) => need.mappings.length > 0 || need.echoPorts.length > 0 || need.unasked.length > 0)
}

/** Where the edited routes name the Services that they named before, so do all. */
export function wantedServices(snapshot: Snapshot, mappings: readonly ServiceMapping[], last?: WantedServices): WantedServices {
  const found = {
    routes: allRoutes(snapshot),
    grants: snapshot.all('ReferenceGrant'),
    backends: snapshot.all('XBackend'),
    mappings,
    targets: last?.targets ?? new WeakMap<Route, RouteTarget>(),
  }
  const isSame =
    last !== undefined &&
    last.mappings === mappings &&
    last.grants === found.grants &&
    last.backends === found.backends &&
    nameTheSame(last, found.routes)
  return { ...found, wanted: isSame ? last.wanted : wantedIn(snapshot, found) }
}

function nameTheSame({ routes: before, targets }: WantedServices, after: readonly Route[]): boolean {
  if (before.length !== after.length) return false
  const { begin, afterEnd } = changedSpan(before, after)
  for (let i = begin; i < afterEnd; i++) {
    const [old, route] = [before[i], after[i]]
    if (old === undefined || route === undefined || old.kind !== route.kind) return false
    const [then, now] = [targetsOf(old, targets), targetsOf(route, targets)]
    if (then.route !== now.route || JSON.stringify(then.targets) !== JSON.stringify(now.targets)) return false
  }
  return true
}

function wantedIn(snapshot: Snapshot, { routes, mappings, targets: known }: Omit<WantedServices, 'wanted'>): readonly Wanted[] {
  const wanted = new Map<string, Wanted>()
  const wantedOf = (namespace: string, name: string, backend?: string): Wanted => {
    const key = `${namespace}/${name}`
    const entry = wanted.get(key)
    if (entry !== undefined && entry.backend === backend) return entry
    const made: Wanted = { namespace, name, backend, ports: new Map(), routes: new Set(), guards: new Map(), mappings: [] }
    // A mapping may name the Service of an XBackend.
    if (entry !== undefined) made.mappings.push(...entry.mappings)
    wanted.set(key, made)
    return made
  }
  for (const mapping of mappings) {
    const { namespace, name } = mapping
    wantedOf(namespace, name).mappings.push(mapping)
  }
  for (const of of routes) {
    const { route, targets } = targetsOf(of, known)
    for (const target of targets) {
      const { kind, namespace, name, transport, guards } = target
      const from = { kind: of.kind, namespace: of.metadata.namespace }
      const group = kind === 'XBackend' ? EXPERIMENTAL_GROUP : ''
      if (!mayRefer(snapshot, from, { kind, namespace, name }, group)) continue
      const port = kind === 'XBackend' ? selectingPort(snapshot, namespace, name) : target.port
      if (port === undefined) continue
      const entry = kind === 'XBackend' ? wantedOf(namespace, `xbackend-${name}`, name) : wantedOf(namespace, name)
      entry.ports.set(`${transport} ${port}`, portNamed(port, transport))
      entry.routes.add(route)
      if (guards) entry.guards.set(port, (entry.guards.get(port) ?? new Set()).add(route))
    }
  }
  return [...wanted.values()]
}

/** Of an XBackend whose pods nothing here finds. */
function selectingPort(snapshot: Snapshot, namespace: string, name: string): number | undefined {
  const backend = snapshot.get('XBackend', namespace, name)
  if (backend?.spec.type !== 'EndpointSelector') return undefined
  return snapshot.bucket('servicesByXBackend', `${namespace}/${name}`).length > 0 ? undefined : backend.spec.port.number
}

/** It is in the route alone. */
function targetsOf(route: Route, known: WeakMap<Route, RouteTarget>): RouteTarget {
  const before = known.get(route)
  if (before !== undefined) return before
  const { namespace: own, name: routeName } = route.metadata
  const targets = [...referencesOf(route)].flatMap(({ ref, guards }): Target[] => {
    const { group, kind, name, port, namespace = own } = ref
    const transport = transportOfRoute(route.kind)
    if (group === EXPERIMENTAL_GROUP && kind === 'XBackend') return [{ kind, namespace, name, port: 0, transport, guards }]
    if (group !== '' || kind !== 'Service' || port === undefined) return []
    return [{ kind, namespace, name, port, transport, guards }]
  })
  const made = { route: `${own}/${routeName}`, targets }
  known.set(route, made)
  return made
}

interface Reference {
  readonly ref: BackendObjectReference
  readonly guards: boolean
}

function* referencesOf(route: Route): Generator<Reference> {
  for (const rule of route.spec.rules) {
    yield* referencesIn('filters' in rule ? rule.filters : [])
    for (const backend of rule.backendRefs) {
      yield { ref: backend, guards: false }
      yield* referencesIn('filters' in backend ? backend.filters : [])
    }
  }
}

function* referencesIn(filters: readonly HttpRouteFilter[]): Generator<Reference> {
  for (const filter of filters) {
    if (filter.type === 'RequestMirror') yield { ref: filter.requestMirror.backendRef, guards: false }
    if (filter.type === 'ExternalAuth') yield { ref: filter.externalAuth.backendRef, guards: true }
  }
}

function needOf(snapshot: Snapshot, wanted: Wanted, echo: boolean): ServiceNeed {
  const { namespace, name, mappings, guards } = wanted
  const service = snapshot.get('Service', namespace, name)
  const slices = snapshot.bucket('slicesByService', `${namespace}/${name}`)
  const defined = service?.spec.ports.filter(({ protocol }) => protocol === 'TCP' || protocol === 'UDP') ?? []
  const mapped = new Set(mappings.map((mapping) => mapping.port))
  // A port that the files' own Service lacks is a mistake of the route's to be shown, not mended, unless it is mapped.
  const named = service === undefined ? [...wanted.ports.values()] : [...wanted.ports.values()].filter(({ port }) => mapped.has(port))
  const unnamed = [...mapped].filter((port) => !named.some((one) => one.port === port)).map((port) => portNamed(port, 'TCP'))
  const missingPorts = [...named, ...unnamed].filter((port) => !defined.some((known) => samePort(known, port))).sort(comparePorts)
  const unanswered = [...defined, ...missingPorts].filter((port) => !mapped.has(port.port))
  // An ExternalName Service is refused for a reason (CVE-2021-25740): no echo hides that.
  const mended = echo && slices.length === 0 && service?.spec.type !== 'ExternalName'
  const unasked = mended ? [...guards].filter(([port]) => !mapped.has(port)).map(([port, routes]) => ({ port, routes: [...routes] })) : []
  return {
    namespace,
    name,
    service,
    backend: wanted.backend,
    missingPorts,
    mappings,
    echoPorts: mended ? unanswered.filter((port) => !guards.has(port.port)) : [],
    slices,
    routes: [...wanted.routes],
    unasked,
  }
}

function portNamed(port: number, protocol: Transport): ServicePort {
  return { name: `${protocol === 'UDP' ? 'udp' : 'port'}-${port}`, port, protocol }
}

function samePort(a: ServicePort, b: ServicePort): boolean {
  return a.port === b.port && a.protocol === b.protocol
}

function comparePorts(a: ServicePort, b: ServicePort): number {
  return a.port - b.port || (a.protocol < b.protocol ? -1 : 1)
}
