/** Reads request heads: RFC 9112 sections 2 to 6 without their leniencies (docs/wire.md, heads-*, targets-*). */
import { BYTE_CLASS, CR, LF, SP, TARGET, TOKEN } from './byte-class.ts'
import { type Body, type HeadLimits, refusal, type Refusal } from './codec.ts'
import type { FieldList } from './field-list.ts'
import { FieldScanner, MORE, REFUSED } from './field-scanner.ts'
import { HeadBytes } from './head-bytes.ts'
import { type Cached, understand } from './request-meaning.ts'

/** All strings are byte strings. */
export interface RequestHead {
  readonly kind: 'request'
  /** As spelled; never CONNECT or PRI. */
  readonly method: string
  /** What was sent before the first `?`, not normalised, bytes >= 0x80 percent-encoded; begins with `/`, or is `*` (OPTIONS only). */
  readonly path: string
  /** From the first `?` to the end, `?` included; '' when there is none. */
  readonly search: string
  /** Of an absolute-form target, undefined otherwise. It has no say in what the connection is. */
  readonly scheme: 'http' | 'https' | undefined
  /** Host as it came, or the authority of an absolute-form target; '' when there is none (HTTP/1.0). */
  readonly authority: string
  /** Lower case, without port and one final dot; '' when there is none. */
  readonly host: string
  /** HTTP/1.0: no chunks, no 1xx, and a close unless `keepAlive`. */
  readonly http10: boolean
  /** Fields named by Connection are already dropped. */
  readonly fields: FieldList
  readonly body: Body
  /** False: the connection ends with this exchange, nothing behind it may be parsed. */
  readonly keepAlive: boolean
  /** In lower case, with its version if it has one (`websocket`); '' when none is asked for, or h2c. */
  readonly upgrade: string
  /** The client waits for a 100. */
  readonly expectContinue: boolean
  /** The client accepts trailers. */
  readonly teTrailers: boolean
}

// Phases. A line is only finished when its LF has come.
const START = 0
const BLANK_LF = 1
const METHOD = 2
const TARGET_BYTES = 3
const VERSION = 4
const FIELDS = 5

const DIGIT_0 = 0x30
const VERSION_PREFIX = [0x48, 0x54, 0x54, 0x50, 0x2f]
/** `HTTP/1.1` */
const VERSION_LENGTH = 8

export class RequestHeadReader {
  readonly #limits: HeadLimits
  readonly #bytes: HeadBytes
  readonly #scanner: FieldScanner
  readonly #cached: Cached = { text: '', authority: undefined }
  #phase = START
  #blankLineSeen = false
  // Offsets from the start of the head.
  #methodEnd = 0
  #targetEnd = 0
  /** All bytes of the target or-ed together: tells whether one is >= 0x80. */
  #targetBits = 0
  /** Index in the last chunk of the first byte that belongs to no head: the body, or the next request. */
  next = 0

  constructor(limits: HeadLimits) {
    this.#limits = limits
    this.#bytes = new HeadBytes(limits.head)
    this.#scanner = new FieldScanner(limits.fields)
  }

  /** True from the first byte of a head to its last. */
  get started(): boolean {
    return this.#phase >= METHOD
  }

  /**
   * Takes chunk[at, ...). Returns undefined when all of it was taken and the head goes on; the head, whose last byte
   * lies before chunk[next]; or a refusal, after which the reader must not be used again.
   */
  push(chunk: Buffer, at: number): RequestHead | Refusal | undefined {
    let from = at
    if (this.#phase < METHOD) {
      from = this.#skipBlankLine(chunk, at)
      if (from < 0) return refusal(400, 'bare-cr')
      if (from === chunk.length) {
        this.next = from
        return undefined
      }
      this.#phase = METHOD
    }
    const head = this.#bytes
    head.take(chunk, from)
    const scanned = this.#phase === FIELDS ? head.from : this.#scanLine(head)
    if (typeof scanned === 'object') return scanned
    const end = scanned === MORE ? MORE : this.#scanner.scan(head.bytes, head.base, scanned, head.end, head.base + this.#limits.head)
    if (end === MORE) {
      head.keep()
      this.next = chunk.length
      return undefined
    }
    if (end === REFUSED) return this.#scanner.refusal
    return this.#finish(end)
  }

  /** One empty line before a request line is skipped (RFC 9112 section 2.2). Returns -1 for a CR without LF. */
  #skipBlankLine(chunk: Buffer, at: number): number {
    let i = at
    if (this.#phase === START && !this.#blankLineSeen && chunk[i] === CR) {
      this.#phase = BLANK_LF
      i++
    }
    if (this.#phase === BLANK_LF && i < chunk.length) {
      if (chunk[i] !== LF) return -1
      this.#phase = START
      this.#blankLineSeen = true
      i++
    }
    return i
  }

  /** The request line: the index behind it, MORE, or a refusal. */
  #scanLine(head: HeadBytes): number | Refusal {
    const { bytes, base } = head
    const limit = base + Math.min(this.#limits.line, this.#limits.head)
    const stop = Math.min(head.end, limit)
    let i = head.from
    if (this.#phase === METHOD) {
      while (i < stop && ((BYTE_CLASS[bytes[i] as number] as number) & TOKEN) !== 0) i++
      if (i === stop) return i === limit ? refusal(414, 'line-too-long') : MORE
      if (bytes[i] !== SP || i === base) return refusal(400, bytes[i] === LF ? 'bare-lf' : 'bad-method')
      this.#methodEnd = i - base
      const fault = methodFault(bytes, base, i)
      if (fault !== undefined) return fault
      i++
      this.#targetBits = 0
      this.#phase = TARGET_BYTES
    }
    if (this.#phase === TARGET_BYTES) {
      let bits = this.#targetBits
      while (i < stop) {
        const byte = bytes[i] as number
        if (((BYTE_CLASS[byte] as number) & TARGET) === 0) break
        bits |= byte
        i++
      }
      this.#targetBits = bits
      if (i === stop) return i === limit ? refusal(414, 'line-too-long') : MORE
      if (bytes[i] !== SP) return refusal(400, bytes[i] === LF ? 'bare-lf' : bytes[i] === CR ? 'no-version' : 'bad-target')
      this.#targetEnd = i - base
      if (this.#targetEnd === this.#methodEnd + 1) return refusal(400, 'bad-target')
      i++
      if (i + VERSION_LENGTH > limit) return refusal(414, 'line-too-long')
      this.#phase = VERSION
    }
    const versionStart = base + this.#targetEnd + 1
    for (; i < head.end; i++) {
      const byte = bytes[i] as number
      if (!isVersionByte(byte, i - versionStart)) return refusal(400, byte === LF ? 'bare-lf' : 'bad-version')
      if (byte !== LF) continue
      const major = (bytes[versionStart + 5] as number) - DIGIT_0
      const minor = (bytes[versionStart + 7] as number) - DIGIT_0
      if (major === 0 && minor === 9) return refusal(400, 'bad-version')
      if (major !== 1) return refusal(505, 'version')
      this.#phase = FIELDS
      return i + 1
    }
    return MORE
  }

  #finish(end: number): RequestHead | Refusal | undefined {
    const head = this.#bytes
    const base = head.base
    const scanner = this.#scanner
    const text = head.bytes.toString('latin1', base, end)
    const http10 = text.charCodeAt(this.#targetEnd + VERSION_LENGTH) === DIGIT_0
    const result = understand(text, this.#methodEnd, this.#targetEnd, this.#targetBits >= 0x80, http10, scanner, this.#cached)
    this.next = head.release(end)
    this.#phase = START
    this.#blankLineSeen = false
    scanner.reset()
    return result
  }
}

/** Whether `byte` may stand at this place of `HTTP/d.d CR LF`. */
function isVersionByte(byte: number, place: number): boolean {
  if (place < 5) return byte === VERSION_PREFIX[place]
  if (place === 5 || place === 7) return byte >= DIGIT_0 && byte <= DIGIT_0 + 9
  if (place === 6) return byte === 0x2e
  return byte === (place === VERSION_LENGTH ? CR : LF)
}

/** CONNECT is for forward proxies; PRI is the preface of HTTP/2 (RFC 9113 section 3.4) and no method of HTTP/1. */
function methodFault(bytes: Buffer, from: number, to: number): Refusal | undefined {
  if (to - from === 7 && bytes[from] === 0x43 && bytes.toString('latin1', from, to) === 'CONNECT') return refusal(405, 'connect')
  if (to - from === 3 && bytes[from] === 0x50 && bytes.toString('latin1', from, to) === 'PRI') return refusal(400, 'bad-method')
  return undefined
}
