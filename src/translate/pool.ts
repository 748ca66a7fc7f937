/**
 * The endpoints of a Service port, from its EndpointSlices: managed, headless and manual ones alike
 * (discovery.k8s.io/v1: ports are joined by name, unset conditions mean ready).
 */
import type { Endpoint, EndpointSlice, ServicePort } from '../api/core.ts'
import type { EndpointConfig, PoolConfig } from '../config/pool.ts'
import type { PoolUse } from './backend.ts'
import type { Reader } from './memo.ts'
import type { TranslateOptions } from './options.ts'

export function poolOf(read: Reader, options: TranslateOptions, { key, backend, protocol, tls }: PoolUse): PoolConfig {
  return {
    key,
    backend,
    protocol,
    ...(tls !== undefined && { tls }),
    endpoints: endpointsOf(read, options, backend, protocol === 'udp' ? 'UDP' : 'TCP'),
  }
}

function endpointsOf(
  read: Reader,
  options: TranslateOptions,
  { namespace, name, port }: PoolConfig['backend'],
  transport: ServicePort['protocol'],
): readonly EndpointConfig[] {
  const service = read.get('Service', namespace, name)
  if (service === undefined) return []
  if (service.spec.type === 'ExternalName') {
    return options.allowExternalName === true && service.spec.externalName !== undefined
      ? [{ address: service.spec.externalName, port, state: 'ready' }]
      : []
  }
  const servicePort = service.spec.ports.find((candidate) => candidate.port === port && candidate.protocol === transport)
  if (servicePort === undefined) return []

  const endpoints = new Map<string, EndpointConfig>()
  for (const slice of read.bucket('slicesByService', `${namespace}/${name}`)) {
    if (slice.addressType === 'FQDN' && options.allowExternalName !== true) continue
    for (const endpoint of endpointsOfSlice(slice, servicePort)) {
      const at = `${endpoint.address} ${endpoint.port}`
      // Two slices may list one endpoint while it moves from one to the other; ready wins.
      if (endpoints.get(at)?.state !== 'ready') endpoints.set(at, endpoint)
    }
  }
  return [...endpoints.values()].sort((a, b) => (a.address === b.address ? a.port - b.port : a.address < b.address ? -1 : 1))
}

function endpointsOfSlice(slice: EndpointSlice, servicePort: ServicePort): readonly EndpointConfig[] {
  const slicePort = slice.ports.find(
    ({ name = '', protocol = 'TCP' }) => name === (servicePort.name ?? '') && protocol === servicePort.protocol,
  )
  if (slicePort === undefined) return []
  // A slice's port without a number leaves the port to the consumer.
  const port = slicePort.port ?? (typeof servicePort.targetPort === 'number' ? servicePort.targetPort : servicePort.port)
  return slice.endpoints.flatMap((endpoint) => {
    const state = stateOf(endpoint.conditions)
    // Consumers use the first address; the others are the same endpoint.
    const address = endpoint.addresses[0]
    if (state === undefined || address === undefined) return []
    const zones = endpoint.hints?.forZones?.map(({ name }) => name) ?? []
    return [
      {
        address,
        port,
        state,
        ...(endpoint.zone === undefined ? {} : { zone: endpoint.zone }),
        ...(zones.length === 0 ? {} : { forZones: zones }),
      },
    ]
  })
}

/** `ready` is true for a terminating endpoint only where the Service publishes addresses that are not ready, and then counts. */
function stateOf({ ready, serving, terminating = false }: Endpoint['conditions']): EndpointConfig['state'] | undefined {
  if (ready ?? !terminating) return 'ready'
  return terminating && (serving ?? false) ? 'serving' : undefined
}
