/** What a well-formed request head means, or why it cannot mean one thing only. */
import { type Authority, isSameAuthority, parseAuthority } from './authority.ts'
import { type Body, CHUNKED_BODY, lengthBody, NO_BODY, refusal, type Refusal } from './codec.ts'
import { CONTENT_LENGTH, EXPECT, HOST, TE, TRANSFER_ENCODING, UPGRADE } from './field-kind.ts'
import { FieldList } from './field-list.ts'
import type { FieldScanner } from './field-scanner.ts'
import { connectionOptions, contentLength, listTokens, transferCoding } from './framing.ts'
import type { RequestHead } from './request-head.ts'

/** The last Host of the connection: clients send the same one again and again. */
export interface Cached {
  text: string
  authority: Authority | undefined
}

interface Target {
  readonly scheme: 'http' | 'https' | undefined
  /** Of absolute-form, '' otherwise. */
  readonly authority: string
  readonly path: string
  readonly search: string
}

/** Bit sets of kinds. */
const SINGLE = (1 << HOST) | (1 << CONTENT_LENGTH) | (1 << TRANSFER_ENCODING)
const PLAIN = (1 << HOST) | 1

const ABSOLUTE = /^(https?):\/\/([^/?]*)/i
const HIGH_BYTES = /[\x80-\xff]/g
/** One protocol, with or without a version (RFC 9110 section 7.8). */
const ONE_PROTOCOL = /^[-!#$%&'*+.^_`|~0-9A-Za-z]+(?:\/[-!#$%&'*+.^_`|~0-9A-Za-z]+)?$/

/** `text` is the whole head; the target lies between the two ends, its first byte behind one space. */
export function understand(
  text: string,
  methodEnd: number,
  targetEnd: number,
  hasHighBytes: boolean,
  http10: boolean,
  scanner: Pick<FieldScanner, 'marks' | 'seen' | 'repeated'>,
  cached: Cached,
): RequestHead | Refusal {
  const method = methodEnd === 3 && text.startsWith('GET') ? 'GET' : text.slice(0, methodEnd)
  const target = parseTarget(text.slice(methodEnd + 1, targetEnd), method, hasHighBytes)
  if (target === undefined) return refusal(400, 'bad-target')
  const { seen, repeated } = scanner
  if ((repeated & SINGLE) !== 0) return refusal(400, repeatedReason(repeated))
  const fields = new FieldList(text, scanner.marks, seen, text.length - 2)

  const hostText = fields.ofKind(HOST)
  if (hostText === undefined && !http10) return refusal(400, 'no-host')
  let authority: Authority | undefined
  if (hostText !== undefined) {
    authority = hostText === cached.text ? cached.authority : parseAuthority(hostText)
    if (authority === undefined) return refusal(400, 'bad-host')
    cached.text = hostText
    cached.authority = authority
  }
  if (target.scheme !== undefined) {
    const named = parseAuthority(target.authority)
    if (named === undefined) return refusal(400, 'bad-target')
    if (authority !== undefined && !isSameAuthority(authority, named, target.scheme)) return refusal(400, 'hosts-differ')
    // The target's authority takes the place of Host (RFC 9112 section 3.2.2).
    if (target.authority !== hostText) fields.set('Host', 'host', target.authority)
    authority = named
  }

  let body: Body = NO_BODY
  let keepAlive = !http10
  let upgrade = ''
  let expectContinue = false
  let teTrailers = false
  if ((seen & ~PLAIN) !== 0) {
    const framed = bodyOf(fields, seen, http10)
    if (framed.kind === 'refused') return framed
    body = framed
    if (body.kind !== 'none' && method === 'TRACE') return refusal(400, 'trace-body')
    const options = connectionOptions(fields, seen, repeated)
    keepAlive = !options.has('close') && (!http10 || options.has('keep-alive'))
    if (options.has('upgrade') && !http10 && method === 'GET' && body.kind === 'none') upgrade = upgradeOf(fields, repeated)
    if ((seen & (1 << EXPECT)) !== 0 && !http10) {
      if ((repeated & (1 << EXPECT)) !== 0 || fields.ofKind(EXPECT)?.toLowerCase() !== '100-continue') return refusal(417, 'expect')
      expectContinue = body.kind !== 'none'
    }
    teTrailers = (seen & (1 << TE)) !== 0 && listTokens(fields.get('te') ?? '').includes('trailers')
  }
  return {
    kind: 'request',
    method,
    path: target.path,
    search: target.search,
    scheme: target.scheme,
    authority: target.scheme === undefined ? (hostText ?? '') : target.authority,
    host: authority === undefined ? '' : authority.host,
    http10,
    fields,
    body,
    keepAlive,
    upgrade,
    expectContinue,
    teTrailers,
  }
}

/** RFC 9112 section 3.2: origin-form, absolute-form (http and https), asterisk-form. */
function parseTarget(raw: string, method: string, hasHighBytes: boolean): Target | undefined {
  let scheme: Target['scheme']
  let authority = ''
  let origin = raw
  if (raw.charCodeAt(0) !== 0x2f) {
    if (raw === '*') return method === 'OPTIONS' ? { scheme, authority, path: '*', search: '' } : undefined
    const match = ABSOLUTE.exec(raw)
    if (match === null) return undefined
    scheme = match[1]?.length === 4 ? 'http' : 'https'
    authority = match[2] ?? ''
    origin = raw.slice(match[0].length)
    if (origin.charCodeAt(0) !== 0x2f) origin = '/' + origin
  }
  // Encoded only now: a byte >= 0x80 in the authority stays one, and is refused.
  if (hasHighBytes) origin = origin.replace(HIGH_BYTES, (byte) => '%' + byte.charCodeAt(0).toString(16).toUpperCase())
  const mark = origin.indexOf('?')
  if (mark < 0) return { scheme, authority, path: origin, search: '' }
  return { scheme, authority, path: origin.slice(0, mark), search: origin.slice(mark) }
}

function repeatedReason(repeated: number): string {
  if ((repeated & (1 << HOST)) !== 0) return 'many-hosts'
  return (repeated & (1 << CONTENT_LENGTH)) === 0 ? 'many-transfer-encodings' : 'many-lengths'
}

/** RFC 9112 section 6.3, with every doubtful case refused. */
function bodyOf(fields: FieldList, seen: number, http10: boolean): Body | Refusal {
  const hasLength = (seen & (1 << CONTENT_LENGTH)) !== 0
  if ((seen & (1 << TRANSFER_ENCODING)) === 0) {
    if (!hasLength) return NO_BODY
    const length = contentLength(fields.ofKind(CONTENT_LENGTH) ?? '')
    return length < 0 ? refusal(400, 'bad-length') : lengthBody(length)
  }
  if (http10) return refusal(400, 'transfer-encoding-in-1.0')
  if (hasLength) return refusal(400, 'length-and-transfer-encoding')
  const coding = transferCoding(fields.ofKind(TRANSFER_ENCODING) ?? '')
  if (coding === 'chunked') return CHUNKED_BODY
  return coding === 'unknown' ? refusal(501, 'transfer-coding') : refusal(400, 'bad-transfer-encoding')
}

/** More than one protocol is no upgrade that we can promise, and h2c is never one: both are served as plain HTTP. */
function upgradeOf(fields: FieldList, repeated: number): string {
  const protocol = fields.ofKind(UPGRADE)?.toLowerCase() ?? ''
  if ((repeated & (1 << UPGRADE)) !== 0 || !ONE_PROTOCOL.test(protocol) || protocol === 'h2c') return ''
  return protocol
}
