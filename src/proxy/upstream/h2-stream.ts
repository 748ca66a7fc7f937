/** One request on an HTTP/2 connection to an endpoint. The answer may begin before the request has ended, and both go on. */
import { type ClientHttp2Session, type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from 'node:http2'
import { addAbortSignal } from 'node:stream'
import { type Body, CHUNKED_BODY, lengthBody, NO_BODY } from '../http1/codec.ts'
import { CONTENT_LENGTH, HOST } from '../http1/field-kind.ts'
import type { FieldList } from '../http1/field-list.ts'
import { contentLength } from '../http1/framing.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import { fieldsOf, trailersOf } from '../http2/field-text.ts'
import { headerObject, trailerObject, withJoined } from '../http2/header-object.ts'
import { bodyLimits } from '../message-limits.ts'
import { ended, type Swept } from '../sweep.ts'
import type { UpstreamFailure, UpstreamUser } from './connection.ts'
import type { Endpoint } from './endpoint.ts'
import type { UpstreamSession } from './h2-session.ts'
import type { OutgoingRequest, Upstream } from './upstream.ts'

const { NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM, NGHTTP2_REFUSED_STREAM } = constants
const forever = Number.POSITIVE_INFINITY
const piece = 16 * 1024
/** Ends a stream with CANCEL at once; `close` would end its body in good order first. */
const aborted = AbortSignal.abort()

export class UpstreamStream implements Upstream, Swept {
  readonly endpoint: Endpoint
  readonly duplex = true
  readonly reused: boolean
  answered = false
  deadline = forever
  sweepSlot = -1
  readonly #owner: UpstreamSession
  readonly #session: ClientHttp2Session
  #user: UpstreamUser | undefined
  #stream: ClientHttp2Stream | undefined
  #method = ''
  #requestTrailers: OutgoingHttpHeaders = {}
  #requestDone = false
  /** END_STREAM has come. */
  #responseDone = false
  #responseTrailers: FieldList | undefined
  #interim = 0
  #bodyTime = forever
  #awaitsDrain = false
  /** By its user, whose client takes no more. */
  #paused = false
  #untaken = 0

  constructor(owner: UpstreamSession, session: ClientHttp2Session, user: UpstreamUser, reused: boolean) {
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
    return this.#stream !== undefined && this.#stream.writableLength > this.#owner.pool.runtime.bounds.unsent
  }

  /** Its session has connected. */
  ready(): void {
    this.#user?.onUpstreamReady()
  }

  send(request: OutgoingRequest): void {
    this.#method = request.method
    const endStream = request.body.kind === 'none'
    const headers = headerObject(request.fields, request.body.kind === 'length')
    if (request.body.kind === 'length') headers['content-length'] ??= request.body.length
    headers[':method'] = request.method
    headers[':scheme'] = 'http'
    headers[':path'] = request.target
    // An HTTP/1.0 client may have named no host; node:http2 would put one of its own there.
    headers[':authority'] = request.fields.ofKind(HOST) || this.endpoint.name
    if (request.expectContinue) headers['expect'] = '100-continue'
    if (request.teTrailers) headers['te'] = 'trailers'
    const stream = withJoined(headers, (joined) => this.#session.request(joined, { endStream, waitForTrailers: !endStream }))
    this.#stream = stream
    this.#noteEnd(stream)
    stream.on('error', ignore)
    stream.on('close', () => this.#closed())
    stream.on('headers', (_headers: unknown, _flags: number, ...rest: unknown[]) => this.#onInterim(rest[0] as string[]))
    stream.once('response', (_headers: unknown, flags: number, ...rest: unknown[]) => this.#onHead(rest[0] as string[], flags))
    stream.once('trailers', (_headers: unknown, _flags: number, ...rest: unknown[]) => {
      this.#onTrailers(rest[0] as string[])
    })
    if (!endStream) stream.once('wantTrailers', () => stream.sendTrailers(this.#requestTrailers))
  }

  sendBody(bytes: Buffer, from: number, to: number): void {
    const stream = this.#stream
    if (stream === undefined || stream.destroyed || stream.writableEnded) return
    for (let at = from; at < to; at += piece) stream.write(Buffer.from(bytes.subarray(at, Math.min(to, at + piece))))
  }

  endRequest(trailers: FieldList | undefined): void {
    this.#requestDone = true
    const stream = this.#stream
    if (stream === undefined || stream.destroyed || stream.writableEnded) return
    this.#requestTrailers = trailerObject(trailers)
    stream.end()
  }

  flush(): void {
    if (!this.blocked || this.#awaitsDrain) return
    this.#awaitsDrain = true
    // Who is not read may not be able to read: then it is the client that is waited for.
    if (!this.#paused) this.#awaitTaking()
    this.#stream?.once('drain', () => {
      this.#awaitsDrain = false
      if (!this.#paused) this.#await(this.answered ? this.#bodyTime : forever)
      this.#user?.onUpstreamDrain()
    })
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
    if (this.#awaitsDrain) this.#awaitTaking()
    else this.#await(this.#bodyTime)
  }

  destroy(): void {
    this.#detach()
    this.#cancel()
  }

  expire(): void {
    const stream = this.#stream
    if (stream !== undefined && this.#awaitsDrain && stream.writableLength < this.#untaken) return this.#awaitTaking()
    this.fail('timeout')
  }

  /** Ends with the news for its user. */
  fail(failure: UpstreamFailure): void {
    const user = this.#detach()
    this.#cancel()
    if (user === undefined) return
    const { pool } = this.#owner
    if (failure === 'connect-refused' || failure === 'connect-timeout') pool.counters.connectFailures += 1
    else pool.counters.failures += 1
    const stale = failure === 'closed' && this.reused && !this.answered
    if (failure !== 'refused' && !stale && !this.#owner.ownFailure) this.endpoint.failed(failure, pool.runtime.sweep.now)
    if (!stale && failure === 'closed' && !this.answered) pool.suspect(this.endpoint)
    user.onUpstreamFailed(failure)
  }

  #onInterim(raw: readonly string[]): void {
    const head = headOf(raw, NO_BODY, this.#method)
    if (head === undefined || head.status === 101 || ++this.#interim > this.#owner.pool.runtime.bounds.interimAnswers)
      return this.fail('protocol')
    this.answered = true
    this.#user?.onUpstreamInformational(head)
    this.#user?.onUpstreamFlush()
  }

  #onHead(raw: readonly string[], flags: number): void {
    const endStream = (flags & NGHTTP2_FLAG_END_STREAM) !== 0
    const head = headOf(raw, endStream ? NO_BODY : undefined, this.#method)
    if (head === undefined) return this.fail('protocol')
    this.answered = true
    const { runtime } = this.#owner.pool
    this.endpoint.answered(runtime.sweep.now)
    this.#bodyTime = head.body.kind === 'length' ? runtime.bounds.upstreamIdleBodyTime : runtime.bounds.tunnelIdleTime
    this.#await(this.#bodyTime)
    this.#user?.onUpstreamHead(head)
    if (endStream) return this.#complete()
    // Its body may be long in coming: an event stream begins with its head.
    this.#user?.onUpstreamFlush()
    const stream = this.#stream
    stream?.on('data', (bytes: Buffer) => {
      if (!this.#paused) this.#await(this.#bodyTime)
      this.#user?.onUpstreamBody(bytes, 0, bytes.length)
      this.#user?.onUpstreamFlush()
    })
    stream?.once('end', () => {
      // 'end' comes for a stream that was reset, too; then 'close' tells.
      if (this.#responseDone) this.#complete()
    })
  }

  #onTrailers(raw: readonly string[]): void {
    this.#responseTrailers = trailersOf(raw, bodyLimits(this.#owner.pool.runtime.bounds))
    if (this.#responseTrailers === undefined) this.fail('protocol')
  }

  /**
   * node:http2 gives a stream that was reset with NO_ERROR the same end as one that is complete. They differ in their order:
   * the end is pushed before the stream is closed, or because of that.
   */
  #noteEnd(stream: ClientHttp2Stream): void {
    const push = stream.push.bind(stream)
    stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null && !stream.closed) this.#responseDone = true
      return push(chunk, encoding)
    }
  }

  #complete(): void {
    const user = this.#detach()
    // RFC 9113 section 8.1: what is left of the request is not wanted.
    if (!this.#requestDone || (this.#stream?.writableLength ?? 0) > 0) this.#cancel()
    else this.#stream?.resume()
    user?.onUpstreamEnd(this.#responseTrailers)
  }

  #closed(): void {
    this.fail(this.#stream?.rstCode === NGHTTP2_REFUSED_STREAM && !this.answered ? 'refused' : 'closed')
  }

  #cancel(): void {
    const stream = this.#stream
    if (stream === undefined || stream.destroyed) return
    // node:http2 keeps one that is closed until what it holds was read and written.
    if (stream.closed) setImmediate(() => stream.destroy())
    else if (stream.writableEnded) stream.close(NGHTTP2_CANCEL)
    // Not at once: node:http2 (20.20) never returns from it in the turn in which the session has read the reset of another stream.
    else setImmediate(() => addAbortSignal(aborted, stream))
  }

  #detach(): UpstreamUser | undefined {
    const user = this.#user
    if (user === undefined) return undefined
    this.#user = undefined
    this.deadline = ended
    this.#owner.pool.runtime.sweep.forget(this)
    this.endpoint.active -= 1
    this.#owner.released(this)
    return user
  }

  #awaitTaking(): void {
    this.#untaken = this.#stream?.writableLength ?? 0
    this.#await(this.#owner.pool.runtime.bounds.writeStuckTime)
  }

  #await(milliseconds: number): void {
    if (this.#user === undefined) return
    const { sweep } = this.#owner.pool.runtime
    this.deadline = sweep.now + milliseconds
    if (this.deadline < forever) sweep.watch(this)
  }
}

/** undefined: it breaks a rule. @param body what it is known to be; undefined: what its fields say */
function headOf(raw: readonly string[], body: Body | undefined, method: string): ResponseHead | undefined {
  const fields = fieldsOf(raw)
  const status = Number(raw[raw.indexOf(':status') + 1])
  if (fields === undefined || !Number.isInteger(status) || status < 100 || status > 599) return undefined
  const value = fields.ofKind(CONTENT_LENGTH)
  const length = value === undefined ? undefined : contentLength(value)
  if (length === -1) return undefined
  const bodiless = status < 200 || status === 204 || status === 304 || method === 'HEAD'
  const framed = length === undefined ? CHUNKED_BODY : lengthBody(length)
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

function ignore(): void {}
