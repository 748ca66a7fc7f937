/** The Services and EndpointSlices that stand in for what the files lack or a mapping sets aside. */
import type { EndpointSlice, Service, ServicePort } from '../api/core.ts'
import { X_BACKEND_ANNOTATION } from '../api/x-backend.ts'
import type { ServiceNeed } from './service-needs.ts'

/** The Service with every port that something here answers for; undefined when the files' own will do. */
export function standInService(need: ServiceNeed): Service | undefined {
  const known = need.service
  const mapsExternalName = known?.spec.type === 'ExternalName' && need.mappings.length > 0
  if (known !== undefined && need.missingPorts.length === 0 && !mapsExternalName) return undefined
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: known?.metadata ?? {
      name: need.name,
      namespace: need.namespace,
      generation: 1,
      labels: {},
      annotations: need.backend === undefined ? {} : { [X_BACKEND_ANNOTATION]: need.backend },
    },
    spec: { type: 'ClusterIP', ports: [...(known?.spec.ports ?? []), ...need.missingPorts] },
  }
}

/** All ports that need it on the one port of the Service's echo backend. */
export function echoSlice(need: ServiceNeed, loopbackPort: number): EndpointSlice {
  return slice(need, 'echo', 'IPv4', ['127.0.0.1'], need.echoPorts, loopbackPort)
}

/** One slice for each mapped port and address family: a slice's endpoints share their ports. */
export function mappedSlices(need: ServiceNeed, addressesOf: ReadonlyMap<string, readonly string[]>): readonly EndpointSlice[] {
  return need.mappings.flatMap((mapping) => {
    const ports = portsOf(need).filter((port) => port.port === mapping.port)
    const addresses = addressesOf.get(mapping.target.host) ?? []
    const families = [
      { type: 'IPv4', of: addresses.filter((address) => !address.includes(':')) },
      { type: 'IPv6', of: addresses.filter((address) => address.includes(':')) },
    ] as const
    return families
      .filter((family) => family.of.length > 0)
      .map((family) => slice(need, `${mapping.port}-${family.type.toLowerCase()}`, family.type, family.of, ports, mapping.target.port))
  })
}

/** The files' own slices without the ports that are mapped elsewhere; `undefined` where nothing is left of one. */
export function remainingSlices(need: ServiceNeed): readonly (readonly [EndpointSlice, EndpointSlice | undefined])[] {
  const mapped = new Set(need.mappings.map((mapping) => mapping.port))
  const names = new Set(
    portsOf(need)
      .filter((port) => mapped.has(port.port))
      .map((port) => port.name ?? ''),
  )
  return need.slices
    .filter((known) => known.ports.some((port) => names.has(port.name ?? '')))
    .map((known) => {
      const ports = known.ports.filter((port) => !names.has(port.name ?? ''))
      return [known, ports.length === 0 ? undefined : { ...known, ports }]
    })
}

function portsOf(need: ServiceNeed): readonly ServicePort[] {
  return [...(need.service?.spec.ports ?? []), ...need.missingPorts]
}

function slice(
  need: ServiceNeed,
  suffix: string,
  addressType: 'IPv4' | 'IPv6',
  addresses: readonly string[],
  ports: readonly ServicePort[],
  target: number,
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${need.name}-gatewright-${suffix}`,
      namespace: need.namespace,
      generation: 1,
      labels: { 'kubernetes.io/service-name': need.name },
      annotations: {},
    },
    addressType,
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: ports.map((port) => ({ ...(port.name === undefined ? {} : { name: port.name }), port: target, protocol: port.protocol })),
  }
}
