/** Chunks and trailers on their way out (RFC 9112 section 7.1). A chunk is chunkStart, that many bytes, CHUNK_END. */
import { FORWARDED, FORWARDED_ALIAS, FRAMING_KINDS, HOST, kindOfName } from './field-kind.ts'
import type { FieldList } from './field-list.ts'

export const CHUNK_END = '\r\n'

/** `length` above 0: a chunk of 0 bytes would end the body. */
export function chunkStart(length: number): string {
  return length.toString(16) + '\r\n'
}

/** The end of a body; with the trailers that may be forwarded, when there are any and the other side accepts them. */
export function lastChunk(trailers: FieldList | undefined): string {
  let out = '0\r\n'
  if (trailers !== undefined) {
    for (const [name, value] of trailers.entries()) if (isTrailer(name.toLowerCase())) out += name + ': ' + value + '\r\n'
  }
  return out + '\r\n'
}

/**
 * Whether a field may be forwarded as a trailer: none that frames, routes, authenticates, controls, or describes the
 * content (RFC 9110 section 6.5.1). `lower` is in lower case.
 */
export function isTrailer(lower: string): boolean {
  const kind = kindOfName(lower)
  if (kind === HOST || kind === FORWARDED || kind === FORWARDED_ALIAS || (FRAMING_KINDS & (1 << kind)) !== 0) return false
  return !lower.startsWith('content-') && !lower.startsWith('if-') && !NEVER_TRAILERS.has(lower)
}

const NEVER_TRAILERS: ReadonlySet<string> = new Set([
  'trailer',
  'max-forwards',
  'via',
  'location',
  'authorization',
  'www-authenticate',
  'authentication-info',
  'proxy-authentication-info',
  'cookie',
  'set-cookie',
  'age',
  'cache-control',
  'date',
  'expires',
  'pragma',
  'range',
  'retry-after',
  'vary',
  'warning',
])
