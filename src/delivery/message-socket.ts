/** A connection that carries messages: frames both ways, signs of life, and one end. */
import type { TLSSocket } from 'node:tls'
import { FrameReader, frameOf } from './frames.ts'
import { beatTime, silenceTime } from './messages.ts'

export interface MessageHandler {
  /** What it throws ends the connection. */
  onMessage(message: unknown): void
  /** A part of a message has come. */
  onHeld?(): void
  /** Once; `reason` in words for the log. Nothing comes after it. */
  onEnd(reason: string): void
}

const beat = frameOf({ kind: 'beat' })

export class MessageSocket {
  readonly #socket: TLSSocket
  readonly #handler: MessageHandler
  readonly #reader: FrameReader
  readonly #beats: NodeJS.Timeout
  #silence: NodeJS.Timeout
  #reason = 'closed by the other side'
  #ended = false

  /**
   * The socket has finished its handshake.
   * @param longest bytes of a message that comes
   */
  constructor(socket: TLSSocket, handler: MessageHandler, longest: number) {
    this.#socket = socket
    this.#reader = new FrameReader(longest)
    this.#handler = handler
    socket.setNoDelay(true)
    socket.on('data', (bytes: Buffer) => this.#read(bytes))
    socket.on('error', (error) => (this.#reason = error.message))
    socket.on('close', () => this.#end())
    socket.on('end', () => socket.destroy())
    this.#beats = setInterval(() => this.#write(beat), beatTime)
    this.#silence = setTimeout(() => this.close('silent'), silenceTime)
  }

  /** Bytes of a message that has not come whole. */
  get held(): number {
    return this.#reader.held
  }

  send(message: object): void {
    this.#write(frameOf(message))
  }

  close(reason: string): void {
    this.#reason = reason
    this.#socket.destroy()
  }

  #write(frame: Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(frame)
  }

  #read(bytes: Buffer): void {
    this.#silence.refresh()
    try {
      for (const message of this.#reader.push(bytes)) if (!this.#ended) this.#handler.onMessage(message)
      if (this.#reader.held > 0 && !this.#ended) this.#handler.onHeld?.()
    } catch (error) {
      this.close((error as Error).message)
    }
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    clearInterval(this.#beats)
    clearTimeout(this.#silence)
    this.#handler.onEnd(this.#reason)
  }
}
