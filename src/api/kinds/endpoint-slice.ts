/** EndpointSlice (Kubernetes discovery.k8s.io/v1), validated as pkg/apis/discovery/validation does. */
import { cidrContains, parseCidr } from '../../lib/cidr.ts'
import type { Cidr } from '../../lib/cidr.ts'
import { parseIp } from '../../lib/ip.ts'
import type { EndpointSlice } from '../core.ts'
import { port, subdomainPattern } from '../fields/text.ts'
import { show } from '../issue.ts'
import { labelName } from '../metadata.ts'
import { list } from '../schema/collection.ts'
import { defaulted, listOrEmpty, object, optional, required } from '../schema/object.ts'
import { oneOf, text, truth } from '../schema/scalar.ts'
import { firstRepeated } from '../schema/repeated.ts'
import { rule } from '../schema/schema.ts'
import type { Rule, Schema, Violation } from '../schema/schema.ts'
import { root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'
import { appProtocol, portName } from './service.ts'

const endpoint = object(
  {
    addresses: required(list(text(), { min: 1, max: 100 })),
    conditions: defaulted(object({ ready: optional(truth()), serving: optional(truth()), terminating: optional(truth()) }), {}),
    hostname: optional(labelName),
    nodeName: optional(text()),
    zone: optional(text()),
    hints: optional(
      object({ forZones: optional(list(object({ name: required(text({ min: 1 })) }), { max: 8 })) }, { unread: ['forNodes'] }),
    ),
  },
  { unread: ['deprecatedTopology', 'targetRef', 'topology'] },
)

const endpointPort = object({
  name: optional(portName),
  port: optional(port),
  protocol: defaulted(oneOf('TCP', 'UDP', 'SCTP'), 'TCP'),
  appProtocol: optional(appProtocol),
})

/** ValidateNonSpecialIP: unspecified, loopback, link-local and link-local multicast addresses are no endpoints. */
const SPECIAL: readonly Cidr[] = [
  '0.0.0.0',
  '::',
  '127.0.0.0/8',
  '::1',
  '169.254.0.0/16',
  'fe80::/10',
  '224.0.0.0/24',
  'ff02::/16',
].flatMap((text) => parseCidr(text) ?? [])

function refuseAddress(type: EndpointSlice['addressType'], address: string): string | undefined {
  if (type === 'FQDN') {
    const name = address.replace(/\.$/, '')
    return name.length <= 253 && name.includes('.') && subdomainPattern.test(name)
      ? undefined
      : 'must be a DNS name in lower case for addressType FQDN'
  }
  const ip = parseIp(address)
  if (ip?.version !== (type === 'IPv4' ? 4 : 6)) return `must be an ${type} address`
  return SPECIAL.some((range) => cidrContains(range, ip)) ? 'must not be an unspecified, loopback or link-local address' : undefined
}

interface Slice {
  readonly addressType: EndpointSlice['addressType']
  readonly endpoints: readonly { readonly addresses: readonly string[] }[]
}

const addressesAreOfType: Rule<Slice> = rule('endpoint-address', (self): Violation | undefined => {
  for (const [index, { addresses }] of self.endpoints.entries()) {
    for (const [position, address] of addresses.entries()) {
      const must = refuseAddress(self.addressType, address)
      if (must !== undefined) return { at: ['endpoints', index, 'addresses', position], must, got: show(address) }
    }
  }
  return undefined
})

const portNamesDiffer: Rule<readonly { readonly name?: string }[]> = rule('endpoint-port-name', (self) => {
  const index = firstRepeated(self, ({ name = '' }) => name)
  return index < 0
    ? undefined
    : { at: [index, 'name'], must: 'must be unique within the EndpointSlice', got: `${show(self[index]?.name ?? '')} twice` }
})

const schema: Schema<EndpointSlice> = object(
  {
    ...root('discovery.k8s.io/v1', 'EndpointSlice', 'Namespaced'),
    addressType: required(oneOf('IPv4', 'IPv6', 'FQDN')),
    endpoints: listOrEmpty(list(endpoint, { max: 1000 })),
    ports: listOrEmpty(list(endpointPort, { max: 20_000, rules: [portNamesDiffer] })),
  },
  { rules: [addressesAreOfType] },
)

export const endpointSlice: KindDefinition = {
  group: 'discovery.k8s.io',
  kind: 'EndpointSlice',
  scope: 'Namespaced',
  served: versions(schema, 'v1'),
  retired: versions(schema, 'v1beta1'),
}
