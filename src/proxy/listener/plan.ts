/**
 * listener: sockets, TLS and drain; everything before the first byte of a request and after the last.
 *
 * It opens sockets and keeps them by key through every configuration change, reads ClientHellos, ends TLS, and hands
 * connections of plain bytes to what speaks HTTP. It knows listeners and ports, nothing of requests, routes or backends.
 * The data plane calls it. This file says which sockets a set of configurations asks for; it opens none.
 */
import type { GatewayConfig } from '../../config/config.ts'
import type { ListenerConfig } from '../../config/listener.ts'
import type { Placement } from '../../config/placement.ts'
import { hostPort } from '../../lib/host-port.ts'
import { type Transport, transportOf } from '../../lib/transport.ts'

export interface PortPlan {
  /** Kind, address and port: a socket lives as long as its key is planned. One that changes between clear text and TLS is another. */
  readonly key: string
  readonly address: string
  /** Where to listen; 0 lets the system choose. */
  readonly listenPort: number
  readonly gateway: string
  /** The specification's port. */
  readonly port: number
  readonly transport: Transport
  /** What begins on its connections. 'tls': HTTPS and TLS listeners, told apart by server name. 'udp' has datagrams, and no connections. */
  readonly kind: PortKind
  /** Never empty. */
  readonly listeners: readonly ListenerConfig[]
}

export type PortKind = 'http' | 'tls' | 'tcp' | 'udp'

export interface PlanFailure {
  readonly gateway: string
  readonly port: number
  readonly transport: Transport
  readonly message: string
}

export interface Plan {
  readonly ports: readonly PortPlan[]
  readonly failures: readonly PlanFailure[]
}

/** Configurations come in order of precedence: of two that are placed on one socket, the first has it. */
export function plan(configs: readonly GatewayConfig[], placement: Placement): Plan {
  const ports = new Map<string, PortPlan>()
  const failures: PlanFailure[] = []
  for (const { gateway, listeners } of configs) {
    for (const sharing of bySocket(listeners)) {
      const { port, protocol } = sharing[0]
      const transport = transportOf(protocol)
      const fail = (message: string): unknown => failures.push({ gateway, port, transport, message })
      const kinds = new Set(sharing.map((listener) => KINDS[listener.protocol]))
      if (kinds.size > 1) {
        const protocols = [...new Set(sharing.map((listener) => listener.protocol))]
        fail(`Cannot serve port ${port}: its listeners must have protocols that can share it, got ${protocols.join(' and ')}`)
        continue
      }
      const kind = KINDS[protocol]
      const { address, port: listenPort } = placement(gateway, port)
      const chosenBySystem = listenPort === 0 ? ` ${gateway} ${port}` : ''
      const key = `${kind} ${address} ${listenPort}${chosenBySystem}`
      const other = [...ports.values()].find(
        (one) => listenPort !== 0 && one.listenPort === listenPort && one.address === address && one.transport === transport,
      )
      if (other !== undefined) {
        fail(
          `Cannot listen on ${hostPort(address, listenPort)}: the address must be free, got one where port ${other.port} of Gateway ${other.gateway} listens`,
        )
        continue
      }
      ports.set(key, { key, address, listenPort, gateway, port, transport, kind, listeners: sharing })
    }
  }
  return { ports: [...ports.values()], failures }
}

const KINDS: { readonly [P in ListenerConfig['protocol']]: PortKind } = { HTTP: 'http', HTTPS: 'tls', TLS: 'tls', TCP: 'tcp', UDP: 'udp' }

/** Those that share a port and a transport. */
function bySocket(listeners: readonly ListenerConfig[]): readonly (readonly [ListenerConfig, ...ListenerConfig[]])[] {
  const sockets = new Map<string, [ListenerConfig, ...ListenerConfig[]]>()
  for (const listener of listeners) {
    const key = `${transportOf(listener.protocol)} ${listener.port}`
    const sharing = sockets.get(key)
    if (sharing === undefined) sockets.set(key, [listener])
    else sharing.push(listener)
  }
  return [...sockets.values()]
}
