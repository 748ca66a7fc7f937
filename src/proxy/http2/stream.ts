/**
 * One request of an HTTP/2 connection: the client's side of its exchange, and of that what the client is sent. What it
 * sends behind the head is read by stream-body.ts.
 *
 * Bounds run by `deadline` and the sweep, as on HTTP/1 connections: for a body, or for a window that stays closed. After
 * its last byte the stream must be taken by the client in time.
 */
import { isGrpc, isGrpcType } from '../../routing/grpc.ts'
import type { AnswerFlag } from '../../telemetry/access-record.ts'
import { errorCode } from '../h2/frames.ts'
import type { DecodedFields } from '../h2/hpack-decoder.ts'
import type { Stream, StreamSink } from '../h2/stream.ts'
import { type StreamSender, StreamTaking } from '../h2/stream-taking.ts'
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
import { answerFields, grpcAnswerFields } from './answer.ts'
import { grpcStatus, grpcStatusIn, grpcStatusOf } from './grpc.ts'
import { StreamBody, type StreamBodyOwner } from './stream-body.ts'
import { trailerFields } from './trailer-fields.ts'

const forever = Number.POSITIVE_INFINITY
const deadlineExceeded: Answer = { ...answer(504, 'upstream-timeout'), grpcStatus: grpcStatus.deadlineExceeded }

/** What its connection is told. */
export interface StreamOwner {
  readonly context: ConnectionContext
  readonly forwardedPrefix: string
  /** Of its socket. */
  readonly sender: StreamSender
  /** The stream has closed; `whole`: with a complete answer, or without one for a reason that is not the client's. */
  streamClosed(stream: Http2Stream, whole: boolean): void
}

export class Http2Stream implements Downstream, StreamBodyOwner, StreamSink, Swept {
  readonly context: ConnectionContext
  readonly forwardedPrefix: string
  readonly protocol = 'HTTP/2'
  grpcStatus: number | undefined
  deadline = forever
  sweepSlot = -1
  readonly #owner: StreamOwner
  readonly #stream: Stream
  #head: RequestHead | undefined
  #exchange: Exchange | undefined
  /** Undefined for a request that brings nothing behind its head. */
  #body: StreamBody | undefined
  #isGrpc = false
  #grpcTimer: NodeJS.Timeout | undefined
  /** An answer with a body that trailers may follow. */
  #mayHaveTrailers = false
  /** An answer of gRPC: its end is a status. */
  #needsStatus = false
  /** What one that breaks off ends with. */
  #brokenStatus: number = grpcStatus.unavailable
  #answerEnded = false
  /** The client has seen all that there is to the answer, or it is not its fault that it has not. */
  #whole = false
  #untaken = 0
  /** Since nothing of that was seen to go. */
  #taking: StreamTaking | undefined

  constructor(stream: Stream, owner: StreamOwner) {
    this.#stream = stream
    this.#owner = owner
    this.context = owner.context
    this.forwardedPrefix = owner.forwardedPrefix
    stream.sink = this
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
    this.#exchange?.cancel(flag)
    this.#stream.sink = undefined
    this.#rest()
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

  awaitUntil(deadline: number): void {
    this.deadline = deadline
    this.context.runtime.sweep.watch(this)
  }

  // Downstream.

  /** From the mark on until all that waits was taken. */
  get blocked(): boolean {
    return this.#stream.blocked
  }

  sendInformational(head: ResponseHead): void {
    if (!this.#open()) return
    const fields = [':status', String(head.status)]
    head.fields.flatten(fields, false)
    this.#stream.sendFields(fields, head.fields.sensitive)
    if (head.status === 100) this.#body?.letFlow()
  }

  sendHead(head: ResponseHead): void {
    if (!this.#open()) return
    if (this.#isGrpc) this.grpcStatus = grpcStatusIn(head.fields)
    // RFC 9110 section 15.3.6: a 205 has no content.
    const { kind, length } = head.status === 205 ? NO_BODY : head.body
    // A 2xx would tell the client that its tunnel is open (RFC 8441, section 5).
    const refused = this.#head !== undefined && this.#head.upgrade !== '' && head.status < 300
    const fields = [':status', refused ? '502' : String(head.status)]
    head.fields.flatten(fields, kind === 'none' && head.status !== 205)
    if (kind === 'length') fields.push('content-length', String(length))
    this.#mayHaveTrailers = kind === 'chunked' || kind === 'close' || (kind === 'length' && head.trailersMayFollow === true)
    // Anything else, a page of an HTTP proxy say, means in gRPC what its HTTP status means (gRPC's mapping of HTTP status codes).
    this.#needsStatus = this.#isGrpc && head.status === 200 && isGrpcType(head.fields.get('content-type'))
    if (this.#needsStatus && kind === 'none' && !head.fields.has('grpc-status')) return this.#reset()
    this.#respond(fields, kind === 'none', head.fields.sensitive)
  }

  sendBody(bytes: Buffer, from: number, to: number): void {
    if (!this.#open()) return
    this.#body?.touch()
    this.#stream.sendData(bytes, from, to)
  }

  sendEnd(trailers: FieldList | undefined): void {
    if (!this.#open()) return
    // Without a status a gRPC answer has no end: what looks like one must not be taken for it.
    if (this.#needsStatus && this.#mayHaveTrailers && trailers?.has('grpc-status') !== true) return this.#reset()
    if (this.#isGrpc && trailers !== undefined) this.grpcStatus = grpcStatusIn(trailers) ?? this.grpcStatus
    this.#end(this.#mayHaveTrailers ? trailerFields(trailers) : undefined, trailers?.sensitive)
  }

  flush(): void {
    if (this.blocked) this.#awaitTaking()
  }

  sendAnswer(answer: Answer, requestId: string): void {
    this.#body?.stop()
    if (!this.#open()) return
    if (this.#isGrpc && answer.location === '') {
      this.grpcStatus = grpcStatusOf(answer)
      return this.#respond(grpcAnswerFields(answer, requestId), true)
    }
    const text = answerBody(answer, requestId)
    const bodiless = text === '' || this.#head?.method === 'HEAD'
    this.#respond(answerFields(answer, requestId, text), bodiless)
    if (bodiless) return
    this.#stream.sendText(text)
    this.#end(undefined)
  }

  abort(): void {
    this.#whole = true
    if (!this.#open()) return
    if (!this.#needsStatus || !this.#mayHaveTrailers) return this.#reset()
    this.grpcStatus = this.#brokenStatus
    this.#end(['grpc-status', String(this.#brokenStatus), 'grpc-message', 'the answer broke off'])
  }

  #reset(): void {
    this.#whole = true
    this.#answerEnded = true
    // What clients make of INTERNAL_ERROR (gRPC over HTTP/2, "Errors").
    if (this.#isGrpc) this.grpcStatus = grpcStatus.internal
    this.#stream.breakOff(errorCode.internal)
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
    const fields = [':status', '200']
    head.fields.remove('sec-websocket-accept')
    head.fields.flatten(fields, false)
    this.context.runtime.counters.tunnels += 1
    this.#respond(fields, false, head.fields.sensitive)
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

  // StreamSink: what the session tells.

  /** Behind the head of a request come its trailers only. */
  onFields(head: DecodedFields | undefined): void {
    this.#body?.trailers(head)
  }

  onData(bytes: Buffer, from: number, to: number): void {
    this.#body?.bytes(bytes, from, to)
  }

  onEnd(): void {
    this.#body?.ended()
  }

  onDrain(): void {
    this.deadline = forever
    this.#body?.drained()
    this.#exchange?.onClientDrain()
  }

  onClosed(code: number): void {
    const whole = this.#whole || (this.#answerEnded && code === errorCode.noError)
    this.#answerEnded = true
    this.#exchange?.cancel('client-gone')
    this.#rest()
    this.#owner.streamClosed(this, whole)
  }

  // The rest.

  /** False when nothing can be sent any more: `onClosed` is on its way and ends the exchange. */
  #open(): boolean {
    return !this.#stream.isClosed && !this.#answerEnded
  }

  #respond(fields: string[], endStream: boolean, sensitive?: ReadonlySet<string>): void {
    this.#stream.sendFields(fields, sensitive)
    if (endStream) this.#end(undefined)
  }

  #end(trailers: readonly string[] | undefined, sensitive?: ReadonlySet<string>): void {
    this.#answerEnded = true
    if (trailers !== undefined) this.#stream.sendFields(trailers, sensitive)
    this.#stream.end()
  }

  /** The exchange has ended: what was said must be taken. @param unread there is more of the request, which is not wanted */
  #finish(unread: boolean): void {
    if (unread) this.#stream.discard()
    if (!this.#stream.isClosed) this.#awaitTaking()
  }

  #rest(): void {
    this.deadline = ended
    this.context.runtime.sweep.forget(this)
    clearTimeout(this.#grpcTimer)
  }

  #grpcDeadline(): void {
    this.#brokenStatus = grpcStatus.deadlineExceeded
    this.#exchange?.refuse(deadlineExceeded)
  }

  /** A window that stays closed (RFC 9113, section 10.5). */
  #awaitTaking(): void {
    this.#untaken = this.#stream.queued
    this.#taking = undefined
    this.#await(this.context.runtime.bounds.writeStuckTime)
  }

  #expireTaking(): void {
    if (this.#stream.queued < this.#untaken) return this.#awaitTaking()
    if (this.#takesStill()) return this.#await(this.context.runtime.bounds.writeStuckTime)
    this.deadline = ended
    this.#exchange?.cancel('client-gone')
    this.#stream.reset(errorCode.cancel)
  }

  #takesStill(): boolean {
    if (this.#stream.queued === 0) return false
    const { buffers, sweep } = this.context.runtime
    const { sender } = this.#owner
    this.#taking ??= new StreamTaking(buffers.kernel, sender)
    return this.#taking.look(sender, this.#stream.hasWindow, sweep.now)
  }

  #await(milliseconds: number): void {
    this.awaitUntil(this.context.runtime.sweep.now + milliseconds)
  }
}
