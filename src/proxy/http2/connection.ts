/** A client's HTTP/2 connection: sessions of node:http2, bounded; each request becomes a `Http2Stream`. */
import { randomBytes } from 'node:crypto'
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { AnswerFlag } from '../../telemetry/access-record.ts'
import type { Bounds } from '../../config/bounds.ts'
import { accountForRefusal } from '../http/accounting.ts'
import { answer } from '../http/answers.ts'
import type { ClientConnection, ConnectionContext, ConnectionPhase } from '../http/connection-context.ts'
import { forwardedPrefix } from '../http/forwarded.ts'
import { headLimits } from '../message-limits.ts'
import { ended, type Swept } from '../sweep.ts'
import { FloodGuard } from './flood-guard.ts'
import { type HeadSurroundings, readHead } from './request-head.ts'
import { Http2Stream, type StreamOwner } from './stream.ts'

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_FLAG_END_STREAM, NGHTTP2_NO_ERROR } = constants

const highestStream = 2 ** 31 - 1

function sessionOptions(bounds: Bounds) {
  return {
    maxHeaderListPairs: bounds.fields + pseudoHeaders,
    /** Megabytes. */
    maxSessionMemory: Math.ceil(bounds.http2Memory / 1e6),
    maxSessionInvalidFrames: bounds.http2UselessFrames,
    maxSessionRejectedStreams: bounds.http2RefusedStreams,
    settings: {
      maxConcurrentStreams: bounds.http2Streams,
      maxHeaderListSize: bounds.head,
      initialWindowSize: bounds.http2StreamWindow,
      enableConnectProtocol: true,
      enablePush: false,
    },
  }
}

/** :method, :scheme, :authority, :path and :protocol. */
const pseudoHeaders = 5

export class Http2Connection implements ClientConnection, StreamOwner, Swept {
  readonly context: ConnectionContext
  readonly forwardedPrefix: string
  phase: ConnectionPhase = 'idle'
  deadline: number
  sweepSlot = -1
  onClosed: (() => void) | undefined
  readonly #socket: Socket
  readonly #session: ServerHttp2Session
  readonly #streams = new Set<Http2Stream>()
  readonly #guard: FloodGuard
  readonly #heads: HeadSurroundings
  #useful = 0
  #draining = false

  constructor(socket: Socket, context: ConnectionContext, first: Buffer | undefined) {
    const { bounds, sweep, counters, upgrades } = context.runtime
    this.context = context
    this.forwardedPrefix = forwardedPrefix(context)
    this.#socket = socket
    this.#guard = new FloodGuard({
      resets: bounds.http2Resets,
      pings: bounds.http2Pings,
      settings: bounds.http2Settings,
      overhead: bounds.http2Overhead,
      window: bounds.http2CountTime,
    })
    this.#heads = {
      scheme: context.scheme,
      limits: headLimits(bounds),
      upgrades,
      webSocketKey: () => randomBytes(16).toString('base64'),
      cached: { text: '', authority: undefined },
    }
    counters.connections += 1
    counters.connectionsTotal += 1
    counters.http2Connections += 1
    this.deadline = sweep.now + bounds.clientIdleTime
    sweep.watch(this)
    socket.setNoDelay(true)
    // A FIN ends the session: whoever wants an answer to a stream has to stay.
    socket.allowHalfOpen = false
    if (first !== undefined && first.length > 0) socket.unshift(first)
    const session = performServerHandshake(socket, sessionOptions(bounds))
    this.#session = session
    session.setLocalWindowSize(bounds.http2ConnectionWindow)
    session.on('stream', (stream: ServerHttp2Stream, _headers: unknown, flags: number, raw: string[]) => this.#begin(stream, flags, raw))
    session.on('ping', () => this.#count('pings'))
    session.on('remoteSettings', () => this.#count('settings'))
    // 'close' follows.
    session.on('error', ignore)
    // Once: node:http2 (20.20) tells twice when the socket closes while the session ends.
    session.once('close', () => this.#closed())
    // The session takes what was unshifted in its first tick; only then may the paused socket go on.
    session.once('connect', () => socket.resume())
  }

  drain(): void {
    if (this.#draining || this.phase === 'closed') return
    this.#draining = true
    if (!this.#session.closed && !this.#session.destroyed) this.#session.goaway(NGHTTP2_NO_ERROR, highestStream)
    // RFC 9113 section 6.8: a notice first, then a while for the streams that are on their way.
    this.#await(this.context.runtime.bounds.http2NoticeTime)
  }

  destroy(): void {
    this.#end('shutdown')
  }

  expire(): void {
    if (this.phase === 'closed') return
    if (this.phase === 'linger') return this.#end('client-gone')
    if (this.#draining || this.phase === 'idle') return this.#close()
    const useful = this.#useful
    this.#useful = 0
    if (this.#guard.look(this.#socket.bytesRead, this.#socket.bytesWritten, useful)) return this.#flood()
    this.#awaitLook()
  }

  received(bytes: number): void {
    this.#useful += bytes
  }

  streamClosed(stream: Http2Stream, whole: boolean): void {
    if (!this.#streams.delete(stream)) return
    this.context.runtime.counters.active -= 1
    if (this.phase === 'closed') return
    if (!whole) this.#count('resets')
    if (this.#streams.size > 0 || this.phase !== 'exchange') return
    this.phase = 'idle'
    if (!this.#draining) this.#await(this.context.runtime.bounds.clientIdleTime)
    else if (this.#session.closed) this.#await(this.context.runtime.bounds.lingerTime)
  }

  #begin(stream: ServerHttp2Stream, flags: number, raw: string[]): void {
    if (this.phase === 'closed') return
    const { runtime } = this.context
    const one = new Http2Stream(stream, this)
    this.#streams.add(one)
    runtime.counters.active += 1
    // The client took it back within the same bytes: 'close' may have come and gone.
    if (stream.destroyed || stream.closed) return this.streamClosed(one, false)
    if (this.phase === 'idle') {
      this.phase = 'exchange'
      if (!this.#draining) this.#awaitLook()
    }
    for (const text of raw) this.#useful += text.length
    const head = readHead(raw, (flags & NGHTTP2_FLAG_END_STREAM) !== 0, this.#heads)
    if (head.kind === 'request') {
      one.start(head)
      return
    }
    const refused = answer(head.status, 'bad-request')
    const requestId = runtime.requestIds.next()
    one.refuse(refused, requestId)
    accountForRefusal(this.context, refused, requestId, 'HTTP/2')
  }

  #count(kind: 'resets' | 'pings' | 'settings'): void {
    if (this.phase !== 'closed' && this.#guard.count(kind, performance.now())) this.#flood()
  }

  #flood(): void {
    if (!this.#session.destroyed) this.#session.goaway(NGHTTP2_ENHANCE_YOUR_CALM)
    // The frame goes out first.
    setImmediate(() => {
      if (this.phase !== 'closed') this.context.runtime.counters.http2Floods += 1
      this.#end('client-gone')
    })
  }

  /** No more streams; the connection ends with the last of them. */
  #close(): void {
    this.#draining = true
    if (this.#streams.size === 0) this.phase = 'linger'
    this.#await(this.phase === 'linger' ? this.context.runtime.bounds.lingerTime : forever)
    if (!this.#session.closed) this.#session.close()
  }

  #end(flag: AnswerFlag): void {
    if (this.phase === 'closed') return
    this.phase = 'closed'
    this.deadline = ended
    this.context.runtime.sweep.forget(this)
    for (const stream of this.#streams) stream.cancel(flag)
    this.context.runtime.counters.active -= this.#streams.size
    this.#streams.clear()
    this.#session.destroy()
  }

  #closed(): void {
    this.#end('client-gone')
    this.context.runtime.counters.connections -= 1
    this.onClosed?.()
  }

  #awaitLook(): void {
    const { http2CountTime, clientIdleTime } = this.context.runtime.bounds
    this.#await(Math.min(http2CountTime, clientIdleTime))
  }

  #await(milliseconds: number): void {
    this.deadline = this.context.runtime.sweep.now + milliseconds
    this.context.runtime.sweep.watch(this)
  }
}

const forever = Number.POSITIVE_INFINITY

function ignore(): void {}
