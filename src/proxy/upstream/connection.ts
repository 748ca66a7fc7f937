/**
 * One HTTP/1.1 connection to an endpoint: connects, carries one exchange at a time, goes back to its endpoint's idle
 * list only when nothing about the exchange was doubtful, and dies with everything else.
 *
 * Bodies and idle times are bounded by the sweep. While the user has paused it, nobody is waited for and no bound runs.
 */
import type { Socket } from 'node:net'
import { type ByteHandler, senderOf, unsentBytes } from '../byte-socket.ts'
import { BodyReader } from '../http1/body-reader.ts'
import { CHUNK_END, chunkStart, lastChunk } from '../http1/encode-chunk.ts'
import { requestHeadText } from '../http1/encode-head.ts'
import { type ResponseHead, ResponseHeadReader } from '../http1/response-head.ts'
import type { FieldList } from '../http1/field-list.ts'
import { bodyLimits, headLimits } from '../message-limits.ts'
import { Outlet } from '../outlet.ts'
import { unknown } from '../send-queues.ts'
import { ended, type Swept } from '../sweep.ts'
import { dial, type Dialled } from './dial.ts'
import type { Endpoint } from './endpoint.ts'
import { neverConnected, type UpstreamFailure } from './failure.ts'
import type { Pool } from './pool.ts'
import type { OutgoingRequest, Upstream } from './upstream.ts'

/** The exchange, as a connection sees it. Bytes are valid during the call. */
export interface UpstreamUser {
  /** Send now. Not called for a connection that was idle: that one is ready at once. */
  onUpstreamReady(): void
  /** 1xx but 101. */
  onUpstreamInformational(head: ResponseHead): void
  onUpstreamHead(head: ResponseHead): void
  /** 101 with the protocol that was asked for: from now on `onUpstreamBody` brings the tunnel's bytes and `onUpstreamTunnelEnd` the other side's FIN. */
  onUpstreamSwitched(head: ResponseHead): void
  onUpstreamBody(bytes: Buffer, from: number, to: number): void
  /** The answer is complete; the connection is no longer the user's. */
  onUpstreamEnd(trailers: FieldList | undefined): void
  onUpstreamTunnelEnd(): void
  /** What a read brought has been told: write it. */
  onUpstreamFlush(): void
  /** The socket took what was blocked. */
  onUpstreamDrain(): void
  /** The connection is no longer the user's. */
  onUpstreamFailed(failure: UpstreamFailure): void
}

const CONNECTING = 0
const IDLE = 1
const HEAD = 2
const BODY = 3
const UNTIL_CLOSE = 4
const TUNNEL = 5
const CLOSED = 6

const switchingProtocols = 101

export class UpstreamConnection implements Upstream, ByteHandler, Swept {
  readonly endpoint: Endpoint
  readonly duplex = false
  deadline: number
  sweepSlot = -1
  reused = false
  answered = false
  readonly #pool: Pool
  readonly #dialled: Dialled
  readonly #socket: Socket
  readonly #outlet: Outlet
  readonly #head: ResponseHeadReader
  readonly #body: BodyReader
  #state = CONNECTING
  #user: UpstreamUser | undefined
  #requestDone = false
  /** The request's body goes out in chunks. */
  #chunked = false
  /** The endpoint takes no more. */
  #unwritable = false
  /** A part of a head has come. */
  #headBegun = false
  #keepAlive = true
  #idleTime = 0
  #bodyTime = Number.POSITIVE_INFINITY
  #paused = false
  /** Bytes that waited for the peer when it was last looked at. */
  #untaken = 0
  /** Bytes that it had acknowledged when the kernel was last asked. */
  #acknowledged = unknown

  constructor(pool: Pool, endpoint: Endpoint) {
    this.#pool = pool
    this.endpoint = endpoint
    const { bounds, sweep, buffers } = pool.runtime
    this.#head = new ResponseHeadReader(headLimits(bounds), bounds.interimAnswers)
    this.#body = new BodyReader(bodyLimits(bounds))
    pool.connectionOpened(endpoint)
    this.#dialled = dial(pool, endpoint, this, () => this.#connected())
    const { socket } = this.#dialled
    this.#socket = socket
    this.#outlet = new Outlet(socket, buffers.write, bounds.unsent)
    socket.on('drain', () => this.#drained())
    socket.on('writeFailed', () => this.#writeFailed())
    socket.on('end', () => this.#ended())
    socket.on('close', () => this.#fail(this.#state === CONNECTING ? this.#dialled.failure() : 'closed'))
    this.deadline = sweep.now + bounds.connectTime
    sweep.watch(this)
  }

  /** True when it may carry another exchange now. */
  isUsable(now: number): boolean {
    return this.#state === IDLE && this.deadline > now
  }

  get isReady(): boolean {
    return this.#state === HEAD
  }

  assign(user: UpstreamUser): void {
    this.#user = user
    this.endpoint.active += 1
    this.answered = false
    this.#requestDone = false
    if (this.#state === CONNECTING) return
    this.reused = true
    this.#state = HEAD
    this.deadline = Number.POSITIVE_INFINITY
  }

  get blocked(): boolean {
    return this.#outlet.blocked
  }

  send(request: OutgoingRequest): void {
    this.#chunked = request.body.kind === 'chunked'
    this.#head.start(request)
    this.#outlet.text(requestHeadText(request, request.target, request.upgrade !== '', request.lines))
  }

  sendBody(bytes: Buffer, from: number, to: number): void {
    if (!this.#chunked) return this.#outlet.bytes(bytes, from, to)
    this.#outlet.text(chunkStart(to - from))
    this.#outlet.bytes(bytes, from, to)
    this.#outlet.text(CHUNK_END)
  }

  endRequest(trailers: FieldList | undefined): void {
    if (this.#chunked) this.#outlet.text(lastChunk(trailers))
    this.#requestDone = true
  }

  /** Writes what waits; the peer must take it in time when it is too much. */
  flush(): void {
    if (this.#unwritable) return this.#outlet.drop()
    this.#outlet.flush()
    // Who is not read may not be able to read: then it is the client that is waited for.
    if (this.#outlet.blocked && !this.#paused) this.#awaitTaking()
  }

  endTunnel(): void {
    this.#outlet.flush()
    this.#socket.end()
  }

  release(): void {
    this.#detached()
    this.#awaitTaking()
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
    this.deadline = Number.POSITIVE_INFINITY
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (this.#outlet.blocked) this.#awaitTaking()
    else this.#await(this.#bodyTime)
    this.#socket.resume()
  }

  /** Bounds the wait for each next byte of a body without a length, or of a tunnel, otherwise than by default. */
  set bodyTime(milliseconds: number) {
    this.#bodyTime = milliseconds
    if (!this.#paused) this.#await(milliseconds)
  }

  destroy(): void {
    this.#detached()
    this.#close()
  }

  expire(): void {
    if (this.#state === IDLE) this.destroy()
    else if (this.#state === CONNECTING) this.#fail('connect-timeout')
    else if (this.#unwritable) this.#fail('closed')
    else if (unsentBytes(this.#socket) < this.#untaken) this.#awaitTaking()
    else if (this.#takesStill()) this.#await(this.#pool.runtime.bounds.writeStuckTime)
    else this.#fail('timeout')
  }

  onBytes(bytes: Buffer): void {
    switch (this.#state) {
      case HEAD:
        this.answered = true
        this.#readHead(bytes, 0)
        break
      case BODY:
        this.#readBody(bytes, 0)
        break
      case UNTIL_CLOSE:
      case TUNNEL:
        this.#await(this.#bodyTime)
        this.#user?.onUpstreamBody(bytes, 0, bytes.length)
        break
      default:
        // Nothing was asked: whatever this is, it must not become the answer to the next request.
        this.destroy()
        return
    }
    this.#user?.onUpstreamFlush()
  }

  #readHead(bytes: Buffer, from: number): void {
    let at = from
    // A head may have been completed by the last byte of the chunk: the reader is asked only while there are bytes.
    while (at < bytes.length && this.#state === HEAD) {
      const head = this.#head.push(bytes, at)
      if (head === undefined) return this.#awaitHead()
      if (head.kind === 'refused') return this.#fail('protocol')
      if (this.#headBegun) {
        this.#headBegun = false
        this.deadline = Number.POSITIVE_INFINITY
      }
      at = this.#head.next
      if (head.status === switchingProtocols) return this.#switched(head, bytes, at)
      if (head.status < 200) {
        this.#user?.onUpstreamInformational(head)
        continue
      }
      return this.#final(head, bytes, at)
    }
  }

  /** The first byte may take as long as the route allows; then the head must come. */
  #awaitHead(): void {
    if (this.#headBegun) return
    this.#headBegun = true
    this.#await(this.#pool.runtime.bounds.headTime)
  }

  #switched(head: ResponseHead, bytes: Buffer, at: number): void {
    this.#state = TUNNEL
    this.endpoint.answered(this.#pool.runtime.sweep.now)
    // The downstream side bounds the tunnel, since a byte of either side counts.
    this.#bodyTime = Number.POSITIVE_INFINITY
    this.#user?.onUpstreamSwitched(head)
    if (at < bytes.length) this.#user?.onUpstreamBody(bytes, at, bytes.length)
  }

  #final(head: ResponseHead, bytes: Buffer, at: number): void {
    const { bounds, sweep } = this.#pool.runtime
    this.endpoint.answered(sweep.now)
    this.#keepAlive = head.keepAlive
    this.#idleTime = bounds.poolIdleTime
    if (head.keepAliveTimeout !== undefined) this.#idleTime = Math.min(this.#idleTime, Math.max(0, head.keepAliveTimeout - 1_000))
    const body = head.body
    if (body.kind === 'none') {
      this.#state = BODY
      this.#user?.onUpstreamHead(head)
      return this.#complete(bytes.length === at, undefined)
    }
    this.#bodyTime = body.kind === 'length' ? bounds.upstreamIdleBodyTime : bounds.tunnelIdleTime
    if (body.kind === 'close') {
      this.#state = UNTIL_CLOSE
      this.#user?.onUpstreamHead(head)
      // The user may have had enough of it.
      if (this.#user === undefined) return
      this.#await(this.#bodyTime)
      if (at < bytes.length) this.#user?.onUpstreamBody(bytes, at, bytes.length)
      return
    }
    this.#state = BODY
    this.#body.start(body)
    this.#user?.onUpstreamHead(head)
    this.#readBody(bytes, at)
  }

  #readBody(bytes: Buffer, from: number): void {
    let at = from
    while (this.#state === BODY) {
      const step = this.#body.step(bytes, at)
      at = this.#body.next
      switch (step) {
        case 'data':
          this.#user?.onUpstreamBody(bytes, this.#body.from, this.#body.to)
          break
        case 'more':
          if (!this.#paused) this.#await(this.#bodyTime)
          return
        case 'end':
          return this.#complete(at === bytes.length, this.#body.trailers)
        case 'refused':
          return this.#fail('protocol')
      }
    }
  }

  /** RFC 9112 section 9.3 and wire.md: reused only when nothing is left over on either side. */
  #complete(nothingBehind: boolean, trailers: FieldList | undefined): void {
    // The user destroyed it while it was told of the answer.
    if (this.#state === CLOSED) return
    const user = this.#detached()
    const reusable =
      nothingBehind &&
      this.#requestDone &&
      this.#keepAlive &&
      this.#idleTime > 0 &&
      !this.endpoint.retired &&
      !this.#unwritable &&
      this.#outlet.isEmpty
    if (reusable) {
      this.#state = IDLE
      const { sweep } = this.#pool.runtime
      this.deadline = sweep.now + this.#idleTime
      sweep.watch(this)
      if (this.#paused) {
        this.#paused = false
        this.#socket.resume()
      }
      this.endpoint.idle.push(this)
    } else this.#close()
    user?.onUpstreamEnd(trailers)
  }

  #connected(): void {
    if (this.#state !== CONNECTING) return
    this.#state = HEAD
    this.deadline = Number.POSITIVE_INFINITY
    this.#user?.onUpstreamReady()
  }

  #drained(): void {
    this.#untaken = 0
    if (this.#state === CLOSED || this.#user === undefined) return
    if (this.#state !== HEAD) {
      if (!this.#paused) this.#await(this.#bodyTime)
    } else if (!this.#headBegun) this.deadline = Number.POSITIVE_INFINITY
    this.#user.onUpstreamDrain()
  }

  /** The endpoint may have answered before it closed (RFC 9112 section 9.5): what has come is read, then the end. */
  #writeFailed(): void {
    if (this.#state === TUNNEL || this.#user === undefined) {
      this.#socket.destroy()
      return
    }
    this.#unwritable = true
    if (!this.#paused) this.#await(this.#pool.runtime.bounds.lingerTime)
  }

  #ended(): void {
    if (this.#state === TUNNEL) {
      this.#user?.onUpstreamTunnelEnd()
      return
    }
    if (this.#state === UNTIL_CLOSE) {
      const user = this.#detached()
      this.#close()
      user?.onUpstreamEnd(undefined)
      return
    }
    this.#fail('closed')
  }

  #fail(failure: UpstreamFailure): void {
    if (this.#state === CLOSED) return
    const user = this.#detached()
    this.#close()
    if (user === undefined) return
    const counters = this.#pool.counters
    if (neverConnected(failure)) counters.connectFailures += 1
    else counters.failures += 1
    // A keep-alive connection that the backend closed while the request was on its way says nothing about its health.
    const stale = failure === 'closed' && this.reused && !this.answered
    if (!stale && !this.#dialled.isOwnFailure()) this.endpoint.failed(failure, this.#pool.runtime.sweep.now)
    if (!stale && failure === 'closed' && !this.answered) this.#pool.suspect(this.endpoint)
    user.onUpstreamFailed(failure)
  }

  #detached(): UpstreamUser | undefined {
    const user = this.#user
    if (user !== undefined) this.endpoint.active -= 1
    this.#user = undefined
    return user
  }

  #close(): void {
    if (this.#state === CLOSED) return
    if (this.#state === IDLE) {
      const place = this.endpoint.idle.indexOf(this)
      if (place >= 0) this.endpoint.idle.splice(place, 1)
    }
    this.#state = CLOSED
    this.#pool.connectionClosed(this.endpoint)
    this.deadline = ended
    this.#pool.runtime.sweep.forget(this)
    this.#outlet.drop()
    this.#socket.destroy()
  }

  /** The peer has to take what waits for it, or some of it at least. */
  #awaitTaking(): void {
    this.#untaken = unsentBytes(this.#socket)
    this.#acknowledged = unknown
    this.#await(this.#pool.runtime.bounds.writeStuckTime)
  }

  #takesStill(): boolean {
    if (this.#untaken === 0 || unsentBytes(this.#socket) === 0) return false
    const { buffers, sweep } = this.#pool.runtime
    const before = this.#acknowledged
    this.#acknowledged = buffers.kernel.acknowledged(senderOf(this.#socket), sweep.now)
    return this.#acknowledged > before
  }

  #await(milliseconds: number): void {
    const { sweep } = this.#pool.runtime
    this.deadline = sweep.now + milliseconds
    if (this.deadline < Number.POSITIVE_INFINITY) sweep.watch(this)
  }
}
