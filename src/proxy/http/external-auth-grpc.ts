/**
 * The gRPC protocol of external authorisation: Check of Envoy's envoy.service.auth.v3.Authorization, which
 * HTTPExternalAuthFilter.protocol demands. Of its answer are taken: the status, fields to set, add and remove in the
 * request, and the denying answer for the client. Text of the server goes into heads, so it is checked as strictly as a
 * client's.
 */
import { isUtf8 } from 'node:buffer'
import type { CompiledAuth, CompiledEdit, CompiledEdits } from '../../routing/router.ts'
import { BYTE_CLASS, TOKEN, VALUE } from '../http1/byte-class.ts'
import { FRAMING_KINDS, HOST, kindOfName } from '../http1/field-kind.ts'
import { FieldList } from '../http1/field-list.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import type { OutgoingRequest } from '../upstream/upstream.ts'
import type { Answer } from './answers.ts'
import type { CheckedExchange } from './external-auth.ts'
import { sentFields } from './external-auth-http.ts'
import { bytesField, type Fields, integerField, message, readMessage } from './external-auth-protobuf.ts'
import type { SideFailure, SideUser } from './side-request.ts'

export type Verdict = { readonly kind: 'allowed'; readonly edits: CompiledEdits } | { readonly kind: 'denied'; readonly answer: Answer }

const prefixLength = 5
const tcp = 0
/** As grpc-status says it. */
const deadlineExceeded = '4'

/** @param authority of the server, for its virtual hosts */
export function checkRequest(authority: string, time: number): OutgoingRequest {
  const fields = FieldList.empty()
  fields.add('Host', 'host', authority)
  fields.add('Content-Type', 'content-type', 'application/grpc')
  fields.add('Grpc-Timeout', 'grpc-timeout', `${Math.min(time, 99_999_999)}m`)
  return {
    method: 'POST',
    target: '/envoy.service.auth.v3.Authorization/Check',
    fields,
    lines: '',
    body: { kind: 'chunked', length: 0 },
    expectContinue: false,
    teTrailers: true,
    upgrade: '',
  }
}

/**
 * A CheckRequest with the prefix of a gRPC message.
 * @param body undefined: it is not to be seen
 * @param now milliseconds since the epoch
 */
export function checkMessage(auth: CompiledAuth, exchange: CheckedExchange, body: Buffer | undefined, now: number): Buffer {
  const { head, client, path, requestId } = exchange
  const { context } = client
  const headers = new Map<string, string>()
  for (const [name, value] of sentFields(head, context, requestId)) {
    const lower = name.toLowerCase()
    if (auth.requestHeaders !== undefined && !auth.requestHeaders.has(lower)) continue
    const before = headers.get(lower)
    headers.set(lower, before === undefined ? value : `${before}${lower === 'cookie' ? '; ' : ','}${value}`)
  }
  const http = message(
    bytesField(1, requestId),
    bytesField(2, head.method),
    ...[...headers].map(([name, value]) => bytesField(3, message(bytesField(1, name), bytesField(2, textOf(value))))),
    bytesField(4, path + head.search),
    bytesField(5, head.authority),
    bytesField(6, context.scheme),
    integerField(9, sizeOf(head.body, body)),
    bytesField(10, head.http10 ? 'HTTP/1.0' : client.protocol),
    ...(body === undefined ? [] : [isUtf8(body) ? bytesField(11, body) : bytesField(12, body)]),
  )
  const source = bytesField(1, bytesField(1, message(integerField(1, tcp), bytesField(2, context.clientAddress))))
  const time = message(integerField(1, Math.floor(now / 1000)), integerField(2, (now % 1000) * 1_000_000))
  const attributes = message(bytesField(1, source), bytesField(4, message(bytesField(1, time), bytesField(2, http))))
  return framed(bytesField(1, attributes))
}

/** One message, not compressed. */
export function framed(bytes: Buffer): Buffer {
  const prefix = Buffer.alloc(prefixLength)
  prefix.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([prefix, bytes])
}

/** Collects the answer to a Check. */
export class CheckReply implements SideUser {
  readonly #longest: number
  readonly #decided: (verdict: Verdict | undefined) => void
  readonly #failed: (failure: SideFailure) => void
  #status: string | undefined
  readonly #pieces: Buffer[] = []
  #length = 0

  /**
   * @param longest bytes of an answer; beyond it there is none
   * @param decided undefined: the answer is none
   */
  constructor(longest: number, decided: (verdict: Verdict | undefined) => void, failed: (failure: SideFailure) => void) {
    this.#longest = longest
    this.#decided = decided
    this.#failed = failed
  }

  onSideHead(head: ResponseHead): void {
    this.#status = head.status === 200 ? head.fields.get('grpc-status') : `HTTP ${head.status}`
  }

  onSideBody(bytes: Buffer, from: number, to: number): void {
    this.#length += to - from
    if (this.#length <= this.#longest) this.#pieces.push(Buffer.from(bytes.subarray(from, to)))
  }

  onSideFlush(): void {}

  onSideEnd(trailers: FieldList | undefined): void {
    const status = this.#status ?? trailers?.get('grpc-status')
    if (status === deadlineExceeded) return this.#failed('timeout')
    if (status !== '0' || this.#length > this.#longest) return this.#decided(undefined)
    const bytes = Buffer.concat(this.#pieces)
    const whole = bytes.length >= prefixLength && bytes[0] === 0 && bytes.readUInt32BE(1) === bytes.length - prefixLength
    this.#decided(whole ? readVerdict(bytes.subarray(prefixLength)) : undefined)
  }

  onSideFailed(failure: SideFailure): void {
    this.#failed(failure)
  }
}

/** A CheckResponse; undefined for one that cannot be read, names no status, or would break a head. */
export function readVerdict(bytes: Buffer): Verdict | undefined {
  const response = readMessage(bytes)
  const status = inner(response, 1)
  if (response === undefined || status === undefined) return undefined
  if (status.integer(1) !== 0) return readDenial(response)
  const ok = response.bytes(3).length === 0 ? undefined : inner(response, 3)
  if (ok === undefined)
    return response.bytes(3).length === 0 ? { kind: 'allowed', edits: { set: [], add: [], remove: new Set() } } : undefined
  const options = readOptions(ok.bytes(2))
  if (options === undefined) return undefined
  return { kind: 'allowed', edits: { ...options, remove: new Set(ok.bytes(5).map((name) => name.toString('latin1').toLowerCase())) } }
}

/** 403 unless it says otherwise. */
function readDenial(response: Fields): Verdict | undefined {
  const denied = response.bytes(2).length === 0 ? readMessage(Buffer.alloc(0)) : inner(response, 2)
  if (denied === undefined) return undefined
  const options = readOptions(denied.bytes(2))
  if (options === undefined) return undefined
  const code = inner(denied, 1)?.integer(1) ?? 0
  const status = code >= 200 && code <= 599 ? code : 403
  const body = denied.bytes(3).at(-1)?.toString('latin1') ?? ''
  const fields = [...options.set, ...options.add].filter(({ lower }) => mayAnswer(lower))
  return { kind: 'denied', answer: { status, flag: 'auth-denied', filter: 'ExternalAuth', location: '', fields, body } }
}

/** HeaderValueOptions: what says `append` is added, anything else replaces; later ones of a name replace earlier ones. */
function readOptions(options: readonly Buffer[]): Pick<CompiledEdits, 'set' | 'add'> | undefined {
  const set = new Map<string, CompiledEdit>()
  const add: CompiledEdit[] = []
  for (const bytes of options) {
    const option = readMessage(bytes)
    const header = inner(option, 1)
    const name = header?.bytes(1).at(-1)?.toString('latin1') ?? ''
    const value = (header?.bytes(3).at(-1) ?? header?.bytes(2).at(-1))?.toString('latin1') ?? ''
    if (option === undefined || !allOf(name, TOKEN) || name === '' || !allOf(value, VALUE)) return undefined
    const edit = { name, lower: name.toLowerCase(), value: value.trim() }
    if ((inner(option, 2)?.integer(1) ?? 0) !== 0) add.push(edit)
    else set.set(edit.lower, edit)
  }
  return { set: [...set.values()], add }
}

function inner(fields: Fields | undefined, number: number): Fields | undefined {
  const bytes = fields?.bytes(number).at(-1)
  return bytes === undefined ? undefined : readMessage(bytes)
}

/** Fields that an answer of ours may be given. */
function mayAnswer(lower: string): boolean {
  const kind = kindOfName(lower)
  return kind !== HOST && (FRAMING_KINDS & (1 << kind)) === 0 && lower !== 'trailer'
}

function allOf(text: string, bits: number): boolean {
  for (let i = 0; i < text.length; i += 1) if (((BYTE_CLASS[text.charCodeAt(i)] ?? 0) & bits) === 0) return false
  return true
}

/** Bytes of a head as text: as they are when they are UTF-8, since anything else would make the message unreadable. */
function textOf(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  return isUtf8(bytes) ? bytes : Buffer.from(value, 'utf8')
}

/** -1: not known. */
function sizeOf(framing: { readonly kind: string; readonly length: number }, body: Buffer | undefined): number {
  if (framing.kind === 'none') return 0
  return framing.kind === 'length' ? framing.length : (body?.length ?? -1)
}
