/**
 * One request of an HTTP/2 connection: the client's side of its exchange, and of that what the client is sent. What it
 * sends behind the head is read by stream-body.ts.
 *
 * Bounds run by `deadline` and the sweep, as on HTTP/1 connections: for a body, or for a window that stays closed. After
 * its last byte the stream must be taken by the client in time.
 */
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { isGrpc, isGrpcType } from '../../routing/grpc.ts'
import type { AnswerFlag } from '../../telemetry/access-record.ts'
import { NO_BODY } from '../http1/codec.ts'
import type { FieldList } from '../http1/field-list.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import { type Answer, answer, answerBody } from '../http/answers.ts'
import type { ConnectionContext } from '../http/connection-context.ts'
import type { Downstream } from '../http/downstream.ts'
import { Exchange } from '../http/exchange.ts'
import { grpcTimeout } from '../http/grpc-deadline.ts'
import { ended, type Swept } from '../sweep.ts'
import { answerHeaders, grpcAnswerHeaders } from './answer.ts'
import { grpcStatus, grpcStatusIn, grpcStatusOf } from './grpc.ts'
import { headerObject, trailerObject, withJoined } from './header-object.ts'
import { StreamBody, type StreamBodyOwner } from './stream-body.ts'

const { NGHTTP2_NO_ERROR } = constants
const forever = Number.POSITIVE_INFINITY
/** A write ends when all of its bytes were taken: small ones show that a slow client takes some. */
const piece = 16 * 1024
const deadlineExceeded: Answer = { ...answer(504, 'upstream-timeout'), grpcStatus: grpcStatus.deadlineExceeded }

/** What its connection is told. */
export interface StreamOwner {
  readonly context: ConnectionContext
  readonly forwardedPrefix: string
  /** Bytes of a body or a tunnel have come. */
  received(bytes: number): void
  /** The stream has closed; `whole`: with a complete answer, or without one for a reason that is not the client's. */
  streamClosed(stream: Http2Stream, whole: boolean): void
}

export class Http2Stream implements Downstream, StreamBodyOwner, Swept {
  readonly context: ConnectionContext
  readonly forwardedPrefix: string
  readonly protocol = 'HTTP/2'
  grpcStatus: number | undefined
  deadline = forever
  sweepSlot = -1
  readonly #owner: StreamOwner
  readonly #stream: ServerHttp2Stream
  #head: RequestHead | undefined
  #exchange: Exchange | undefined
  /** Undefined for a request that brings nothing behind its head. */
  #body: StreamBody | undefined
  #isGrpc = false
  #grpcTimer: NodeJS.Timeout | undefined
  #awaitsDrain = false
  /** An answer with a body that trailers may follow. */
  #mayHaveTrailers = false
  /** An answer of gRPC: its end is a status. */
  #needsStatus = false
  /** What one that breaks off ends with. */
  #brokenStatus: number = grpcStatus.unavailable
  #answerEnded = false
  /** What is left of the request is not wanted. */
  #closesAfterTrailers = false
  #responseTrailers: OutgoingHttpHeaders = {}
  /** The client has seen all that there is to the answer, or it is not its fault that it has not. */
  #whole = false
  #untaken = 0

  constructor(stream: ServerHttp2Stream, owner: StreamOwner) {
    this.#stream = stream
    this.#owner = owner
    this.context = owner.context
    this.forwardedPrefix = owner.forwardedPrefix
    // 'close' follows and tells.
    stream.on('error', ignore)
    stream.on('close', () => this.#closed())
  }

  start(head: RequestHead): void {
    this.#head = head
    this.context.runtime.counters.http2Requests += 1
    const exchange = new Exchange(this, head, performance.now())
    this.#exchange = exchange
    this.#isGrpc = isGrpc(exchange)
    if (head.body.kind !== 'none' || head.upgrade !== '') {
      this.#body = new StreamBody(this.#stream, this, this.context.runtime, head.body, this.#isGrpc)
    }
    if (this.#isGrpc) {
      const timeout = grpcTimeout(head.fields)
      if (timeout !== undefined) this.#grpcTimer = setTimeout(() => this.#grpcDeadline(), Math.min(timeout, 0x7fffffff))
    }
    exchange.start()
  }

  /** An answer to a head that became no exchange. */
  refuse(answer: Answer, requestId: string): void {
    this.sendAnswer(answer, requestId)
    this.#finish(true)
  }

  /** The connection ends at once. */
  cancel(flag: AnswerFlag): void {
    this.#whole = true
    this.#exchange?.cancel(flag)
  }

  expire(now: number): void {
    if (this.#answerEnded || this.blocked) return this.#expireTaking()
    if (this.#body === undefined) this.deadline = forever
    else this.#body.expire(now)
  }

  // What its body asks for.

  get exchange(): Exchange | undefined {
    return this.#exchange
  }

  received(bytes: number): void {
    this.#owner.received(bytes)
  }

  awaitUntil(deadline: number): void {
    this.deadline = deadline
    this.context.runtime.sweep.watch(this)
  }

  // Downstream.

  /** From the mark on until all that waits was taken. */
  get blocked(): boolean {
    return this.#awaitsDrain || this.#stream.writableLength > this.context.runtime.bounds.unsent
  }

  sendInformational(head: ResponseHead): void {
    if (!this.#open()) return
    const headers = { ...headerObject(head.fields, false), ':status': head.status }
    withJoined(headers, (joined) => this.#stream.additionalHeaders(joined))
    if (head.status === 100) this.#body?.letFlow()
  }

  sendHead(head: ResponseHead): void {
    if (!this.#open()) return
    if (this.#isGrpc) this.grpcStatus = grpcStatusIn(head.fields)
    // RFC 9110 section 15.3.6: a 205 has no content, and node:http2 lets none follow.
    const { kind, length } = head.status === 205 ? NO_BODY : head.body
    const headers = headerObject(head.fields, kind !== 'chunked' && kind !== 'close')
    if (kind === 'length') headers['content-length'] ??= length
    if (head.status === 205) delete headers['content-length']
    // A 2xx would tell the client that its tunnel is open (RFC 8441, section 5).
    const refused = this.#head !== undefined && this.#head.upgrade !== '' && head.status < 300
    headers[':status'] = refused ? 502 : head.status
    this.#mayHaveTrailers = kind === 'chunked' || kind === 'close' || (kind === 'length' && head.trailersMayFollow === true)
    // Anything else, a page of an HTTP proxy say, means in gRPC what its HTTP status means (gRPC's mapping of HTTP status codes).
    this.#needsStatus = this.#isGrpc && head.status === 200 && isGrpcType(head.fields.get('content-type'))
    if (this.#needsStatus && kind === 'none' && !head.fields.has('grpc-status')) return this.#reset()
    this.#respond(headers, kind === 'none')
  }

  sendBody(bytes: Buffer, from: number, to: number): void {
    if (!this.#open() || this.#stream.writableEnded) return
    this.#body?.touch()
    for (let at = from; at < to; at += piece) this.#stream.write(Buffer.from(bytes.subarray(at, Math.min(to, at + piece))))
    if (this.blocked && !this.#awaitsDrain) {
      this.#awaitsDrain = true
      this.#stream.once('drain', () => this.#drained())
    }
  }

  sendEnd(trailers: FieldList | undefined): void {
    if (!this.#open()) return
    // Without a status a gRPC answer has no end: what looks like one must not be taken for it.
    if (this.#needsStatus && this.#mayHaveTrailers && trailers?.has('grpc-status') !== true) return this.#reset()
    if (this.#isGrpc && trailers !== undefined) this.grpcStatus = grpcStatusIn(trailers) ?? this.grpcStatus
    this.#responseTrailers = trailerObject(trailers)
    this.#end()
  }

  flush(): void {
    if (this.blocked) this.#awaitTaking()
  }

  sendAnswer(answer: Answer, requestId: string): void {
    this.#body?.stop()
    if (!this.#open()) return
    if (this.#isGrpc && answer.location === '') {
      this.grpcStatus = grpcStatusOf(answer)
      this.#respond(grpcAnswerHeaders(answer, requestId), true)
      return this.#end()
    }
    const text = answerBody(answer, requestId)
    const headers = answerHeaders(answer, requestId, text)
    const bodiless = text === '' || this.#head?.method === 'HEAD'
    this.#respond(headers, bodiless)
    if (!bodiless) this.#stream.write(text, 'latin1')
    this.#end()
  }

  abort(): void {
    this.#whole = true
    if (!this.#open()) return
    if (!this.#needsStatus || !this.#mayHaveTrailers) return this.#reset()
    this.grpcStatus = this.#brokenStatus
    this.#responseTrailers = { 'grpc-status': this.#brokenStatus, 'grpc-message': 'the answer broke off' }
    this.#end()
  }

  #reset(): void {
    this.#whole = true
    this.#answerEnded = true
    // What clients make of INTERNAL_ERROR (gRPC over HTTP/2, "Errors").
    if (this.#isGrpc) this.grpcStatus = grpcStatus.internal
    // `close` would end the body in good order first. Not at once: node:http2 (20.20) never returns from destroying a stream
    // in the same turn in which its session has read the reset of another one.
    const stream = this.#stream
    setImmediate(() => stream.destroy(new Error('the answer broke off')))
  }

  startBody(): void {
    if (this.#head?.expectContinue === true) {
      this.#exchange?.flushRequest()
      this.#await(this.context.runtime.bounds.continueTime)
    } else this.#body?.letFlow()
  }

  pauseBody(): void {
    this.#body?.pause()
  }

  resumeBody(): void {
    this.#body?.resume()
  }

  stopBody(): void {
    this.#body?.stop()
    this.deadline = forever
  }

  sendSwitched(head: ResponseHead): void {
    if (!this.#open()) return
    const headers = headerObject(head.fields, false)
    delete headers['sec-websocket-accept']
    headers[':status'] = 200
    this.context.runtime.counters.tunnels += 1
    this.#respond(headers, false)
    this.#body?.becomeTunnel()
  }

  endTunnel(): void {
    this.#stream.end()
  }

  exchangeEnded(): void {
    if (this.#body?.isTunnel === true) {
      this.context.runtime.counters.tunnels -= 1
      this.#whole = true
    }
    clearTimeout(this.#grpcTimer)
    this.#exchange = undefined
    this.#finish(this.#body?.isOpen === true)
  }

  // The rest.

  /** False when nothing can be sent any more: 'close' is on its way and ends the exchange. */
  #open(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed && !this.#answerEnded
  }

  #respond(headers: OutgoingHttpHeaders, endStream: boolean): void {
    // Its end is read when node:http2 closes the stream. Read before that, it would let the stream be destroyed before its last
    // write has come back, and each of those makes an Error. Without a body there is no write, and nothing to wait for.
    if (endStream && this.#body === undefined) this.#stream.resume()
    const options = { endStream, waitForTrailers: !endStream && this.#mayHaveTrailers, sendDate: false }
    if (options.waitForTrailers) this.#stream.once('wantTrailers', () => this.#sendTrailers())
    withJoined(headers, (joined) => this.#stream.respond(joined, options))
  }

  #sendTrailers(): void {
    this.#stream.sendTrailers(this.#responseTrailers)
    if (this.#closesAfterTrailers) setImmediate(() => this.#stream.close(NGHTTP2_NO_ERROR))
  }

  #end(): void {
    this.#answerEnded = true
    this.#stream.end()
  }

  /** The exchange has ended: what was said must be taken, and what still comes is not wanted. @param unread there is more of the request */
  #finish(unread: boolean): void {
    if (this.#stream.destroyed) return
    this.#awaitTaking()
    // RFC 9113 section 8.1: an answer that does not need the rest of the request ends the stream without an error.
    if (unread) {
      if (this.#mayHaveTrailers) this.#closesAfterTrailers = true
      else this.#stream.close(NGHTTP2_NO_ERROR)
    }
    // It closes when nothing is left to be read.
    this.#stream.resume()
  }

  #drained(): void {
    this.#awaitsDrain = false
    this.deadline = forever
    this.#body?.drained()
    this.#exchange?.onClientDrain()
  }

  #closed(): void {
    this.deadline = ended
    this.context.runtime.sweep.forget(this)
    clearTimeout(this.#grpcTimer)
    const whole = this.#whole || (this.#answerEnded && this.#stream.rstCode === NGHTTP2_NO_ERROR)
    this.#answerEnded = true
    this.#exchange?.cancel('client-gone')
    this.#owner.streamClosed(this, whole)
  }

  #grpcDeadline(): void {
    this.#brokenStatus = grpcStatus.deadlineExceeded
    this.#exchange?.refuse(deadlineExceeded)
  }

  /** A window that stays closed (RFC 9113, section 10.5). */
  #awaitTaking(): void {
    this.#untaken = this.#stream.writableLength
    this.#await(this.context.runtime.bounds.writeStuckTime)
  }

  #expireTaking(): void {
    if (this.#stream.writableLength < this.#untaken) return this.#awaitTaking()
    this.deadline = ended
    this.#exchange?.cancel('client-gone')
    if (!this.#stream.destroyed) this.#stream.destroy()
  }

  #await(milliseconds: number): void {
    this.awaitUntil(this.context.runtime.sweep.now + milliseconds)
  }
}

function ignore(): void {}
