/**
 * The addresses that a Gateway has: what the load balancers of its Services say (ServiceStatus.loadBalancer), and of a Service that
 * has none by its type, the addresses within the cluster (ServiceSpec.clusterIPs). Those of nodes, by which a NodePort is reached, are not
 * the Gateway's.
 */
import type { GatewayObservation } from '../cluster/observations.ts'
import type { KubeObject } from '../kube/kube-api.ts'
import type { InfraPlan } from '../translate/translation.ts'

export type Addresses = GatewayObservation['addresses']

interface Service {
  readonly spec?: { readonly type?: string; readonly clusterIP?: string; readonly clusterIPs?: readonly string[] }
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] } }
}

/** In the order in which they were asked for, each once. @param serviceOf the Service of that name, as it stands there */
export function addressesOf(plan: InfraPlan, serviceOf: (service: string) => KubeObject | undefined): Addresses {
  return once(addressedServices(plan).flatMap((service) => addressesIn(serviceOf(service), 'any')))
}

/** The names of the Services whose addresses are the Gateway's. */
export function addressedServices({ name, addresses }: InfraPlan): readonly string[] {
  return addresses.length === 0 ? [name] : addresses.map(({ service }) => service)
}

/**
 * Of all that stands there for a Gateway, whatever was asked for. Where a Service has an address of the network, the others are but names
 * within the cluster.
 */
export function addressesOfAll(services: readonly KubeObject[]): Addresses {
  const granted = services.flatMap((service) => addressesIn(service, 'LoadBalancer'))
  return once(granted.length > 0 ? granted : services.flatMap((service) => addressesIn(service, 'any')))
}

function addressesIn(service: KubeObject | undefined, types: 'LoadBalancer' | 'any'): Addresses {
  const { spec = {}, status = {} } = (service ?? {}) as Service
  if (spec.type !== undefined && spec.type !== 'LoadBalancer') return types === 'any' ? clusterAddresses(spec) : []
  return (status.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }): Addresses => {
    if (ip !== undefined && ip !== '') return [{ type: 'IPAddress', value: ip }]
    return hostname !== undefined && hostname !== '' ? [{ type: 'Hostname', value: hostname }] : []
  })
}

function clusterAddresses({ clusterIP = '', clusterIPs = [clusterIP] }: NonNullable<Service['spec']>): Addresses {
  return clusterIPs.filter((value) => value !== '' && value !== 'None').map((value) => ({ type: 'IPAddress', value }))
}

function once(addresses: Addresses): Addresses {
  return addresses.filter(({ type, value }, at) => addresses.findIndex((one) => one.type === type && one.value === value) === at)
}
