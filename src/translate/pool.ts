/**
 * The endpoints of a Service port, from its EndpointSlices: managed, headless and manual ones alike
 * (discovery.k8s.io/v1: ports are joined by name, unset conditions mean ready).
 */
import type { Endpoint, EndpointSlice, ServicePort } from '../api/core.ts'
import type { EndpointConfig, PoolConfig } from '../config/pool.ts'
import type { Transport } from '../lib/transport.ts'
import type { PoolUse } from './backend.ts'
import type { Reader } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import { retryBudgetOf } from './traffic-policy.ts'

export function poolOf(read: Reader, options: TranslateOptions, { key, backend, protocol, tls }: PoolUse): PoolConfig {
  const transport = protocol === 'udp' ? 'UDP' : 'TCP'
  const retryBudget = retryBudgetOf(read, `${backend.kind}/${backend.namespace}/${backend.name}`)
  return {
    key,
    backend,
    protocol,
    ...(tls !== undefined && { tls }),
    ...(backend.kind === 'XBackend' ? ofXBackend(read, backend, transport) : { endpoints: endpointsOf(read, options, backend, transport) }),
    ...(retryBudget !== undefined && { retryBudget }),
  }
}

/** Its pods, by the Service that was made to find them, or a name. */
function ofXBackend(
  read: Reader,
  { namespace, name, port }: PoolConfig['backend'],
  transport: Transport,
): Pick<PoolConfig, 'endpoints' | 'hostname'> {
  const hostname = read.get('XBackend', namespace, name)?.spec.externalHostname?.hostname
  if (hostname !== undefined) return { endpoints: [], hostname }
  // While there are several, which the controller mends, one of them has all of the pods.
  const [service] = read.bucket('servicesByXBackend', `${namespace}/${name}`)
  if (service === undefined) return { endpoints: [] }
  const found = service.spec.ports.find((candidate) => candidate.port === port && candidate.protocol === transport)
  const slices = read.bucket('slicesByService', `${namespace}/${service.metadata.name}`).filter(({ addressType }) => addressType !== 'FQDN')
  return { endpoints: found === undefined ? [] : endpointsIn(slices, found) }
}

function endpointsOf(
  read: Reader,
  options: TranslateOptions,
  { namespace, name, port }: PoolConfig['backend'],
  transport: Transport,
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

  const slices = read.bucket('slicesByService', `${namespace}/${name}`)
  const usable = options.allowExternalName === true ? slices : slices.filter(({ addressType }) => addressType !== 'FQDN')
  return endpointsIn(usable, servicePort)
}

function endpointsIn(slices: readonly EndpointSlice[], servicePort: ServicePort): readonly EndpointConfig[] {
  const endpoints = new Map<string, EndpointConfig>()
  for (const slice of slices) {
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
