/**
 * A connection in clear text before it is known what it speaks: HTTP/2 by prior knowledge begins with its preface, and the
 * first byte that differs means HTTP/1 (RFC 9113, section 3.3). Afterwards it only passes on what the listener side asks.
 */
import type { Socket } from 'node:net'
import { AdoptedSocket, type ByteHandler, startReading } from '../byte-socket.ts'
import { preface } from '../h2/frames.ts'
import { Http1Connection } from '../http1/connection.ts'
import type { ClientConnection, ConnectionContext, ConnectionPhase } from '../http/connection-context.ts'
import { ended, type Swept } from '../sweep.ts'
import { Http2Connection } from './connection.ts'

export class FirstBytes implements ClientConnection, ByteHandler, Swept {
  deadline: number
  sweepSlot = -1
  onClosed: (() => void) | undefined
  readonly #context: ConnectionContext
  readonly #adopted: AdoptedSocket
  readonly #socket: Socket
  #held: Buffer | undefined
  #next: ClientConnection | undefined
  #draining = false

  /** @param first bytes that were read already */
  constructor(socket: Socket, context: ConnectionContext, first: Buffer | undefined) {
    const { bounds, sweep, buffers } = context.runtime
    this.#context = context
    this.#adopted = new AdoptedSocket(socket, buffers.read)
    this.#adopted.handler = this
    this.#socket = this.#adopted.socket
    this.#socket.on('error', ignore)
    this.#socket.on('end', this.#ended)
    this.#socket.on('close', this.#closed)
    this.deadline = sweep.now + bounds.clientIdleTime
    sweep.watch(this)
    // First, since what the first bytes bring may pause it.
    startReading(this.#socket)
    if (first !== undefined) this.onBytes(first)
  }

  get phase(): ConnectionPhase {
    return this.#next?.phase ?? 'idle'
  }

  drain(): void {
    this.#draining = true
    if (this.#next !== undefined) return this.#next.drain()
    if (this.#held !== undefined) return
    // The first request of a new connection is on its way, and its client would not dare to ask again.
    const { sweep, bounds } = this.#context.runtime
    this.deadline = sweep.now + bounds.lingerTime
    sweep.watch(this)
  }

  stay(): void {
    if (!this.#draining) return
    this.#draining = false
    if (this.#next !== undefined) return this.#next.stay()
    if (this.#held === undefined) this.deadline = this.#context.runtime.sweep.now + this.#context.runtime.bounds.clientIdleTime
  }

  destroy(): void {
    if (this.#next === undefined) this.#socket.destroy()
    else this.#next.destroy()
  }

  expire(): void {
    this.#socket.destroy()
  }

  onBytes(bytes: Buffer): void {
    const all = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes])
    const length = Math.min(all.length, preface.length)
    if (all.compare(preface, 0, length, 0, length) !== 0) return this.#become(all, false)
    if (length === preface.length) return this.#become(all, true)
    if (this.#held === undefined) {
      const { sweep, bounds } = this.#context.runtime
      this.deadline = sweep.now + bounds.headTime
      sweep.watch(this)
    }
    this.#held = Buffer.from(all)
  }

  #become(first: Buffer, http2: boolean): void {
    this.#forget()
    this.#socket.off('end', this.#ended)
    this.#socket.off('close', this.#closed)
    const Connection = http2 ? Http2Connection : Http1Connection
    const next = new Connection(this.#adopted, this.#context, first)
    this.#next = next
    next.onClosed = () => this.onClosed?.()
    if (this.#draining) next.drain()
  }

  #forget(): void {
    this.deadline = ended
    this.#context.runtime.sweep.forget(this)
  }

  readonly #ended = (): void => {
    this.#socket.destroy()
  }

  readonly #closed = (): void => {
    this.#forget()
    this.onClosed?.()
  }
}

function ignore(): void {}
