/**
 * Ports of a Gateway that listen elsewhere than the specification says (80 on 8080, on a laptop), and for which hosts.
 * A redirect to such a port has to name where a client finds us; one to the same port of somebody else's host must not.
 */
import type { GatewayConfig } from '../config/config.ts'
import type { Placement } from '../config/placement.ts'
import { covers, intersection } from '../lib/hostname.ts'

export interface MovedPort {
  /** The specification's. */
  readonly port: number
  readonly placed: number
  /** Hosts that routes serve there, sorted; `''` for any. */
  readonly hostnames: readonly string[]
}

/** Empty where placement moves nothing, as in a pod. */
export function movedPorts(config: GatewayConfig, placement: Placement | undefined): readonly MovedPort[] {
  if (placement === undefined) return []
  const ports = [...new Set(config.listeners.map(({ port }) => port))]
  return ports
    .map((port) => ({ port, placed: placement(config.gateway, port).port }))
    .filter(({ port, placed }) => port !== placed)
    .map((moved) => ({ ...moved, hostnames: servedHostnames(config, moved.port) }))
}

/** Where a client reaches `port` of `hostname`; of the host that it asked for, which is ours, when that is undefined. */
export function reachablePort(moved: readonly MovedPort[], port: number, hostname: string | undefined): number {
  const move = moved.find((each) => each.port === port)
  return move !== undefined && serves(move, hostname) ? move.placed : port
}

/** The way back for a listener's placed port: as `hostname` would have it, when that is not ours. */
export function listenerPortOf(moved: readonly MovedPort[], placed: number, hostname: string | undefined): number {
  const move = moved.find((each) => each.placed === placed)
  return move === undefined || serves(move, hostname) ? placed : move.port
}

export function sameMoves(a: readonly MovedPort[], b: readonly MovedPort[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function serves(move: MovedPort, hostname: string | undefined): boolean {
  return hostname === undefined || move.hostnames.some((pattern) => covers(pattern, hostname))
}

function servedHostnames(config: GatewayConfig, port: number): readonly string[] {
  const listeners = new Map(config.listeners.filter((listener) => listener.port === port).map(({ key, hostname }) => [key, hostname]))
  const served = new Set<string>()
  for (const route of config.routes) {
    for (const { listener, hostnames } of route.attachments) {
      const listenerHostname = listeners.get(listener)
      if (listenerHostname === undefined) continue
      for (const hostname of hostnames) served.add(intersection(listenerHostname, hostname) ?? listenerHostname)
    }
  }
  return [...served].toSorted()
}
