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

export interface PortPlan {
  /** Transport, address and port: a socket lives as long as its key is planned. One that changes between clear text and TLS is another. */
  readonly key: string
  readonly address: string
  /** Where to listen; 0 lets the system choose. */
  readonly listenPort: number
  readonly gateway: string
  /** The specification's port. */
  readonly port: number
  readonly scheme: 'http' | 'https'
  /** Never empty. */
  readonly listeners: readonly ListenerConfig[]
}

export interface PlanFailure {
  readonly gateway: string
  readonly port: number
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
    for (const [port, sharing] of byPort(listeners)) {
      const fail = (message: string): unknown => failures.push({ gateway, port, message })
      const protocols = [...new Set(sharing.map(({ protocol }) => protocol))]
      const scheme = schemeOf(protocols)
      if (scheme === undefined) {
        fail(`Cannot serve port ${port}: its listeners must all have protocol HTTP or all HTTPS, got ${protocols.join(' and ')}`)
        continue
      }
      const { address, port: listenPort } = placement(gateway, port)
      const chosenBySystem = listenPort === 0 ? ` ${gateway} ${port}` : ''
      const key = `${scheme} ${address} ${listenPort}${chosenBySystem}`
      const other = [...ports.values()].find((one) => listenPort !== 0 && one.listenPort === listenPort && one.address === address)
      if (other !== undefined) {
        fail(
          `Cannot listen on ${hostPort(address, listenPort)}: the address must be free, got one where port ${other.port} of Gateway ${other.gateway} listens`,
        )
        continue
      }
      ports.set(key, { key, address, listenPort, gateway, port, scheme, listeners: sharing })
    }
  }
  return { ports: [...ports.values()], failures }
}

function byPort(listeners: readonly ListenerConfig[]): Map<number, ListenerConfig[]> {
  const ports = new Map<number, ListenerConfig[]>()
  for (const listener of listeners) {
    const sharing = ports.get(listener.port)
    if (sharing === undefined) ports.set(listener.port, [listener])
    else sharing.push(listener)
  }
  return ports
}

function schemeOf(protocols: readonly ListenerConfig['protocol'][]): 'http' | 'https' | undefined {
  if (protocols.length > 1) return undefined
  if (protocols[0] === 'HTTP') return 'http'
  return protocols[0] === 'HTTPS' ? 'https' : undefined
}
