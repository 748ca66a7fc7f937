/**
 * http1: a strict HTTP/1.1 codec. Bytes in, values out; values in, byte strings out.
 *
 * The codec holds no sockets, timers, promises or closures, and knows nothing of routes, pools or filters. Over it, in
 * this folder, are the connections of clients (serve.ts, connection.ts and what these two alone use); `proxy/upstream`
 * calls it for backends. What two parsers could read in two ways is refused, what is valid goes
 * through unchanged; docs/wire.md lists the rules, each with its id.
 *
 *     head = requestHeadReader.push(chunk, from)     undefined: more bytes are needed · Refusal: answer, close, read no more
 *                                                    RequestHead: the rest of the chunk begins at reader.next
 *     step = bodyReader.step(chunk, at)              'data': chunk[reader.from, reader.to) · 'more' · 'end' · 'refused'; reader.next
 *     text = requestHeadText(head, ...)              latin1 byte string, one write together with a small body
 *
 * Chunks may lie in a buffer that is overwritten after the call: a head is copied into one latin1 string, body slices
 * are the caller's to copy or to write. A reader serves one connection, one message at a time; what it returned stays
 * valid afterwards. Field edits between parsing and encoding happen on `FieldList`, which costs nothing while nothing is edited.
 * This file holds the vocabulary that all parts share.
 */

/** All in bytes, `fields` in lines. */
export interface HeadLimits {
  /** The first line without its CRLF. */
  readonly line: number
  /** First line, fields and the empty line together. */
  readonly head: number
  readonly fields: number
}

export const DEFAULT_HEAD_LIMITS: HeadLimits = { line: 16_384, head: 65_536, fields: 128 }

/** All in bytes, `trailerFields` in lines. */
export interface BodyLimits {
  /** The extension of one chunk, with the white space before it. */
  readonly extension: number
  /** Those of all chunks of a body. */
  readonly extensions: number
  /** With the empty line. */
  readonly trailers: number
  readonly trailerFields: number
}

export const DEFAULT_BODY_LIMITS: BodyLimits = { extension: 256, extensions: 16_384, trailers: 8_192, trailerFields: 128 }

/** How the body behind a head is delimited. `length` is 0 unless the kind is 'length', where it is above 0. */
export interface Body {
  readonly kind: 'none' | 'length' | 'chunked' | 'close'
  readonly length: number
}

export const NO_BODY: Body = { kind: 'none', length: 0 }
export const CHUNKED_BODY: Body = { kind: 'chunked', length: 0 }
/** Only in responses: what comes until the connection closes. */
export const CLOSE_BODY: Body = { kind: 'close', length: 0 }

export function lengthBody(length: number): Body {
  return length === 0 ? NO_BODY : { kind: 'length', length }
}

/** Why bytes were not accepted. Nothing behind them may be parsed: answer with the status, then close. */
export interface Refusal {
  readonly kind: 'refused'
  /** For the client. What an upstream sent wrongly is always a 502. */
  readonly status: 400 | 405 | 414 | 417 | 431 | 501 | 502 | 505
  /** Short code for the access log: the wire rule without its area. */
  readonly reason: string
}

export function refusal(status: Refusal['status'], reason: string): Refusal {
  return { kind: 'refused', status, reason }
}
