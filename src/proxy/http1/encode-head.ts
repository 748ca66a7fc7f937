/**
 * Heads as one latin1 string, to be written together with what follows. Lines that nobody touched go out as they came;
 * hop-by-hop and framing fields are written here and nowhere else (RFC 9110 section 7.6.1, RFC 9112 sections 6 and 9).
 */
import { STATUS_CODES } from 'node:http'
import { type Body, CHUNKED_BODY, CLOSE_BODY } from './codec.ts'
import { CONTENT_LENGTH, HOST, UPGRADE } from './field-kind.ts'
import type { FieldList } from './field-list.ts'

/** A RequestHead, as far as it is forwarded. */
export interface ForwardedRequest {
  readonly method: string
  readonly fields: FieldList
  readonly body: Body
  readonly expectContinue: boolean
  readonly teTrailers: boolean
}

/** A ResponseHead, as far as it is forwarded. */
export interface ForwardedResponse {
  readonly status: number
  readonly reason: string
  readonly fields: FieldList
}

/** `target` is what stands in the request line: path and query. `upgrade`: ask for the protocol that the client asked for. `lines`: further field lines, each with its CRLF. */
export function requestHeadText(request: ForwardedRequest, target: string, upgrade: boolean, lines = ''): string {
  const { method, fields, body } = request
  const withLength = body.kind !== 'chunked'
  let out = method + ' ' + target + ' HTTP/1.1\r\n' + fields.lines(withLength, request.expectContinue)
  // An HTTP/1.0 client may leave it out, an HTTP/1.1 request may not (RFC 9112 section 3.2).
  if (fields.ofKind(HOST) === undefined) out += 'Host: \r\n'
  if (body.kind === 'chunked') out += 'Transfer-Encoding: chunked\r\n'
  else if (body.kind === 'length' || mayHaveBody(method)) out += lengthLine(fields, body)
  const te = request.teTrailers
  if (te) out += 'TE: trailers\r\n'
  if (upgrade) out += upgradeLines(fields, te ? 'upgrade, TE' : 'upgrade')
  else if (te) out += 'Connection: TE\r\n'
  return out + lines + '\r\n'
}

/** How a response's body is framed for the client: HTTP/1.0 knows no chunks, and the connection's end is no way to tell a 1.1 client that all is well. */
export function bodyForClient(body: Body, http10: boolean): Body {
  if (body.kind === 'none' || body.kind === 'length') return body
  return http10 ? CLOSE_BODY : CHUNKED_BODY
}

/** `body` is what bodyForClient gave. `keepAlive` false says close; interim heads (1xx) are written with `keepAlive` and for 1.1 only. */
export function responseHeadText(response: ForwardedResponse, body: Body, keepAlive: boolean, http10: boolean): string {
  const { status, fields } = response
  const withLength = body.kind === 'none' || body.kind === 'length'
  let out = 'HTTP/1.1 ' + status + ' ' + response.reason + '\r\n' + fields.lines(withLength, false)
  if (body.kind === 'chunked') out += 'Transfer-Encoding: chunked\r\n'
  else if (body.kind === 'length') out += lengthLine(fields, body)
  if (status === 101) out += upgradeLines(fields, 'upgrade')
  else out += connectionLine(keepAlive && body.kind !== 'close', http10)
  return out + '\r\n'
}

const CONTENT_TYPE = /^content-type:/im

/**
 * An answer of our own, complete. `lines` are further field lines, each with its CRLF; `text` is a byte string, plain
 * text unless a line says otherwise. Without `withBody` (HEAD) the text is only counted.
 */
export function answerText(status: number, lines: string, text: string, keepAlive: boolean, http10: boolean, withBody: boolean): string {
  let out = 'HTTP/1.1 ' + status + ' ' + (STATUS_CODES[status] ?? '') + '\r\n' + lines
  if (text !== '' && !CONTENT_TYPE.test(lines)) out += 'Content-Type: text/plain; charset=utf-8\r\n'
  // RFC 9110 section 8.6: a 204 has none.
  if (status !== 204) out += 'Content-Length: ' + text.length + '\r\n'
  out += connectionLine(keepAlive, http10) + '\r\n'
  return withBody ? out + text : out
}

/** HTTP/1.1 keeps the connection unless told otherwise, HTTP/1.0 closes it unless told otherwise. */
function connectionLine(keepAlive: boolean, http10: boolean): string {
  if (!keepAlive) return 'Connection: close\r\n'
  return http10 ? 'Connection: keep-alive\r\n' : ''
}

/** Nothing when the message brought its own. */
function lengthLine(fields: FieldList, body: Body): string {
  return fields.ofKind(CONTENT_LENGTH) === undefined ? 'Content-Length: ' + body.length + '\r\n' : ''
}

function upgradeLines(fields: FieldList, connection: string): string {
  return 'Connection: ' + connection + '\r\nUpgrade: ' + (fields.ofKind(UPGRADE) ?? '') + '\r\n'
}

/** Methods of which a body is expected: they say so when they have none (RFC 9110 section 8.6). */
function mayHaveBody(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH'
}
