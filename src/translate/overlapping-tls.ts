/**
 * TLS listeners of one port between which a reused connection may wander (Gateway API v1, listener condition
 * OverlappingTLSConfig): their host names overlap, or one has a certificate that is good for the other's names.
 * When both hold, the certificates are the reason given.
 */
import { isWildcard } from '../lib/hostname.ts'

export interface TlsListener {
  readonly key: string
  readonly port: number
  /** Lower case; '' for any host. */
  readonly hostname: string
  /** DNS names of its certificates. */
  readonly names: readonly string[]
}

export interface Overlap<L extends TlsListener = TlsListener> {
  readonly reason: 'OverlappingHostnames' | 'OverlappingCertificates'
  /** In the order of the listeners, the first few of them. */
  readonly with: readonly L[]
  readonly andMore: boolean
}

/** A certificate for everything may be that of a thousand listeners: nobody reads all of their names. */
const NAMED = 8

/** By key of the listener. */
export function overlapsOf<L extends TlsListener>(listeners: readonly L[]): ReadonlyMap<string, Overlap<L>> {
  const ports = new Map<number, { readonly hostnames: CoverIndex<L>; readonly certificates: CoverIndex<L> }>()
  const order = new Map(listeners.map((listener, i) => [listener, i]))
  for (const listener of listeners) {
    let port = ports.get(listener.port)
    if (port === undefined) ports.set(listener.port, (port = { hostnames: new CoverIndex(), certificates: new CoverIndex() }))
    port.hostnames.add(listener.hostname, listener)
    for (const name of listener.names) port.certificates.add(name, listener)
  }
  const overlaps = new Map<string, Overlap<L>>()
  for (const listener of listeners) {
    const port = ports.get(listener.port)
    const byCertificate = new Set(listener.names.flatMap((name) => port?.certificates.overlapping(name, listener) ?? []))
    const both = new Set([...byCertificate, ...(port?.hostnames.overlapping(listener.hostname, listener) ?? [])])
    if (both.size === 0) continue
    const others = [...both].sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0))
    overlaps.set(listener.key, {
      reason: byCertificate.size > 0 ? 'OverlappingCertificates' : 'OverlappingHostnames',
      with: others.slice(0, NAMED),
      andMore: others.length > NAMED,
    })
  }
  return overlaps
}

/** Who has a name that covers another, or is covered by it, without looking at everybody. */
class CoverIndex<L> {
  readonly #at = new Map<string, L[]>()
  /** By wildcard: those whose names lie below it. */
  readonly #below = new Map<string, L[]>()

  add(name: string, listener: L): void {
    put(this.#at, name, listener)
    for (const wildcard of wildcardsAbove(name)) put(this.#below, wildcard, listener)
  }

  /** The first few others, from each place where there can be some. */
  overlapping(name: string, self: L): readonly L[] {
    const lists = [name, ...wildcardsAbove(name)].map((place) => this.#at.get(place))
    return [...lists, this.#below.get(name)].flatMap((list = []) =>
      list
        .slice(0, NAMED + 2)
        .filter((other) => other !== self)
        .slice(0, NAMED + 1),
    )
  }
}

function put<L>(lists: Map<string, L[]>, key: string, listener: L): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [listener])
  else if (list.at(-1) !== listener) list.push(listener)
}

/** `*.b.c`, `*.c` and '' for `a.b.c`; '' covers every name. */
export function wildcardsAbove(name: string): readonly string[] {
  if (name === '') return []
  const labels = (isWildcard(name) ? name.slice(2) : name).split('.')
  return [...labels.slice(1).map((_, i) => `*.${labels.slice(i + 1).join('.')}`), '']
}
