/** Reads response heads of upstreams: RFC 9112 sections 4 to 6 without their leniencies. What is refused is a 502. */
import { BYTE_CLASS, CR, LF, SP, VALUE } from './byte-class.ts'
import { type Body, CHUNKED_BODY, CLOSE_BODY, type HeadLimits, lengthBody, NO_BODY, refusal, type Refusal } from './codec.ts'
import { CONTENT_LENGTH, KEEP_ALIVE, TRANSFER_ENCODING, UPGRADE } from './field-kind.ts'
import { FieldList } from './field-list.ts'
import { FieldScanner, MORE, REFUSED } from './field-scanner.ts'
import { connectionOptions, contentLength, transferCoding } from './framing.ts'
import { HeadBytes } from './head-bytes.ts'

/** All strings are byte strings. */
export interface ResponseHead {
  readonly kind: 'response'
  /** 100 to 599. Below 200, 101 excepted, another head follows. */
  readonly status: number
  /** As it came, '' when there is none. */
  readonly reason: string
  /** Fields named by Connection are already dropped. */
  readonly fields: FieldList
  readonly body: Body
  /** False: the connection cannot be used again, HTTP/1.0 included. */
  readonly keepAlive: boolean
  /** Milliseconds for which the upstream keeps an idle connection (`Keep-Alive: timeout=N`); undefined when it does not say. */
  readonly keepAliveTimeout: number | undefined
  /** Of a 101, in lower case: the protocol that was asked for. '' for every other status. */
  readonly upgrade: string
  /** Of HTTP/2, where trailers may follow a body with a length too. */
  readonly trailersMayFollow?: true
}

/** What of the request decides how its response is read. */
export interface Asked {
  readonly method: string
  /** In lower case, '' when no upgrade was asked for. */
  readonly upgrade: string
}

/** Bit set of the kinds that frame a body. */
const FRAMED = (1 << CONTENT_LENGTH) | (1 << TRANSFER_ENCODING)

const STATUS = 0
const REASON = 1
const REASON_LF = 2
const FIELDS = 3

const DIGIT_0 = 0x30
const DIGIT_1 = 0x31
/** `HTTP/1.`, where the minor version, a space and the status follow. */
const PREFIX = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e]
const MINOR = 7
const STATUS_AT = 9
const STATUS_END = 12
const TIMEOUT = /(?:^|[\t ,])timeout=(\d{1,6})(?:$|[\t ,])/i

export class ResponseHeadReader {
  readonly #limits: HeadLimits
  readonly #bytes: HeadBytes
  readonly #scanner: FieldScanner
  #asked: Asked = { method: 'GET', upgrade: '' }
  #interim = 0
  readonly #mostInterim: number
  #phase = STATUS
  /** Offset of the CR of the status line. */
  #reasonEnd = 0
  /** Index in the last chunk of the first byte behind the head. */
  next = 0

  /** @param mostInterim heads 1xx before the final one */
  constructor(limits: HeadLimits, mostInterim: number) {
    this.#limits = limits
    this.#mostInterim = mostInterim
    this.#bytes = new HeadBytes(limits.head)
    this.#scanner = new FieldScanner(limits.fields)
  }

  /** Begins the response to a request. */
  start(asked: Asked): void {
    this.#asked = asked
    this.#interim = 0
  }

  /** As RequestHeadReader.push: undefined when the head goes on, the head, or a refusal that ends the connection. */
  push(chunk: Buffer, at: number): ResponseHead | Refusal | undefined {
    this.next = at
    if (at === chunk.length) return undefined
    const head = this.#bytes
    head.take(chunk, at)
    const scanned = this.#phase === FIELDS ? head.from : this.#scanLine(head)
    if (typeof scanned === 'object') return scanned
    const end = scanned === MORE ? MORE : this.#scanner.scan(head.bytes, head.base, scanned, head.end, head.base + this.#limits.head)
    if (end === MORE) {
      head.keep()
      this.next = chunk.length
      return undefined
    }
    if (end === REFUSED) return refusal(502, this.#scanner.refusal?.reason ?? '')
    return this.#finish(end)
  }

  /** The status line: the index behind it, MORE, or a refusal. A missing space before an empty reason is accepted. */
  #scanLine(head: HeadBytes): number | Refusal {
    const { bytes, base } = head
    const limit = base + Math.min(this.#limits.line, this.#limits.head)
    const stop = Math.min(head.end, limit)
    let i = head.from
    if (this.#phase === STATUS) {
      for (; i < stop && i <= base + STATUS_END; i++) {
        if (!isStatusByte(bytes[i] as number, i - base)) return refusal(502, 'bad-status-line')
        if (i === base + STATUS_END) this.#phase = REASON
      }
      // The CR of a line without a reason is looked at once more, as the end of the reason.
      if (this.#phase === REASON && bytes[i - 1] === CR) i--
    }
    if (this.#phase === REASON) {
      while (i < stop && ((BYTE_CLASS[bytes[i] as number] as number) & VALUE) !== 0) i++
      if (i < stop) {
        if (bytes[i] !== CR) return refusal(502, bytes[i] === LF ? 'bare-lf' : 'bad-status-line')
        this.#reasonEnd = i - base
        this.#phase = REASON_LF
        i++
      }
    }
    if (this.#phase === REASON_LF && i < head.end) {
      if (bytes[i] !== LF) return refusal(502, 'bare-cr')
      this.#phase = FIELDS
      return i + 1
    }
    return i === limit && this.#phase !== REASON_LF ? refusal(502, 'line-too-long') : MORE
  }

  #finish(end: number): ResponseHead | Refusal {
    const head = this.#bytes
    const text = head.bytes.toString('latin1', head.base, end)
    const result = this.#understand(text)
    this.next = head.release(end)
    this.#phase = STATUS
    this.#scanner.reset()
    return result
  }

  #understand(text: string): ResponseHead | Refusal {
    const { seen, repeated, marks } = this.#scanner
    const status = Number(text.slice(STATUS_AT, STATUS_END))
    const http10 = text.charCodeAt(MINOR) === DIGIT_0
    const fields = new FieldList(text, marks, seen, text.length - 2)

    if (status < 200 && status !== 101 && ++this.#interim > this.#mostInterim) return refusal(502, 'too-many-interim')
    const framed = (seen & FRAMED) === 0 ? CLOSE_BODY : bodyOf(fields, seen, repeated, http10)
    if (framed.kind === 'refused') return framed
    const bodiless = status < 200 || status === 204 || status === 304 || this.#asked.method === 'HEAD'
    const body = bodiless ? NO_BODY : framed
    // RFC 9110 section 8.6: neither has a Content-Length, and some would wait for what it announces.
    if (status < 200 || status === 204) fields.removeKind(CONTENT_LENGTH)

    let keepAlive = !http10 && body.kind !== 'close'
    let upgrade = ''
    const options = connectionOptions(fields, seen, repeated)
    if (options.has('close')) keepAlive = false
    if (status === 101 && options.has('upgrade')) upgrade = fields.ofKind(UPGRADE)?.toLowerCase() ?? ''
    if (status === 101 && (upgrade === '' || upgrade !== this.#asked.upgrade || (repeated & (1 << UPGRADE)) !== 0)) {
      return refusal(502, 'unasked-upgrade')
    }
    const reason = text.slice(STATUS_END + 1, this.#reasonEnd)
    const keepAliveTimeout = (seen & (1 << KEEP_ALIVE)) === 0 ? undefined : timeoutOf(fields.ofKind(KEEP_ALIVE) ?? '')
    return { kind: 'response', status, reason, fields, body, keepAlive, keepAliveTimeout, upgrade }
  }
}

/** Whether `byte` may stand at this place of `HTTP/1.d SP 3DIGIT (SP / CR)`, the status being 100 to 599. */
function isStatusByte(byte: number, place: number): boolean {
  if (place < MINOR) return byte === PREFIX[place]
  if (place === MINOR) return byte >= DIGIT_0 && byte <= DIGIT_0 + 9
  if (place === STATUS_AT - 1) return byte === SP
  if (place === STATUS_AT) return byte >= DIGIT_1 && byte <= DIGIT_1 + 4
  if (place < STATUS_END) return byte >= DIGIT_0 && byte <= DIGIT_0 + 9
  return byte === SP || byte === CR
}

/** RFC 9112 section 6.3. Equal Content-Lengths are one, and only the first is forwarded; everything else that is doubtful is refused. */
function bodyOf(fields: FieldList, seen: number, repeated: number, http10: boolean): Body | Refusal {
  const hasLength = (seen & (1 << CONTENT_LENGTH)) !== 0
  if ((seen & (1 << TRANSFER_ENCODING)) !== 0) {
    if (http10) return refusal(502, 'transfer-encoding-in-1.0')
    if (hasLength) return refusal(502, 'length-and-transfer-encoding')
    if ((repeated & (1 << TRANSFER_ENCODING)) !== 0) return refusal(502, 'many-transfer-encodings')
    return transferCoding(fields.ofKind(TRANSFER_ENCODING) ?? '') === 'chunked' ? CHUNKED_BODY : refusal(502, 'transfer-coding')
  }
  const value = fields.ofKind(CONTENT_LENGTH) ?? ''
  const length = contentLength(value)
  if (length < 0) return refusal(502, 'bad-length')
  if ((repeated & (1 << CONTENT_LENGTH)) !== 0) {
    if (!fields.allOfKind(CONTENT_LENGTH, value)) return refusal(502, 'lengths-differ')
    fields.keepFirst(CONTENT_LENGTH)
  }
  return lengthBody(length)
}

function timeoutOf(value: string): number | undefined {
  const seconds = TIMEOUT.exec(value)?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
