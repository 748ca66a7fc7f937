/** The endpoint that a stream connection has, or tries to have: dialled, counted while it lasts, and given back. */
import type { ByteHandler } from '../byte-socket.ts'
import type { ProxyRuntime } from '../http/connection-context.ts'
import { NetSocketSide } from '../net-socket-side.ts'
import { type ConnectingOwner, RawSocket } from '../raw-socket.ts'
import type { SocketSide } from '../socket-side.ts'
import { dial, type Dialled } from '../upstream/dial.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import type { UpstreamFailure } from '../upstream/failure.ts'
import { isOwnFailure } from '../upstream/own-failure.ts'
import type { Pool } from '../upstream/pool.ts'

/** Whom a backend tells, of itself. */
export interface BackendEvents {
  /** It may be written to. */
  backendReady(backend: Backend): void
  backendBytes(backend: Backend, bytes: Buffer): void
  /** It has taken everything that waited. */
  backendDrained(backend: Backend): void
  /** It has said FIN. */
  backendEnd(backend: Backend): void
  /** It is closed, or can be written to no more. May come twice. */
  backendGone(backend: Backend): void
}

export class Backend implements ConnectingOwner {
  readonly pool: Pool
  readonly endpoint: Endpoint
  readonly side: SocketSide
  isReady = false
  hasEnded = false
  readonly #events: BackendEvents
  readonly #preamble: Buffer | undefined
  #dialled: Dialled | undefined
  #error: NodeJS.ErrnoException | undefined

  /** @param preamble what it is sent before everything else, in clear text where TLS follows too */
  constructor(pool: Pool, endpoint: Endpoint, events: BackendEvents, runtime: ProxyRuntime, preamble: Buffer | undefined) {
    this.pool = pool
    this.endpoint = endpoint
    this.#events = events
    this.#preamble = preamble
    pool.connectionOpened(endpoint)
    endpoint.active += 1
    this.side = this.#connect(runtime)
  }

  /** Why it is gone, when it was never ready. */
  get failure(): UpstreamFailure {
    return this.#dialled?.failure() ?? 'connect-refused'
  }

  /** The error was ours: it says nothing about the endpoint. */
  get isOwnFailure(): boolean {
    return this.#error !== undefined && isOwnFailure(this.#error)
  }

  /** @param isBroken it must see that it was no orderly end */
  release(isBroken: boolean): void {
    this.endpoint.active -= 1
    this.pool.connectionClosed(this.endpoint)
    if (isBroken) this.side.breakOff()
    else this.side.destroy()
  }

  onConnect(): void {
    this.isReady = true
    // Whoever was dialled has it already.
    if (this.#dialled === undefined && this.#preamble !== undefined) this.side.send(this.#preamble)
    this.#events.backendReady(this)
  }

  onBytes(bytes: Buffer): void {
    this.#events.backendBytes(this, bytes)
  }

  onDrain(): void {
    this.#events.backendDrained(this)
  }

  onEnd(): void {
    this.#events.backendEnd(this)
  }

  onFinish(): void {}

  onError(error: NodeJS.ErrnoException): void {
    this.#error = error
    this.endpoint.problem = error.message
    this.#events.backendGone(this)
  }

  onClose(): void {
    this.#events.backendGone(this)
  }

  #connect({ buffers, bounds, rawSockets }: ProxyRuntime): SocketSide {
    const { pool, endpoint } = this
    const { address, port } = endpoint.config
    const raw = rawSockets && pool.secure === undefined ? RawSocket.connect(address, port, this, buffers, bounds.unsent) : undefined
    if (raw !== undefined) return raw
    const side = new NetSocketSide((handler: ByteHandler) => this.#dial(handler), buffers, bounds.unsent)
    side.owner = this
    return side
  }

  #dial(handler: ByteHandler) {
    const { pool, endpoint } = this
    const dialled = dial(pool, endpoint, handler, () => this.onConnect(), this.#preamble)
    // The first write that fails does not close it.
    dialled.socket.on('writeFailed', () => this.onClose())
    this.#dialled = dialled
    return dialled.socket
  }
}
