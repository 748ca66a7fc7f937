/** Which Services the routes send requests to and what each of their ports lacks: an echo backend, a mapping, the Service itself. */
import type { EndpointSlice, Service, ServicePort } from '../api/core.ts'
import type { BackendObjectReference, HttpRoute } from '../api/route.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { mayRefer } from './reference-grant.ts'
import type { ServiceMapping } from './service-mapping.ts'

export interface ServiceNeed {
  readonly namespace: string
  readonly name: string
  /** As the files define it. */
  readonly service: Service | undefined
  /** Ports that routes or mappings name and the Service has not. */
  readonly missingPorts: readonly number[]
  readonly mappings: readonly ServiceMapping[]
  /** Ports that nothing answers for. */
  readonly echoPorts: readonly ServicePort[]
  /** The EndpointSlices of the files. */
  readonly slices: readonly EndpointSlice[]
  /** `namespace/name` of the routes that name it; empty when only a mapping does. */
  readonly routes: readonly string[]
}

/** Only the Services for which the overlay has something to do, in a stable order. */
export function serviceNeeds(snapshot: Snapshot, mappings: readonly ServiceMapping[], echo: boolean): readonly ServiceNeed[] {
  const wanted = new Map<string, { ports: Set<number>; routes: Set<string>; mappings: ServiceMapping[] }>()
  const entryOf = (key: string) => {
    const entry = wanted.get(key) ?? { ports: new Set(), routes: new Set(), mappings: [] }
    wanted.set(key, entry)
    return entry
  }
  for (const mapping of mappings) entryOf(`${mapping.namespace}/${mapping.name}`).mappings.push(mapping)
  for (const route of snapshot.all('HTTPRoute')) {
    for (const ref of backendsOf(route)) {
      const namespace = ref.namespace ?? route.metadata.namespace
      if (ref.group !== '' || ref.kind !== 'Service' || ref.port === undefined) continue
      if (!mayRefer(snapshot, { kind: 'HTTPRoute', namespace: route.metadata.namespace }, { kind: 'Service', namespace, name: ref.name }))
        continue
      const entry = entryOf(`${namespace}/${ref.name}`)
      entry.ports.add(ref.port)
      entry.routes.add(`${route.metadata.namespace}/${route.metadata.name}`)
    }
  }
  return [...wanted].flatMap(([key, entry]) => {
    const [namespace = '', name = ''] = key.split('/')
    const need = needOf(snapshot, { namespace, name, routes: [...entry.routes], mappings: entry.mappings, ports: [...entry.ports], echo })
    return need.mappings.length === 0 && need.echoPorts.length === 0 ? [] : [need]
  })
}

function* backendsOf(route: HttpRoute): Generator<BackendObjectReference> {
  for (const rule of route.spec.rules) {
    yield* rule.backendRefs
    for (const filter of rule.filters) if (filter.type === 'RequestMirror') yield filter.requestMirror.backendRef
  }
}

function needOf(
  snapshot: Snapshot,
  wanted: {
    readonly namespace: string
    readonly name: string
    readonly routes: readonly string[]
    readonly mappings: readonly ServiceMapping[]
    readonly ports: readonly number[]
    readonly echo: boolean
  },
): ServiceNeed {
  const { namespace, name, routes, mappings } = wanted
  const service = snapshot.get('Service', namespace, name)
  const slices = snapshot.bucket('slicesByService', `${namespace}/${name}`)
  const defined = service?.spec.ports.filter((port) => port.protocol === 'TCP') ?? []
  const mapped = new Set(mappings.map((mapping) => mapping.port))
  // A port that the files' own Service lacks is a mistake of the route's to be shown, not mended, unless it is mapped.
  const named = service === undefined ? [...wanted.ports, ...mapped] : [...mapped]
  const missingPorts = [...new Set(named)].filter((port) => !defined.some((known) => known.port === port)).sort((a, b) => a - b)
  const unanswered = [...defined, ...missingPorts.map(portNamed)].filter((port) => !mapped.has(port.port))
  // An ExternalName Service is refused for a reason (CVE-2021-25740): no echo hides that.
  const echoed = wanted.echo && slices.length === 0 && service?.spec.type !== 'ExternalName'
  return { namespace, name, service, missingPorts, mappings, echoPorts: echoed ? unanswered : [], slices, routes }
}

export function portNamed(port: number): ServicePort {
  return { name: `port-${port}`, port, protocol: 'TCP' }
}
