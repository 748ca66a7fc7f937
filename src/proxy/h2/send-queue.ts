/** What waits to be sent on one stream, in its order: heads, bytes of a body, the end. */
import { maxFrameSize } from './frames.ts'
import type { FrameWriter, OutgoingHead } from './frame-writer.ts'

/** Byte strings are small pieces, joined as they come. */
type Item = string | Buffer | OutgoingHead

export class SendQueue {
  /** Bytes of a body. */
  bytes = 0
  /** Nothing follows what is here. */
  ends = false
  readonly #items: Item[] = []
  /** Bytes of the first item that have gone. */
  #sent = 0

  get isEmpty(): boolean {
    return this.#items.length === 0
  }

  head(head: OutgoingHead): void {
    this.#items.push(head)
  }

  text(text: string): void {
    this.bytes += text.length
    const last = this.#items.length - 1
    const before = this.#items[last]
    // The first may have gone in part.
    if (typeof before === 'string' && last > 0 && before.length + text.length <= maxFrameSize) this.#items[last] = before + text
    else this.#items.push(text)
  }

  /** Keeps a copy. */
  copy(bytes: Buffer, from: number, to: number): void {
    if (from === to) return
    this.bytes += to - from
    this.#items.push(Buffer.from(bytes.subarray(from, to)))
  }

  clear(): void {
    this.#items.length = 0
    this.#sent = 0
    this.bytes = 0
  }

  /** True when `send` would send something. @param allowed bytes of a body that may go */
  canSend(allowed: number): boolean {
    const first = this.#items[0]
    if (first === undefined) return this.ends
    return allowed > 0 || (typeof first === 'object' && !Buffer.isBuffer(first))
  }

  /**
   * Writes one frame, if there is one that may go. Returns its bytes of a body.
   * @param allowed bytes that the windows let go
   */
  send(writer: FrameWriter, stream: number, allowed: number): number {
    const item = this.#items[0]
    if (item === undefined) writer.dataText(stream, '', true)
    else if (typeof item === 'string') return this.#sendText(writer, stream, item, allowed)
    else if (Buffer.isBuffer(item)) return this.#sendBytes(writer, stream, item, allowed)
    else {
      this.#items.shift()
      writer.headers(stream, item, this.#isLast)
    }
    return 0
  }

  get #isLast(): boolean {
    return this.ends && this.#items.length === 0
  }

  #sendText(writer: FrameWriter, stream: number, text: string, allowed: number): number {
    const from = this.#sent
    const to = this.#take(text.length, allowed)
    writer.dataText(stream, from === 0 && to === text.length ? text : text.slice(from, to), this.#isLast)
    return to - from
  }

  #sendBytes(writer: FrameWriter, stream: number, bytes: Buffer, allowed: number): number {
    const from = this.#sent
    const to = this.#take(bytes.length, allowed)
    writer.data(stream, bytes, from, to, this.#isLast)
    return to - from
  }

  /** Takes as much of the first item as may go; returns where that ends. */
  #take(length: number, allowed: number): number {
    const to = Math.min(length, this.#sent + Math.min(allowed, maxFrameSize))
    this.bytes -= to - this.#sent
    if (to === length) {
      this.#items.shift()
      this.#sent = 0
    } else this.#sent = to
    return to
  }
}
