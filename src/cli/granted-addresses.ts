/** The addresses that a Gateway has: what the load balancers of its Services say (ServiceStatus.loadBalancer). */
import type { GatewayObservation } from '../cluster/observations.ts'
import type { InfraPlan } from '../translate/translation.ts'

type Addresses = GatewayObservation['addresses']

interface ServiceStatus {
  readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] }
}

/** In the order in which they were asked for, each once. @param statusOf of the Service of that name, as it is stored */
export function addressesOf(plan: InfraPlan, statusOf: (service: string) => unknown): Addresses {
  const granted = addressedServices(plan).flatMap((service) => addressesIn(statusOf(service)))
  return granted.filter(({ type, value }, at) => granted.findIndex((one) => one.type === type && one.value === value) === at)
}

/** The names of the Services whose addresses are the Gateway's. */
export function addressedServices({ name, addresses }: InfraPlan): readonly string[] {
  return addresses.length === 0 ? [name] : addresses.map(({ service }) => service)
}

function addressesIn(status: unknown): Addresses {
  const { loadBalancer } = (status ?? {}) as ServiceStatus
  return (loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }): Addresses => {
    if (ip !== undefined && ip !== '') return [{ type: 'IPAddress', value: ip }]
    return hostname !== undefined && hostname !== '' ? [{ type: 'Hostname', value: hostname }] : []
  })
}
