/** The addresses that a Gateway has: what the load balancers of its Services say (ServiceStatus.loadBalancer). */
import type { GatewayObservation } from '../cluster/observations.ts'
import type { InfraPlan } from '../translate/translation.ts'

type Addresses = GatewayObservation['addresses']

interface ServiceStatus {
  readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] }
}

/** In the order in which they were asked for, each once. @param statusOf of the Service of that name, as it is stored */
export function addressesOf({ name, addresses }: InfraPlan, statusOf: (service: string) => unknown): Addresses {
  const services = addresses.length === 0 ? [name] : addresses.map(({ service }) => service)
  const granted = services.flatMap((service) => addressesIn(statusOf(service)))
  return granted.filter(({ type, value }, at) => granted.findIndex((one) => one.type === type && one.value === value) === at)
}

function addressesIn(status: unknown): Addresses {
  const { loadBalancer } = (status ?? {}) as ServiceStatus
  return (loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }): Addresses => {
    if (ip !== undefined && ip !== '') return [{ type: 'IPAddress', value: ip }]
    return hostname !== undefined && hostname !== '' ? [{ type: 'Hostname', value: hostname }] : []
  })
}
