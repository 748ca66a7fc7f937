/** A head that comes in several frames: HEADERS, and CONTINUATION until one says that it is the last (RFC 9113, section 6.10). */

/** A head has no need of more than the bytes that it may have, in frames of a size that makes sense. */
const mostFrames = 64

export class HeadBlock {
  readonly stream: number
  readonly endStream: boolean
  readonly #mostBytes: number
  readonly #parts: Buffer[] = []
  #bytes = 0

  constructor(stream: number, endStream: boolean, mostBytes: number) {
    this.stream = stream
    this.endStream = endStream
    this.#mostBytes = mostBytes
  }

  /** Keeps a copy; false when it becomes too much. */
  add(bytes: Buffer, from: number, to: number): boolean {
    this.#bytes += to - from
    if (this.#bytes > this.#mostBytes || this.#parts.length >= mostFrames) return false
    this.#parts.push(Buffer.from(bytes.subarray(from, to)))
    return true
  }

  whole(): Buffer {
    return Buffer.concat(this.#parts)
  }
}
