/**
 * Listeners of one Gateway that traffic could not tell apart (Gateway API v1, GatewaySpec.listeners, "Distinct Listeners").
 *
 * Within one object, Gateway or ListenerSet, no conflicting listener wins: all of them lose. Among the objects whose listeners
 * are merged into one Gateway the first has it (see claims.ts). Listeners whose protocol is not served take no part, they are refused for
 * that. HTTPS and TLS share a port as long as their host names differ, since SNI tells them apart.
 */
import { transportOf } from '../lib/transport.ts'

export interface ConflictingListener {
  readonly name: string
  readonly port: number
  readonly protocol: string
  /** Lower case; '' for any host. */
  readonly hostname: string
}

export interface Conflict {
  readonly reason: 'HostnameConflict' | 'ProtocolConflict'
  readonly with: readonly string[]
  /** The listener of another object that was first, in words; `with` is empty then. */
  readonly takenBy?: string
}

/** By listener name. A conflict of protocols outranks one of host names. */
export function conflictsOf(listeners: readonly ConflictingListener[]): ReadonlyMap<string, Conflict> {
  const conflicts = new Map<string, Conflict>()
  for (const listener of listeners) {
    const others = listeners.flatMap((other) => {
      const reason = other === listener ? undefined : conflictBetween(listener, other)
      return reason === undefined ? [] : [{ name: other.name, reason }]
    })
    if (others.length === 0) continue
    const reason = others.some((other) => other.reason === 'ProtocolConflict') ? 'ProtocolConflict' : 'HostnameConflict'
    conflicts.set(listener.name, { reason, with: others.map(({ name }) => name) })
  }
  return conflicts
}

export function conflictBetween(a: ConflictingListener, b: ConflictingListener): Conflict['reason'] | undefined {
  if (a.port !== b.port || transportOf(a.protocol) !== transportOf(b.protocol)) return undefined
  if (a.protocol === b.protocol) return a.hostname === b.hostname ? 'HostnameConflict' : undefined
  return sharePort(a.protocol, b.protocol) && a.hostname !== b.hostname ? undefined : 'ProtocolConflict'
}

/** Whether listeners of these protocols may stand on one port as long as their host names differ: SNI tells HTTPS and TLS apart. */
export function sharePort(a: string, b: string): boolean {
  return a === b || (hasSni(a) && hasSni(b))
}

export function hasSni(protocol: string): boolean {
  return protocol === 'HTTPS' || protocol === 'TLS'
}
