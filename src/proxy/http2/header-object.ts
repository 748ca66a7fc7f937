/** Fields as node:http2 takes them: an object with names in lower case, several lines of a name as an array. */
import type { OutgoingHttpHeaders } from 'node:http2'
import { isTrailer } from '../http1/encode-chunk.ts'
import { CONTENT_LENGTH, FRAMING_KINDS, HOST, kindOfName, OTHER } from '../http1/field-kind.ts'
import type { FieldList } from '../http1/field-list.ts'

/** Hop-by-hop and framing fields are left out, but for Content-Length where it is asked for; Host too, which is :authority here. */
export function headerObject(fields: FieldList, withLength: boolean): OutgoingHttpHeaders {
  const headers = empty()
  for (const [name, value] of fields.entries()) {
    const lower = name.toLowerCase()
    const kind = kindOfName(lower)
    if (kind === HOST || (kind !== OTHER && (FRAMING_KINDS & (1 << kind)) !== 0 && !(withLength && kind === CONTENT_LENGTH))) continue
    append(headers, lower, value)
  }
  return headers
}

/**
 * Fields of which node:http2 takes one line only, as far as they may be trailers. They have to be joined before: once
 * `sendTrailers` has thrown for them, a stream takes no trailers any more.
 */
const SINGLE_TRAILERS: ReadonlySet<string> = new Set([
  'access-control-allow-credentials',
  'access-control-max-age',
  'access-control-request-method',
  'dnt',
  'etag',
  'from',
  'last-modified',
  'referer',
  'tk',
  'upgrade-insecure-requests',
  'user-agent',
  'x-content-type-options',
])

/** Those that may be forwarded. */
export function trailerObject(trailers: FieldList | undefined): OutgoingHttpHeaders {
  const headers = empty()
  for (const [name, value] of trailers?.entries() ?? []) {
    const lower = name.toLowerCase()
    if (!isTrailer(lower)) continue
    if (SINGLE_TRAILERS.has(lower) && headers[lower] !== undefined) headers[lower] = `${String(headers[lower])}, ${value}`
    else append(headers, lower, value)
  }
  return headers
}

/**
 * node:http2 throws for several lines of a field that it knows as one (`ERR_HTTP2_HEADER_SINGLE_VALUE`). RFC 9110 section 5.3
 * lets them be joined, which is done only then.
 */
export function withJoined<T>(headers: OutgoingHttpHeaders, send: (headers: OutgoingHttpHeaders) => T): T {
  try {
    return send(headers)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_HTTP2_HEADER_SINGLE_VALUE') throw error
    for (const [name, value] of Object.entries(headers)) {
      if (Array.isArray(value) && name !== 'set-cookie') headers[name] = value.join(name === 'cookie' ? '; ' : ', ')
    }
    return send(headers)
  }
}

/** Without a prototype: `__proto__` is a legal name. (An object of `Object.create(null)` is a hash table to V8, and slower.) */
function empty(): OutgoingHttpHeaders {
  return { __proto__: null } as unknown as OutgoingHttpHeaders
}

function append(headers: OutgoingHttpHeaders, lower: string, value: string): void {
  const before = headers[lower]
  if (before === undefined) headers[lower] = value
  else if (Array.isArray(before)) before.push(value)
  else headers[lower] = [String(before), value]
}
