/**
 * proxy-protocol: HAProxy's PROXY protocol, versions 1 and 2, by which a proxy that forwards a connection says at its beginning
 * between whom it was (doc/proxy-protocol.txt of HAProxy). Headers are read and written here, on bytes alone; the listener side reads
 * them from sockets, streams send them to backends.
 *
 * This file says what a header says: the two ends of a connection.
 */
import type { Socket } from 'node:net'

export interface Ends {
  /** Who made the connection. */
  readonly source: End
  /** Where it came to. */
  readonly destination: End
}

export interface End {
  /** As Node writes it, without a zone; an address of IPv4 that is mapped into IPv6 is one of IPv4. */
  readonly address: string
  readonly port: number
}

/** Whom a connection comes from. */
export interface Origin {
  readonly address: string
  /** What its header said; undefined: it had none, or one that says nothing, and its ends are those of its socket. */
  readonly ends: Ends | undefined
}

/** Of a connection itself. One that is gone has addresses that are none, ''. */
export function endsOf(socket: {
  readonly [K in 'localAddress' | 'localPort' | 'remoteAddress' | 'remotePort']?: Socket[K] | undefined
}): Ends {
  return {
    source: { address: plainAddress(socket.remoteAddress) ?? '', port: socket.remotePort ?? 0 },
    destination: { address: plainAddress(socket.localAddress) ?? '', port: socket.localPort ?? 0 },
  }
}

/** Undefined for a connection that is gone. A dual-stack socket shows IPv4 clients as `::ffff:192.0.2.1`. */
export function plainAddress(address: string | undefined): string | undefined {
  return address?.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
