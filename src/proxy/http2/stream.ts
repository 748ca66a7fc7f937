/**
 * One request of an HTTP/2 connection: the client's side of its exchange.
 *
 * Bounds run by `deadline` and the sweep, as on HTTP/1 connections: for a body, or for a window that stays closed. gRPC
 * streams and tunnels may be quiet for as long as a tunnel. After its last byte the stream must be taken by the client in time.
 */
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { isGrpc } from '../../routing/grpc.ts'
import type { AnswerFlag } from '../../telemetry/access-record.ts'
import type { FieldList } from '../http1/field-list.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import { type Answer, answer, answerBody, bodyTimeout, brokenBody } from '../http/answers.ts'
import { BodyPace } from '../http/body-pace.ts'
import type { ConnectionContext } from '../http/connection-context.ts'
import type { Downstream } from '../http/downstream.ts'
import { Exchange } from '../http/exchange.ts'
import { ended, type Swept } from '../sweep.ts'
import { answerHeaders, grpcAnswerHeaders } from './answer.ts'
import { fieldsOf } from './field-text.ts'
import { grpcStatus, grpcTimeout } from './grpc.ts'
import { headerObject, trailerObject, withJoined } from './header-object.ts'

const { NGHTTP2_NO_ERROR } = constants
const forever = Number.POSITIVE_INFINITY
/** Bytes that the client's window has no room for before the upstream is paused. */
const blockedAbove = 64 * 1024
/** A write ends when all of its bytes were taken: small ones show that a slow client takes some. */
const piece = 16 * 1024
const deadlineExceeded: Answer = answer(504, 'upstream-timeout')

/** What its connection is told. */
export interface StreamOwner {
  readonly context: ConnectionContext
  readonly forwardedPrefix: string
  /** Bytes of a body or a tunnel have come. */
  received(bytes: number): void
  /** The stream has closed; `whole`: with a complete answer, or without one for a reason that is not the client's. */
  streamClosed(stream: Http2Stream, whole: boolean): void
}

/** As on HTTP/1 connections, see `BodyPhase` there; 'tunnel': bytes go through as they are. */
type Phase = 'none' | 'waits' | 'flows' | 'done' | 'stopped' | 'tunnel'

export class Http2Stream implements Downstream, Swept {
  readonly context: ConnectionContext
  readonly forwardedPrefix: string
  readonly protocol = 'HTTP/2'
  deadline = forever
  sweepSlot = -1
  readonly #owner: StreamOwner
  readonly #stream: ServerHttp2Stream
  #head: RequestHead | undefined
  #exchange: Exchange | undefined
  #phase: Phase = 'none'
  #pace: BodyPace | undefined
  #isGrpc = false
  #grpcTimer: NodeJS.Timeout | undefined
  /** Of the request's body, when it has a length. */
  #bodyLeft = forever
  #requestTrailers: FieldList | undefined
  #awaitsDrain = false
  /** An answer with a body that trailers may follow. */
  #mayHaveTrailers = false
  #answerEnded = false
  /** The request is not complete, and is not wanted any more. */
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
    const tunnel = head.upgrade !== ''
    if (head.body.kind === 'none' && !tunnel) this.#stream.resume()
    else if (!tunnel) this.#phase = 'waits'
    if (head.body.kind === 'length') this.#bodyLeft = head.body.length
    const exchange = new Exchange(this, head, performance.now())
    this.#exchange = exchange
    this.#isGrpc = isGrpc(exchange)
    if (this.#isGrpc) {
      const timeout = grpcTimeout(head.fields)
      if (timeout !== undefined) this.#grpcTimer = setTimeout(() => this.#grpcDeadline(), Math.min(timeout, 0x7fffffff))
    }
    exchange.start()
  }

  /** An answer to a head that became no exchange. */
  refuse(answer: Answer, requestId: string): void {
    this.#phase = 'stopped'
    this.sendAnswer(answer, requestId)
    this.#finish()
  }

  /** The connection ends at once. */
  cancel(flag: AnswerFlag): void {
    this.#whole = true
    this.#exchange?.cancel(flag)
  }

  expire(now: number): void {
    if (this.#answerEnded || this.blocked) return this.#expireTaking()
    switch (this.#phase) {
      case 'waits':
        this.#letBodyFlow()
        break
      case 'flows': {
        const next = this.#isGrpc ? undefined : this.#pace?.look(now)
        if (next === undefined) this.#exchange?.refuse(bodyTimeout)
        else this.#awaitUntil(next)
        break
      }
      case 'tunnel':
        this.#exchange?.cancel('idle')
        this.#stream.destroy(new Error('idle'))
        break
      case 'none':
      case 'done':
      case 'stopped':
        this.deadline = forever
    }
  }

  // Downstream.

  get blocked(): boolean {
    return this.#stream.writableLength > blockedAbove
  }

  sendInformational(head: ResponseHead): void {
    if (!this.#open()) return
    this.#stream.additionalHeaders({ ...headerObject(head.fields, false), ':status': head.status })
    if (head.status === 100) this.#letBodyFlow()
  }

  sendHead(head: ResponseHead): void {
    if (!this.#open()) return
    const { kind, length } = head.body
    const headers = headerObject(head.fields, kind !== 'chunked' && kind !== 'close')
    if (kind === 'length') headers['content-length'] ??= length
    // A 2xx would tell the client that its tunnel is open (RFC 8441, section 5).
    const refused = this.#head !== undefined && this.#head.upgrade !== '' && head.status < 300
    headers[':status'] = refused ? 502 : head.status
    this.#mayHaveTrailers = kind === 'chunked' || kind === 'close'
    this.#respond(headers, kind === 'none')
  }

  sendBody(bytes: Buffer, from: number, to: number): void {
    if (!this.#open()) return
    if (this.#phase === 'tunnel' || this.#isGrpc) this.#touchQuiet()
    for (let at = from; at < to; at += piece) this.#stream.write(Buffer.from(bytes.subarray(at, Math.min(to, at + piece))))
    if (this.blocked && !this.#awaitsDrain) {
      this.#awaitsDrain = true
      this.#stream.once('drain', () => this.#drained())
    }
  }

  sendEnd(trailers: FieldList | undefined): void {
    if (!this.#open()) return
    // Without a status a gRPC answer has no end: what looks like one must not be taken for it.
    if (this.#isGrpc && this.#mayHaveTrailers && trailers?.has('grpc-status') !== true) return this.abort()
    this.#responseTrailers = trailerObject(trailers)
    this.#end()
  }

  flush(): void {
    if (this.blocked) this.#awaitTaking()
  }

  sendAnswer(answer: Answer, requestId: string): void {
    if (this.#phase === 'waits' || this.#phase === 'flows') this.#phase = 'stopped'
    if (!this.#open()) return
    if (this.#isGrpc && answer.location === '') {
      const status = answer === deadlineExceeded ? grpcStatus.deadlineExceeded : undefined
      this.#respond(grpcAnswerHeaders(answer, requestId, status), true)
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
    if (this.#isGrpc && this.#mayHaveTrailers) {
      this.#responseTrailers = { 'grpc-status': grpcStatus.unavailable, 'grpc-message': 'the backend broke off' }
      return this.#end()
    }
    this.#answerEnded = true
    // `close` would end the body in good order first. Not at once: node:http2 (20.20) never returns from destroying a stream
    // in the same turn in which its session has read the reset of another one.
    const stream = this.#stream
    setImmediate(() => stream.destroy(new Error('the answer broke off')))
  }

  startBody(): void {
    if (this.#head?.expectContinue === true) {
      this.#exchange?.flushRequest()
      this.#await(this.context.runtime.bounds.continueTime)
    } else this.#letBodyFlow()
  }

  pauseBody(): void {
    this.#pace?.reset()
    this.#stream.pause()
    this.deadline = forever
  }

  resumeBody(): void {
    if (!this.#stream.isPaused()) return
    this.#stream.resume()
    this.#awaitBytes(0)
  }

  stopBody(): void {
    if (this.#phase !== 'done') this.#phase = 'stopped'
    this.deadline = forever
  }

  sendSwitched(head: ResponseHead): void {
    if (!this.#open()) return
    const headers = headerObject(head.fields, false)
    delete headers['sec-websocket-accept']
    headers[':status'] = 200
    this.context.runtime.counters.tunnels += 1
    this.#phase = 'tunnel'
    this.#respond(headers, false)
    this.#touchQuiet()
    this.#read()
  }

  endTunnel(): void {
    this.#stream.end()
  }

  exchangeEnded(): void {
    if (this.#phase === 'tunnel') {
      this.context.runtime.counters.tunnels -= 1
      this.#whole = true
    }
    clearTimeout(this.#grpcTimer)
    this.#exchange = undefined
    this.#finish()
  }

  // The rest.

  /** False when nothing can be sent any more: 'close' is on its way and ends the exchange. */
  #open(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed && !this.#answerEnded
  }

  #respond(headers: OutgoingHttpHeaders, endStream: boolean): void {
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

  /** The exchange has ended: what was said must be taken, and what still comes is not wanted. */
  #finish(): void {
    if (this.#stream.destroyed) return
    this.#awaitTaking()
    // RFC 9113 section 8.1: an answer that does not need the rest of the request ends the stream without an error.
    if (this.#phase === 'flows' || this.#phase === 'stopped' || this.#phase === 'waits') {
      if (this.#mayHaveTrailers) this.#closesAfterTrailers = true
      else this.#stream.close(NGHTTP2_NO_ERROR)
    } else if (this.#stream.isPaused()) this.#stream.resume()
  }

  #letBodyFlow(): void {
    if (this.#phase !== 'waits') return
    this.#phase = 'flows'
    this.#pace = new BodyPace(this.context.runtime.bounds)
    this.#awaitBytes(0)
    this.#read()
    // The head goes out, however long its body takes.
    this.#exchange?.flushRequest()
  }

  #read(): void {
    const stream = this.#stream
    stream.on('data', (bytes: Buffer) => this.#received(bytes))
    stream.once('trailers', (_headers: unknown, _flags: number, raw: string[]) => {
      this.#requestTrailers = fieldsOf(raw)
      if (this.#requestTrailers === undefined) this.#exchange?.refuse(brokenBody)
    })
    stream.once('end', () => this.#receivedEnd())
  }

  #received(bytes: Buffer): void {
    this.#owner.received(bytes.length)
    const exchange = this.#exchange
    if (exchange === undefined || (this.#phase !== 'flows' && this.#phase !== 'tunnel')) return
    this.#awaitBytes(bytes.length)
    if (this.#phase === 'tunnel') exchange.onTunnelBytes(bytes, 0, bytes.length)
    else {
      this.#bodyLeft -= bytes.length
      if (this.#bodyLeft < 0) return exchange.refuse(brokenBody)
      exchange.onRequestBody(bytes, 0, bytes.length)
    }
    this.#exchange?.flushRequest()
  }

  #receivedEnd(): void {
    const exchange = this.#exchange
    // 'end' comes for a stream that was reset too, before its 'close'.
    if (exchange === undefined || this.#stream.aborted || this.#stream.rstCode !== NGHTTP2_NO_ERROR) return
    if (this.#phase === 'tunnel') return exchange.onTunnelEnd()
    if (this.#phase !== 'flows') return
    if (this.#bodyLeft !== forever && this.#bodyLeft !== 0) return exchange.refuse(brokenBody)
    this.#phase = 'done'
    this.deadline = forever
    exchange.onRequestEnd(this.#requestTrailers)
    exchange.flushRequest()
  }

  #drained(): void {
    this.#awaitsDrain = false
    this.deadline = forever
    if (this.#phase === 'flows' && !this.#stream.isPaused()) this.#awaitBytes(0)
    else if (this.#phase === 'tunnel') this.#touchQuiet()
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
    this.#exchange?.refuse(deadlineExceeded)
  }

  /** The next bytes of the client are waited for. */
  #awaitBytes(received: number): void {
    if (this.#phase === 'tunnel' || this.#isGrpc) this.#touchQuiet()
    else if (this.#pace !== undefined) this.#awaitUntil(this.#pace.progress(this.context.runtime.sweep.now, received))
  }

  #touchQuiet(): void {
    if (!this.blocked && (this.#phase === 'tunnel' || this.#phase === 'flows')) this.#await(this.context.runtime.bounds.tunnelIdleTime)
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
    this.#awaitUntil(this.context.runtime.sweep.now + milliseconds)
  }

  #awaitUntil(deadline: number): void {
    this.deadline = deadline
    this.context.runtime.sweep.watch(this)
  }
}

function ignore(): void {}
