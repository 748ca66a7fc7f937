/**
 * A client's HTTP/1 connection: heads and bodies in, answers out, one exchange at a time. What the client sends ahead
 * is held up to a bound, then the socket is paused; while nothing is held a client that goes away is noticed at once.
 *
 * Bounds run by `deadline` and the sweep, only while we wait for the client: for a head, a body, or for what it does
 * not take. While an upstream works the deadline is infinite.
 */
import type { Socket } from 'node:net'
import { adoptSocket, startReading, type ByteHandler } from '../byte-socket.ts'
import type { Body, Refusal } from '../http1/codec.ts'
import { NO_BODY } from '../http1/codec.ts'
import { BodyReader } from '../http1/body-reader.ts'
import { CHUNK_END, chunkStart, lastChunk } from '../http1/encode-chunk.ts'
import { bodyForClient, responseHeadText } from '../http1/encode-head.ts'
import type { FieldList } from '../http1/field-list.ts'
import { RequestHeadReader, type RequestHead } from '../http1/request-head.ts'
import type { ResponseHead } from '../http1/response-head.ts'
import { Outlet } from '../outlet.ts'
import { ended, type Swept } from '../sweep.ts'
import { accountForRefusal } from './accounting.ts'
import { answer, answerMessage, bodyTimeout, brokenBody, clientGone, headTimeout, type Answer } from './answers.ts'
import type { ConnectionContext, ConnectionPhase, Http1Connection } from './connection-context.ts'
import type { Downstream } from './downstream.ts'
import { Exchange } from './exchange.ts'
import { forwardedPrefix } from './forwarded.ts'

const forever = Number.POSITIVE_INFINITY

export class Connection implements Http1Connection, Downstream, ByteHandler, Swept {
  readonly context: ConnectionContext
  readonly forwardedPrefix: string
  phase: ConnectionPhase = 'idle'
  deadline: number
  sweepSlot = -1
  onClosed: (() => void) | undefined
  readonly #socket: Socket
  readonly #outlet: Outlet
  readonly #heads: RequestHeadReader
  readonly #body = new BodyReader()
  #exchange: Exchange | undefined
  #head: RequestHead | undefined
  /** How the present answer's body is framed. */
  #framing: Body = NO_BODY
  /** The client's body is not complete. */
  #bodyOpen = false
  /** The upstream takes the body. */
  #bodyFlows = false
  #bodyPaused = false
  #beginning = false
  #keepAlive = false
  /** Of the present window of the body's rate: its end (0: none has begun), and bytes so far. */
  #windowEnd = 0
  #windowBytes = 0
  #silentUntil = 0
  /** Bytes that came before their time. */
  #held: Buffer | undefined
  #readPaused = false
  #draining = false
  /** The client has said FIN. */
  #inputEnded = false
  #lingered = 0

  constructor(socket: Socket, context: ConnectionContext, first: Buffer | undefined) {
    const { bounds, sweep, counters, buffers } = context.runtime
    this.context = context
    this.forwardedPrefix = forwardedPrefix(context)
    this.#heads = new RequestHeadReader({ line: bounds.requestLine, head: bounds.head, fields: bounds.fields })
    this.#socket = adoptSocket(socket, this, buffers.read)
    this.#outlet = new Outlet(this.#socket, buffers.write)
    counters.connections += 1
    counters.connectionsTotal += 1
    this.#socket.setNoDelay(true)
    this.#socket.on('drain', () => this.#drained())
    this.#socket.on('end', () => this.#inputEnd())
    this.#socket.on('finish', () => this.#flushed())
    this.#socket.on('error', () => this.destroy())
    this.#socket.on('close', () => this.#closed())
    this.deadline = sweep.now + bounds.clientIdleTime
    sweep.watch(this)
    if (first !== undefined && first.length > 0) this.onBytes(first)
    startReading(this.#socket)
  }

  drain(): void {
    this.#draining = true
    if (this.phase === 'idle') this.#finish()
  }

  destroy(): void {
    if (this.phase === 'closed') return
    this.#close(false)
    this.#exchange?.cancel('client-gone')
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
      case 'linger':
      case 'closed':
        this.destroy()
        break
    }
  }

  // Reading.

  onBytes(bytes: Buffer): void {
    switch (this.phase) {
      case 'idle':
      case 'head':
        if (this.#held === undefined) this.#read(bytes, 0)
        else this.#hold(bytes, 0)
        break
      case 'exchange':
        if (this.#bodyFlows && this.#held === undefined) this.#read(bytes, this.#readBody(bytes, 0))
        else this.#hold(bytes, 0)
        break
      case 'tunnel':
        this.#touchTunnel()
        this.#exchange?.onTunnelBytes(bytes, 0, bytes.length)
        this.#exchange?.flushRequest()
        break
      case 'linger':
        this.#lingered += bytes.length
        if (this.#lingered > this.context.runtime.bounds.lingerBytes) this.destroy()
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
    if (at < bytes.length && (this.phase === 'exchange' || this.phase === 'idle')) this.#hold(bytes, at)
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
    this.#head = head
    this.#bodyOpen = head.body.kind !== 'none'
    this.#bodyFlows = false
    this.#bodyPaused = false
    this.#windowEnd = 0
    if (this.#bodyOpen) this.#body.start(head.body)
    const exchange = new Exchange(this, head, performance.now())
    this.#exchange = exchange
    this.#beginning = true
    exchange.start()
    this.#beginning = false
    return this.#bodyFlows && this.phase === 'exchange' ? this.#readBody(bytes, at) : at
  }

  #readBody(bytes: Buffer, from: number): number {
    const exchange = this.#exchange
    if (exchange === undefined) return from
    const reader = this.#body
    let at = from
    while (this.#bodyOpen) {
      const step = reader.step(bytes, at)
      at = reader.next
      if (step === 'data') exchange.onRequestBody(bytes, reader.from, reader.to)
      else if (step === 'end') {
        this.#bodyOpen = false
        this.#bodyFlows = false
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

  /** The body goes on: bounds each silence, and the bytes of each window. */
  #awaitBody(received: number): void {
    const { bounds, sweep } = this.context.runtime
    if (this.#windowEnd === 0) {
      this.#windowEnd = sweep.now + bounds.bodyIdleTime
      this.#windowBytes = 0
    }
    this.#windowBytes += received
    this.#silentUntil = sweep.now + bounds.bodyIdleTime
    this.#awaitUntil(Math.min(this.#windowEnd, this.#silentUntil))
  }

  #expireBody(): void {
    const { bounds, sweep } = this.context.runtime
    const enough = this.#windowBytes >= (bounds.bodyRate * bounds.bodyIdleTime) / 1000
    if (sweep.now >= this.#silentUntil || !enough) {
      this.#exchange?.refuse(bodyTimeout)
      return
    }
    this.#windowEnd = sweep.now + bounds.bodyIdleTime
    this.#windowBytes = 0
    this.#awaitUntil(Math.min(this.#windowEnd, this.#silentUntil))
  }

  #hold(bytes: Buffer, from: number): void {
    const rest = bytes.subarray(from)
    this.#held = this.#held === undefined ? Buffer.from(rest) : Buffer.concat([this.#held, rest])
    if (this.#held.length >= this.context.runtime.bounds.readAhead) this.#pauseReading()
  }

  /** What was held has its time now. */
  #readHeld(): void {
    const held = this.#held
    if (held !== undefined) {
      this.#held = undefined
      this.onBytes(held)
    }
    if (this.#held === undefined && !this.#bodyPaused) this.#resumeReading()
    this.#checkBody()
    if (this.#inputEnded && this.phase === 'idle' && this.#held === undefined) this.#finish()
  }

  #pauseReading(): void {
    if (this.#readPaused) return
    this.#readPaused = true
    this.#socket.pause()
  }

  #resumeReading(): void {
    if (!this.#readPaused) return
    this.#readPaused = false
    this.#socket.resume()
  }

  // Downstream: what the exchange asks for.

  get blocked(): boolean {
    return this.#outlet.blocked
  }

  sendInformational(head: ResponseHead): void {
    if (this.#head?.http10 !== false) return
    this.#outlet.text(responseHeadText(head, NO_BODY, true, false))
    if (head.status === 100) this.#letBodyFlow()
  }

  sendHead(head: ResponseHead): void {
    const http10 = this.#head?.http10 === true
    this.#framing = bodyForClient(head.body, http10)
    this.#keepAlive = this.#mayKeepAlive() && this.#framing.kind !== 'close'
    this.#outlet.text(responseHeadText(head, this.#framing, this.#keepAlive, http10))
  }

  sendBody(bytes: Buffer, from: number, to: number): void {
    if (this.phase === 'tunnel') this.#touchTunnel()
    if (this.#framing.kind !== 'chunked') return this.#outlet.bytes(bytes, from, to)
    this.#outlet.text(chunkStart(to - from))
    this.#outlet.bytes(bytes, from, to)
    this.#outlet.text(CHUNK_END)
  }

  sendEnd(trailers: FieldList | undefined): void {
    if (this.#framing.kind === 'chunked') this.#outlet.text(lastChunk(this.#head?.teTrailers === true ? trailers : undefined))
    this.flush()
  }

  flush(): void {
    this.#outlet.flush()
    if (this.#outlet.blocked) this.#await(this.context.runtime.bounds.writeStuckTime)
  }

  sendAnswer(answer: Answer, requestId: string): void {
    const head = this.#head
    if (this.#bodyOpen) this.stopBody()
    this.#framing = NO_BODY
    this.#keepAlive = this.#mayKeepAlive()
    this.#outlet.text(answerMessage(answer, requestId, head?.method === 'HEAD', this.#keepAlive, head?.http10 === true))
    this.flush()
  }

  abort(): void {
    // Without a length or chunks a FIN would look like the end of the body.
    this.#close(this.#framing.kind === 'close' || this.phase === 'tunnel')
  }

  startBody(): void {
    if (this.#head?.expectContinue === true) {
      this.#exchange?.flushRequest()
      this.#await(this.context.runtime.bounds.continueTime)
    } else this.#letBodyFlow()
  }

  pauseBody(): void {
    this.#bodyPaused = true
    this.#windowEnd = 0
    this.#pauseReading()
    this.deadline = forever
  }

  resumeBody(): void {
    if (!this.#bodyPaused) return
    this.#bodyPaused = false
    if (this.phase === 'tunnel') this.#touchTunnel()
    else if (this.#bodyOpen) this.#awaitBody(0)
    this.#readHeld()
  }

  stopBody(): void {
    this.#bodyFlows = false
    this.deadline = forever
  }

  sendSwitched(head: ResponseHead): void {
    this.phase = 'tunnel'
    this.#framing = NO_BODY
    this.context.runtime.counters.tunnels += 1
    this.#outlet.text(responseHeadText(head, NO_BODY, true, false))
    this.#await(this.context.runtime.bounds.tunnelIdleTime)
    this.#readHeld()
    if (this.#inputEnded) this.#exchange?.onTunnelEnd()
  }

  endTunnel(): void {
    this.#outlet.flush()
    this.#socket.end()
  }

  exchangeEnded(): void {
    this.#exchange = undefined
    if (this.phase === 'tunnel') {
      this.context.runtime.counters.tunnels -= 1
      this.#finish()
    } else if (this.phase === 'exchange') {
      if (!this.#keepAlive) return this.#finish()
      this.phase = 'idle'
      this.#head = undefined
      this.#await(this.context.runtime.bounds.clientIdleTime)
      if (this.#held !== undefined) this.#readHeld()
      else if (this.#inputEnded && !this.#beginning) this.#finish()
    }
  }

  // The rest.

  /** RFC 9110 section 10.1.1: a 100 has come, or none was awaited, or it was awaited long enough. */
  #letBodyFlow(): void {
    if (!this.#bodyOpen || this.#bodyFlows) return
    this.#bodyFlows = true
    // At the beginning of an exchange its caller reads on; later it is on us.
    if (this.#beginning) return
    this.#awaitBody(0)
    if (this.#held === undefined) this.#exchange?.flushRequest()
    this.#readHeld()
  }

  #mayKeepAlive(): boolean {
    if (this.#head?.keepAlive !== true || this.#bodyOpen) return false
    return !this.#draining && !this.context.port.draining
  }

  #refuseHead(refusal: Refusal): void {
    this.#refuse(answer(refusal.status, 'bad-request'))
  }

  /** An answer to something that became no exchange; nothing behind it is read. */
  #refuse(answer: Answer): void {
    const requestId = this.context.runtime.requestIds.next()
    this.#outlet.text(answerMessage(answer, requestId, false, false, false))
    accountForRefusal(this.context, answer, requestId)
    this.#finish()
  }

  /** No more requests: what was said is written, then FIN; what still comes is thrown away for a while, so that no reset swallows the answer. */
  #finish(): void {
    const { bounds } = this.context.runtime
    this.phase = 'linger'
    this.#held = undefined
    this.#outlet.flush()
    this.#await(this.#outlet.isEmpty ? bounds.lingerTime : bounds.writeStuckTime)
    this.#socket.end()
    this.#resumeReading()
  }

  #expireExchange(): void {
    if (this.#outlet.blocked) this.destroy()
    else if (this.#bodyOpen && !this.#bodyFlows) this.#letBodyFlow()
    else if (this.#bodyOpen) this.#expireBody()
    else this.deadline = forever
  }

  #drained(): void {
    switch (this.phase) {
      case 'idle':
        this.#readHeld()
        break
      case 'exchange':
        this.deadline = forever
        this.#exchange?.onClientDrain()
        break
      case 'tunnel':
        this.#touchTunnel()
        this.#exchange?.onClientDrain()
        break
      case 'head':
      case 'linger':
      case 'closed':
        break
    }
  }

  #inputEnd(): void {
    this.#inputEnded = true
    switch (this.phase) {
      case 'idle':
        if (this.#held === undefined) this.#finish()
        break
      case 'head':
        this.destroy()
        break
      case 'exchange':
        this.#checkBody()
        break
      case 'tunnel':
        this.#exchange?.onTunnelEnd()
        break
      case 'linger':
      case 'closed':
        break
    }
  }

  /** A body that ends before its end is none (RFC 9112 section 8). */
  #checkBody(): void {
    if (this.#inputEnded && this.#bodyOpen && this.#bodyFlows && this.#held === undefined) this.#exchange?.refuse(clientGone)
  }

  #flushed(): void {
    if (this.phase === 'linger') this.#await(this.context.runtime.bounds.lingerTime)
  }

  #close(reset: boolean): void {
    if (this.phase === 'tunnel') this.context.runtime.counters.tunnels -= 1
    this.phase = 'closed'
    this.deadline = ended
    this.context.runtime.sweep.forget(this)
    this.#held = undefined
    this.#outlet.drop()
    if (reset) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  #closed(): void {
    this.destroy()
    this.context.runtime.counters.connections -= 1
    this.onClosed?.()
  }

  #touchTunnel(): void {
    this.deadline = this.context.runtime.sweep.now + this.context.runtime.bounds.tunnelIdleTime
  }

  #await(milliseconds: number): void {
    this.#awaitUntil(this.context.runtime.sweep.now + milliseconds)
  }

  #awaitUntil(deadline: number): void {
    this.deadline = deadline
    this.context.runtime.sweep.watch(this)
  }
}
