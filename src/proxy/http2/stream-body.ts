/**
 * What a client sends on one HTTP/2 stream behind its head: a body, or the bytes of a tunnel. It reads only when the
 * exchange wants to have it, holds it to its length, and knows until when more must come. Made for requests that bring
 * something; of its stream it only reads and pauses.
 */
import { errorCode } from '../h2/frames.ts'
import type { DecodedFields } from '../h2/hpack-decoder.ts'
import type { Stream } from '../h2/stream.ts'
import type { Body } from '../http1/codec.ts'
import type { FieldList } from '../http1/field-list.ts'
import { bodyTimeout, brokenBody } from '../http/answers.ts'
import { BodyPace } from '../http/body-pace.ts'
import type { ProxyRuntime } from '../http/connection-context.ts'
import type { Exchange } from '../http/exchange.ts'
import { bodyLimits } from '../message-limits.ts'
import { trailersOf } from './field-text.ts'

const forever = Number.POSITIVE_INFINITY

/** As on HTTP/1 connections, see `BodyPhase` there; 'tunnel': bytes go through as they are; 'none': they may do so later. */
type Phase = 'none' | 'waits' | 'flows' | 'done' | 'stopped' | 'tunnel'

/** The stream, as its body sees it. */
export interface StreamBodyOwner {
  readonly exchange: Exchange | undefined
  /** On the sweep's clock; Infinity while nothing is awaited. */
  deadline: number
  /** The client does not take what it is sent: then it is that which is waited for. */
  readonly blocked: boolean
  /** More must come until then. */
  awaitUntil(deadline: number): void
}

export class StreamBody {
  #phase: Phase
  readonly #stream: Stream
  readonly #owner: StreamBodyOwner
  readonly #runtime: ProxyRuntime
  /** Bytes may be long in coming: gRPC. */
  readonly #mayBeQuiet: boolean
  #pace: BodyPace | undefined
  /** Bytes; Infinity for a body without a length. */
  #left: number
  #trailers: FieldList | undefined
  /** The other side takes no more for the moment. */
  #isPaused = false

  /** @param body of kind 'none': a tunnel that may be */
  constructor(stream: Stream, owner: StreamBodyOwner, runtime: ProxyRuntime, body: Body, mayBeQuiet: boolean) {
    this.#stream = stream
    this.#owner = owner
    this.#runtime = runtime
    this.#mayBeQuiet = mayBeQuiet
    this.#phase = body.kind === 'none' ? 'none' : 'waits'
    this.#left = body.kind === 'length' ? body.length : forever
  }

  /** A body of which not all has come. */
  get isOpen(): boolean {
    return this.#phase === 'waits' || this.#phase === 'flows' || this.#phase === 'stopped'
  }

  get isTunnel(): boolean {
    return this.#phase === 'tunnel'
  }

  /** The exchange takes it from now on. */
  letFlow(): void {
    if (this.#phase !== 'waits') return
    this.#phase = 'flows'
    if (!this.#mayBeQuiet) this.#pace = new BodyPace(this.#runtime.bounds)
    this.#awaitBytes(0)
    this.#read()
    // The head goes out, however long its body takes.
    this.#owner.exchange?.flushRequest()
  }

  /** Bytes go through as they are. */
  becomeTunnel(): void {
    this.#phase = 'tunnel'
    this.#awaitLong()
    this.#read()
  }

  pause(): void {
    this.#isPaused = true
    this.#pace?.reset()
    this.#stream.pause()
    if (!this.#owner.blocked) this.#owner.deadline = forever
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#read()
    this.#awaitBytes(0)
  }

  /** No more of it is wanted. */
  stop(): void {
    if (this.#phase === 'waits' || this.#phase === 'flows') this.#phase = 'stopped'
  }

  /** The other side has said something: a tunnel and a gRPC stream are not idle. */
  touch(): void {
    if (this.#phase === 'tunnel' || this.#mayBeQuiet) this.#awaitLong()
  }

  /** The client has taken what it was sent: it may be its turn again. */
  drained(): void {
    if (this.#phase === 'flows' && !this.#isPaused) this.#awaitBytes(0)
    else if (this.#phase === 'tunnel') this.#awaitLong()
  }

  /** The deadline that `awaitUntil` set has passed. */
  expire(now: number): void {
    switch (this.#phase) {
      case 'waits':
        return this.letFlow()
      case 'flows': {
        const next = this.#pace?.look(now)
        if (next === undefined) this.#owner.exchange?.refuse(bodyTimeout)
        else this.#owner.awaitUntil(next)
        return
      }
      case 'tunnel':
        this.#owner.exchange?.cancel('idle')
        this.#stream.reset(errorCode.internal)
        return
      case 'none':
      case 'done':
      case 'stopped':
        this.#owner.deadline = forever
    }
  }

  /** The next bytes are waited for. @param received how many have come */
  #awaitBytes(received: number): void {
    if (this.#phase === 'tunnel' || this.#mayBeQuiet) return this.#awaitLong()
    const next = this.#pace?.progress(this.#runtime.sweep.now, received)
    if (next !== undefined && !this.#owner.blocked) this.#owner.awaitUntil(next)
  }

  #awaitLong(): void {
    if (this.#owner.blocked || (this.#phase !== 'tunnel' && this.#phase !== 'flows')) return
    this.#owner.awaitUntil(this.#runtime.sweep.now + this.#runtime.bounds.tunnelIdleTime)
  }

  #read(): void {
    if (!this.#isPaused && (this.#phase === 'flows' || this.#phase === 'tunnel')) this.#stream.resume()
  }

  // What its stream tells.

  /** They may come before anybody wants the body. */
  trailers(head: DecodedFields | undefined): void {
    if (this.#phase === 'none' || this.#phase === 'tunnel') return
    this.#trailers = head === undefined ? undefined : trailersOf(head, bodyLimits(this.#runtime.bounds))
    if (this.#trailers === undefined) this.#owner.exchange?.refuse(brokenBody)
  }

  bytes(bytes: Buffer, from: number, to: number): void {
    const owner = this.#owner
    const { exchange } = owner
    if (exchange === undefined || (this.#phase !== 'flows' && this.#phase !== 'tunnel')) return
    this.#awaitBytes(to - from)
    if (this.#phase === 'tunnel') exchange.onTunnelBytes(bytes, from, to)
    else {
      this.#left -= to - from
      if (this.#left < 0) return exchange.refuse(brokenBody)
      exchange.onRequestBody(bytes, from, to)
    }
    owner.exchange?.flushRequest()
  }

  ended(): void {
    const { exchange } = this.#owner
    if (exchange === undefined) return
    if (this.#phase === 'tunnel') return exchange.onTunnelEnd()
    if (this.#phase !== 'flows') return
    if (this.#left !== forever && this.#left !== 0) return exchange.refuse(brokenBody)
    this.#phase = 'done'
    this.#owner.deadline = forever
    exchange.onRequestEnd(this.#trailers)
    exchange.flushRequest()
  }
}
