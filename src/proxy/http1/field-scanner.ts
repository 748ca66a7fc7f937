/**
 * Scans a field section (the fields of a request, of a response, or trailers) byte by byte, as far as the bytes go, and
 * goes on later where it stopped: the outcome, and the byte at which a refusal comes, do not depend on how the bytes
 * were split. RFC 9112 section 5, without obs-fold, bare CR and bare LF.
 */
import { BYTE_CLASS, COLON, CR, HTAB, LF, SP, TOKEN, VALUE } from './byte-class.ts'
import { refusal, type Refusal } from './codec.ts'
import { kindOfBytes } from './field-kind.ts'

export const MORE = -1
export const REFUSED = -2

/** Numbers for each line in `FieldScanner.marks`: kind, name start and end, value start and end, relative to `base`. */
export const STRIDE = 5

const LINE = 0
const NAME = 1
const SPACE = 2
const CONTENT = 3
const LINE_END = 4
const SECTION_END = 5

export class FieldScanner {
  readonly #maxFields: number
  #phase = LINE
  // Relative to `base`, since the bytes may have moved before the next call.
  #nameStart = 0
  #nameEnd = 0
  #valueStart = 0
  /** A new array for each section: the FieldList keeps it. */
  marks: number[] = []
  /** Bit set of the kinds that occurred. */
  seen = 0
  /** Bit set of the kinds that occurred more than once. */
  repeated = 0
  refusal: Refusal | undefined

  constructor(maxFields: number) {
    this.#maxFields = maxFields
  }

  reset(): void {
    this.#phase = LINE
    this.marks = []
    this.seen = 0
    this.repeated = 0
    this.refusal = undefined
  }

  /**
   * Goes on at `from`, up to `end`; the section must be complete before `limit`. `base` is where offsets count from.
   * Returns the index after the empty line, MORE (every byte up to `end` was taken), or REFUSED.
   */
  scan(bytes: Uint8Array, base: number, from: number, end: number, limit: number): number {
    const stop = end < limit ? end : limit
    const classes = BYTE_CLASS
    let i = from
    let phase = this.#phase
    let nameStart = base + this.#nameStart
    let nameEnd = base + this.#nameEnd
    let valueStart = base + this.#valueStart
    while (i < stop) {
      if (phase === LINE) {
        const byte = bytes[i] as number
        if (byte === CR) {
          i++
          phase = SECTION_END
          continue
        }
        if (byte === SP || byte === HTAB) return this.#refuse(400, 'obs-fold')
        if (this.marks.length === this.#maxFields * STRIDE) return this.#refuse(431, 'too-many-fields')
        nameStart = i
        phase = NAME
      }
      if (phase === NAME) {
        while (i < stop && ((classes[bytes[i] as number] as number) & TOKEN) !== 0) i++
        if (i === stop) break
        if (bytes[i] !== COLON || i === nameStart) return this.#refuse(400, nameFault(bytes[i] as number, i === nameStart))
        nameEnd = i++
        phase = SPACE
      }
      if (phase === SPACE) {
        while (i < stop && (bytes[i] === SP || bytes[i] === HTAB)) i++
        if (i === stop) break
        valueStart = i
        phase = CONTENT
      }
      if (phase === CONTENT) {
        // Most bytes of a head are looked at here: four at a time, then one by one.
        while (i + 4 <= stop && (classAt(bytes, i) & classAt(bytes, i + 1) & classAt(bytes, i + 2) & classAt(bytes, i + 3) & VALUE) !== 0)
          i += 4
        while (i < stop && ((classes[bytes[i] as number] as number) & VALUE) !== 0) i++
        if (i === stop) break
        if (bytes[i] !== CR) return this.#refuse(400, bytes[i] === LF ? 'bare-lf' : 'bad-value')
        i++
        phase = LINE_END
        if (i === stop) break
      }
      if (bytes[i] !== LF) return this.#refuse(400, 'bare-cr')
      i++
      if (phase === SECTION_END) return i
      this.#record(bytes, base, nameStart, nameEnd, valueStart, i - 2)
      phase = LINE
    }
    if (i === limit) return this.#refuse(431, 'head-too-large')
    this.#phase = phase
    this.#nameStart = nameStart - base
    this.#nameEnd = nameEnd - base
    this.#valueStart = valueStart - base
    return MORE
  }

  #record(bytes: Uint8Array, base: number, nameStart: number, nameEnd: number, valueStart: number, lineEnd: number): void {
    let valueEnd = lineEnd
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--
    const kind = kindOfBytes(bytes, nameStart, nameEnd)
    if (kind !== 0) {
      this.repeated |= this.seen & (1 << kind)
      this.seen |= 1 << kind
    }
    this.marks.push(kind, nameStart - base, nameEnd - base, valueStart - base, valueEnd - base)
  }

  #refuse(status: Refusal['status'], reason: string): number {
    this.refusal = refusal(status, reason)
    return REFUSED
  }
}

function classAt(bytes: Uint8Array, i: number): number {
  return BYTE_CLASS[bytes[i] as number] as number
}

function nameFault(byte: number, atStart: boolean): string {
  if (byte === LF) return 'bare-lf'
  if (byte === CR) return 'bad-name'
  if (!atStart && (byte === SP || byte === HTAB)) return 'space-before-colon'
  return 'bad-name'
}
