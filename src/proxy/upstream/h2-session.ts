/**
 * One HTTP/2 connection to an endpoint (h2c by prior knowledge), shared by as many requests as it and the endpoint allow.
 * It connects, hands out streams, and closes when nothing has been asked of it for a while or when the endpoint says so.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Bounds } from '../../config/bounds.ts'
import { type ByteHandler, senderOf } from '../byte-socket.ts'
import { errorCode } from '../h2/frames.ts'
import { Session, type SessionOptions, type SessionUser } from '../h2/session.ts'
import type { PeerSettings } from '../h2/settings.ts'
import type { StreamSender } from '../h2/stream-taking.ts'
import { ended, type Swept } from '../sweep.ts'
import type { UpstreamUser } from './connection.ts'
import type { UpstreamFailure } from './failure.ts'
import { dial, type Dialled } from './dial.ts'
import type { Endpoint } from './endpoint.ts'
import { UpstreamStream } from './h2-stream.ts'
import type { Pool } from './pool.ts'

/** What counts as fresh for a request that found its last connection closed. */
const youngTime = 1_000
const pseudoHeaders = 1
const mustSpeak = 'the endpoint must speak HTTP/2, beginning with SETTINGS'

function sessionOptions(bounds: Bounds): SessionOptions {
  return {
    isServer: false,
    settings: { enablePush: false, initialWindowSize: bounds.http2StreamWindow, maxHeaderListSize: bounds.head },
    connectionWindow: bounds.http2ConnectionWindow,
    head: { bytes: bounds.head, fields: bounds.fields + pseudoHeaders },
    memory: bounds.http2UpstreamMemory,
    refusedStreams: 0,
    uselessFrames: bounds.http2UselessFrames,
    overhead: { bytes: bounds.http2Overhead, window: bounds.http2CountTime },
    unsent: bounds.unsent,
  }
}

export class UpstreamSession implements SessionUser, ByteHandler, Swept {
  readonly endpoint: Endpoint
  readonly pool: Pool
  deadline: number
  sweepSlot = -1
  readonly #dialled: Dialled
  readonly #socket: Socket
  readonly #session: Session
  readonly #streams = new Set<UpstreamStream>()
  /** It may be written to; whether HTTP/2 is spoken there is still to be seen. */
  #dialledThrough = false
  #connected = false
  #connectedAt = 0
  /** No new streams: the endpoint, or the configuration, wants it to end. */
  #closing = false
  #closed = false
  /** Why it did not come to be, where that is known otherwise than from the socket. */
  #connectFailure: UpstreamFailure | undefined

  constructor(pool: Pool, endpoint: Endpoint) {
    this.pool = pool
    this.endpoint = endpoint
    pool.connectionOpened(endpoint)
    endpoint.sessions.push(this)
    const { bounds, sweep, buffers } = pool.runtime
    this.#dialled = dial(pool, endpoint, this, () => this.#secured())
    const { socket } = this.#dialled
    this.#socket = socket
    this.#session = new Session(socket, sessionOptions(bounds), this, buffers, sweep)
    // What can be read still comes; nothing more can be asked.
    socket.on('writeFailed', () => this.retire())
    socket.on('end', () => this.#end('closed'))
    socket.on('close', () => this.#end('closed'))
    this.deadline = sweep.now + bounds.connectTime
    sweep.watch(this)
  }

  get connected(): boolean {
    return this.#connected
  }

  get sender(): StreamSender {
    return senderOf(this.#socket)
  }

  get ownFailure(): boolean {
    return this.#dialled.isOwnFailure()
  }

  /** @param fresh only if it was not there, or just so, when the request found another one closed */
  hasRoom(fresh: boolean): boolean {
    if (this.#closing || this.#closed || this.#session.isFull || !this.#session.hasIds) return false
    if (fresh && this.#connected && this.pool.runtime.sweep.now - this.#connectedAt > youngTime) return false
    return this.#streams.size < this.#limit
  }

  /** Requests at a time: RFC 9113 section 6.5.2 asks servers to allow at least 100. */
  get #limit(): number {
    return Math.min(this.pool.runtime.bounds.http2UpstreamStreams, this.endpoint.streamLimit)
  }

  assign(user: UpstreamUser): UpstreamStream {
    const stream = new UpstreamStream(this, this.#session, user, this.#connected)
    this.#streams.add(stream)
    if (this.#connected) this.deadline = Number.POSITIVE_INFINITY
    return stream
  }

  /** The stream is over for its user; its session may be idle now. */
  released(stream: UpstreamStream): void {
    if (!this.#streams.delete(stream) || this.#streams.size > 0 || !this.#connected || this.#closed) return
    if (this.#closing) return this.#destroySoon()
    this.#await(this.pool.runtime.bounds.poolIdleTime)
  }

  /** Ends after its last stream. */
  retire(): void {
    this.#retire()
    if (this.#streams.size === 0) this.#destroySoon()
  }

  expire(): void {
    if (!this.#connected) {
      if (this.#dialledThrough) this.endpoint.problem = `${mustSpeak}, and said nothing`
      this.#connectFailure = 'connect-timeout'
      this.#end('closed')
    } else if (this.#streams.size === 0) this.#destroySoon()
    else this.deadline = Number.POSITIVE_INFINITY
  }

  onBytes(bytes: Buffer): void {
    if (!this.#connected && isHttp1(bytes)) return this.#notHttp2('answered with HTTP/1')
    this.#session.read(bytes)
  }

  // What the session tells.

  /** Servers open none: a push is a fault. */
  onStream(): void {}

  /** Only its settings tell how many requests it takes, and that it speaks HTTP/2 at all; until then nothing is sent. */
  onSettings({ maxConcurrentStreams }: PeerSettings): void {
    this.endpoint.streamLimit = maxConcurrentStreams
    if (!this.#connected && !this.#closed) this.#ready()
  }

  onPing(): void {}

  onGoaway(): void {
    this.#retire()
  }

  onFault(): void {
    if (!this.#connected) return this.#notHttp2('began with something else')
    this.#end('protocol')
  }

  /** Over TLS the endpoint must have chosen HTTP/2. */
  #secured(): void {
    this.#dialledThrough = true
    const { socket } = this.#dialled
    if (!(socket instanceof TLSSocket) || socket.alpnProtocol === 'h2') return
    this.#connectFailure = 'connect-tls'
    this.endpoint.problem = 'the endpoint must speak HTTP/2 (ALPN h2), and chose another protocol'
    this.#end('closed')
  }

  #ready(): void {
    this.#connected = true
    this.#connectedAt = this.pool.runtime.sweep.now
    this.deadline = Number.POSITIVE_INFINITY
    const waiting = [...this.#streams]
    const limit = this.#limit
    for (const stream of waiting.slice(0, limit)) stream.ready()
    // Those that came before the endpoint's limit was known: nothing of them was sent.
    for (const stream of waiting.slice(limit)) stream.fail('refused')
    if (this.#streams.size === 0 && !this.#closed) this.#await(this.pool.runtime.bounds.poolIdleTime)
  }

  #retire(): void {
    this.#closing = true
    const place = this.endpoint.sessions.indexOf(this)
    if (place >= 0) this.endpoint.sessions.splice(place, 1)
  }

  /** What was said goes out first. */
  #destroySoon(): void {
    this.#session.goaway(errorCode.noError, false)
    setImmediate(() => this.#end('closed'))
  }

  #notHttp2(got: string): void {
    this.#connectFailure = 'connect-http2'
    this.endpoint.problem = `${mustSpeak}, and ${got}`
    this.#end('protocol')
  }

  #end(failure: UpstreamFailure): void {
    if (this.#closed) return
    // Some that expect HTTP/1 answer nothing to a preface that they do not know.
    const isAwaited = this.#dialledThrough && !this.#connected && this.#streams.size > 0
    if (failure === 'closed' && isAwaited && this.#connectFailure === undefined) return this.#notHttp2('closed the connection')
    this.#closed = true
    this.#retire()
    this.pool.connectionClosed(this.endpoint)
    this.deadline = ended
    this.pool.runtime.sweep.forget(this)
    this.#session.destroy()
    this.#socket.destroy()
    for (const stream of this.#streams) stream.lost(this.#connected ? failure : (this.#connectFailure ?? this.#dialled.failure()))
  }

  #await(milliseconds: number): void {
    const { sweep } = this.pool.runtime
    this.deadline = sweep.now + milliseconds
    sweep.watch(this)
  }
}

/** Of an answer that comes before anything was asked: what HTTP/1 says to the preface of HTTP/2. */
function isHttp1(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 7) === 'HTTP/1.'
}
