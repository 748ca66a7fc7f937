/** From Services and EndpointSlices to the kernel's rules: an address and port of a Service becomes a ready endpoint's. */
import { API_PORT, API_SERVICE, NODE } from '../addresses.ts'
import type { EndpointSlice, Service } from '../objects.ts'

/** One address and port, and where it leads. */
export interface Forward {
  readonly address: string
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  readonly endpoints: readonly { readonly address: string; readonly port: number }[]
}

/** `isPod` says whether an address is of a pod here: what leads elsewhere (made-up endpoints of tests) is not forwarded. */
export function forwardsOf(service: Service, slices: readonly EndpointSlice[], isPod: (address: string) => boolean): readonly Forward[] {
  const ingress = service.status?.loadBalancer?.ingress?.flatMap(({ ip }) => (ip === undefined ? [] : [ip])) ?? []
  const own = service.spec.clusterIP
  const addresses = [...(own === undefined || own === '' || own === 'None' ? [] : [own]), ...ingress]
  return (service.spec.ports ?? []).flatMap(({ name, protocol = 'TCP', port }) => {
    const endpoints = slices.flatMap((slice) => endpointsOf(slice, name, isPod))
    const kind = protocol === 'UDP' ? 'udp' : 'tcp'
    return endpoints.length === 0 ? [] : addresses.map((address) => ({ address, protocol: kind, port, endpoints }) as const)
  })
}

function endpointsOf(slice: EndpointSlice, portName: string | undefined, isPod: (address: string) => boolean): Forward['endpoints'] {
  const target = slice.ports?.find(({ name }) => (name ?? '') === (portName ?? ''))?.port
  if (target === undefined) return []
  return (slice.endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready ?? true)
    .flatMap(({ addresses }) => addresses.slice(0, 1))
    .filter(isPod)
    .map((address) => ({ address, port: target }))
}

/** A whole nft file: the table is replaced in one step, so that no packet meets a half of it. */
export function rulesOf(forwards: readonly Forward[]): string {
  const api: Forward = { address: API_SERVICE, protocol: 'tcp', port: 443, endpoints: [{ address: NODE, port: API_PORT }] }
  const lines = [api, ...forwards].flatMap(rulesOfForward)
  return [
    'table ip services',
    'delete table ip services',
    'table ip services {',
    '  chain forwards {',
    ...lines.map((line) => `    ${line}`),
    '  }',
    // What processes of the node send, and what pods send.
    '  chain output { type nat hook output priority -100; jump forwards; }',
    '  chain prerouting { type nat hook prerouting priority -100; jump forwards; }',
    // The answer must come back this way, also when a pod calls itself.
    '  chain postrouting { type nat hook postrouting priority 100; ct status dnat masquerade; }',
    '}',
    '',
  ].join('\n')
}

/**
 * One rule for each endpoint: the first takes one connection of n, the next one of the n - 1 that are left, the last what is left then.
 * Not one rule with a map, which is shorter: while a table is replaced, a packet that began with the old rules finds the old map empty
 * already, is not forwarded, and its connection is refused (one of 500 replacements under traffic).
 */
function rulesOfForward({ address, protocol, port, endpoints }: Forward): readonly string[] {
  const from = `ip daddr ${address} ${protocol} dport ${port}`
  return endpoints.map((endpoint, n) => {
    const left = endpoints.length - n
    const chance = left === 1 ? '' : ` numgen random mod ${left} 0`
    return `${from}${chance} dnat to ${endpoint.address}:${endpoint.port}`
  })
}
