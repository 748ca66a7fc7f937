/** The addresses of a Gateway: asked for, granted, and what the difference means (Gateway API v1, GatewaySpec.addresses). */
import type { Condition } from '../api/meta.ts'
import type { Gateway } from '../api/gateway.ts'
import type { GatewayObservation } from '../cluster/observations.ts'
import { gatewayConditions } from './conditions.ts'
import { listed } from './remedy.ts'
import type { GatewayStatus } from './translation.ts'

type Addresses = GatewayStatus['addresses']

/** What the offline commands show for an address that a cluster would grant (RFC 5737, for documentation). */
const ASSUMED: Addresses = [{ type: 'IPAddress', value: '192.0.2.1' }]

/** Why the Gateway cannot be accepted for its addresses. */
export function addressProblem({ spec }: Gateway): string | undefined {
  const types = [...new Set(spec.addresses.map(({ type }) => type).filter((type) => type !== 'IPAddress'))]
  if (types.length > 0) return `Addresses of type ${listed(types)} cannot be requested; the type must be IPAddress.`
  // GEP-5093: one "MUST NOT" be met by an address that is reached from elsewhere, and a LoadBalancer's may be.
  const scopes = [...new Set(spec.addresses.map(({ routability = '' }) => routability).filter((routability) => routability !== ''))]
  return scopes.length === 0 ? undefined : `Addresses of routability ${listed(scopes)} cannot be requested; leave routability out.`
}

/** As if everything that was asked for had been granted. */
export function assumedAddresses({ spec }: Gateway): Addresses {
  const asked = spec.addresses.flatMap(({ type, value }) => (value === undefined || value === '' ? [] : [{ type, value }]))
  return asked.length > 0 ? asked : ASSUMED
}

/** Requested values that were not granted. */
export function missingAddresses({ spec }: Gateway, granted: Addresses): readonly string[] {
  return spec.addresses.flatMap(({ value }) =>
    value === undefined || value === '' || granted.some((address) => address.value === value) ? [] : [value],
  )
}

export function grantedAddresses(observation: GatewayObservation | undefined): Addresses {
  return observation?.addresses ?? []
}

/** Experimental condition; omitted until addresses were reconciled. */
export function addressesAssigned(gateway: Gateway, granted: Addresses): Condition {
  const { generation } = gateway.metadata
  const missing = missingAddresses(gateway, granted)
  if (granted.length === 0) return gatewayConditions.addressesNotAssigned(generation, 'No address was assigned.')
  if (missing.length > 0) return gatewayConditions.addressesPartiallyAssigned(generation, `Not assigned: ${listed(missing)}.`)
  return gatewayConditions.addressesAssigned(generation, `Assigned: ${listed(granted.map(({ value }) => value))}.`)
}
