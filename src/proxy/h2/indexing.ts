/** Which fields the encoder's table is good for. */

/** Short secrets, which a table shared by many could let others guess (RFC 7541, section 7.1.3). */
export const neverIndexed: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie'])

/** Other in nearly every message. */
export const seldomRepeated: ReadonlySet<string> = new Set([
  ':path',
  'age',
  'content-length',
  'content-range',
  'date',
  'etag',
  'grpc-timeout',
  'if-modified-since',
  'if-none-match',
  'last-modified',
  'location',
  'traceparent',
  'x-request-id',
])
