/**
 * Writes byte strings to a socket's handle, past the stream around it, which costs as much as our own work on a small
 * request: mostly the kernel takes all of it during the call, and then there is nothing to remember and nobody to tell.
 *
 * This is private API of Node (see docs/adr/0009). Where it does not look as expected, for sockets that are no bare TCP
 * sockets, and while the stream itself has something to write, it is the stream's `write`.
 */
import type { Socket } from 'node:net'
import { systemError } from './system-error.ts'
import { type TcpHandle, writeBinding as binding, type WriteRequest } from './tcp-handle.ts'

/** As much as a stream takes before it tells of its 'drain'. */
const drainAbove = 16 * 1024

export class TextWriter {
  readonly #socket: Socket
  /** The last one that was looked at, and whether it can be written to. */
  #handle: unknown
  #isBare = false
  /** Was not kept by the handle: serves again. */
  #request: WriteRequest | undefined
  #unsent = 0
  #needsDrain = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Bytes that the kernel has not taken yet, whoever wrote them. */
  get unsent(): number {
    return this.#unsent + this.#socket.writableLength
  }

  /** A latin1 byte string. An error ends the socket in a later turn, as an error of its own `write` does. */
  write(text: string): void {
    const socket = this.#socket
    const handle = (socket as unknown as { _handle: unknown })._handle
    if (handle !== this.#handle) {
      this.#handle = handle
      this.#isBare = binding !== undefined && isBareTcp(handle)
    }
    if (binding === undefined || !this.#isBare || socket.connecting || socket.writableLength > 0 || !socket.writable) {
      socket.write(text, 'latin1')
      return
    }
    const request = this.#request ?? new binding.WriteWrap()
    const status = (handle as TcpHandle).writeLatin1String(request, text)
    if (status === 0 && binding.streamBaseState[binding.kLastWriteWasAsync] !== 0) this.#await(request, handle as TcpHandle, text.length)
    else {
      this.#request = request
      if (status !== 0) process.nextTick(fail, socket, status)
    }
  }

  #await(request: WriteRequest, handle: TcpHandle, bytes: number): void {
    this.#request = undefined
    this.#unsent += bytes
    if (this.#unsent > drainAbove) this.#needsDrain = true
    // A request holds on to its handle, as those of the stream do.
    request.handle = handle
    request.oncomplete = (status) => {
      this.#unsent -= bytes
      if (status !== 0) fail(this.#socket, status)
      else if (this.#needsDrain && this.unsent === 0) {
        this.#needsDrain = false
        this.#socket.emit('drain')
      }
    }
  }
}

function fail(socket: Socket, status: number): void {
  if (socket.destroyed) return
  socket.destroy(systemError('write', status))
}

function isBareTcp(handle: unknown): boolean {
  if (typeof handle !== 'object' || handle === null || handle.constructor.name !== 'TCP') return false
  return typeof (handle as { writeLatin1String?: unknown }).writeLatin1String === 'function'
}
