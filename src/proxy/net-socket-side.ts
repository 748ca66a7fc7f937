/** A side over a `net.Socket`: for TLS that is ended here, and where sockets without streams cannot be. */
import type { Socket } from 'node:net'
import { AdoptedSocket, breakOff, type ByteHandler, type SocketBuffers, senderOf, startReading, unsentBytes } from './byte-socket.ts'
import { Outlet } from './outlet.ts'
import { type Ends, endsOf } from './proxy-protocol/ends.ts'
import type { SideOwner, SocketSide } from './socket-side.ts'

export class NetSocketSide implements SocketSide {
  owner: SideOwner | undefined
  onClosed: (() => void) | undefined
  readonly #socket: Socket
  readonly #outlet: Outlet

  /**
   * @param socketFor a socket whose bytes go to the handler
   * @param blockedAbove unsent bytes
   */
  constructor(socketFor: (handler: ByteHandler) => Socket, buffers: SocketBuffers, blockedAbove: number) {
    const socket = socketFor({ onBytes: (bytes) => this.owner?.onBytes(bytes) })
    this.#socket = socket
    this.#outlet = new Outlet(socket, buffers.write, blockedAbove)
    socket.on('drain', () => this.owner?.onDrain())
    socket.on('end', () => this.owner?.onEnd())
    socket.on('finish', () => this.owner?.onFinish())
    socket.on('error', (error) => this.owner?.onError(error))
    socket.on('close', () => {
      this.owner?.onClose()
      this.onClosed?.()
    })
  }

  /** Nobody reads it. */
  static accepted(accepted: Socket, buffers: SocketBuffers, blockedAbove: number): NetSocketSide {
    const adopt = (handler: ByteHandler): Socket => {
      const adopted = new AdoptedSocket(accepted, buffers.read)
      adopted.handler = handler
      return adopted.socket
    }
    return new NetSocketSide(adopt, buffers, blockedAbove)
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  get ends(): Ends {
    return endsOf(this.#socket)
  }

  get unsent(): number {
    return unsentBytes(this.#socket)
  }

  get passed(): number {
    return senderOf(this.#socket).passed
  }

  get blocked(): boolean {
    return this.#outlet.blocked
  }

  send(bytes: Buffer): void {
    this.#outlet.bytes(bytes, 0, bytes.length)
    this.#outlet.flush()
  }

  end(): void {
    this.#socket.end()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    startReading(this.#socket)
  }

  destroy(): void {
    this.#outlet.drop()
    this.#socket.destroy()
  }

  breakOff(): void {
    this.#outlet.drop()
    breakOff(this.#socket)
  }

  toStream(first: Buffer): Socket {
    this.#socket.pause()
    this.#socket.unshift(first)
    return this.#socket
  }
}
