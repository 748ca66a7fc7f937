/** Connections of a TLS port from their first byte to the end of the handshake: ClientHello, choice of the listener, hand-over to its `tls.Server`. */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ListenerKey } from '../../config/listener.ts'
import type { Bounds } from '../../config/bounds.ts'
import type { CompiledStream } from '../../routing/router.ts'
import type { Origin } from '../proxy-protocol/ends.ts'
import type { SideOwner, SocketSide } from '../socket-side.ts'
import { ended, type Sweep, type Swept } from '../sweep.ts'
import { type ClientHello, readClientHello } from './client-hello.ts'
import type { TlsListener } from './tls-listener.ts'

/** A port as the handshake sees it. */
export interface TlsPort {
  /** What becomes of a connection with this server name, '' when the client named none; undefined closes it before TLS begins. */
  choose(serverName: string): TlsChoice | undefined
  /** TLS is not ended here: `first` is what was read, and the side may read on. */
  passThrough(side: SocketSide, origin: Origin, choice: Passing & { readonly serverName: string }, first: Buffer): void
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

/** What all connections before the end of their handshake have in common. */
interface Handshakes {
  readonly bounds: Bounds
  readonly sweep: Sweep
  readonly pending: Set<PendingHandshake>
  /**
   * Those whose TLS is ended here, by the addresses and ports of both sides, which no two open connections share: a
   * `tls.Server` gives its TLSSocket without saying which socket it was made of.
   */
  readonly begun: Map<string, PendingHandshake>
}

/** One for all ports. */
export class TlsAcceptor {
  readonly #handshakes: Handshakes

  constructor(bounds: Bounds, sweep: Sweep) {
    this.#handshakes = { bounds, sweep, pending: new Set(), begun: new Map() }
  }

  /** @param first what was read from the side already */
  accept(side: SocketSide, origin: Origin, port: TlsPort, first?: Buffer): void {
    const pending = new PendingHandshake(side, origin, port, this.#handshakes)
    pending.begin(first)
  }

  /** For the `TlsSurroundings` of every listener. */
  readonly secured = (socket: TLSSocket, listener: ListenerKey): void => {
    const pending = this.#handshakes.begun.get(nameOf(socket))
    if (pending === undefined) {
      // It broke off while the last message of the handshake was under way.
      socket.destroy()
      return
    }
    pending.end()
    pending.port.counters.handshakes += 1
    socket.allowHalfOpen = true
    pending.port.serve(socket, pending.origin, { serverName: pending.serverName, listener })
  }

  readonly failed = (socket: TLSSocket): void => {
    const pending = this.#handshakes.begun.get(nameOf(socket))
    if (pending !== undefined) pending.port.counters.handshakesFailed += 1
    socket.destroy()
  }

  /** The handshakes of a port that accepts no more have this long to end, 0: they end now. */
  hurry(port: TlsPort, milliseconds: number): void {
    for (const pending of this.#handshakes.pending) if (pending.port === port) pending.hurry(milliseconds)
  }
}

class PendingHandshake implements SideOwner, Swept {
  deadline: number
  sweepSlot = -1
  readonly origin: Origin
  readonly port: TlsPort
  serverName = ''
  readonly #side: SocketSide
  readonly #handshakes: Handshakes
  #received: Buffer | undefined
  /** In place of the side, once TLS has begun. */
  #stream: Socket | undefined
  #name = ''

  /** @param side nobody reads it */
  constructor(side: SocketSide, origin: Origin, port: TlsPort, handshakes: Handshakes) {
    const { bounds, sweep, pending } = handshakes
    this.#side = side
    this.#handshakes = handshakes
    this.origin = origin
    this.port = port
    this.deadline = sweep.now + bounds.handshakeTime
    sweep.watch(this)
    pending.add(this)
    side.owner = this
  }

  /** Reads on, unless the first bytes hold the whole hello already. */
  begin(first: Buffer | undefined): void {
    if (first === undefined || this.#read(first)) this.#side.resume()
  }

  expire(): void {
    const { sweep } = this.#handshakes
    this.deadline = ended
    sweep.forget(this)
    if (this.#stream === undefined) this.#side.destroy()
    else this.#stream.destroy()
  }

  hurry(milliseconds: number): void {
    const { sweep } = this.#handshakes
    if (milliseconds === 0) return this.expire()
    this.deadline = Math.min(this.deadline, sweep.now + milliseconds)
    sweep.watch(this)
  }

  /** The handshake is over, or there is none. */
  end(): void {
    const { sweep, pending, begun } = this.#handshakes
    this.deadline = ended
    sweep.forget(this)
    pending.delete(this)
    if (this.#stream !== undefined && begun.get(this.#name) === this) begun.delete(this.#name)
  }

  onBytes(bytes: Buffer): void {
    if (this.#stream === undefined) this.#read(bytes)
  }

  onDrain(): void {}

  /** A client that says no more before its hello is complete never will. */
  onEnd(): void {
    if (this.#stream === undefined) this.#refuse()
  }

  onFinish(): void {}

  onError(): void {}

  onClose(): void {
    this.end()
  }

  /** Whether more bytes are needed. */
  #read(bytes: Buffer): boolean {
    this.#received = this.#received === undefined ? Buffer.from(bytes) : Buffer.concat([this.#received, bytes])
    const result = readClientHello(this.#received, this.#handshakes.bounds.clientHello)
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

  #handOver(hello: ClientHello, received: Buffer): void {
    this.serverName = hello.serverName ?? ''
    const choice = this.port.choose(this.serverName)
    if (choice === undefined) {
      this.#refuse()
      return
    }
    this.#received = undefined
    if (choice.kind === 'passthrough') {
      this.end()
      this.port.passThrough(this.#side, this.origin, { ...choice, serverName: this.serverName }, received)
      return
    }
    const stream = this.#side.toStream(received)
    this.#stream = stream
    this.#name = nameOf(stream)
    this.#handshakes.begun.set(this.#name, this)
    // The TLSSocket takes this over: until the handshake is done a FIN is the end, since nothing that was asked can be answered.
    stream.allowHalfOpen = false
    choice.listener.handshake(stream)
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
