/** A socket that listens and every connection that came through it: what a swap of configurations exchanges, and what a drain ends. */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ListenerKey } from '../../config/listener.ts'
import { longestTimer } from '../../lib/longest-timer.ts'
import type { CompiledListener, PortRouter } from '../../routing/router.ts'
import type { ClientConnection, ConnectionContext, LivePort, ProxyRuntime } from '../http/connection-context.ts'
import { NetSocketSide } from '../net-socket-side.ts'
import { type Origin, plainAddress } from '../proxy-protocol/ends.ts'
import { RawSocket } from '../raw-socket.ts'
import type { SocketSide } from '../socket-side.ts'
import { StreamConnection, type StreamContext } from '../stream/stream-connection.ts'
import { clientCertificateField, type ForwardedCertificate } from './client-certificate.ts'
import { PendingHeader } from './pending-header.ts'
import type { AcceptingSocket, ListeningSocketOptions } from './listening-socket.ts'
import type { PortPlan } from './plan.ts'
import type { Passing, ServerNameChoice, TlsAcceptor, TlsChoice, TlsCounters, TlsPort } from './tls-acceptor.ts'
import type { TlsListeners } from './tls-listener.ts'

/** Plain numbers, read at scrape. */
export interface PortCounters extends TlsCounters {
  /** Connections that were closed at once, by what there were too many for; 'accept': the system could not give them to us. */
  readonly shed: Record<'port' | Admission['bound'] | 'accept', number>
  /** Closed, since they had to begin with a header of the PROXY protocol and did not. */
  proxyHeadersRefused: number
}

/** The process's share in the bounds of a port. */
export interface Admission {
  /** Connections open in the process. */
  open: number
  readonly maximum: number
  /** What the maximum comes from: an option, or what the system lets a process open. */
  readonly bound: 'process' | 'descriptors'
}

/** What all ports share. */
export interface PortSurroundings {
  readonly runtime: ProxyRuntime
  readonly tls: TlsAcceptor
  readonly admission: Admission
  /** Speaks HTTP on a socket that nobody reads yet; `first`: what was read from it already. */
  readonly serve: (socket: Socket, context: ConnectionContext, first?: Buffer) => ClientConnection
  readonly listen: (options: ListeningSocketOptions) => AcceptingSocket
  /** Whether what this peer says about others is believed. */
  readonly trusts: (address: string) => boolean
  /** Whether connections of this peer begin with a header of the PROXY protocol; undefined: nobody's do. */
  readonly sendsHeader: ((address: string) => boolean) | undefined
  /** What backends are told of certificates that clients showed; undefined: nothing. */
  readonly forwardedCertificate: ForwardedCertificate | undefined
  /** The system could not accept a connection. */
  readonly acceptFailed: (error: Error) => void
  /** A peer that had to send a header of the PROXY protocol did not. The reason completes "got …". */
  readonly headerRefused: (address: string, reason: string) => void
}

/** What is known of a connection before HTTP is spoken on it. */
interface HttpBeginning {
  /** Absent in clear text. */
  readonly sni?: ServerNameChoice
  /** The value of `X-Forwarded-Client-Cert`. */
  readonly clientCertificate?: string | undefined
  /** What was read from the socket already. */
  readonly first?: Buffer | undefined
}

/** Whether what the configuration says now leaves the connection where it is. */
type Stays = () => boolean

const always: Stays = () => true

export class Port implements LivePort, TlsPort {
  plan: PortPlan
  router: PortRouter
  draining = false
  readonly counters: PortCounters = {
    shed: { port: 0, process: 0, descriptors: 0, accept: 0 },
    handshakes: 0,
    hellosRefused: 0,
    handshakesFailed: 0,
    proxyHeadersRefused: 0,
  }
  readonly #surroundings: PortSurroundings
  #socket: AcceptingSocket
  #tlsListeners: TlsListeners
  #listenerKeys: ReadonlySet<ListenerKey>
  readonly #connections = new Map<ClientConnection, Stays>()
  /** Those that drain, with what ends them. */
  readonly #leaving = new Map<ClientConnection, NodeJS.Timeout>()
  readonly #pendingHeaders = new Set<PendingHeader>()
  #open = 0
  /** Ends the drains. */
  readonly #drained: (() => void)[] = []

  constructor(plan: PortPlan, router: PortRouter, tlsListeners: TlsListeners, surroundings: PortSurroundings) {
    this.plan = plan
    this.router = router
    this.#tlsListeners = tlsListeners
    this.#listenerKeys = keysOf(plan)
    this.#surroundings = surroundings
    this.#socket = this.#listeningSocket()
  }

  #listeningSocket(): AcceptingSocket {
    const { listen, acceptFailed } = this.#surroundings
    return listen({
      name: this.plan.key,
      address: this.plan.address,
      port: this.plan.listenPort,
      accept: (socket) => this.#accept(socket),
      acceptHandle: this.#takesHandles ? (handle) => this.#acceptHandle(handle) : undefined,
      acceptFailed: (error) => {
        this.counters.shed.accept += 1
        acceptFailed(error)
      },
    })
  }

  /** The port that listens; 0 before `listen`. */
  get listenPort(): number {
    return this.#socket.port
  }

  /** Connections, those in their handshake included. */
  get open(): number {
    return this.#open
  }

  /** Rejects with a message fit for a person. */
  listen(): Promise<void> {
    return this.#socket.open()
  }

  /**
   * What a new configuration says. Connections are not touched; those of TLS listeners and of stream routes that are gone drain, and those
   * whose listener or route is back drain no more.
   */
  swap(plan: PortPlan, router: PortRouter, tlsListeners: TlsListeners): void {
    this.plan = plan
    this.router = router
    this.#tlsListeners = tlsListeners
    this.#listenerKeys = keysOf(plan)
    for (const [connection, stays] of this.#connections) {
      if (!stays()) this.#leave(connection, this.#surroundings.runtime.bounds.drainTime)
      else if (this.#forgetLeaving(connection)) connection.stay()
    }
  }

  /** Takes a drain back: listens again, and connections that the configuration has a place for go on. Rejects as `listen` does, and drains on. */
  async reopen(plan: PortPlan, router: PortRouter, tlsListeners: TlsListeners): Promise<void> {
    const socket = this.#listeningSocket()
    await socket.open()
    this.#socket = socket
    this.draining = false
    for (const resolve of this.#drained.splice(0)) resolve()
    this.swap(plan, router, tlsListeners)
  }

  /** One that drains already has the time that it was given. */
  #leave(connection: ClientConnection, milliseconds: number): void {
    if (this.#leaving.has(connection)) return
    const timer = setTimeout(() => connection.destroy(), Math.min(milliseconds, longestTimer)).unref()
    this.#leaving.set(connection, timer)
    connection.drain()
  }

  /** False: it does not drain. */
  #forgetLeaving(connection: ClientConnection): boolean {
    clearTimeout(this.#leaving.get(connection))
    return this.#leaving.delete(connection)
  }

  /**
   * Accepts no more, ends idle connections now, new ones soon and busy ones after their answer, all after `milliseconds`. Resolves when none
   * is left, or when `reopen` takes it back.
   */
  async drain(milliseconds: number): Promise<void> {
    const { runtime } = this.#surroundings
    if (!this.draining) this.#socket.close()
    this.draining = true
    this.#hurry(runtime.bounds.lingerTime)
    for (const connection of this.#connections.keys()) this.#leave(connection, milliseconds)
    if (this.#open === 0) return
    const drained = new Promise<void>((resolve) => {
      this.#drained.push(resolve)
    })
    const timer = setTimeout(
      () => {
        this.#hurry(0)
        for (const connection of this.#connections.keys()) connection.destroy()
      },
      Math.min(milliseconds, longestTimer),
    ).unref()
    await drained
    clearTimeout(timer)
  }

  /** What has not come so far as to be a connection of the port. */
  #hurry(milliseconds: number): void {
    for (const pending of this.#pendingHeaders) pending.hurry(milliseconds)
    this.#surroundings.tls.hurry(this, milliseconds)
  }

  choose(serverName: string): TlsChoice | undefined {
    const found = this.router.listenerFor(serverName)
    if (found === undefined) return undefined
    const { key, protocol, tls } = found.config
    const stream = protocol === 'HTTPS' ? undefined : found.streamFor(serverName)
    // A stream that no route wants is refused before anything is said.
    if (protocol !== 'HTTPS' && stream === undefined) return undefined
    if (tls?.kind === 'passthrough') return stream && { kind: 'passthrough', listener: key, stream }
    const listener = this.#tlsListeners.get(key)
    return listener && { kind: 'terminate', listener }
  }

  passThrough(side: SocketSide, origin: Origin, choice: Passing & { readonly serverName: string }, first: Buffer): void {
    const { listener, stream, serverName } = choice
    this.#join(side, { listener, stream, origin, serverName }, first)
  }

  serve(socket: TLSSocket, origin: Origin, sni: ServerNameChoice): void {
    const listener = this.router.listeners.find(({ config }) => config.key === sni.listener)
    if (listener === undefined || listener.config.protocol === 'HTTPS') {
      this.#serveHttp(socket, origin, { sni, clientCertificate: this.#certificateOf(socket, listener) })
      return
    }
    const stream = listener.streamFor(sni.serverName)
    if (stream === undefined) socket.destroy()
    else this.#join(this.#sideOf(socket), { listener: sni.listener, stream, origin, serverName: sni.serverName })
  }

  #join(side: SocketSide, context: Omit<StreamContext, 'runtime'>, first?: Buffer): void {
    const { listener, stream } = context
    const connection = new StreamConnection(side, { ...context, runtime: this.#surroundings.runtime }, first)
    if (connection.phase === 'closed') return
    const { key, kind } = stream.config
    this.#keep(connection, () => this.#hasStream(listener, key, kind))
  }

  #keep(connection: ClientConnection, stays: Stays): void {
    this.#connections.set(connection, stays)
    connection.onClosed = () => {
      this.#connections.delete(connection)
      this.#forgetLeaving(connection)
    }
  }

  #hasStream(listener: ListenerKey, key: string, kind: string): boolean {
    const streams = this.router.listeners.find(({ config }) => config.key === listener)?.streams ?? []
    return streams.some(({ stream: { config } }) => config.key === key && config.kind === kind)
  }

  /** Undefined unless the listener asks for certificates, and backends are told of them. */
  #certificateOf(socket: TLSSocket, listener: CompiledListener | undefined): string | undefined {
    const { forwardedCertificate } = this.#surroundings
    const { tls } = listener?.config ?? {}
    if (forwardedCertificate === undefined || tls?.kind !== 'terminate' || tls.clients === undefined) return undefined
    return clientCertificateField(socket, forwardedCertificate)
  }

  #serveHttp(socket: Socket, { address }: Origin, { sni, clientCertificate, first }: HttpBeginning): ClientConnection {
    const context: ConnectionContext = {
      runtime: this.#surroundings.runtime,
      port: this,
      scheme: sni === undefined ? 'http' : 'https',
      sniListener: sni?.listener,
      clientAddress: address,
      trusted: this.#surroundings.trusts(address),
      clientCertificate,
    }
    const connection = this.#surroundings.serve(socket, context, first)
    const stays = sni === undefined ? always : () => this.#settle(context, sni)
    this.#keep(connection, stays)
    // The listeners may have changed since the handshake began.
    if (this.draining || !stays()) this.#leave(connection, this.#surroundings.runtime.bounds.drainTime)
    return connection
  }

  /**
   * False when the listener of the handshake has gone. Else the connection belongs to the one that its server name would
   * choose now: a listener that was added must not make every request on it a misdirected one.
   */
  #settle(context: ConnectionContext, sni: ServerNameChoice): boolean {
    if (!this.#listenerKeys.has(sni.listener)) return false
    context.sniListener = this.router.listenerFor(sni.serverName)?.config.key ?? sni.listener
    return true
  }

  /** A header before everything else is read from a stream. */
  get #takesHandles(): boolean {
    const { runtime, sendsHeader } = this.#surroundings
    return this.plan.kind !== 'http' && sendsHeader === undefined && runtime.rawSockets
  }

  /** False: it is no handle as it should be. */
  #acceptHandle(handle: unknown): boolean {
    const { buffers, bounds } = this.#surroundings.runtime
    const side = RawSocket.accepted(handle, buffers, bounds.unsent)
    if (side === undefined) return false
    const client = this.#admit(side.remoteAddress)
    if (client === undefined) {
      side.destroy()
      return true
    }
    side.onClosed = this.#closed
    this.#begin(side, { address: client, ends: undefined })
    return true
  }

  #accept(socket: Socket): void {
    const client = this.#admit(socket.remoteAddress)
    if (client === undefined) {
      socket.on('error', ignore)
      socket.destroy()
      return
    }
    socket.once('close', this.#closed)
    if (this.#surroundings.sendsHeader?.(client) === true) this.#awaitHeader(socket, client)
    else this.#beginOn(socket, { address: client, ends: undefined })
  }

  /** The client's address, when there is room for its connection, which counts from now on. */
  #admit(remoteAddress: string | undefined): string | undefined {
    const { admission, runtime } = this.#surroundings
    const client = plainAddress(remoteAddress)
    const portFull = this.#open >= runtime.bounds.connectionsPerPort
    if (portFull || admission.open >= admission.maximum) {
      this.counters.shed[portFull ? 'port' : admission.bound] += 1
      return undefined
    }
    if (client === undefined) return undefined
    this.#open += 1
    admission.open += 1
    return client
  }

  /** Nothing of the connection is its own before the header has ended. */
  #awaitHeader(socket: Socket, peer: string): void {
    const pending = new PendingHeader(socket, this.#surroundings.runtime, {
      read: (ends, rest) => {
        this.#pendingHeaders.delete(pending)
        this.#beginOn(socket, { address: ends?.source.address ?? peer, ends }, rest)
        // A handshake that begins during a drain.
        if (this.draining) this.#hurry(this.#surroundings.runtime.bounds.lingerTime)
      },
      refused: (reason) => {
        this.#pendingHeaders.delete(pending)
        this.counters.proxyHeadersRefused += 1
        this.#surroundings.headerRefused(peer, reason)
      },
      closed: () => this.#pendingHeaders.delete(pending),
    })
    this.#pendingHeaders.add(pending)
  }

  /** @param first what was read from the socket already */
  #beginOn(socket: Socket, origin: Origin, first?: Buffer): void {
    if (this.plan.kind === 'http') this.#serveHttp(socket, origin, { first })
    else this.#begin(this.#sideOf(socket), origin, first)
  }

  #begin(side: SocketSide, origin: Origin, first?: Buffer): void {
    if (this.plan.kind === 'tls') this.#surroundings.tls.accept(side, origin, this, first)
    else this.#acceptStream(side, origin, first)
  }

  #sideOf(socket: Socket): SocketSide {
    const { buffers, bounds } = this.#surroundings.runtime
    return NetSocketSide.accepted(socket, buffers, bounds.unsent)
  }

  #acceptStream(side: SocketSide, origin: Origin, first: Buffer | undefined): void {
    const listener = this.router.listenerFor('')
    const stream = listener?.streamFor('')
    if (listener === undefined || stream === undefined) side.breakOff()
    else this.#join(side, { listener: listener.config.key, stream, origin, serverName: '' }, first)
  }

  readonly #closed = (): void => {
    this.#open -= 1
    this.#surroundings.admission.open -= 1
    if (this.#open === 0) for (const resolve of this.#drained.splice(0)) resolve()
  }
}

function keysOf(plan: PortPlan): ReadonlySet<ListenerKey> {
  return new Set(plan.listeners.map(({ key }) => key))
}

function ignore(): void {}
