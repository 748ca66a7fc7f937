/**
 * Reads message bodies: by length, chunked, or until the connection closes. RFC 9112 sections 6 and 7.
 *
 * `step` never copies: it names the next slice of data in the caller's chunk. Both bytes of every CRLF are compared;
 * chunk extensions are checked, bounded and dropped, so that whoever forwards the body frames it anew.
 */
import { CR, HEX_VALUE, HTAB, LF, SP } from './byte-class.ts'
import { type Body, type BodyLimits, refusal, type Refusal } from './codec.ts'
import { FieldList } from './field-list.ts'
import { FieldScanner, MORE, REFUSED } from './field-scanner.ts'
import { HeadBytes } from './head-bytes.ts'

/** 'data': chunk[from, to) · 'more': the chunk is used up · 'end': the body is complete · 'refused': see `refusal`. `next` is where to go on. */
export type Step = 'data' | 'more' | 'end' | 'refused'

const MOST_SIZE_DIGITS = 12
const SEMICOLON = 0x3b

// Phases of a chunked body; a body by length is one DATA phase.
const SIZE = 0
const SPACE = 1
const EXTENSION = 2
const SIZE_LF = 3
const DATA = 4
const DATA_CR = 5
const DATA_LF = 6
const TRAILERS = 7
const DONE = 8

export class BodyReader {
  readonly #limits: BodyLimits
  #kind: Body['kind'] = 'none'
  #phase = DONE
  /** Bytes of data that are still to come in this chunk or body. */
  #left = 0
  #digits = 0
  #extension = 0
  #extensions = 0
  #trailerScanner: FieldScanner | undefined
  #trailerBytes: HeadBytes | undefined
  from = 0
  to = 0
  next = 0
  refusal: Refusal | undefined
  /** Of a chunked body, after 'end'; undefined when it had none. */
  trailers: FieldList | undefined

  constructor(limits: BodyLimits) {
    this.#limits = limits
  }

  /** Begins the body that follows a head. */
  start(body: Body): void {
    this.#kind = body.kind
    this.#left = body.length
    this.#phase = body.kind === 'none' ? DONE : body.kind === 'chunked' ? SIZE : DATA
    this.#digits = 0
    this.#extension = 0
    this.#extensions = 0
    this.#trailerScanner = undefined
    this.#trailerBytes = undefined
    this.refusal = undefined
    this.trailers = undefined
  }

  /** Looks at chunk[at, ...). Call again with `next` until it says something other than 'data'. */
  step(chunk: Buffer, at: number): Step {
    if (this.#kind === 'chunked') return this.#stepChunked(chunk, at)
    this.next = at
    if (this.#phase === DONE) return 'end'
    if (at === chunk.length) return 'more'
    return this.#data(this.#kind === 'close' ? chunk.length : Math.min(chunk.length, at + this.#left), at)
  }

  #data(to: number, at: number): Step {
    this.from = at
    this.to = to
    this.next = to
    if (this.#kind === 'close') return 'data'
    this.#left -= to - at
    if (this.#left === 0) this.#phase = this.#kind === 'chunked' ? DATA_CR : DONE
    return 'data'
  }

  #stepChunked(chunk: Buffer, at: number): Step {
    let i = at
    while (i < chunk.length) {
      const byte = chunk[i] as number
      if (this.#phase === DATA) return this.#data(Math.min(chunk.length, i + this.#left), i)
      if (this.#phase === TRAILERS) return this.#stepTrailers(chunk, i)
      if (this.#phase === DONE) break
      const reason = this.#framing(byte)
      if (reason !== undefined) return this.#refuse(reason)
      i++
    }
    this.next = i
    return this.#phase === DONE ? 'end' : 'more'
  }

  /** One byte of a chunk's framing; the reason when it cannot stand there. */
  #framing(byte: number): string | undefined {
    switch (this.#phase) {
      case SIZE: {
        const digit = HEX_VALUE[byte] as number
        if (digit !== 255) {
          if (++this.#digits > MOST_SIZE_DIGITS) return 'chunk-size'
          this.#left = this.#left * 16 + digit
          return undefined
        }
        if (this.#digits === 0) return 'chunk-size'
        return this.#afterSize(byte)
      }
      case SPACE:
        if (byte !== SP && byte !== HTAB && byte !== SEMICOLON) return 'chunk-size'
        return this.#extend(byte)
      case EXTENSION:
        if (byte === CR) {
          this.#phase = SIZE_LF
          return undefined
        }
        return this.#extend(byte)
      case SIZE_LF:
        if (byte !== LF) return 'chunk-line-end'
        this.#phase = this.#left === 0 ? TRAILERS : DATA
        return undefined
      case DATA_CR:
        if (byte !== CR) return 'chunk-data-end'
        this.#phase = DATA_LF
        return undefined
      default:
        if (byte !== LF) return 'chunk-data-end'
        this.#phase = SIZE
        this.#left = 0
        this.#digits = 0
        this.#extension = 0
        return undefined
    }
  }

  #afterSize(byte: number): string | undefined {
    if (byte === CR) {
      this.#phase = SIZE_LF
      return undefined
    }
    if (byte === LF) return 'bare-lf'
    if (byte !== SEMICOLON && byte !== SP && byte !== HTAB) return 'chunk-size'
    return this.#extend(byte)
  }

  /** RFC 9112 section 7.1.1: white space may stand before the semicolon, but not without one. */
  #extend(byte: number): string | undefined {
    if (byte === LF) return 'bare-lf'
    if (byte !== HTAB && (byte < 0x20 || byte > 0x7e)) return 'chunk-extension'
    if (++this.#extension > this.#limits.extension || ++this.#extensions > this.#limits.extensions) return 'chunk-extension-too-long'
    if (this.#phase !== EXTENSION) this.#phase = byte === SEMICOLON ? EXTENSION : SPACE
    return undefined
  }

  #stepTrailers(chunk: Buffer, at: number): Step {
    const { trailers, trailerFields } = this.#limits
    this.#trailerScanner ??= new FieldScanner(trailerFields)
    this.#trailerBytes ??= new HeadBytes(trailers)
    const scanner = this.#trailerScanner
    const section = this.#trailerBytes
    section.take(chunk, at)
    const end = scanner.scan(section.bytes, section.base, section.from, section.end, section.base + trailers)
    if (end === MORE) {
      section.keep()
      this.next = chunk.length
      return 'more'
    }
    if (end === REFUSED)
      return this.#refuse(scanner.refusal?.reason === 'head-too-large' ? 'trailers-too-large' : (scanner.refusal?.reason ?? ''))
    const length = end - section.base
    if (length > 2)
      this.trailers = new FieldList(section.bytes.toString('latin1', section.base, end), scanner.marks, scanner.seen, length - 2)
    this.next = section.release(end)
    this.#phase = DONE
    return 'end'
  }

  #refuse(reason: string): Step {
    this.refusal = refusal(400, reason)
    return 'refused'
  }
}
