/** Where the bytes of one head lie while it is read: in the chunk itself, or collected when it comes in pieces. */

const FIRST_CAPACITY = 1024
const NOTHING: Buffer = Buffer.alloc(0)

export class HeadBytes {
  /** The head begins at bytes[base]; scanning goes on at `from` and stops at `end`. */
  bytes: Buffer = NOTHING
  base = 0
  from = 0
  end = 0
  readonly #bound: number
  #held: Buffer | undefined
  #heldLength = 0
  /** Index in the chunk of the byte that lies at bytes[0]. */
  #shift = 0

  /** Collects at most `bound` bytes. */
  constructor(bound: number) {
    this.#bound = bound
  }

  /** Takes chunk[at, ...) as what follows. */
  take(chunk: Buffer, at: number): void {
    if (this.#heldLength === 0) {
      this.bytes = chunk
      this.base = at
      this.from = at
      this.end = chunk.length
      this.#shift = 0
      return
    }
    const before = this.#heldLength
    this.#collect(chunk, at)
    this.base = 0
    this.from = before
    this.end = this.#heldLength
    this.#shift = at - before
  }

  /** Keeps what was taken for the next call: the chunk may be overwritten. */
  keep(): void {
    if (this.#heldLength === 0) this.#collect(this.bytes, this.base)
    this.bytes = this.#held ?? this.bytes
  }

  /** The head ends before bytes[next]: forgets it and returns the index in the chunk where the rest begins. */
  release(next: number): number {
    this.#held = undefined
    this.#heldLength = 0
    // An idle connection keeps no chunk alive.
    this.bytes = NOTHING
    return next + this.#shift
  }

  #collect(chunk: Buffer, at: number): void {
    const length = Math.min(chunk.length - at, this.#bound - this.#heldLength)
    const needed = this.#heldLength + length
    if (this.#held === undefined || this.#held.length < needed) {
      const grown = Buffer.allocUnsafe(Math.min(this.#bound, Math.max(FIRST_CAPACITY, needed * 2)))
      this.#held?.copy(grown, 0, 0, this.#heldLength)
      this.#held = grown
    }
    chunk.copy(this.#held, this.#heldLength, at, at + length)
    this.#heldLength = needed
    this.bytes = this.#held
  }
}
