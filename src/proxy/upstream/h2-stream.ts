/** One request on an HTTP/2 connection to an endpoint. The answer may begin before the request has ended, and both go on. */
import { errorCode } from '../h2/frames.ts'
import type { DecodedFields } from '../h2/hpack-decoder.ts'
import type { Session } from '../h2/session.ts'
import type { Stream, StreamSink } from '../h2/stream.ts'
import { StreamTaking } from '../h2/stream-taking.ts'
import { type Body, CHUNKED_BODY, lengthBody, NO_BODY } from '../http1/codec.ts'
import { CONTENT_LENGTH, HOST } from '../http1/field-kind.ts'
import type { FieldList } from '../http1/field-list.ts'
import { contentLength } from '../http1/framing.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import { fieldsOf, trailersOf } from '../http2/field-text.ts'
import { trailerFields } from '../http2/trailer-fields.ts'
import { bodyLimits } from '../message-limits.ts'
import { ended, type Swept } from '../sweep.ts'
import type { UpstreamUser } from './connection.ts'
import { neverConnected, type UpstreamFailure } from './failure.ts'
import type { Endpoint } from './endpoint.ts'
import type { UpstreamSession } from './h2-session.ts'
import type { OutgoingRequest, Upstream } from './upstream.ts'

const forever = Number.POSITIVE_INFINITY

export class UpstreamStream implements Upstream, StreamSink, Swept {
  readonly endpoint: Endpoint
  readonly duplex = true
  readonly reused: boolean
  answered = false
  deadline = forever
  sweepSlot = -1
  readonly #owner: UpstreamSession
  readonly #session: Session
  #user: UpstreamUser | undefined
  #stream: Stream | undefined
  #method = ''
  #requestDone = false
  /** The head of the answer, without which there is no body. */
  #hasHead = false
  /** Bytes of the answer's body that have to come; Infinity without a length. */
  #left = forever
  #trailers: FieldList | undefined
  #interim = 0
  #bodyTime = forever
  /** By its user, whose client takes no more. */
  #paused = false
  /** Bytes that waited for the endpoint when it was last looked at. */
  #untaken = 0
  /** Since nothing of that was seen to go. */
  #taking: StreamTaking | undefined

  constructor(owner: UpstreamSession, session: Session, user: UpstreamUser, reused: boolean) {
    this.#owner = owner
    this.#session = session
    this.#user = user
    this.reused = reused
    this.endpoint = owner.endpoint
    this.endpoint.active += 1
  }

  get isReady(): boolean {
    return this.#owner.connected
  }

  get blocked(): boolean {
    return this.#stream?.blocked === true
  }

  /** Its session has connected. */
  ready(): void {
    this.#user?.onUpstreamReady()
  }

  send(request: OutgoingRequest): void {
    this.#method = request.method
    const { body } = request
    // An HTTP/1.0 client may have named no host.
    const authority = request.fields.ofKind(HOST) || this.endpoint.name
    const fields = [':method', request.method, ':scheme', 'http', ':authority', authority, ':path', request.target]
    request.fields.flatten(fields, false)
    if (body.kind === 'length') fields.push('content-length', String(body.length))
    if (request.expectContinue) fields.push('expect', '100-continue')
    if (request.teTrailers) fields.push('te', 'trailers')
    const stream = this.#session.request(this)
    this.#stream = stream
    stream.sendFields(fields, request.fields.sensitive)
    if (body.kind === 'none') stream.end()
  }

  sendBody(bytes: Buffer, from: number, to: number): void {
    this.#stream?.sendData(bytes, from, to)
  }

  endRequest(trailers: FieldList | undefined): void {
    this.#requestDone = true
    const fields = trailerFields(trailers)
    if (fields !== undefined) this.#stream?.sendFields(fields, trailers?.sensitive)
    this.#stream?.end()
  }

  flush(): void {
    // Who is not read may not be able to read: then it is the client that is waited for.
    if (this.blocked && !this.#paused) this.#awaitTaking()
  }

  /** Nothing is switched on a stream: there is no tunnel. */
  endTunnel(): void {}

  release(): void {
    this.#detach()
  }

  pause(): void {
    this.#paused = true
    this.#stream?.pause()
    this.deadline = forever
  }

  resume(): void {
    if (this.#stream === undefined || !this.#paused) return
    this.#paused = false
    this.#stream.resume()
    if (this.blocked) this.#awaitTaking()
    else this.#await(this.#bodyTime)
  }

  destroy(): void {
    this.#detach()
    this.#cancel()
  }

  expire(): void {
    if (this.blocked && this.#queued < this.#untaken) this.#awaitTaking()
    else if (this.#takesStill()) this.#await(this.#owner.pool.runtime.bounds.writeStuckTime)
    else this.fail('timeout')
  }

  /** Ends with the news for its user. */
  fail(failure: UpstreamFailure): void {
    const user = this.#detach()
    this.#cancel()
    if (user === undefined) return
    const { pool } = this.#owner
    if (neverConnected(failure)) pool.counters.connectFailures += 1
    else pool.counters.failures += 1
    const stale = failure === 'closed' && this.reused && !this.answered
    if (failure !== 'refused' && !stale && !this.#owner.ownFailure) this.endpoint.failed(failure, pool.runtime.sweep.now)
    if (!stale && failure === 'closed' && !this.answered) pool.suspect(this.endpoint)
    user.onUpstreamFailed(failure)
  }

  /** The connection has gone; an answer that has come whole is still read. */
  lost(failure: UpstreamFailure): void {
    if (this.#stream?.isRemoteEnded !== true) this.fail(failure)
  }

  // StreamSink: what the session tells.

  onFields(fields: DecodedFields | undefined, endStream: boolean): void {
    if (fields === undefined) this.fail('protocol')
    else if (this.#hasHead) this.#onTrailers(fields, endStream)
    else if (isInterim(fields)) this.#onInterim(fields, endStream)
    else this.#onHead(fields, endStream)
  }

  onData(bytes: Buffer, from: number, to: number): void {
    this.#left -= to - from
    if (!this.#hasHead || this.#left < 0) return this.fail('protocol')
    if (!this.#paused) this.#await(this.#bodyTime)
    this.#user?.onUpstreamBody(bytes, from, to)
    this.#user?.onUpstreamFlush()
  }

  onEnd(): void {
    if (!this.#hasHead || (this.#left > 0 && this.#left < forever)) this.fail('protocol')
    else this.#complete()
  }

  onDrain(): void {
    if (!this.#paused) this.#await(this.answered ? this.#bodyTime : forever)
    this.#user?.onUpstreamDrain()
  }

  onClosed(code: number): void {
    // Some reset what they have sent whole (RFC 9113, section 8.1), before they have said that it is.
    if (code === errorCode.noError && this.#hasHead && this.#left === 0) this.#complete()
    else this.fail(code === errorCode.refusedStream && !this.answered ? 'refused' : 'closed')
  }

  #onInterim(fields: DecodedFields, endStream: boolean): void {
    const head = headOf(fields, NO_BODY, this.#method)
    if (head === undefined || endStream || head.status === 101 || ++this.#interim > this.#owner.pool.runtime.bounds.interimAnswers)
      return this.fail('protocol')
    this.answered = true
    this.#user?.onUpstreamInformational(head)
    this.#user?.onUpstreamFlush()
  }

  #onHead(fields: DecodedFields, endStream: boolean): void {
    const head = headOf(fields, endStream ? NO_BODY : undefined, this.#method)
    if (head === undefined) return this.fail('protocol')
    this.answered = true
    this.#hasHead = true
    const { runtime } = this.#owner.pool
    this.endpoint.answered(runtime.sweep.now)
    const { kind, length } = head.body
    if (kind !== 'chunked') this.#left = length
    this.#bodyTime = kind === 'length' ? runtime.bounds.upstreamIdleBodyTime : runtime.bounds.tunnelIdleTime
    this.#await(this.#bodyTime)
    this.#user?.onUpstreamHead(head)
    // Its body may be long in coming: an event stream begins with its head.
    if (!endStream) this.#user?.onUpstreamFlush()
  }

  #onTrailers(fields: DecodedFields, endStream: boolean): void {
    this.#trailers = trailersOf(fields, bodyLimits(this.#owner.pool.runtime.bounds))
    if (this.#trailers === undefined || !endStream) this.fail('protocol')
  }

  #complete(): void {
    const stream = this.#stream
    const user = this.#detach()
    // RFC 9113 section 8.1: what is left of the request is not wanted.
    if (!this.#requestDone || this.#queued > 0) stream?.reset(errorCode.cancel)
    user?.onUpstreamEnd(this.#trailers)
  }

  #cancel(): void {
    this.#stream?.reset(errorCode.cancel)
  }

  get #queued(): number {
    return this.#stream?.queued ?? 0
  }

  #detach(): UpstreamUser | undefined {
    const user = this.#user
    if (user === undefined) return undefined
    this.#user = undefined
    if (this.#stream !== undefined) this.#stream.sink = undefined
    this.deadline = ended
    this.#owner.pool.runtime.sweep.forget(this)
    this.endpoint.active -= 1
    this.#owner.released(this)
    return user
  }

  #awaitTaking(): void {
    this.#untaken = this.#queued
    this.#taking = undefined
    this.#await(this.#owner.pool.runtime.bounds.writeStuckTime)
  }

  #takesStill(): boolean {
    const stream = this.#stream
    if (stream === undefined || !stream.blocked) return false
    const { buffers, sweep } = this.#owner.pool.runtime
    const { sender } = this.#owner
    this.#taking ??= new StreamTaking(buffers.kernel, sender)
    return this.#taking.look(sender, stream.hasWindow, sweep.now)
  }

  #await(milliseconds: number): void {
    if (this.#user === undefined) return
    const { sweep } = this.#owner.pool.runtime
    this.deadline = sweep.now + milliseconds
    if (this.deadline < forever) sweep.watch(this)
  }
}

function isInterim({ fields }: DecodedFields): boolean {
  return fields[0] === ':status' && fields[1]?.length === 3 && fields[1].startsWith('1')
}

const STATUS = /^[1-5]\d\d$/

/** undefined: it breaks a rule. @param body what it is known to be; undefined: what its fields say */
function headOf(raw: DecodedFields, body: Body | undefined, method: string): ResponseHead | undefined {
  const [name, text = ''] = raw.fields
  const fields = fieldsOf(raw, 2)
  if (fields === undefined || name !== ':status' || !STATUS.test(text)) return undefined
  const status = Number(text)
  const value = fields.ofKind(CONTENT_LENGTH)
  const length = value === undefined ? undefined : contentLength(value)
  if (length === -1 || (value !== undefined && !fields.allOfKind(CONTENT_LENGTH, value))) return undefined
  const bodiless = status < 200 || status === 204 || status === 304 || method === 'HEAD'
  const framed = length === undefined ? CHUNKED_BODY : lengthBody(length)
  // A body that was promised and does not come (RFC 9113, section 8.1.1).
  if (body === NO_BODY && !bodiless && framed.kind === 'length') return undefined
  return {
    kind: 'response',
    status,
    reason: '',
    fields,
    body: body ?? (bodiless ? NO_BODY : framed),
    keepAlive: true,
    keepAliveTimeout: undefined,
    upgrade: '',
    trailersMayFollow: true,
  }
}
