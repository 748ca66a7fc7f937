/**
 * What goes out on a socket, joined to one write wherever possible, since a write costs more than everything else that
 * happens to a small request. Heads and small pieces become one byte string; where a large piece comes in, all of it is
 * copied into a buffer that every outlet of the process shares, and that stays free as long as the kernel takes it whole.
 */
import type { Socket } from 'node:net'
import { TextWriter } from './text-writer.ts'

/** Pieces up to this length join the text before them. */
const smallPiece = 4 * 1024
/** Text is written before it grows beyond this. */
const fullText = 16 * 1024
/** One read's bytes, with a head before and chunk framing around them. */
const bufferSize = 132 * 1024

/** Lent to one outlet at a time, from its first large piece to its flush. */
export class WriteBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(bufferSize)
  borrower: Outlet | undefined

  /** For one write, at once: what an outlet had in it goes out before. */
  take(): Buffer {
    this.borrower?.flush()
    this.borrower = undefined
    return this.bytes
  }

  /** The kernel did not take everything: what is there is read from that memory later. */
  replace(): void {
    this.bytes = Buffer.allocUnsafeSlow(bufferSize)
  }
}

export class Outlet {
  readonly #socket: Socket
  readonly #writer: TextWriter
  readonly #shared: WriteBuffer
  readonly #blockedAbove: number
  #text = ''
  /** Bytes in the shared buffer; they come before the text. */
  #filled = 0

  /** @param blockedAbove bytes that the kernel has not taken before the other side is paused */
  constructor(socket: Socket, shared: WriteBuffer, blockedAbove: number) {
    this.#socket = socket
    this.#writer = new TextWriter(socket)
    this.#shared = shared
    this.#blockedAbove = blockedAbove
  }

  /** True while more than enough waits for the peer; 'drain' comes when all of it has gone. */
  get blocked(): boolean {
    return this.#writer.unsent > this.#blockedAbove
  }

  get isEmpty(): boolean {
    return this.#text === '' && this.#filled === 0 && this.#writer.unsent === 0
  }

  /** A latin1 byte string. */
  text(text: string): void {
    this.#text += text
  }

  /** Taken during the call. */
  bytes(bytes: Buffer, from: number, to: number): void {
    if (to - from <= smallPiece) {
      this.#text += bytes.toString('latin1', from, to)
      if (this.#text.length > fullText) this.flush()
      return
    }
    for (let at = from; at < to;) {
      this.#fill()
      const room = bufferSize - this.#filled
      if (room === 0) this.flush()
      else {
        const end = Math.min(to, at + room)
        bytes.copy(this.#shared.bytes, this.#filled, at, end)
        this.#filled += end - at
        at = end
      }
    }
  }

  flush(): void {
    if (this.#filled > 0) {
      this.#fill()
      this.#writeFilled()
    }
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    this.#writer.write(text)
  }

  /** Forgets what was not flushed: the message breaks off. */
  drop(): void {
    this.#text = ''
    this.#filled = 0
    if (this.#shared.borrower === this) this.#shared.borrower = undefined
  }

  /** Moves the text into the shared buffer, as far as it fits there; else what is there goes out first. */
  #fill(): void {
    if (this.#shared.borrower !== this) {
      this.#shared.borrower?.flush()
      this.#shared.borrower = this
    }
    if (this.#text === '') return
    if (this.#text.length > bufferSize - this.#filled) {
      const text = this.#text
      this.#text = ''
      this.#writeFilled()
      this.#writer.write(text)
      this.#shared.borrower = this
      return
    }
    this.#filled += this.#shared.bytes.write(this.#text, this.#filled, 'latin1')
    this.#text = ''
  }

  #writeFilled(): void {
    const filled = this.#filled
    const shared = this.#shared
    this.#filled = 0
    shared.borrower = undefined
    if (filled === 0) return
    const piece = shared.bytes.subarray(0, filled)
    if (this.#writer.unsent > 0) {
      this.#socket.write(Buffer.from(piece))
      return
    }
    this.#socket.write(piece)
    if (this.#socket.writableLength > 0) shared.replace()
  }
}
