/** spec.addresses of a Gateway (apis/v1 gateway_types.go, GatewaySpecAddress). */
import { isIp } from '../../lib/ip.ts'
import { hostnamePattern, subdomainPattern } from '../fields/text.ts'
import { show } from '../issue.ts'
import { list } from '../schema/collection.ts'
import { defaulted, object, optional } from '../schema/object.ts'
import { text } from '../schema/scalar.ts'
import { firstRepeated } from '../schema/repeated.ts'
import { rule, ruled } from '../schema/schema.ts'

/** The CRD's alternatives are not anchored, so that nearly any text with such a part in it passes. */
const addressType = text({
  min: 1,
  max: 253,
  pattern:
    /^Hostname|IPAddress|NamedAddress|[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/,
  is: 'Hostname, IPAddress, NamedAddress or a type such as example.com/type',
})

function isReserved(domain: string): boolean {
  return domain === 'k8s.io' || domain.endsWith('.k8s.io')
}

/** GatewayAddress.routability: empty, Cluster, or a prefixed name of an implementation. */
const routabilityIsKnown = rule<string>('routability', (self) => {
  if (self === '' || self === 'Cluster') return undefined
  const [domain = '', ...rest] = self.split('/')
  if (rest.join('/') !== '' && domain.length <= 253 && subdomainPattern.test(domain) && !isReserved(domain)) return undefined
  return { must: 'must be empty, Cluster, or a name under a domain of your own such as example.com/name', got: show(self) }
})

export const routability = ruled(text({ max: 253 }), [routabilityIsKnown])

interface Address {
  readonly type: string
  readonly value?: string
}

/** GatewaySpecAddress, the oneOf of the schema: an IPAddress is one of IPv4 or IPv6. */
const addressIsIp = rule<Address>('address-ip', (self) =>
  self.type === 'IPAddress' && self.value !== undefined && !isIp(self.value)
    ? { at: ['value'], must: 'must be an IPv4 or IPv6 address for type IPAddress', got: show(self.value) }
    : undefined,
)

/** GatewaySpecAddress: a Hostname is a DNS name. */
const addressIsHostname = rule<Address>('address-hostname', (self) =>
  self.type === 'Hostname' && self.value !== undefined && !hostnamePattern.test(self.value)
    ? { at: ['value'], must: 'must be a DNS name in lower case for type Hostname', got: show(self.value) }
    : undefined,
)

/** GatewaySpec.addresses: no IP address and no hostname twice. */
const addressesAreUnique = rule<readonly Address[]>('address-unique', (self) => {
  const index = firstRepeated(self, ({ type, value }) =>
    value !== undefined && (type === 'IPAddress' || type === 'Hostname') ? `${type} ${value}` : undefined,
  )
  return index < 0 ? undefined : { at: [index, 'value'], must: 'must not occur twice', got: show(self[index]?.value) }
})

export const addresses = list(
  object(
    { type: defaulted(addressType, 'IPAddress'), value: optional(text({ max: 253 })), routability: optional(routability) },
    { rules: [addressIsIp, addressIsHostname] },
  ),
  { max: 16, rules: [addressesAreUnique] },
)
