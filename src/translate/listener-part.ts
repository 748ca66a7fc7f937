/** A listener in its place among the others of its Gateway: what conflicts with it, what it overlaps with, what it serves. */
import type { ListenerConfig } from '../config/listener.ts'
import { endsTls, isPassthrough } from './features.ts'
import type { JudgedListener } from './listener.ts'
import type { Conflict, ConflictingListener } from './listener-conflicts.ts'
import { overlapsOf, type Overlap, type TlsListener } from './overlapping-tls.ts'
import { quoted } from './remedy.ts'
import { ownerInWords, type GatewaySurface, type ListenerSurface } from './surface.ts'

export interface ListenerPart {
  readonly judged: JudgedListener
  readonly conflict?: Conflict
  /** `with`: the others in words. */
  readonly overlap?: { readonly reason: Overlap['reason']; readonly with: readonly string[] }
  /** Present when it shall serve. */
  readonly config?: ListenerConfig
}

/** The object that has the listener. */
export type ListenerOwner = Pick<GatewaySurface, 'kind' | 'namespace' | 'name'>

export interface OwnedListener {
  readonly owner: ListenerOwner
  readonly listener: ListenerPart
}

export function listenerPart(judged: JudgedListener, conflict: Conflict | undefined, config: ListenerConfig | undefined): ListenerPart {
  return { judged, ...(conflict === undefined ? {} : { conflict }), ...(config === undefined ? {} : { config }) }
}

/** The listener as routes see it. */
export function listenerSurface({ judged: { listener, key, hostname, routeKinds }, config }: ListenerPart): ListenerSurface {
  const { name, port, protocol, allowedRoutes } = listener
  const passthrough = isPassthrough(listener)
  return { key, name, port, protocol, passthrough, hostname, allowedRoutes, routeKinds, serves: config !== undefined }
}

export function claimOf({ listener: { name, port, protocol }, hostname }: JudgedListener): ConflictingListener {
  return { name, port, protocol, hostname }
}

/** The listeners in their order, each told of what it overlaps with. */
export function withOverlaps(listeners: readonly OwnedListener[]): readonly ListenerPart[] {
  const overlaps = overlapsOf(listeners.flatMap(tlsListener))
  return listeners.map(({ owner, listener }) => {
    const overlap = overlaps.get(listener.judged.key)
    if (overlap === undefined) return listener
    const others = overlap.with.map((other) =>
      other.owner.kind === owner.kind && other.owner.namespace === owner.namespace && other.owner.name === owner.name
        ? quoted(other.name)
        : `${quoted(other.name)} of ${ownerInWords(other.owner)}`,
    )
    return { ...listener, overlap: { reason: overlap.reason, with: overlap.andMore ? [...others, 'others'] : others } }
  })
}

/** A listener that others came before is not there for TLS. */
function tlsListener({
  owner,
  listener: { judged, conflict },
}: OwnedListener): (TlsListener & { readonly owner: ListenerOwner; readonly name: string })[] {
  const { key, hostname, certificates, listener } = judged
  if (!endsTls(listener) || conflict?.takenBy !== undefined) return []
  const names = certificates.flatMap(({ certificate }) => certificate.names)
  return [{ key, owner, name: listener.name, port: listener.port, hostname, names }]
}
