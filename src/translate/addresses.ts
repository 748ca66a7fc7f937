/** The addresses of a Gateway: asked for, granted, and what the difference means (Gateway API v1, GatewaySpec.addresses). */
import type { Condition } from '../api/meta.ts'
import type { Gateway } from '../api/gateway.ts'
import type { GatewayObservation } from '../cluster/observations.ts'
import { parseIp } from '../lib/ip.ts'
import { gatewayConditions } from './conditions.ts'
import { listed } from './remedy.ts'
import type { GatewayStatus } from './translation.ts'

type Addresses = GatewayStatus['addresses']

/** Of a status (GatewayStatus.addresses). */
const MOST = 16

/** Why the Gateway cannot be accepted for its addresses. */
export function addressProblem({ spec }: Gateway): string | undefined {
  const types = [...new Set(spec.addresses.map(({ type }) => type).filter((type) => type !== 'IPAddress'))]
  if (types.length > 0) return `Addresses of type ${listed(types)} cannot be requested; the type must be IPAddress.`
  // GEP-5093: one "MUST NOT" be met by an address that is reached from elsewhere, and a LoadBalancer's may be.
  const scopes = [...new Set(spec.addresses.map(({ routability = '' }) => routability).filter((routability) => routability !== ''))]
  return scopes.length === 0 ? undefined : `Addresses of routability ${listed(scopes)} cannot be requested; leave routability out.`
}

/** As if everything that was asked for had been granted, one address where nothing was. */
export function assumedAddresses({ spec }: Gateway): Addresses {
  const asked = spec.addresses.length === 0 ? [{ type: 'IPAddress', value: undefined }] : spec.addresses
  const named = new Set(asked.map(({ value }) => value))
  const free = documentationAddresses.filter((value) => !named.has(value))
  return asked.map(({ type, value }) => ({ type, value: isNamed(value) ? value : (free.shift() ?? '') }))
}

/** RFC 5737: what the offline commands show for addresses that a cluster would choose. As many as can be requested, and as many to skip. */
const documentationAddresses: readonly string[] = Array.from({ length: 2 * MOST }, (_, i) => `192.0.2.${i + 1}`)

/** What was asked for and was not granted. */
export interface Ungranted {
  readonly values: readonly string[]
  /** How many requests for any address (GatewaySpecAddress.value is empty). */
  readonly unnamed: number
}

export function ungranted({ spec }: Gateway, granted: Addresses): Ungranted {
  const named = spec.addresses.flatMap(({ value }) => (isNamed(value) ? [value] : []))
  const chosen = granted.filter(({ value }) => !named.some((one) => isSameAddress(one, value)))
  return {
    values: named.filter((one) => !granted.some(({ value }) => isSameAddress(one, value))),
    unnamed: Math.max(0, spec.addresses.length - named.length - chosen.length),
  }
}

/** Some address, and all that were asked for. */
export function hasItsAddresses(gateway: Gateway, granted: Addresses): boolean {
  const { values, unnamed } = ungranted(gateway, granted)
  return granted.length > 0 && values.length + unnamed === 0
}

export function grantedAddresses(observation: GatewayObservation | undefined): Addresses {
  return (observation?.addresses ?? []).slice(0, MOST)
}

/** Experimental condition; omitted until addresses were reconciled. */
export function addressesAssigned(gateway: Gateway, granted: Addresses): Condition {
  const { generation } = gateway.metadata
  const { values, unnamed } = ungranted(gateway, granted)
  if (granted.length === 0) return gatewayConditions.addressesNotAssigned(generation, 'No address was assigned.')
  if (values.length + unnamed > 0) {
    const missing = unnamed === 0 ? values : [...values, unnamedInWords(unnamed)]
    return gatewayConditions.addressesPartiallyAssigned(generation, `Not assigned: ${listed(missing)}.`)
  }
  return gatewayConditions.addressesAssigned(generation, `Assigned: ${listed(granted.map(({ value }) => value))}.`)
}

export function unnamedInWords(count: number): string {
  return count === 1 ? 'an address without a value' : `${count} addresses without a value`
}

function isNamed(value: string | undefined): value is string {
  return value !== undefined && value !== ''
}

/** An IPv6 address has many spellings (RFC 5952, section 2). */
function isSameAddress(one: string, other: string): boolean {
  if (one === other) return true
  const [a, b] = [parseIp(one), parseIp(other)]
  return a !== undefined && b !== undefined && a.version === b.version && a.bits === b.bits
}
