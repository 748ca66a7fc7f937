/**
 * The head of an HTTP/2 request as the HTTP/1.1 head that says the same, judged by the rules of that one: what a client
 * may say does not depend on the version that it speaks. What HTTP/2 alone could get wrong is refused here (docs/wire.md, h2-*).
 */
import type { DecodedFields } from '../h2/hpack-decoder.ts'
import { type Authority, isSameAuthority, parseAuthority } from '../http1/authority.ts'
import { BYTE_CLASS, TARGET, TOKEN } from '../http1/byte-class.ts'
import { type HeadLimits, type Refusal, refusal } from '../http1/codec.ts'
import { CONNECTION, CONTENT_LENGTH, HOST, OTHER, TRANSFER_ENCODING, UPGRADE } from '../http1/field-kind.ts'
import type { RequestHead } from '../http1/request-head.ts'
import { type Cached, understand } from '../http1/request-meaning.ts'
import { FieldText } from './field-text.ts'

/** What a connection tells about the requests on it. */
export interface HeadSurroundings {
  readonly scheme: 'http' | 'https'
  readonly limits: HeadLimits
  /** Protocols that an extended CONNECT may ask for. */
  readonly upgrades: ReadonlySet<string>
  /** A Sec-WebSocket-Key that HTTP/1.1 wants and HTTP/2 does not have (RFC 8441, section 5.1). */
  readonly webSocketKey: () => string
  /** The last authority of the connection. */
  readonly cached: Cached
}

interface PseudoHeaders {
  method: string | undefined
  path: string | undefined
  scheme: string | undefined
  authority: string | undefined
  protocol: string | undefined
}

const COLON = 0x3a
const SLASH = 0x2f

/**
 * @param endStream the request has no body
 */
export function readHead(decoded: DecodedFields, endStream: boolean, surroundings: HeadSurroundings): RequestHead | Refusal {
  const raw = decoded.fields
  const pseudo: PseudoHeaders = { method: undefined, path: undefined, scheme: undefined, authority: undefined, protocol: undefined }
  let host: string | undefined
  let cookie = ''
  const regular: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    if (name.charCodeAt(0) === COLON) {
      // Before all others (RFC 9113, section 8.3).
      if (regular.length > 0 || host !== undefined || cookie !== '' || !setPseudo(pseudo, name, value))
        return refusal(400, 'bad-pseudo-header')
    } else if (name === 'host') {
      if (host !== undefined) return refusal(400, 'many-hosts')
      host = value
    } else if (name === 'cookie') {
      // RFC 9113 section 8.2.3: crumbs become one field where HTTP/2 ends.
      cookie = cookie === '' ? value : cookie + '; ' + value
    } else regular.push(name, value)
  }
  const { path = '', protocol } = pseudo
  const method = pseudo.method === 'CONNECT' && protocol !== undefined ? 'GET' : (pseudo.method ?? '')
  if (method === 'CONNECT') return refusal(405, 'connect')
  if (protocol !== undefined && (pseudo.method !== 'CONNECT' || endStream)) return refusal(400, 'bad-pseudo-header')
  if (protocol !== undefined && !surroundings.upgrades.has(protocol)) return refusal(501, 'protocol')
  if (!isOf(method, TOKEN) || method === 'PRI') return refusal(400, 'bad-method')
  // Origin-form or asterisk-form, never absolute-form (RFC 9113, section 8.3.1).
  if (!isOf(path, TARGET) || (path.charCodeAt(0) !== SLASH && path !== '*')) return refusal(400, 'bad-target')
  if (method.length + path.length > surroundings.limits.line) return refusal(414, 'line-too-long')
  // What the connection is was decided by its socket; who claims https on clear text is mistaken, or wants others to be.
  if (pseudo.scheme !== surroundings.scheme && pseudo.scheme !== 'http') return refusal(400, 'bad-scheme')
  const authority = authorityOf(pseudo.authority, host, surroundings.scheme)
  if (authority === undefined) return refusal(400, 'hosts-differ')

  const fields = new FieldText(method + ' ' + path + ' HTTP/1.1\r\n')
  fields.line(HOST, 'host', authority)
  for (let i = 0; i < regular.length; i += 2) {
    // RFC 8441 section 5.1: not used; beside ours it would be a second one.
    if (protocol === 'websocket' && regular[i] === 'sec-websocket-key') continue
    if (!fields.take(regular[i] ?? '', regular[i + 1] ?? '')) return refusal(400, 'bad-field')
  }
  if (cookie !== '' && !fields.take('cookie', cookie)) return refusal(400, 'bad-field')
  const hasLength = (fields.seen & (1 << CONTENT_LENGTH)) !== 0
  if (protocol !== undefined) {
    if (hasLength) return refusal(400, 'bad-length')
    fields.line(CONNECTION, 'connection', 'upgrade')
    fields.line(UPGRADE, 'upgrade', protocol)
    if (protocol === 'websocket') fields.line(OTHER, 'sec-websocket-key', surroundings.webSocketKey())
  } else if (!endStream && !hasLength) fields.line(TRANSFER_ENCODING, 'transfer-encoding', 'chunked')
  if (fields.marks.length / 5 > surroundings.limits.fields || fields.text.length > surroundings.limits.head)
    return refusal(431, 'head-too-large')
  fields.text += '\r\n'
  const head = understand(
    fields.text,
    method.length,
    method.length + 1 + path.length,
    hasHighBytes(path),
    false,
    fields,
    surroundings.cached,
  )
  if (head.kind === 'request') head.fields.sensitive = decoded.sensitive
  // What comes is counted against the length; here nothing will.
  if (head.kind === 'request' && endStream && head.body.kind !== 'none') return refusal(400, 'bad-length')
  return head
}

function setPseudo(pseudo: PseudoHeaders, name: string, value: string): boolean {
  const key = name.slice(1)
  if (key !== 'method' && key !== 'path' && key !== 'scheme' && key !== 'authority' && key !== 'protocol') return false
  if (pseudo[key] !== undefined) return false
  pseudo[key] = value
  return true
}

/** The one authority that :authority and Host agree on (RFC 9113, section 8.3.1); '' when neither is there. */
function authorityOf(authority: string | undefined, host: string | undefined, scheme: 'http' | 'https'): string | undefined {
  if (authority === undefined || host === undefined || authority === host) return authority ?? host ?? ''
  const one: Authority | undefined = parseAuthority(authority)
  const other = parseAuthority(host)
  return one !== undefined && other !== undefined && isSameAuthority(one, other, scheme) ? authority : undefined
}

function isOf(text: string, bits: number): boolean {
  for (let i = 0; i < text.length; i++) if (((BYTE_CLASS[text.charCodeAt(i)] ?? 0) & bits) === 0) return false
  return text.length > 0
}

function hasHighBytes(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x80) return true
  return false
}
