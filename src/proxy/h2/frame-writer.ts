/** Frames onto an outlet. Heads are encoded when they are written, since HPACK's table knows their order. */
import type { Outlet } from '../outlet.ts'
import { ACK, END_HEADERS, END_STREAM, frameHeader, frameType, maxFrameSize, uint32Text } from './frames.ts'
import type { HpackEncoder } from './hpack-encoder.ts'

export interface OutgoingHead {
  /** Names in lower case and values by turns, pseudo-headers first. */
  readonly fields: readonly string[]
  /** Names of those that no table may hold. */
  readonly sensitive: ReadonlySet<string> | undefined
}

/** Memory for one head at a time, shared by every session of a process. */
export class BlockBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(maxFrameSize)

  /** At least that many bytes; what they hold is valid until the next call. */
  room(length: number): Buffer {
    if (length > this.#bytes.length) this.#bytes = Buffer.allocUnsafeSlow(length)
    return this.#bytes
  }
}

export class FrameWriter {
  readonly #outlet: Outlet
  readonly #encoder: HpackEncoder
  readonly #block: BlockBuffer

  constructor(outlet: Outlet, encoder: HpackEncoder, block: BlockBuffer) {
    this.#outlet = outlet
    this.#encoder = encoder
    this.#block = block
  }

  /** HEADERS, with as many CONTINUATION as it takes. */
  headers(stream: number, { fields, sensitive }: OutgoingHead, endStream: boolean): void {
    const bytes = this.#block.room(this.#encoder.bound(fields))
    const length = this.#encoder.encode(fields, bytes, 0, sensitive)
    const flags = endStream ? END_STREAM : 0
    if (length <= maxFrameSize) return this.#piece(frameType.headers, flags | END_HEADERS, stream, bytes, 0, length)
    this.#piece(frameType.headers, flags, stream, bytes, 0, maxFrameSize)
    for (let at = maxFrameSize; at < length; at += maxFrameSize) {
      const to = Math.min(length, at + maxFrameSize)
      this.#piece(frameType.continuation, to === length ? END_HEADERS : 0, stream, bytes, at, to)
    }
  }

  /** At most `maxFrameSize` bytes, taken during the call. */
  data(stream: number, bytes: Buffer, from: number, to: number, endStream: boolean): void {
    this.#piece(frameType.data, endStream ? END_STREAM : 0, stream, bytes, from, to)
  }

  /** @param text a byte string of at most `maxFrameSize` */
  dataText(stream: number, text: string, endStream: boolean): void {
    this.#outlet.text(frameHeader(text.length, frameType.data, endStream ? END_STREAM : 0, stream) + text)
  }

  reset(stream: number, code: number): void {
    this.#outlet.text(frameHeader(4, frameType.rstStream, 0, stream) + uint32Text(code))
  }

  /** @param stream 0: the connection */
  windowUpdate(stream: number, bytes: number): void {
    this.#outlet.text(frameHeader(4, frameType.windowUpdate, 0, stream) + uint32Text(bytes))
  }

  settingsAck(): void {
    this.#outlet.text(frameHeader(0, frameType.settings, ACK, 0))
  }

  pong(bytes: Buffer, from: number, to: number): void {
    this.#piece(frameType.ping, ACK, 0, bytes, from, to)
  }

  goaway(lastStream: number, code: number): void {
    this.#outlet.text(frameHeader(8, frameType.goaway, 0, 0) + uint32Text(lastStream) + uint32Text(code))
  }

  #piece(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    this.#outlet.text(frameHeader(to - from, type, flags, stream))
    this.#outlet.bytes(bytes, from, to)
  }
}
