/**
 * A client's HTTP/1 connection: heads and bodies in, answers out, one exchange at a time. What the client sends ahead
 * is held up to a bound, then the socket is paused; while nothing is held a client that goes away is noticed at once.
 *
 * Bounds run by `deadline` and the sweep, only while we wait for the client: for a head, a body, or for what it does
 * not take. While an upstream works the deadline is infinite.
 */
import type { Socket } from 'node:net'
import type { AnswerFlag } from '../../telemetry/access-record.ts'
import { type AdoptedSocket, breakOff, type ByteHandler, senderOf, startReading, unsentBytes } from '../byte-socket.ts'
import type { Body, Refusal } from './codec.ts'
import { BodyReader } from './body-reader.ts'
import type { FieldList } from './field-list.ts'
import { type RequestHead, RequestHeadReader } from './request-head.ts'
import type { ResponseHead } from './response-head.ts'
import { bodyLimits, headLimits } from '../message-limits.ts'
import { Outlet } from '../outlet.ts'
import { unknown } from '../send-queues.ts'
import { ended, type Swept } from '../sweep.ts'
import { accountForRefusal } from '../http/accounting.ts'
import { AnswerWriter } from './answer-writer.ts'
import { type Answer, answer, bodyTimeout, brokenBody, clientGone, headTimeout } from '../http/answers.ts'
import { BodyPace } from '../http/body-pace.ts'
import type { ClientConnection, ConnectionContext, ConnectionPhase } from '../http/connection-context.ts'
import type { Downstream } from '../http/downstream.ts'
import { Exchange } from '../http/exchange.ts'
import { forwardedPrefix } from '../http/forwarded.ts'
import { ReadAhead } from './read-ahead.ts'

const forever = Number.POSITIVE_INFINITY

/**
 * The client's body: complete or none; not to be sent on yet, for want of a connection or of a 100; on its way; or not
 * wanted any more, because the answer came first.
 */
type BodyPhase = 'done' | 'waits' | 'flows' | 'stopped'

export class Http1Connection implements ClientConnection, Downstream, ByteHandler, Swept {
  readonly context: ConnectionContext
  readonly forwardedPrefix: string
  readonly protocol = 'HTTP/1.1'
  readonly grpcStatus = undefined
  phase: ConnectionPhase = 'idle'
  deadline: number
  sweepSlot = -1
  onClosed: (() => void) | undefined
  readonly #socket: Socket
  readonly #outlet: Outlet
  readonly #answers: AnswerWriter
  readonly #ahead: ReadAhead
  readonly #pace: BodyPace
  readonly #heads: RequestHeadReader
  readonly #body: BodyReader
  #exchange: Exchange | undefined
  #head: RequestHead | undefined
  #bodyPhase: BodyPhase = 'done'
  /** The upstream takes no more for the moment. */
  #bodyPaused = false
  #beginning = false
  /** No request has come yet. */
  #unused = true
  #draining = false
  /** The client has said FIN. */
  #inputEnded = false
  #lingered = 0
  /** Bytes that waited for the client when it was last looked at. */
  #untaken = 0
  /** Bytes that the client had acknowledged when the kernel was last asked. */
  #acknowledged = unknown

  /** @param first bytes that were read already; valid during the call */
  constructor(adopted: AdoptedSocket, context: ConnectionContext, first: Buffer | undefined) {
    const { bounds, sweep, counters, buffers } = context.runtime
    this.context = context
    this.forwardedPrefix = forwardedPrefix(context)
    this.#heads = new RequestHeadReader(headLimits(bounds))
    this.#body = new BodyReader(bodyLimits(bounds))
    adopted.handler = this
    this.#socket = adopted.socket
    this.#outlet = new Outlet(this.#socket, buffers.write, bounds.unsent)
    this.#answers = new AnswerWriter(this.#outlet)
    this.#ahead = new ReadAhead(this.#socket, bounds.readAhead)
    this.#pace = new BodyPace(bounds)
    counters.connections += 1
    counters.connectionsTotal += 1
    this.#socket.setNoDelay(true)
    this.#socket.on('drain', () => this.#drained())
    this.#socket.on('end', () => this.#inputEnd())
    this.#socket.on('finish', () => this.#flushed())
    this.#socket.on('error', () => this.#lose('client-gone'))
    this.#socket.on('close', () => this.#closed())
    this.deadline = sweep.now + bounds.clientIdleTime
    sweep.watch(this)
    // First, since what the first bytes bring may pause it.
    startReading(this.#socket)
    if (first !== undefined && first.length > 0) this.onBytes(first)
  }

  drain(): void {
    this.#draining = true
    if (this.phase !== 'idle') return
    // The first request of a new connection is on its way, and its client would not dare to ask again.
    if (this.#unused) this.#await(this.context.runtime.bounds.lingerTime)
    else this.#finish()
  }

  stay(): void {
    if (!this.#draining) return
    this.#draining = false
    if (this.phase === 'idle') this.#await(this.context.runtime.bounds.clientIdleTime)
  }

  destroy(): void {
    this.#lose('shutdown')
  }

  expire(): void {
    switch (this.phase) {
      case 'idle':
        this.#finish()
        break
      case 'head':
        this.#refuse(headTimeout)
        break
      case 'exchange':
        this.#expireExchange()
        break
      case 'tunnel':
        if (unsentBytes(this.#socket) > 0) this.#expireTaking()
        else this.#lose('idle')
        break
      case 'linger':
        if (unsentBytes(this.#socket) > 0) this.#expireTaking()
        else this.#lose('client-gone')
        break
      case 'closed':
        break
    }
  }

  // Reading.

  onBytes(bytes: Buffer): void {
    switch (this.phase) {
      case 'idle':
      case 'head':
        if (this.#ahead.isEmpty) this.#read(bytes, 0)
        else this.#ahead.hold(bytes, 0)
        break
      case 'exchange':
        if (this.#bodyPhase === 'flows' && this.#ahead.isEmpty) this.#read(bytes, this.#readBody(bytes, 0))
        else this.#ahead.hold(bytes, 0)
        break
      case 'tunnel':
        this.#touchTunnel()
        this.#exchange?.onTunnelBytes(bytes, 0, bytes.length)
        this.#exchange?.flushRequest()
        break
      case 'linger':
        this.#lingered += bytes.length
        if (this.#lingered > this.context.runtime.bounds.lingerBytes) this.#lose('client-gone')
        break
      case 'closed':
        break
    }
  }

  /** Heads, each with its exchange, as far as the bytes go; what comes before its time is held. */
  #read(bytes: Buffer, from: number): void {
    let at = from
    // A client that asks on without taking its answers waits until it has.
    while (at < bytes.length && (this.phase === 'idle' || this.phase === 'head') && !this.#outlet.blocked) {
      const head = this.#heads.push(bytes, at)
      if (head === undefined) return this.#awaitHead()
      if (head.kind === 'refused') return this.#refuseHead(head)
      at = this.#begin(head, bytes, this.#heads.next)
    }
    if (at < bytes.length && this.phase !== 'linger' && this.phase !== 'closed') this.#ahead.hold(bytes, at)
  }

  #awaitHead(): void {
    if (this.phase === 'head' || !this.#heads.started) return
    this.phase = 'head'
    this.#await(this.context.runtime.bounds.headTime)
  }

  /** Starts an exchange; returns where its body ends as far as it was read. */
  #begin(head: RequestHead, bytes: Buffer, at: number): number {
    this.phase = 'exchange'
    this.deadline = forever
    this.#unused = false
    this.#head = head
    this.#answers.begin(head)
    this.#beginBody(head.body)
    const exchange = new Exchange(this, head, performance.now())
    this.#exchange = exchange
    this.#beginning = true
    this.context.runtime.counters.active += 1
    exchange.start()
    this.#beginning = false
    return this.#bodyPhase === 'flows' ? this.#readBody(bytes, at) : at
  }

  #beginBody(body: Body): void {
    this.#bodyPaused = false
    if (body.kind === 'none') {
      this.#bodyPhase = 'done'
      return
    }
    this.#bodyPhase = 'waits'
    this.#pace.reset()
    this.#body.start(body)
  }

  #readBody(bytes: Buffer, from: number): number {
    const exchange = this.#exchange
    if (exchange === undefined) return from
    const reader = this.#body
    let at = from
    while (this.#bodyPhase === 'flows') {
      const step = reader.step(bytes, at)
      at = reader.next
      if (step === 'data') exchange.onRequestBody(bytes, reader.from, reader.to)
      else if (step === 'end') {
        this.#bodyPhase = 'done'
        this.deadline = forever
        exchange.onRequestEnd(reader.trailers)
      } else if (step === 'refused') {
        exchange.refuse(brokenBody)
        return bytes.length
      } else {
        this.#awaitBody(bytes.length - from)
        break
      }
    }
    exchange.flushRequest()
    return at
  }

  #awaitBody(received: number): void {
    const next = this.#pace.progress(this.context.runtime.sweep.now, received)
    if (!this.#outlet.blocked) this.#awaitUntil(next)
  }

  #expireBody(): void {
    const next = this.#pace.look(this.context.runtime.sweep.now)
    if (next === undefined) this.#exchange?.refuse(bodyTimeout)
    else this.#awaitUntil(next)
  }

  /** What was held has its time now. */
  #readHeld(): void {
    const held = this.#ahead.take()
    if (held !== undefined) this.onBytes(held)
    if (!this.#ahead.isEmpty) return
    if (!this.#bodyPaused) this.#ahead.resume()
    if (this.#inputEnded) this.#inputEnd()
  }

  // Downstream: what the exchange asks for.

  get blocked(): boolean {
    return this.#outlet.blocked
  }

  sendInformational(head: ResponseHead): void {
    if (this.#answers.informational(head) && head.status === 100) this.#letBodyFlow()
  }

  sendHead(head: ResponseHead): void {
    this.#answers.head(head, this.#mayKeepAlive())
  }

  sendBody(bytes: Buffer, from: number, to: number): void {
    if (this.phase === 'tunnel') this.#touchTunnel()
    this.#answers.body(bytes, from, to)
  }

  sendEnd(trailers: FieldList | undefined): void {
    this.#answers.end(trailers)
    this.flush()
  }

  flush(): void {
    this.#outlet.flush()
    if (this.#outlet.blocked) this.#awaitTaking()
  }

  sendAnswer(answer: Answer, requestId: string): void {
    if (this.#bodyPhase !== 'done') this.stopBody()
    // Nothing behind a refused request is read.
    this.#answers.own(answer, requestId, answer.flag !== 'bad-request' && this.#mayKeepAlive())
    this.flush()
  }

  abort(): void {
    // Without a length or chunks a FIN would look like the end of the body.
    this.#close(this.#answers.endsWithConnection || this.phase === 'tunnel')
  }

  startBody(): void {
    if (this.#head?.expectContinue === true) {
      this.#exchange?.flushRequest()
      this.#await(this.context.runtime.bounds.continueTime)
    } else this.#letBodyFlow()
  }

  pauseBody(): void {
    this.#bodyPaused = true
    this.#pace.reset()
    this.#ahead.pause()
    // What it does not take is waited for all the same.
    if (!this.#outlet.blocked) this.deadline = forever
  }

  resumeBody(): void {
    if (!this.#bodyPaused) return
    this.#bodyPaused = false
    if (this.phase === 'tunnel') this.#touchTunnel()
    else if (this.#bodyPhase === 'flows') this.#awaitBody(0)
    this.#readHeld()
  }

  stopBody(): void {
    this.#bodyPhase = 'stopped'
    this.deadline = forever
  }

  sendSwitched(head: ResponseHead): void {
    this.phase = 'tunnel'
    this.context.runtime.counters.tunnels += 1
    this.#answers.informational(head)
    this.#await(this.context.runtime.bounds.tunnelIdleTime)
    this.#readHeld()
  }

  endTunnel(): void {
    this.#outlet.flush()
    this.#socket.end()
  }

  exchangeEnded(): void {
    this.#exchange = undefined
    this.context.runtime.counters.active -= 1
    if (this.phase === 'tunnel') {
      this.context.runtime.counters.tunnels -= 1
      this.#finish()
    } else if (this.phase === 'exchange') {
      if (!this.#answers.keepAlive) return this.#finish()
      this.phase = 'idle'
      this.#head = undefined
      this.#await(this.context.runtime.bounds.clientIdleTime)
      this.#bodyPaused = false
      // An answer of ours, given at once: who reads the heads reads on.
      if (!this.#beginning) this.#readHeld()
    }
  }

  // The rest.

  /** RFC 9110 section 10.1.1: a 100 has come, or none was awaited, or it was awaited long enough. */
  #letBodyFlow(): void {
    if (this.#bodyPhase !== 'waits') return
    this.#bodyPhase = 'flows'
    // At the beginning of an exchange its caller reads on; later it is on us.
    if (this.#beginning) return
    this.#awaitBody(0)
    if (this.#ahead.isEmpty) this.#exchange?.flushRequest()
    this.#readHeld()
  }

  #mayKeepAlive(): boolean {
    if (this.#head?.keepAlive !== true || this.#bodyPhase !== 'done') return false
    return !this.#draining && !this.context.port.draining
  }

  #refuseHead(refusal: Refusal): void {
    this.#refuse(answer(refusal.status, 'bad-request'))
  }

  /** An answer to something that became no exchange; nothing behind it is read. */
  #refuse(answer: Answer): void {
    const requestId = this.context.runtime.requestIds.next()
    this.#answers.begin(undefined)
    this.#answers.own(answer, requestId, false)
    accountForRefusal(this.context, answer, requestId)
    this.#finish()
  }

  /** No more requests: what was said is written, then FIN; what still comes is thrown away for a while, so that no reset swallows the answer. */
  #finish(): void {
    this.phase = 'linger'
    this.#ahead.take()
    this.#outlet.flush()
    if (this.#outlet.isEmpty) this.#await(this.context.runtime.bounds.lingerTime)
    else this.#awaitTaking()
    this.#socket.end()
    this.#ahead.resume()
  }

  #expireExchange(): void {
    if (this.#outlet.blocked) this.#expireTaking()
    else if (this.#bodyPhase === 'waits') this.#letBodyFlow()
    else if (this.#bodyPhase === 'flows') this.#expireBody()
    else this.deadline = forever
  }

  /** The client has to take what waits for it, or some of it at least. */
  #awaitTaking(): void {
    this.#untaken = unsentBytes(this.#socket)
    this.#acknowledged = unknown
    this.#await(this.context.runtime.bounds.writeStuckTime)
  }

  #expireTaking(): void {
    if (unsentBytes(this.#socket) < this.#untaken) return this.#awaitTaking()
    const { buffers, sweep, bounds } = this.context.runtime
    const before = this.#acknowledged
    this.#acknowledged = buffers.kernel.acknowledged(senderOf(this.#socket), sweep.now)
    if (this.#acknowledged > before) this.#await(bounds.writeStuckTime)
    else this.#lose('client-gone')
  }

  #drained(): void {
    switch (this.phase) {
      case 'idle':
      case 'head':
        this.#readHeld()
        break
      case 'exchange':
        this.deadline = forever
        if (this.#bodyPhase === 'flows' && !this.#bodyPaused) this.#awaitBody(0)
        this.#exchange?.onClientDrain()
        break
      case 'tunnel':
        this.#touchTunnel()
        this.#exchange?.onClientDrain()
        break
      case 'linger':
      case 'closed':
        break
    }
  }

  /** FIN has come; what is held comes first. */
  #inputEnd(): void {
    this.#inputEnded = true
    if (!this.#ahead.isEmpty) return
    switch (this.phase) {
      case 'idle':
        this.#finish()
        break
      case 'head':
        this.#lose('client-gone')
        break
      case 'exchange':
        // A body that ends before its end is none (RFC 9112 section 8).
        if (this.#bodyPhase === 'flows') this.#exchange?.refuse(clientGone)
        break
      case 'tunnel':
        this.#exchange?.onTunnelEnd()
        break
      case 'linger':
      case 'closed':
        break
    }
  }

  #flushed(): void {
    if (this.phase === 'linger') this.#await(this.context.runtime.bounds.lingerTime)
  }

  #lose(flag: AnswerFlag): void {
    if (this.phase === 'closed') return
    this.#close(false)
    this.#exchange?.cancel(flag)
  }

  #close(reset: boolean): void {
    if (this.phase === 'tunnel') this.context.runtime.counters.tunnels -= 1
    this.phase = 'closed'
    this.deadline = ended
    this.context.runtime.sweep.forget(this)
    this.#ahead.take()
    this.#outlet.drop()
    if (reset) breakOff(this.#socket)
    else this.#socket.destroy()
  }

  #closed(): void {
    this.#lose('client-gone')
    this.context.runtime.counters.connections -= 1
    this.onClosed?.()
  }

  #touchTunnel(): void {
    if (!this.#outlet.blocked) this.deadline = this.context.runtime.sweep.now + this.context.runtime.bounds.tunnelIdleTime
  }

  #await(milliseconds: number): void {
    this.#awaitUntil(this.context.runtime.sweep.now + milliseconds)
  }

  #awaitUntil(deadline: number): void {
    this.deadline = deadline
    this.context.runtime.sweep.watch(this)
  }
}
