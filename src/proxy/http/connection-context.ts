/**
 * What a downstream connection is given by the listener side, and all that it may know of the process around it.
 *
 * The listener side opens sockets, reads ClientHellos, ends TLS, swaps routers and drains; it makes one `ProxyRuntime`
 * for the process, one `LivePort` for each socket that listens, and one `ConnectionContext` for each connection.
 * A swap is one assignment to `LivePort.router`: a request asks for the router once and then keeps its rule and pool.
 */
import type { ListenerKey } from '../../config/listener.ts'
import type { PortRouter } from '../../routing/router.ts'
import type { AccessRecord, AnswerFlag, SessionOutcome } from '../../telemetry/access-record.ts'
import type { Bounds } from '../../config/bounds.ts'
import type { SocketBuffers } from '../byte-socket.ts'
import type { Sweep } from '../sweep.ts'
import type { PoolRegistry } from '../upstream/registry.ts'
import type { MirrorCounters } from './mirror.ts'
import type { RequestIds } from './request-id.ts'
import type { SessionTokens } from './session-token.ts'
import type { SideRequest } from './side-request.ts'

export interface ProxyRuntime {
  readonly bounds: Bounds
  readonly pools: PoolRegistry
  readonly sweep: Sweep
  readonly requestIds: RequestIds
  /** Undefined when the access log is off: then no record is made. */
  accessLog: ((record: AccessRecord) => void) | undefined
  readonly counters: DownstreamCounters
  readonly mirrors: MirrorCounters
  /** What the gateway asks for itself, under way. */
  readonly sideRequests: Set<SideRequest>
  readonly sessions: SessionTokens
  /** Protocols that a client may switch to, in lower case: `websocket`, and what the configuration adds. */
  readonly upgrades: ReadonlySet<string>
  readonly buffers: SocketBuffers
  /** TCP connections that nobody looks into have no streams. */
  readonly rawSockets: boolean
  /** So many proxies stand before this one, and so many entries of a trusted peer's `X-Forwarded-For` are theirs; 0: all of it is believed. */
  readonly trustedHops: number
  /** Clients that ask for it are told where their request went, see debug-header.ts. */
  readonly debugHeader: boolean
  /** True while memory is short: new requests get 503. Written by the listener side. */
  overloaded: boolean
}

/** Plain numbers, written on the hot path and read at scrape. */
export interface DownstreamCounters {
  connections: number
  connectionsTotal: number
  requests: number
  /** Requests of HTTP/1 that have not ended, and streams of HTTP/2 that have not closed. */
  active: number
  /** Requests that were answered with 503 at once, by what there was too little of. */
  readonly shed: { memory: number; requests: number }
  tunnels: number
  /** Requests that no rule took, by class of the status code (index 1 to 5; 0: none was sent). Others count on their rule. */
  readonly unrouted: Float64Array
  /** The same for gRPC calls, see RuleCounters. */
  grpc: Float64Array | undefined
  http2Connections: number
  http2Requests: number
  /** HTTP/2 connections that were ended because of what their clients did on them. */
  http2Floods: number
  /** Requests that an authorisation server let pass; others have a flag. */
  authAllowed: number
  /** Answers of backends to requests of rules with session persistence. */
  readonly sessions: Record<Exclude<SessionOutcome, ''>, number>
  /** Exchanges that had a flag, by it. */
  readonly flags: Map<AnswerFlag, number>
}

export function createDownstreamCounters(): DownstreamCounters {
  return {
    connections: 0,
    connectionsTotal: 0,
    requests: 0,
    active: 0,
    shed: { memory: 0, requests: 0 },
    tunnels: 0,
    unrouted: new Float64Array(6),
    grpc: undefined,
    http2Connections: 0,
    http2Requests: 0,
    http2Floods: 0,
    authAllowed: 0,
    sessions: { new: 0, kept: 0, moved: 0 },
    flags: new Map(),
  }
}

export interface LivePort {
  /** Replaced in place. */
  router: PortRouter
  /** True from the moment on that this socket accepts no more: answers say `Connection: close`. */
  draining: boolean
}

export interface ConnectionContext {
  readonly runtime: ProxyRuntime
  readonly port: LivePort
  readonly scheme: 'http' | 'https'
  /** The listener that the connection's server name chooses, by the present configuration; undefined for clear text. A request for another one gets 421. */
  sniListener: ListenerKey | undefined
  readonly clientAddress: string
  /** Its `X-Forwarded-*` and `X-Request-Id` are kept; decided once for a connection, from CIDRs or hops. */
  readonly trusted: boolean
  /** The value of `X-Forwarded-Client-Cert`, '' when there is none to be told; undefined where that is not for this listener to say. */
  readonly clientCertificate: string | undefined
}

/** Where a connection is in its life; with `deadline`, what the sweep and the drain need to know. */
export type ConnectionPhase = 'idle' | 'head' | 'exchange' | 'tunnel' | 'linger' | 'closed'

/** A client's connection, whatever version of HTTP it speaks, as the listener side sees it. */
export interface ClientConnection {
  readonly phase: ConnectionPhase
  /** Milliseconds on the sweep's clock, see `Sweep`. */
  readonly deadline: number
  /** Ends now when idle, else after the current answer, which says `Connection: close`; a new one waits a moment for its first request. Tunnels go on. */
  drain(): void
  /** Takes `drain` back, as far as the client has not been told of it. */
  stay(): void
  /** Ends at once, whatever is under way. */
  destroy(): void
  /** Called once, after the socket has closed. */
  onClosed: (() => void) | undefined
}
