/**
 * Frames out of bytes as they come. A whole frame is handed over where it lies; of one that was cut just its own bytes are
 * kept until the rest is there, but for DATA, which is handed on piece by piece.
 */
import { END_STREAM, frameHeaderSize, frameType, maxFrameSize, PADDED } from './frames.ts'

export interface FrameHandler {
  /** False: nothing more is read. */
  readonly isReading: boolean
  /** A whole frame; its payload is bytes[from, to), valid during the call. */
  onFrame(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void
  /** A piece of a DATA frame without padding, valid during the call. @param endStream this is the last piece, and nothing follows it */
  onData(stream: number, bytes: Buffer, from: number, to: number, endStream: boolean): void
  /** DATA with nothing in it that does not end its stream. */
  onEmptyData(stream: number): void
  /** A frame larger than any may be: nothing behind it can be read. */
  onTooLarge(): void
}

export class FrameReader {
  readonly #handler: FrameHandler
  /** A frame that was cut: its header first, and then as long as that says. */
  #cut: Buffer | undefined
  #filled = 0
  /** Of the DATA frame that is on its way. */
  #dataLeft = 0
  #dataStream = 0
  #dataEnds = false

  constructor(handler: FrameHandler) {
    this.#handler = handler
  }

  push(bytes: Buffer, from: number): void {
    let at = from
    while (at < bytes.length && this.#handler.isReading) {
      if (this.#dataLeft > 0) at = this.#readData(bytes, at)
      else if (this.#cut !== undefined) at = this.#readCut(bytes, at)
      else at = this.#readFrame(bytes, at)
    }
  }

  /** Returns where the next frame begins. */
  #readFrame(bytes: Buffer, at: number): number {
    if (bytes.length - at < frameHeaderSize) return this.#keep(frameHeaderSize, bytes, at)
    const length = (bytes.readUInt16BE(at) << 8) | (bytes[at + 2] as number)
    if (length > maxFrameSize) {
      this.#handler.onTooLarge()
      return bytes.length
    }
    const type = bytes[at + 3] as number
    const flags = bytes[at + 4] as number
    const stream = bytes.readUInt32BE(at + 5) & 0x7fffffff
    const payload = at + frameHeaderSize
    if (type === frameType.data && (flags & PADDED) === 0)
      return this.#beginData(bytes, payload, length, stream, (flags & END_STREAM) !== 0)
    if (bytes.length - payload < length) return this.#keep(frameHeaderSize + length, bytes, at)
    this.#handler.onFrame(type, flags, stream, bytes, payload, payload + length)
    return payload + length
  }

  #beginData(bytes: Buffer, payload: number, length: number, stream: number, ends: boolean): number {
    if (length === 0) {
      if (ends) this.#handler.onData(stream, bytes, payload, payload, true)
      else this.#handler.onEmptyData(stream)
      return payload
    }
    this.#dataLeft = length
    this.#dataStream = stream
    this.#dataEnds = ends
    return payload
  }

  #readData(bytes: Buffer, from: number): number {
    const to = Math.min(bytes.length, from + this.#dataLeft)
    this.#dataLeft -= to - from
    this.#handler.onData(this.#dataStream, bytes, from, to, this.#dataEnds && this.#dataLeft === 0)
    return to
  }

  #keep(length: number, bytes: Buffer, from: number): number {
    this.#cut = Buffer.allocUnsafe(length)
    this.#filled = bytes.copy(this.#cut, 0, from)
    return bytes.length
  }

  /** Adds what was missing: to the header, from which its length is known, and then to the frame. */
  #readCut(bytes: Buffer, from: number): number {
    const cut = this.#cut as Buffer
    const to = Math.min(bytes.length, from + cut.length - this.#filled)
    this.#filled += bytes.copy(cut, this.#filled, from, to)
    if (this.#filled < cut.length) return to
    this.#cut = undefined
    // Read anew: a header alone is kept again, as long as its frame will be.
    this.#readFrame(cut, 0)
    return to
  }
}
