/**
 * Fields of HTTP/2, names and values by turns, written as lines of HTTP/1: so both versions share one list of fields, one
 * encoder, and one set of rules of what a head may say. Names and values are checked here byte by byte.
 */
import type { DecodedFields } from '../h2/hpack-decoder.ts'
import { BYTE_CLASS, TOKEN, VALUE } from '../http1/byte-class.ts'
import type { BodyLimits } from '../http1/codec.ts'
import { CONNECTION, HOP_BY_HOP, KEEP_ALIVE, kindOfName, TE, TRANSFER_ENCODING, UPGRADE } from '../http1/field-kind.ts'
import { FieldList } from '../http1/field-list.ts'

/** RFC 9113 section 8.2.2: what speaks of a connection has no place in HTTP/2. */
const CONNECTION_KINDS = (1 << CONNECTION) | (1 << KEEP_ALIVE) | (1 << TRANSFER_ENCODING) | (1 << UPGRADE)
const UPPER_A = 0x41
const UPPER_Z = 0x5a
const SPACE = 0x20
const HTAB = 9

export class FieldText {
  text: string
  /** As FieldScanner makes them. */
  readonly marks: number[] = []
  seen = 0
  repeated = 0

  /** @param firstLine with its CRLF; '' for a list without one */
  constructor(firstLine: string) {
    this.text = firstLine
  }

  /** A line that the client sent, unless it may not be there. */
  take(name: string, value: string): boolean {
    if (!isName(name) || !isValue(value)) return false
    const kind = kindOfName(name)
    if ((CONNECTION_KINDS & (1 << kind)) !== 0 || (kind === HOP_BY_HOP && name === 'proxy-connection')) return false
    if (kind === TE && value !== 'trailers') return false
    this.line(kind, name, value)
    return true
  }

  line(kind: number, name: string, value: string): void {
    const start = this.text.length
    const valueStart = start + name.length + 2
    this.text += name + ': ' + value + '\r\n'
    this.marks.push(kind, start, start + name.length, valueStart, valueStart + value.length)
    const bit = 1 << kind
    this.repeated |= this.seen & bit
    this.seen |= bit
  }

  list(): FieldList {
    return new FieldList(this.text, this.marks, this.seen, this.text.length)
  }
}

/** Fields from an index on; undefined when one of them may not be there, as pseudo-headers may not be (RFC 9113, section 8.3). */
export function fieldsOf({ fields: raw, sensitive }: DecodedFields, from: number): FieldList | undefined {
  const fields = new FieldText('')
  for (let i = from; i + 1 < raw.length; i += 2) if (!fields.take(raw[i] ?? '', raw[i + 1] ?? '')) return undefined
  const list = fields.list()
  list.sensitive = sensitive
  return list
}

/** The same for trailers, within the bounds of those of HTTP/1. */
export function trailersOf(head: DecodedFields, limits: BodyLimits): FieldList | undefined {
  const fields = fieldsOf(head, 0)
  return fields === undefined || fields.size > limits.trailers || head.fields.length / 2 > limits.trailerFields ? undefined : fields
}

/** A token in lower case (RFC 9113, section 8.2.1). */
function isName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    if (((BYTE_CLASS[code] ?? 0) & TOKEN) === 0 || (code >= UPPER_A && code <= UPPER_Z)) return false
  }
  return name.length > 0
}

function isValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (((BYTE_CLASS[value.charCodeAt(i)] ?? 0) & VALUE) === 0) return false
  return !isSpace(value.charCodeAt(0)) && !isSpace(value.charCodeAt(value.length - 1))
}

function isSpace(code: number): boolean {
  return code === SPACE || code === HTAB
}
