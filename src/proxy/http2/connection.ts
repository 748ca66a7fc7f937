/** A client's HTTP/2 connection: its socket, its session, its bounds; each request becomes a `Http2Stream`. */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { AnswerFlag } from '../../telemetry/access-record.ts'
import type { Bounds } from '../../config/bounds.ts'
import { type AdoptedSocket, type ByteHandler, senderOf, startReading, unsentBytes } from '../byte-socket.ts'
import { errorCode } from '../h2/frames.ts'
import type { DecodedFields } from '../h2/hpack-decoder.ts'
import { Session, type SessionOptions, type SessionUser } from '../h2/session.ts'
import type { Stream } from '../h2/stream.ts'
import type { StreamSender } from '../h2/stream-taking.ts'
import { accountForRefusal } from '../http/accounting.ts'
import { answer } from '../http/answers.ts'
import type { ClientConnection, ConnectionContext, ConnectionPhase } from '../http/connection-context.ts'
import { forwardedPrefix } from '../http/forwarded.ts'
import { refusal } from '../http1/codec.ts'
import { headLimits } from '../message-limits.ts'
import { unknown } from '../send-queues.ts'
import { ended, type Swept } from '../sweep.ts'
import { FloodGuard } from './flood-guard.ts'
import { type HeadSurroundings, readHead } from './request-head.ts'
import { Http2Stream, type StreamOwner } from './stream.ts'

const forever = Number.POSITIVE_INFINITY
/** :method, :scheme, :authority, :path and :protocol. */
const pseudoHeaders = 5
const headTooLarge = refusal(431, 'head-too-large')

function sessionOptions(bounds: Bounds): SessionOptions {
  return {
    isServer: true,
    settings: {
      maxConcurrentStreams: bounds.http2Streams,
      maxHeaderListSize: bounds.head,
      initialWindowSize: bounds.http2StreamWindow,
      enableConnectProtocol: true,
    },
    connectionWindow: bounds.http2ConnectionWindow,
    head: { bytes: bounds.head, fields: bounds.fields + pseudoHeaders },
    memory: bounds.http2Memory,
    refusedStreams: bounds.http2RefusedStreams,
    uselessFrames: bounds.http2UselessFrames,
    overhead: { bytes: bounds.http2Overhead, window: bounds.http2CountTime },
    unsent: bounds.unsent,
  }
}

export class Http2Connection implements ClientConnection, StreamOwner, SessionUser, ByteHandler, Swept {
  readonly context: ConnectionContext
  readonly forwardedPrefix: string
  phase: ConnectionPhase = 'idle'
  deadline: number
  sweepSlot = -1
  onClosed: (() => void) | undefined
  readonly #socket: Socket
  readonly #session: Session
  readonly #streams = new Set<Http2Stream>()
  readonly #guard: FloodGuard
  readonly #heads: HeadSurroundings
  #lingered = 0
  /** Bytes that waited for the client when it was last looked at. */
  #untaken = 0
  /** Bytes that it had acknowledged when the kernel was last asked. */
  #acknowledged = unknown
  #draining = false
  /** No more streams are taken. */
  #closing = false
  /** The client has said FIN. */
  #inputEnded = false

  /** @param first bytes that were read already; valid during the call */
  constructor(adopted: AdoptedSocket, context: ConnectionContext, first: Buffer | undefined) {
    const { bounds, sweep, counters, upgrades, buffers } = context.runtime
    this.context = context
    this.forwardedPrefix = forwardedPrefix(context)
    this.#guard = new FloodGuard({
      resets: bounds.http2Resets,
      pings: bounds.http2Pings,
      settings: bounds.http2Settings,
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
    adopted.handler = this
    const { socket } = adopted
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('end', () => this.#inputEnd())
    socket.on('error', () => this.#end('client-gone'))
    socket.on('close', () => this.#closed())
    this.#session = new Session(socket, sessionOptions(bounds), this, buffers, sweep)
    startReading(socket)
    if (first !== undefined && first.length > 0) this.onBytes(first)
  }

  drain(): void {
    if (this.#draining || this.phase === 'closed' || this.phase === 'linger') return
    this.#draining = true
    this.#session.goaway(errorCode.noError, true)
    // RFC 9113 section 6.8: a notice first, then a while for the streams that are on their way.
    this.#await(this.context.runtime.bounds.http2NoticeTime)
  }

  /** GOAWAY cannot be taken back: the client asks for nothing more here. */
  stay(): void {}

  destroy(): void {
    this.#end('shutdown')
  }

  expire(): void {
    if (this.phase === 'closed') return
    if (this.phase === 'linger') return this.#expireLinger()
    if (this.#draining || this.phase === 'idle') this.#close()
    else this.deadline = forever
  }

  onBytes(bytes: Buffer): void {
    if (this.phase !== 'linger') return this.#session.read(bytes)
    this.#lingered += bytes.length
    if (this.#lingered > this.context.runtime.bounds.lingerBytes) this.#end('client-gone')
  }

  // What the session tells.

  onStream(stream: Stream, decoded: DecodedFields | undefined, endStream: boolean): void {
    const { runtime } = this.context
    const one = new Http2Stream(stream, this)
    this.#streams.add(one)
    runtime.counters.active += 1
    if (this.phase === 'idle') {
      this.phase = 'exchange'
      if (!this.#draining) this.deadline = forever
    }
    const head = decoded === undefined ? headTooLarge : readHead(decoded, endStream, this.#heads)
    if (head.kind === 'request') return one.start(head)
    const refused = answer(head.status, 'bad-request')
    const requestId = runtime.requestIds.next()
    one.refuse(refused, requestId)
    accountForRefusal(this.context, refused, requestId, 'HTTP/2')
  }

  onSettings(): void {
    this.#count('settings')
  }

  onPing(): void {
    this.#count('pings')
  }

  /** A client that wants to end ends when it has its answers. */
  onGoaway(): void {}

  onFault(code: number): void {
    if (code === errorCode.enhanceYourCalm) this.context.runtime.counters.http2Floods += 1
    this.#cancelStreams('client-gone')
    this.#session.destroy()
    this.#finish()
  }

  // What its streams tell.

  get sender(): StreamSender {
    return senderOf(this.#socket)
  }

  streamClosed(stream: Http2Stream, whole: boolean): void {
    if (!this.#streams.delete(stream)) return
    this.context.runtime.counters.active -= 1
    if (this.phase !== 'exchange') return
    if (!whole) this.#count('resets')
    if (this.#streams.size > 0 || this.phase !== 'exchange') return
    this.phase = 'idle'
    if (this.#closing || this.#inputEnded) this.#finish()
    else if (!this.#draining) this.#await(this.context.runtime.bounds.clientIdleTime)
  }

  #count(kind: 'resets' | 'pings' | 'settings'): void {
    if (this.#guard.count(kind, performance.now())) this.#session.abandon(errorCode.enhanceYourCalm)
  }

  /** No more streams; the connection ends with the last of them. */
  #close(): void {
    this.#draining = true
    this.#closing = true
    this.#session.goaway(errorCode.noError, false)
    if (this.#streams.size === 0) this.#finish()
    else this.#await(forever)
  }

  /** What was said is written, then FIN; what still comes is thrown away for a while, so that no reset swallows it. */
  #finish(): void {
    this.phase = 'linger'
    this.#await(this.context.runtime.bounds.lingerTime)
    // The session writes what it has in a turn of its own.
    setImmediate(() => {
      if (this.phase === 'closed') return
      this.#socket.end()
      this.#awaitTaking()
    })
  }

  /** The client has to take what waits for it, or some of it at least. */
  #awaitTaking(): void {
    const { writeStuckTime, lingerTime } = this.context.runtime.bounds
    this.#untaken = unsentBytes(this.#socket)
    this.#acknowledged = unknown
    this.#await(this.#untaken > 0 ? writeStuckTime : lingerTime)
  }

  #expireLinger(): void {
    const unsent = unsentBytes(this.#socket)
    if (unsent < this.#untaken) return this.#awaitTaking()
    const { buffers, sweep, bounds } = this.context.runtime
    const before = this.#acknowledged
    if (unsent > 0) this.#acknowledged = buffers.kernel.acknowledged(senderOf(this.#socket), sweep.now)
    if (this.#acknowledged > before) this.#await(bounds.writeStuckTime)
    else this.#end('client-gone')
  }

  #inputEnd(): void {
    this.#inputEnded = true
    if (this.phase === 'idle') return this.#finish()
    if (this.phase === 'exchange') this.#session.inputEnded()
  }

  #end(flag: AnswerFlag): void {
    if (this.phase === 'closed') return
    this.phase = 'closed'
    this.deadline = ended
    this.context.runtime.sweep.forget(this)
    this.#cancelStreams(flag)
    this.#session.destroy()
    this.#socket.destroy()
  }

  #cancelStreams(flag: AnswerFlag): void {
    const streams = [...this.#streams]
    this.#streams.clear()
    this.context.runtime.counters.active -= streams.length
    for (const stream of streams) stream.cancel(flag)
  }

  #closed(): void {
    this.#end('client-gone')
    this.context.runtime.counters.connections -= 1
    this.onClosed?.()
  }

  #await(milliseconds: number): void {
    this.deadline = this.context.runtime.sweep.now + milliseconds
    this.context.runtime.sweep.watch(this)
  }
}
