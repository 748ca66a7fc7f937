/**
 * TLS listeners of one port between which a reused connection may wander (Gateway API v1, listener condition
 * OverlappingTLSConfig): their host names overlap, or one has a certificate that is good for the other's names.
 * When both hold, the certificates are the reason given.
 */
import { intersection } from '../lib/hostname.ts'

export interface TlsListener {
  readonly name: string
  readonly port: number
  /** Lower case; '' for any host. */
  readonly hostname: string
  /** DNS names of its certificates. */
  readonly names: readonly string[]
}

export interface Overlap {
  readonly reason: 'OverlappingHostnames' | 'OverlappingCertificates'
  readonly with: readonly string[]
}

/** By listener name. */
export function overlapsOf(listeners: readonly TlsListener[]): ReadonlyMap<string, Overlap> {
  const overlaps = new Map<string, Overlap>()
  for (const listener of listeners) {
    const others = listeners.filter((other) => other !== listener && other.port === listener.port)
    const byCertificate = others.filter((other) =>
      listener.names.some((name) => other.names.some((theirs) => intersection(name, theirs) !== undefined)),
    )
    const byHostname = others.filter((other) => intersection(listener.hostname, other.hostname) !== undefined)
    if (byCertificate.length === 0 && byHostname.length === 0) continue
    const both = others.filter((other) => byCertificate.includes(other) || byHostname.includes(other))
    overlaps.set(listener.name, {
      reason: byCertificate.length > 0 ? 'OverlappingCertificates' : 'OverlappingHostnames',
      with: both.map(({ name }) => name),
    })
  }
  return overlaps
}
