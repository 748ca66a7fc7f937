/** Connections of a TLS port from their first byte to the end of the handshake: ClientHello, choice of the listener, hand-over to its `tls.Server`. */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ListenerKey } from '../../config/listener.ts'
import type { Bounds } from '../../config/bounds.ts'
import type { CompiledStream } from '../../routing/router.ts'
import type { Origin } from '../proxy-protocol/ends.ts'
import { ended, type Sweep, type Swept } from '../sweep.ts'
import { type ClientHello, readClientHello } from './client-hello.ts'
import type { TlsListener } from './tls-listener.ts'

/** A port as the handshake sees it. */
export interface TlsPort {
  /** What becomes of a connection with this server name, '' when the client named none; undefined closes it before TLS begins. */
  choose(serverName: string): TlsChoice | undefined
  /** TLS is not ended here: `first` is what was read, nobody reads on. */
  passThrough(socket: Socket, origin: Origin, choice: Passing & { readonly serverName: string }, first: Buffer): void
  /** The handshake is done; nobody reads the socket yet. */
  serve(socket: TLSSocket, origin: Origin, sni: ServerNameChoice): void
  readonly counters: TlsCounters
}

export type TlsChoice = { readonly kind: 'terminate'; readonly listener: TlsListener } | Passing

export interface Passing {
  readonly kind: 'passthrough'
  readonly listener: ListenerKey
  readonly stream: CompiledStream
}

/** What a handshake was about. */
export interface ServerNameChoice {
  /** '' when the client named none. */
  readonly serverName: string
  readonly listener: ListenerKey
}

/** Plain numbers, read at scrape. */
export interface TlsCounters {
  handshakes: number
  /** Closed before TLS began: no ClientHello, or a server name that nothing matches. */
  hellosRefused: number
  handshakesFailed: number
}

/** One for all ports. */
export class TlsAcceptor {
  readonly #bounds: Bounds
  readonly #sweep: Sweep
  /**
   * By the addresses and ports of both sides, which no two open connections share: a `tls.Server` gives its TLSSocket
   * without saying which socket it was made of.
   */
  readonly #pending = new Map<string, PendingHandshake>()

  constructor(bounds: Bounds, sweep: Sweep) {
    this.#bounds = bounds
    this.#sweep = sweep
  }

  /** @param first what was read from the socket already */
  accept(socket: Socket, origin: Origin, port: TlsPort, first: Buffer | undefined): void {
    const name = nameOf(socket)
    const pending = new PendingHandshake(socket, origin, port, this.#bounds, this.#sweep)
    this.#pending.set(name, pending)
    socket.once('close', () => {
      pending.end()
      if (this.#pending.get(name) === pending) this.#pending.delete(name)
    })
    pending.begin(first)
  }

  /** For the `TlsSurroundings` of every listener. */
  readonly secured = (socket: TLSSocket, listener: ListenerKey): void => {
    const name = nameOf(socket)
    const pending = this.#pending.get(name)
    if (pending === undefined) {
      // It broke off while the last message of the handshake was under way.
      socket.destroy()
      return
    }
    this.#pending.delete(name)
    pending.end()
    pending.port.counters.handshakes += 1
    socket.allowHalfOpen = true
    pending.port.serve(socket, pending.origin, { serverName: pending.serverName, listener })
  }

  readonly failed = (socket: TLSSocket): void => {
    const pending = this.#pending.get(nameOf(socket))
    if (pending !== undefined) pending.port.counters.handshakesFailed += 1
    socket.destroy()
  }

  /** The handshakes of a port that accepts no more have this long to end, 0: they end now. */
  hurry(port: TlsPort, milliseconds: number): void {
    for (const pending of this.#pending.values()) if (pending.port === port) pending.hurry(milliseconds)
  }
}

class PendingHandshake implements Swept {
  deadline: number
  sweepSlot = -1
  readonly origin: Origin
  readonly port: TlsPort
  serverName = ''
  readonly #socket: Socket
  readonly #sweep: Sweep
  readonly #limit: number
  #received: Buffer | undefined

  constructor(socket: Socket, origin: Origin, port: TlsPort, bounds: Bounds, sweep: Sweep) {
    this.#socket = socket
    this.#sweep = sweep
    this.#limit = bounds.clientHello
    this.origin = origin
    this.port = port
    this.deadline = sweep.now + bounds.handshakeTime
    sweep.watch(this)
    socket.on('error', ignore)
  }

  /** Reads on, unless the first bytes hold the whole hello already. */
  begin(first: Buffer | undefined): void {
    if (first !== undefined && !this.#read(first)) return
    this.#socket.on('data', this.#onData)
    this.#socket.once('end', this.#onEnd)
    this.#socket.resume()
  }

  expire(): void {
    this.#socket.destroy()
    this.end()
  }

  hurry(milliseconds: number): void {
    if (milliseconds === 0) return this.expire()
    this.deadline = Math.min(this.deadline, this.#sweep.now + milliseconds)
    this.#sweep.watch(this)
  }

  /** The handshake is over, either way. */
  end(): void {
    this.deadline = ended
    this.#sweep.forget(this)
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#read(bytes)
  }

  /** Whether more bytes are needed. */
  #read(bytes: Buffer): boolean {
    this.#received = this.#received === undefined ? bytes : Buffer.concat([this.#received, bytes])
    const result = readClientHello(this.#received, this.#limit)
    switch (result.kind) {
      case 'incomplete':
        return true
      case 'refused':
        this.#refuse()
        return false
      case 'hello':
        this.#handOver(result.hello, this.#received)
        return false
    }
  }

  /** A client that says no more before its hello is complete never will. */
  readonly #onEnd = (): void => this.#refuse()

  #handOver(hello: ClientHello, received: Buffer): void {
    this.serverName = hello.serverName ?? ''
    const choice = this.port.choose(this.serverName)
    if (choice === undefined) {
      this.#refuse()
      return
    }
    this.#received = undefined
    this.#socket.off('data', this.#onData)
    this.#socket.off('end', this.#onEnd)
    this.#socket.pause()
    if (choice.kind === 'passthrough') {
      this.end()
      this.port.passThrough(this.#socket, this.origin, { ...choice, serverName: this.serverName }, received)
      return
    }
    this.#socket.unshift(received)
    // The TLSSocket takes this over: until the handshake is done a FIN is the end, since nothing that was asked can be answered.
    this.#socket.allowHalfOpen = false
    choice.listener.handshake(this.#socket)
  }

  /** No alert and no byte: a stranger learns nothing about the names that are served. */
  #refuse(): void {
    this.port.counters.hellosRefused += 1
    this.expire()
  }
}

function nameOf(socket: Socket): string {
  return `${socket.localAddress} ${socket.localPort} ${socket.remoteAddress} ${socket.remotePort}`
}

function ignore(): void {}
