/** What the framing and connection fields of a message mean. RFC 9112 section 6, RFC 9110 sections 7.6.1 and 8.6. */
import { BYTE_CLASS, HTAB, SP, TOKEN } from './byte-class.ts'
import { CONNECTION } from './field-kind.ts'
import type { FieldList } from './field-list.ts'

const LONGEST_LENGTH = 15

/** The value of a Content-Length of 1 to 15 digits; -1 for anything else, a list or a sign included. */
export function contentLength(value: string): number {
  if (value.length === 0 || value.length > LONGEST_LENGTH) return -1
  let length = 0
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return -1
    length = length * 10 + digit
  }
  return length
}

/** Exactly `chunked`; 'unknown' for a well-formed list of other codings; 'bad' for what is no list of codings. Never split, never searched. */
export function transferCoding(value: string): 'chunked' | 'unknown' | 'bad' {
  if (value.length === 7 && value.toLowerCase() === 'chunked') return 'chunked'
  return /^[-!#$%&'*+.^_`|~0-9A-Za-z][-!#$%&'*+.^_`|~0-9A-Za-z\t ,;="]*$/.test(value) ? 'unknown' : 'bad'
}

/** The members of a comma-separated list of tokens, in lower case; members that are no tokens are left out, since they name nothing. */
export function listTokens(value: string): string[] {
  const tokens: string[] = []
  let from = 0
  while (from <= value.length) {
    let to = value.indexOf(',', from)
    if (to < 0) to = value.length
    const next = to + 1
    while (from < to && isSpace(value.charCodeAt(from))) from++
    while (to > from && isSpace(value.charCodeAt(to - 1))) to--
    if (isToken(value, from, to)) tokens.push(value.slice(from, to).toLowerCase())
    from = next
  }
  return tokens
}

const NO_OPTIONS: ReadonlySet<string> = new Set()
const KEEP_ALIVE_ONLY: ReadonlySet<string> = new Set(['keep-alive'])
const CLOSE_ONLY: ReadonlySet<string> = new Set(['close'])

/** Reads Connection (`seen` and `repeated` as the scanner found them) and drops the fields that it names (RFC 9110 section 7.6.1). */
export function connectionOptions(fields: FieldList, seen: number, repeated: number): ReadonlySet<string> {
  if ((seen & (1 << CONNECTION)) === 0) return NO_OPTIONS
  const value = (repeated & (1 << CONNECTION)) === 0 ? fields.ofKind(CONNECTION) : fields.get('connection')
  // What clients and backends send, and nothing to drop.
  if (value === 'keep-alive' || value === 'Keep-Alive') return KEEP_ALIVE_ONLY
  if (value === 'close') return CLOSE_ONLY
  const options = new Set(listTokens(value ?? ''))
  fields.dropNamed(options)
  return options
}

function isSpace(code: number): boolean {
  return code === SP || code === HTAB
}

function isToken(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (((BYTE_CLASS[text.charCodeAt(i)] ?? 0) & TOKEN) === 0) return false
  return to > from
}
