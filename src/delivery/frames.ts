/** Messages on a byte stream: four bytes of length, big endian, then JSON in UTF-8. */

const lengthBytes = 4

/** A frame ready to be written. */
export function frameOf(message: object): Buffer {
  const text = JSON.stringify(message)
  const length = Buffer.byteLength(text)
  const frame = Buffer.allocUnsafe(lengthBytes + length)
  frame.writeUInt32BE(length, 0)
  frame.write(text, lengthBytes)
  return frame
}

/** Cuts what arrives, in whatever pieces, into messages. */
export class FrameReader {
  readonly #longest: number
  #pieces: Buffer[] = []
  #held = 0

  /** @param longest bytes of one message; whoever sends more is not listened to any longer */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** Bytes of what is not complete. */
  get held(): number {
    return this.#held
  }

  /** The messages that are complete now. Throws when the peer does not speak this protocol. */
  push(bytes: Buffer): readonly unknown[] {
    this.#pieces.push(bytes)
    this.#held += bytes.length
    const messages: unknown[] = []
    for (;;) {
      const length = this.#nextLength()
      if (length === undefined || this.#held < lengthBytes + length) return messages
      messages.push(JSON.parse(this.#take(lengthBytes + length).toString('utf8', lengthBytes)))
    }
  }

  #nextLength(): number | undefined {
    if (this.#held < lengthBytes) return undefined
    const length = this.#joined(lengthBytes).readUInt32BE(0)
    if (length > this.#longest) throw new Error(`Cannot read a message: it must have at most ${this.#longest} bytes, got ${length}`)
    return length
  }

  /** The first pieces as one that has at least `length` bytes. */
  #joined(length: number): Buffer {
    const [first] = this.#pieces
    if (first !== undefined && first.length >= length) return first
    const whole = Buffer.concat(this.#pieces)
    this.#pieces = [whole]
    return whole
  }

  #take(length: number): Buffer {
    const whole = this.#joined(length)
    this.#pieces[0] = whole.subarray(length)
    this.#held -= length
    return whole.subarray(0, length)
  }
}
