/**
 * A TCP socket without a stream around it: libuv's handle, and what a stream connection has to know of it. For a connection of a few bytes
 * Node's streams cost more than everything that we do (see docs/adr/0009).
 *
 * Reads go into the buffer that all sockets share and are told during the call. A write is mostly taken by the kernel at once; only what was
 * not is remembered. Errors are told in a later turn, never while a function of the socket is called.
 */
import { isIP, Socket } from 'node:net'
import { canShareReadBuffer, type SocketBuffers } from './byte-socket.ts'
import { type Ends, endsOf } from './proxy-protocol/ends.ts'
import type { SideOwner, SocketSide } from './socket-side.ts'
import { systemError } from './system-error.ts'
import { type HandleEnd, type TcpBinding, tcpBinding, type TcpHandle } from './tcp-handle.ts'

/** The owner of a socket that is being connected. */
export interface ConnectingOwner extends SideOwner {
  /** It may be written to. */
  onConnect(): void
}

/** Pieces up to this length are written as text: that costs less than a copy that has to live until it is written. */
const smallPiece = 4 * 1024

const ofHandle = Symbol('RawSocket')

type OwnHandle = TcpHandle & { [ofHandle]?: RawSocket }

/** Undefined where this Node's sockets are not as expected. */
const binding: TcpBinding | undefined = canShareReadBuffer ? tcpBinding : undefined

export const canUseRawSockets: boolean = binding !== undefined

export class RawSocket implements SocketSide {
  owner: SideOwner | undefined
  onClosed: (() => void) | undefined
  readonly #binding: TcpBinding
  readonly #handle: OwnHandle
  readonly #buffers: SocketBuffers
  readonly #blockedAbove: number
  #isReading = false
  /** Writes that the kernel has not taken whole. */
  #waiting = 0
  /** FIN has come. */
  #hasEnded = false
  /** FIN is to be sent. */
  #isEnding = false
  #isShuttingDown = false
  /** FIN has gone. */
  #isShut = false
  #isClosed = false

  private constructor(known: TcpBinding, handle: TcpHandle, buffers: SocketBuffers, blockedAbove: number) {
    this.#binding = known
    this.#handle = handle
    this.#buffers = buffers
    this.#blockedAbove = blockedAbove
    this.#handle[ofHandle] = this
    handle.onread = onRead
    handle.useUserBuffer(buffers.read.bytes)
  }

  /**
   * Undefined where it cannot be: the handle is not as expected.
   * @param handle accepted, nobody reads it
   * @param blockedAbove unsent bytes
   */
  static accepted(handle: unknown, buffers: SocketBuffers, blockedAbove: number): RawSocket | undefined {
    if (binding === undefined || !binding.isHandle(handle)) return undefined
    handle.setNoDelay(true)
    return new RawSocket(binding, handle, buffers, blockedAbove)
  }

  /** Undefined where it cannot be, or the address is a name. It reads as soon as it is connected. */
  static connect(
    address: string,
    port: number,
    owner: ConnectingOwner,
    buffers: SocketBuffers,
    blockedAbove: number,
  ): RawSocket | undefined {
    const version = isIP(address)
    if (binding === undefined || version === 0) return undefined
    const socket = new RawSocket(binding, binding.newHandle(), buffers, blockedAbove)
    socket.owner = owner
    socket.#connect(address, port, version, owner)
    return socket
  }

  get remoteAddress(): string | undefined {
    const found: HandleEnd = {}
    return this.#isClosed || this.#handle.getpeername(found) !== 0 ? undefined : found.address
  }

  get ends(): Ends {
    const [remote, local]: [HandleEnd, HandleEnd] = [{}, {}]
    if (!this.#isClosed) {
      this.#handle.getpeername(remote)
      this.#handle.getsockname(local)
    }
    return endsOf({ remoteAddress: remote.address, remotePort: remote.port, localAddress: local.address, localPort: local.port })
  }

  get unsent(): number {
    return this.#waiting === 0 || this.#isClosed ? 0 : this.#handle.writeQueueSize
  }

  get passed(): number {
    return this.#isClosed ? 0 : this.#handle.bytesWritten - this.#handle.writeQueueSize
  }

  get blocked(): boolean {
    return this.#waiting > 0 && this.unsent > this.#blockedAbove
  }

  send(bytes: Buffer): void {
    if (bytes.length <= smallPiece) {
      this.#write(bytes.toString('latin1'))
      return
    }
    const { write } = this.#buffers
    for (let at = 0; at < bytes.length;) {
      const room = write.take()
      const length = bytes.copy(room, 0, at)
      // What the kernel did not take at once is read from this memory later.
      if (this.#write(room.subarray(0, length))) write.replace()
      at += length
    }
  }

  end(): void {
    if (this.#isEnding || this.#isClosed) return
    this.#isEnding = true
    if (this.#waiting === 0) this.#sendEnd()
  }

  pause(): void {
    if (!this.#isReading) return
    this.#isReading = false
    this.#handle.readStop()
  }

  resume(): void {
    if (this.#isReading || this.#hasEnded || this.#isClosed) return
    this.#isReading = true
    const status = this.#handle.readStart()
    if (status !== 0) process.nextTick(failLater, this, 'read', status)
  }

  destroy(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#handle.close(onClose)
  }

  breakOff(): void {
    // While FIN is about to go the handle could not be reset; then the kernel has everything that this side is sent.
    if (this.#isClosed || (this.#isShuttingDown && !this.#isShut)) return this.destroy()
    this.#isClosed = true
    // It would be left open: then its owner at least knows it as gone.
    if (this.#handle.reset(onClose) !== 0) process.nextTick(() => onClose.call(this.#handle))
  }

  toStream(first: Buffer): Socket {
    this.pause()
    this.#isClosed = true
    // Until TLS reads from the handle, nothing can come: it must be given the stream in this turn.
    const options = { handle: this.#handle, allowHalfOpen: true }
    const stream = new Socket(options)
    stream.pause()
    stream.unshift(first)
    const { owner } = this
    stream.on('error', (error) => owner?.onError(error))
    stream.once('close', () => {
      owner?.onClose()
      this.onClosed?.()
    })
    return stream
  }

  /** For the handle, which calls it. */
  read(): void {
    const length = this.#binding.readResult()
    if (length > 0) {
      if (!this.#isClosed) this.owner?.onBytes(this.#buffers.read.first(length))
      return
    }
    if (length === 0 || this.#isClosed) return
    if (length !== this.#binding.endOfFile) return this.fail(systemError('read', length))
    this.pause()
    this.#hasEnded = true
    this.owner?.onEnd()
    if (this.#isShut) this.destroy()
  }

  /** For a request to connect. */
  connected(owner: ConnectingOwner): void {
    if (this.#isClosed) return
    this.#handle.setNoDelay(true)
    this.resume()
    owner.onConnect()
  }

  /** For a request to write. */
  written(status: number): void {
    this.#waiting -= 1
    if (this.#isClosed) return
    if (status !== 0) return this.fail(systemError('write', status))
    if (this.#waiting > 0) return
    this.owner?.onDrain()
    if (this.#isEnding && this.#waiting === 0) this.#sendEnd()
  }

  /** For a request to shut down. Where it fails the peer is gone, which the next read or write tells. */
  shut(): void {
    this.#isShut = true
    if (this.#isClosed) return
    this.owner?.onFinish()
    if (this.#hasEnded) this.destroy()
  }

  fail(error: NodeJS.ErrnoException): void {
    if (this.#isClosed) return
    this.destroy()
    this.owner?.onError(error)
  }

  #connect(address: string, port: number, version: number, owner: ConnectingOwner): void {
    const request = new this.#binding.Connect()
    Object.assign(request, { address, port, handle: this.#handle })
    request.oncomplete = (status) => {
      if (status === 0) this.connected(owner)
      else this.fail(systemError('connect', status, `${address}:${port}`))
    }
    const status = version === 4 ? this.#handle.connect(request, address, port) : this.#handle.connect6(request, address, port)
    if (status !== 0) process.nextTick(() => this.fail(systemError('connect', status, `${address}:${port}`)))
  }

  /** Whether the piece is still needed. */
  #write(piece: string | Uint8Array): boolean {
    if (this.#isClosed || this.#isEnding) return false
    const result = this.#binding.write(this.#handle, piece)
    if (result === 0) return false
    if (typeof result === 'number') {
      process.nextTick(failLater, this, 'write', result)
      return false
    }
    this.#waiting += 1
    result.handle = this.#handle
    if (typeof piece !== 'string') result.buffer = piece
    result.oncomplete = (status) => this.written(status)
    return true
  }

  #sendEnd(): void {
    if (this.#isShuttingDown) return
    this.#isShuttingDown = true
    // The other half has ended: closing says FIN too, and there is nothing left to read.
    if (this.#hasEnded) return this.destroy()
    const request = new this.#binding.Shutdown()
    request.handle = this.#handle
    request.oncomplete = () => this.shut()
    if (this.#handle.shutdown(request) !== 0) process.nextTick(() => this.shut())
  }
}

function onRead(this: OwnHandle): void {
  this[ofHandle]?.read()
}

function onClose(this: OwnHandle): void {
  const socket = this[ofHandle]
  socket?.owner?.onClose()
  socket?.onClosed?.()
}

function failLater(socket: RawSocket, syscall: string, status: number): void {
  socket.fail(systemError(syscall, status))
}
