/**
 * Sockets that hand over bytes without streams between: one buffer for all of them, no allocation for each read.
 *
 * Node offers `onread` for connections that it opens. An accepted socket gets it by setting what `onread` would have set, which is private
 * API: where things do not look as expected, 'data' events do the same at some cost (a small GET over TLS: 1.08 times). The bytes are
 * valid during the call only; whoever keeps them copies them. A TLS socket may still bring what it had decrypted when it was paused.
 */
import { Socket, type TcpNetConnectOpts } from 'node:net'
import { TLSSocket } from 'node:tls'
import { BlockBuffer } from './h2/frame-writer.ts'
import { WriteBuffer } from './outlet.ts'
import { endsOf } from './proxy-protocol/ends.ts'
import { SendQueues } from './send-queues.ts'
import type { StreamSender } from './h2/stream-taking.ts'

export interface ByteHandler {
  onBytes(bytes: Buffer): void
}

/** libuv asks for a buffer just before each read(2) and reports in the same turn, so that one serves every socket; not so on Windows. */
export const canShareReadBuffer: boolean = process.platform !== 'win32'

/** Bytes. Twice 64 KiB, so that a body of 64 KiB and its head come with one read(2) and leave with one write(2). */
const readBufferSize = 128 * 1024
/** Heads are short, and of few lengths. */
const keptLengths = 2 * 1024

export class ReadBuffer {
  readonly bytes: Buffer<ArrayBuffer> = Buffer.allocUnsafeSlow(readBufferSize)
  readonly #views: (Buffer | undefined)[] = Array.from({ length: keptLengths + 1 })

  /** What a read brought: a view, made once for each length of a short one. */
  first(length: number): Buffer {
    if (length > keptLengths) return this.bytes.subarray(0, length)
    return (this.#views[length] ??= this.bytes.subarray(0, length))
  }
}

/** What all sockets of a process read into and write from. */
export interface SocketBuffers {
  readonly read: ReadBuffer
  readonly write: WriteBuffer
  readonly block: BlockBuffer
  /** Where what was written waits for its peers. */
  readonly kernel: SendQueues
}

export function createSocketBuffers(): SocketBuffers {
  return { read: new ReadBuffer(), write: new WriteBuffer(), block: new BlockBuffer(), kernel: new SendQueues() }
}

/** What `net.Socket` keeps for itself. */
interface SocketInternals {
  readonly _handle: SocketHandle | null
}

interface SocketHandle {
  readonly writeQueueSize?: number
  readonly bytesWritten?: number
  readonly useUserBuffer?: (buffer: Uint8Array) => void
  /** Of a handle of TLS: that of the TCP connection beneath. */
  readonly _parent?: SocketHandle
}

/** Under these a socket keeps what `onread` has set. */
const [bufferKey, callbackKey] = ['kBuffer', 'kBufferCb'].map((name) =>
  Object.getOwnPropertySymbols(new Socket()).find(({ description }) => description === name),
)

/** An accepted socket whose bytes go to `handler`, which may be exchanged: the first bytes tell what a connection speaks. */
export class AdoptedSocket implements ByteHandler {
  readonly socket: Socket
  /** Must be set before the socket reads. */
  handler: ByteHandler | undefined

  /** Takes an accepted socket that nobody reads (accepted with `pauseOnConnect`, or paused). It does not read yet: call `startReading`. */
  constructor(accepted: Socket, buffer: ReadBuffer) {
    this.socket = accepted
    if (!setOnread(accepted, this, buffer)) accepted.on('data', (bytes: Buffer) => this.onBytes(bytes))
    accepted.pause()
  }

  onBytes(bytes: Buffer): void {
    this.handler?.onBytes(bytes)
  }
}

/** Bytes that were written and that the kernel has not taken yet; as they become fewer, the peer takes some. */
export function unsentBytes(socket: Socket): number {
  const handle = (socket as unknown as SocketInternals)._handle
  return handle?.writeQueueSize ?? socket.writableLength
}

/** For whom it is that nobody sees take anything. */
export function senderOf(socket: Socket): StreamSender {
  const { _handle } = socket as unknown as SocketInternals
  const handle = _handle?._parent ?? _handle
  const passed = (handle?.bytesWritten ?? 0) - (handle?.writeQueueSize ?? 0)
  return { ends: endsOf(socket), passed, waiting: unsentBytes(socket) + socket.writableLength }
}

export function startReading(socket: Socket): void {
  socket.resume()
}

/**
 * Its peer may answer and reset while it is still written to, and the answer may lie here unread: the first write that
 * fails emits 'writeFailed' and does not end it. Nothing more can be written then; what can be read still comes.
 */
class ConnectedSocket extends Socket {
  #writeFailed = false

  override destroy(error?: NodeJS.ErrnoException): this {
    if (this.#writeFailed || error?.syscall !== 'write') return super.destroy(error)
    this.#writeFailed = true
    this.emit('writeFailed')
    return this
  }

  /** null: FIN. After an error Node would not tell of it. */
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    if (chunk !== null || !this.#writeFailed) return super.push(chunk, encoding)
    this.destroy()
    return false
  }
}

/** Emits 'writeFailed', see above. */
export function connectSocket(address: string, port: number, handler: ByteHandler, buffer: ReadBuffer): Socket {
  const options = byteOptions(address, port, handler, buffer)
  const socket = new ConnectedSocket(options)
  if (!canShareReadBuffer) socket.on('data', (bytes: Buffer) => handler.onBytes(bytes))
  return socket.connect(options)
}

/** For a connection whose bytes go to `handler`. On systems that cannot share a buffer 'data' must be listened to. */
export function byteOptions(address: string, port: number, handler: ByteHandler, buffer: ReadBuffer): TcpNetConnectOpts {
  const options: TcpNetConnectOpts = { host: address, port, noDelay: true, allowHalfOpen: true }
  if (canShareReadBuffer) options.onread = onReadOf(handler, buffer)
  return options
}

/**
 * Ends so that the peer cannot take it for an orderly end. Node resets bare TCP sockets only; a TLS connection that ends
 * without close_notify says the same (RFC 8446, section 6.1). While a FIN is under way Node would neither reset nor close.
 */
export function breakOff(socket: Socket): void {
  const isShuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
  if (socket instanceof TLSSocket || isShuttingDown) socket.destroy()
  else socket.resetAndDestroy()
}

/** Makes a socket read as if it had been made with `onread`; false when it cannot be. */
function setOnread(socket: Socket, handler: ByteHandler, buffer: ReadBuffer): boolean {
  const handle = (socket as unknown as SocketInternals)._handle
  if (!canShareReadBuffer || socket.readableLength > 0) return false
  if (typeof handle?.useUserBuffer !== 'function') return false
  if (bufferKey === undefined || callbackKey === undefined) return false
  const onread = onReadOf(handler, buffer)
  Object.assign(socket, { [bufferKey]: onread.buffer, [callbackKey]: onread.callback })
  handle.useUserBuffer(onread.buffer)
  return true
}

function onReadOf(handler: ByteHandler, buffer: ReadBuffer): { buffer: Uint8Array; callback: (length: number) => boolean } {
  return {
    buffer: buffer.bytes,
    callback: (length) => {
      handler.onBytes(buffer.first(length))
      return true
    },
  }
}
