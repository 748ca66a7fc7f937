/**
 * What goes out on a socket: heads and small pieces of bodies are joined to one byte string and written at once, since
 * a write costs more than everything else that happens to a small request. Large pieces are copied and written alone.
 */
import type { Socket } from 'node:net'

/** Pieces up to this length join the text before them. */
const smallPiece = 4 * 1024
/** Text is written before it grows beyond this. */
const fullText = 16 * 1024
/** Bytes that the kernel has not taken before the other side is paused. */
const blockedAbove = 64 * 1024

export class Outlet {
  readonly #socket: Socket
  #text = ''

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** True while more than enough waits for the peer; 'drain' comes when all of it has gone. */
  get blocked(): boolean {
    return this.#socket.writableLength > blockedAbove
  }

  get isEmpty(): boolean {
    return this.#text === '' && this.#socket.writableLength === 0
  }

  /** A latin1 byte string. */
  text(text: string): void {
    this.#text += text
  }

  bytes(bytes: Buffer, from: number, to: number): void {
    if (to - from <= smallPiece) {
      this.#text += bytes.toString('latin1', from, to)
      if (this.#text.length > fullText) this.flush()
      return
    }
    this.flush()
    this.#socket.write(Buffer.from(bytes.subarray(from, to)))
  }

  flush(): void {
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    this.#socket.write(text, 'latin1')
  }

  /** Forgets what was not flushed: the message breaks off. */
  drop(): void {
    this.#text = ''
  }
}
