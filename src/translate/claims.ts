/**
 * What the listeners of one Gateway hold of its ports: the first has it, the Gateway before its ListenerSets, these by age and then by
 * `namespace/name` (Gateway API v1, ListenerSetSpec.listeners; GEP-1713, Listener Precedence).
 *
 * Each question is answered by looking up, whatever the number of listeners on the port.
 */
import { transportOf } from '../lib/transport.ts'
import { type Conflict, type ConflictingListener, sharePort } from './listener-conflicts.ts'

interface Port {
  /** Of the listeners that came first: what may stand beside it is only its own kind, for HTTPS and TLS each other. */
  readonly protocol: string
  readonly holder: string
  readonly hostnames: Map<string, { readonly protocol: string; readonly holder: string }>
}

export class Claims {
  readonly #ports = new Map<string, Port>()

  /** Why the listener cannot be served beside those that hold something already. */
  conflictOf({ port, protocol, hostname }: ConflictingListener): Conflict | undefined {
    const held = this.#ports.get(`${transportOf(protocol)} ${port}`)
    if (held === undefined) return undefined
    if (!sharePort(held.protocol, protocol)) return { reason: 'ProtocolConflict', with: [], takenBy: held.holder }
    const equal = held.hostnames.get(hostname)
    if (equal === undefined) return undefined
    return { reason: equal.protocol === protocol ? 'HostnameConflict' : 'ProtocolConflict', with: [], takenBy: equal.holder }
  }

  /** `holder` in words, for the messages of those that come later. */
  hold({ port, protocol, hostname }: ConflictingListener, holder: string): void {
    const key = `${transportOf(protocol)} ${port}`
    let held = this.#ports.get(key)
    if (held === undefined) this.#ports.set(key, (held = { protocol, holder, hostnames: new Map() }))
    if (!held.hostnames.has(hostname)) held.hostnames.set(hostname, { protocol, holder })
  }
}
