/** Ports of a Gateway that its Services do not have (ServiceSpec.ports): what listens there cannot be reached. */
import type { InfraFailure } from '../cluster/observations.ts'
import type { InfraPlan } from '../translate/translation.ts'
import { addressedServices } from './granted-addresses.ts'

interface ServiceSpec {
  readonly ports?: readonly { readonly port: number; readonly protocol?: string }[]
}

/** @param specOf of the Service of that name, as it is stored */
export function closedPorts(plan: InfraPlan, specOf: (service: string) => unknown): InfraFailure['closedPorts'] {
  const services = addressedServices(plan).map((service) => (specOf(service) ?? {}) as ServiceSpec)
  const isOpen = ({ port, protocol }: InfraPlan['ports'][number]): boolean =>
    services.every(({ ports = [] }) => ports.some((one) => one.port === port && (one.protocol ?? 'TCP') === protocol))
  return plan.ports.flatMap((one) => (isOpen(one) ? [] : [{ port: one.port, transport: one.protocol }]))
}
