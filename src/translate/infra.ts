/** What a cluster creates for a Gateway: names and labels by GEP-1762, one Service port for each listener port and transport. */
import { createHash } from 'node:crypto'
import type { Gateway } from '../api/gateway.ts'
import type { ParametersSpec } from '../api/parameters.ts'
import type { ListenerConfig } from '../config/listener.ts'
import { transportOf } from '../lib/transport.ts'
import { GATEWAY_GROUP } from './features.ts'
import type { InfraPlan } from './translation.ts'

/** Names of Services and values of labels end here; names of Gateways may have 253 characters and dots. */
const LONGEST = 63

export function infraOf(gateway: Gateway, listeners: readonly ListenerConfig[], parameters: ParametersSpec = {}): InfraPlan {
  const { namespace, name } = gateway.metadata
  const { gatewayClassName, infrastructure } = gateway.spec
  const own = dnsLabel(`${name}-${gatewayClassName}`)
  return {
    gateway: `${namespace}/${name}`,
    namespace,
    name: own,
    labels: {
      ...infrastructure?.labels,
      [`${GATEWAY_GROUP}/gateway-name`]: labelValue(name),
      [`${GATEWAY_GROUP}/gateway-class-name`]: labelValue(gatewayClassName),
    },
    annotations: { ...infrastructure?.annotations, ...(name.length > LONGEST ? { 'gatewright.dev/gateway-name': name } : {}) },
    ports: portsOf(listeners),
    addresses: addressesOf(gateway, own),
    ...(Object.keys(parameters).length > 0 && { parameters }),
  }
}

/**
 * A Service can ask for one address, so each value gets a Service of its own, named by it: no address moves from one Service to another
 * while others come and go. The first request without a value is that of the Service which a Gateway always has.
 */
function addressesOf({ spec: { addresses } }: Gateway, own: string): InfraPlan['addresses'] {
  let unnamed = 0
  return addresses.map(({ type, value }) => {
    if (value !== undefined && value !== '') return { type, value, service: withHash(own, `${own} ${value}`) }
    const number = unnamed++
    return { type, service: number === 0 ? own : withHash(own, `${own} #${number}`) }
  })
}

function portsOf(listeners: readonly ListenerConfig[]): InfraPlan['ports'] {
  const transports = { TCP: new Set<number>(), UDP: new Set<number>() }
  for (const { port, protocol } of listeners) transports[transportOf(protocol)].add(port)
  return (['TCP', 'UDP'] as const)
    .flatMap((protocol) => [...transports[protocol]].map((port) => ({ name: `${protocol.toLowerCase()}-${port}`, port, protocol })))
    .sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1))
}

/** The name of a Service begins with a letter and has no dot (RFC 1035); the hash keeps `a.b` and `a-b`, `1a` and `gw-1a` apart. */
function dnsLabel(name: string): string {
  if (!/^[a-z]/.test(name)) return withHash(`gw-${name.replaceAll('.', '-')}`, name)
  return name.includes('.') ? withHash(name.replaceAll('.', '-'), name) : shortened(name)
}

function shortened(name: string): string {
  return name.length > LONGEST ? withHash(name, name) : name
}

/** Pods are selected by it: no object has a name with `_`, so none is what another one was shortened to. */
function labelValue(name: string): string {
  return name.length > LONGEST ? withHash(name, name, '_') : name
}

function withHash(text: string, whole: string, joint = '-'): string {
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 10)
  return `${text.slice(0, LONGEST - hash.length - 1).replace(/[^a-z0-9]+$/, '')}${joint}${hash}`
}
