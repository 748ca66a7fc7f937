/** TLSRoute, TCPRoute, UDPRoute (apis/v1 tlsroute_types.go, tcproute_types.go, udproute_types.go): a parent, one rule, its backends. */
import { isIp } from '../../lib/ip.ts'
import { backendReference, parentReferences } from '../fields/reference.ts'
import { ruleNamesAreUnique } from '../fields/route-rule.ts'
import { hostname, sectionName } from '../fields/text.ts'
import { show } from '../issue.ts'
import type { TcpRoute, TlsRoute, UdpRoute } from '../route.ts'
import { list } from '../schema/collection.ts'
import { listOrEmpty, object, optional, required } from '../schema/object.ts'
import { oneOf } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import type { Schema } from '../schema/schema.ts'
import { GATEWAY_V1, root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'
import { routeStatus } from './status.ts'

const routeRule = object({ name: optional(sectionName), backendRefs: required(list(backendReference, { min: 1, max: 16 })) })

/** A route has one rule; in v1alpha2 it took sixteen. */
const oneRule = list(routeRule, { min: 1, max: 1 })
const rulesOfAlpha2 = list(routeRule, { min: 1, max: 16, rules: [ruleNamesAreUnique] })

const common = { parentRefs: listOrEmpty(parentReferences), useDefaultGateways: optional(oneOf('All', 'None')) }

/** TLSRouteSpec.hostnames: an SNI is a name (RFC 6066 section 3). The form of the name is in the pattern of each item. */
const hostnamesAreNoAddresses = rule<readonly string[]>('hostname-is-ip', (self) => {
  const index = self.findIndex((name) => isIp(name))
  return index < 0 ? undefined : { at: [index], must: 'must be a DNS name, not an IP address', got: show(self[index]) }
})

const tlsHostnames = list(hostname, { min: 1, max: 1024, rules: [hostnamesAreNoAddresses] })

const tlsRoot = root(GATEWAY_V1, 'TLSRoute', 'Namespaced')
const tls: Schema<TlsRoute> = object({
  ...tlsRoot,
  spec: required(object({ ...common, hostnames: required(tlsHostnames), rules: required(oneRule) })),
  status: routeStatus,
})
const tlsOfAlpha2: Schema<TlsRoute> = object({
  ...tlsRoot,
  spec: required(object({ ...common, hostnames: listOrEmpty(list(hostname, { max: 1024 })), rules: required(rulesOfAlpha2) })),
  status: routeStatus,
})

const tcpRoot = root(GATEWAY_V1, 'TCPRoute', 'Namespaced')
const tcp: Schema<TcpRoute> = object({ ...tcpRoot, spec: required(object({ ...common, rules: required(oneRule) })), status: routeStatus })
const tcpOfAlpha2: Schema<TcpRoute> = object({
  ...tcpRoot,
  spec: required(object({ ...common, rules: required(rulesOfAlpha2) })),
  status: routeStatus,
})

const udpRoot = root(GATEWAY_V1, 'UDPRoute', 'Namespaced')
const udp: Schema<UdpRoute> = object({ ...udpRoot, spec: required(object({ ...common, rules: required(oneRule) })), status: routeStatus })
const udpOfAlpha2: Schema<UdpRoute> = object({
  ...udpRoot,
  spec: required(object({ ...common, rules: required(rulesOfAlpha2) })),
  status: routeStatus,
})

export const tlsRoute: KindDefinition = {
  group: 'gateway.networking.k8s.io',
  kind: 'TLSRoute',
  scope: 'Namespaced',
  served: new Map([...versions(tls, 'v1', 'v1alpha3'), ...versions(tlsOfAlpha2, 'v1alpha2')]),
}

export const tcpRoute: KindDefinition = {
  group: 'gateway.networking.k8s.io',
  kind: 'TCPRoute',
  scope: 'Namespaced',
  served: new Map([...versions(tcp, 'v1'), ...versions(tcpOfAlpha2, 'v1alpha2')]),
}

export const udpRoute: KindDefinition = {
  group: 'gateway.networking.k8s.io',
  kind: 'UDPRoute',
  scope: 'Namespaced',
  served: new Map([...versions(udp, 'v1'), ...versions(udpOfAlpha2, 'v1alpha2')]),
}
