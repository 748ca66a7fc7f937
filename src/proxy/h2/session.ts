/**
 * h2: HTTP/2 on the wire (RFC 9113), for both sides of the gateway: frames, HPACK, streams, flow control.
 *
 * A session reads bytes that its owner gives it, keeps the rules of the protocol, and tells of streams; its owner has the
 * socket, its end and its time, and judges what heads say. Whatever a stream's user does while it is told something takes
 * effect in the session's turn, once in a turn of the event loop, which also joins everything to one write. Faults of the
 * peer end the connection (`onFault`) or the stream; what could be much without a use is bounded. It knows nothing of requests.
 */
import type { Socket } from 'node:net'
import { Outlet, type WriteBuffer } from '../outlet.ts'
import { ClosedStreams } from './closed-streams.ts'
import { ACK, defaultWindow, END_HEADERS, END_STREAM, errorCode, frameType, lastStreamId, maxFrameSize, maxWindow } from './frames.ts'
import { PADDED, preface, PRIORITY } from './frames.ts'
import { type FrameHandler, FrameReader } from './frame-reader.ts'
import { type BlockBuffer, FrameWriter } from './frame-writer.ts'
import { HeadBlock } from './head-block.ts'
import { type DecodedFields, HpackDecoder } from './hpack-decoder.ts'
import { HpackEncoder } from './hpack-encoder.ts'
import { type Clock, Overhead, type OverheadLimits } from './overhead.ts'
import { defaultSettings, type OwnSettings, type PeerSettings, readSettings, settingsFrame } from './settings.ts'
import { Stream, type StreamOwner, type StreamSink } from './stream.ts'

export interface SessionOptions {
  readonly isServer: boolean
  readonly settings: OwnSettings
  /** Bytes that the peer may send on all streams before we have taken them. */
  readonly connectionWindow: number
  /** Of a head after HPACK: bytes as RFC 9113 section 6.5.2 counts them, and fields with the pseudo-headers. */
  readonly head: { readonly bytes: number; readonly fields: number }
  /** Bytes that streams may hold, each of them counted as `streamCost`; the peer's are refused beyond. */
  readonly memory: number
  /** Streams that may be refused for want of memory. */
  readonly refusedStreams: number
  /** Frames that are of no use to anybody. */
  readonly uselessFrames: number
  /** Bytes that are of no use to anybody. */
  readonly overhead: OverheadLimits
  /** Bytes that wait for the peer before a stream is `blocked`. */
  readonly unsent: number
}

/** What the socket's other users share with it. */
export interface SessionBuffers {
  readonly write: WriteBuffer
  readonly block: BlockBuffer
}

/** Whoever owns the connection. */
export interface SessionUser {
  /** The peer has opened a stream: give it a sink. @param head undefined: more than one may be */
  onStream(stream: Stream, head: DecodedFields | undefined, endStream: boolean): void
  onSettings(settings: PeerSettings): void
  onPing(): void
  /** The peer takes no more streams; those that it did not take were told. */
  onGoaway(): void
  /** The connection cannot go on, and the peer was told: end it. */
  onFault(code: number): void
}

/** Bytes. */
const tableSize = 4_096
const streamCost = 1_024
/** A head that is too large is answered, if it is not far beyond its bound. */
const blockFactor = 2

export class Session implements FrameHandler, StreamOwner {
  readonly writer: FrameWriter
  readonly unsent: number
  readonly creditAbove: number
  sendWindow = defaultWindow
  held = 0
  /** As the peer said last. */
  readonly peer: PeerSettings = defaultSettings()
  readonly #options: SessionOptions
  readonly #user: SessionUser
  readonly #outlet: Outlet
  readonly #reader: FrameReader
  readonly #decoder = new HpackDecoder(tableSize)
  readonly #encoder = new HpackEncoder(tableSize)
  readonly #overhead: Overhead
  readonly #streams = new Map<number, Stream>()
  readonly #closed = new ClosedStreams()
  /** Those of ours that have no id yet, in their order. */
  readonly #unopened = new Set<Stream>()
  #queue: Stream[] = []
  #woken: Stream[] = []
  #isScheduled = false
  #isOver = false
  /** Bytes of the preface that have not come. */
  #prefaceLeft: number
  #isInputEnded = false
  /** The peer's first frame was what it must be. */
  #isSettled = false
  /** The peer knows our settings. */
  #isAcknowledged = false
  #block: HeadBlock | undefined
  #receiveWindow = defaultWindow
  #credit = 0
  #lastPeerStream = 0
  #nextStream = 1
  /** The highest stream of the peer that we take. */
  #lastTaken = lastStreamId
  #uselessFrames = 0
  #refusedStreams = 0

  constructor(socket: Socket, options: SessionOptions, user: SessionUser, buffers: SessionBuffers, clock: Clock) {
    this.#options = options
    this.#overhead = new Overhead(options.overhead, clock, socket)
    this.#user = user
    this.#outlet = new Outlet(socket, buffers.write, options.unsent)
    this.#reader = new FrameReader(this)
    this.#prefaceLeft = options.isServer ? preface.length : 0
    this.writer = new FrameWriter(this.#outlet, this.#encoder, buffers.block)
    this.unsent = options.unsent
    this.creditAbove = Math.ceil(options.settings.initialWindowSize / 2)
    socket.on('drain', () => this.schedule())
    if (!options.isServer) this.#outlet.text(preface.toString('latin1'))
    this.#outlet.text(settingsFrame(options.settings))
    const more = options.connectionWindow - defaultWindow
    if (more > 0) this.#grow(more)
    this.schedule()
  }

  // What its owner calls.

  /** Streams that are open, or will be. */
  get size(): number {
    return this.#streams.size + this.#unopened.size
  }

  /** Its streams hold as much as they may. */
  get isFull(): boolean {
    return this.size * streamCost + this.held > this.#options.memory
  }

  /** Ids of our own are left. */
  get hasIds(): boolean {
    return this.#nextStream + 2 * this.#unopened.size < lastStreamId
  }

  /** The socket takes no more for the moment. */
  get blocked(): boolean {
    return this.#outlet.blocked
  }

  /** Valid during the call. */
  read(bytes: Buffer): void {
    let at = 0
    this.#overhead.came(bytes.length)
    if (this.#prefaceLeft > 0) {
      const from = preface.length - this.#prefaceLeft
      at = Math.min(bytes.length, this.#prefaceLeft)
      if (preface.compare(bytes, 0, at, from, from + at) !== 0) return this.#fault(errorCode.protocol)
      this.#prefaceLeft -= at
    }
    this.#reader.push(bytes, at)
    if (this.#overhead.isTooMuch) this.#fault(errorCode.enhanceYourCalm)
  }

  /** A stream of ours. */
  request(sink: StreamSink): Stream {
    const stream = new Stream(this, 0, this.peer.initialWindowSize, this.#initialReceiveWindow, false, false)
    stream.sink = sink
    this.#unopened.add(stream)
    return stream
  }

  /** Tells the peer that streams above the last one that it opened are not taken. @param notice ones that are on their way are */
  goaway(code: number, notice: boolean): void {
    if (this.#isOver) return
    if (!notice) this.#lastTaken = this.#lastPeerStream
    this.writer.goaway(this.#lastTaken, code)
    // At once: what the peer has not sent when it hears of it is not sent here.
    this.#outlet.flush()
  }

  /** GOAWAY with the reason, and no more is read or sent. */
  abandon(code: number): void {
    this.#fault(code)
  }

  /** The peer sends no more: streams of which it owes a part are at an end, and so are those that wait for a window. */
  inputEnded(): void {
    this.#isInputEnded = true
    this.schedule()
    for (const stream of this.#streams.values()) if (!stream.isRemoteEnded) this.#break(stream, errorCode.cancel)
  }

  /** The connection has gone. Nobody is told; what came complete is still delivered. */
  destroy(): void {
    this.#isOver = true
    this.#outlet.drop()
    for (const stream of this.#streams.values()) stream.cut()
    for (const stream of this.#unopened) stream.cut()
    this.#streams.clear()
    this.#unopened.clear()
  }

  // What its streams call.

  open(stream: Stream): void {
    this.#unopened.delete(stream)
    stream.id = this.#nextStream
    this.#nextStream += 2
    this.#streams.set(stream.id, stream)
  }

  queue(stream: Stream): void {
    if (!stream.isQueued) {
      stream.isQueued = true
      this.#queue.push(stream)
    }
    this.schedule()
  }

  wake(stream: Stream): void {
    if (!stream.isWoken) {
      stream.isWoken = true
      this.#woken.push(stream)
    }
    this.schedule()
  }

  /** What the peer has sent before it hears of it is thrown away. */
  reset(stream: Stream, code: number): void {
    this.#closed.reset(stream.id, stream.isRemoteEnded ? 0 : stream.receiveWindow)
    this.writer.reset(stream.id, code)
  }

  remove(stream: Stream): void {
    if (stream.id === 0) this.#unopened.delete(stream)
    else this.#streams.delete(stream.id)
  }

  schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#isScheduled = false
    if (!this.#isOver) this.#send()
    if (this.#isInputEnded && !this.#outlet.blocked) for (const stream of this.#queue) stream.broken(errorCode.cancel)
    this.#tell()
    if (!this.#isOver) this.#outlet.flush()
  }

  // Reading.

  get isReading(): boolean {
    return !this.#isOver
  }

  onFrame(type: number, flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (!this.#isInOrder(type, id)) return this.#fault(errorCode.protocol)
    switch (type) {
      case frameType.data:
        return this.#onPaddedData(flags, id, bytes, from, to)
      case frameType.headers:
        return this.#onHeaders(flags, id, bytes, from, to)
      case frameType.priority:
        if (id === 0) return this.#fault(errorCode.protocol)
        if (to - from !== 5) return this.#fault(errorCode.frameSize)
        return
      case frameType.rstStream:
        return this.#onReset(id, bytes, from, to)
      case frameType.settings:
        return this.#onSettings(flags, id, bytes, from, to)
      case frameType.pushPromise:
        return this.#fault(errorCode.protocol)
      case frameType.ping:
        return this.#onPing(flags, id, bytes, from, to)
      case frameType.goaway:
        return this.#onGoaway(id, bytes, from, to)
      case frameType.windowUpdate:
        return this.#onWindowUpdate(id, bytes, from, to)
      case frameType.continuation:
        return this.#onContinuation(flags, bytes, from, to)
      // RFC 9113 section 4.1: what nobody knows is ignored.
      default:
    }
  }

  onData(id: number, bytes: Buffer, from: number, to: number, endStream: boolean): void {
    if (!this.#isInOrder(frameType.data, id)) return this.#fault(errorCode.protocol)
    this.#takeData(id, bytes, from, to, 0, endStream)
  }

  onEmptyData(id: number): void {
    if (!this.#isInOrder(frameType.data, id) || this.#isIdle(id)) return this.#fault(errorCode.protocol)
    if (!this.#streams.has(id)) this.#onClosed(id, 0, false)
    this.#useless()
  }

  onTooLarge(): void {
    this.#fault(errorCode.frameSize)
  }

  /** SETTINGS come first, and nothing comes between the frames of a head (RFC 9113, sections 3.4 and 4.3). */
  #isInOrder(type: number, id: number): boolean {
    if (!this.#isSettled) return type === frameType.settings
    return this.#block === undefined ? type !== frameType.continuation : type === frameType.continuation && id === this.#block.stream
  }

  #onHeaders(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (id === 0) return this.#fault(errorCode.protocol)
    const padding = (flags & PADDED) === 0 ? 0 : (bytes[from] ?? 0)
    const start = from + ((flags & PADDED) === 0 ? 0 : 1) + ((flags & PRIORITY) === 0 ? 0 : 5)
    if (start > to) return this.#fault(errorCode.frameSize)
    const end = to - padding
    if (start > end) return this.#fault(errorCode.protocol)
    const endStream = (flags & END_STREAM) !== 0
    if ((flags & END_HEADERS) !== 0) return this.#onBlock(id, endStream, bytes, start, end)
    this.#block = new HeadBlock(id, endStream, blockFactor * this.#options.head.bytes)
    this.#addToBlock(this.#block, bytes, start, end)
  }

  #onContinuation(flags: number, bytes: Buffer, from: number, to: number): void {
    const block = this.#block
    if (block === undefined || !this.#addToBlock(block, bytes, from, to) || (flags & END_HEADERS) === 0) return
    this.#block = undefined
    const whole = block.whole()
    this.#onBlock(block.stream, block.endStream, whole, 0, whole.length)
  }

  #addToBlock(block: HeadBlock, bytes: Buffer, from: number, to: number): boolean {
    if (block.add(bytes, from, to)) return true
    this.#fault(errorCode.enhanceYourCalm)
    return false
  }

  /** A whole head. It is decoded whatever becomes of it, or later ones would mean something else. */
  #onBlock(id: number, endStream: boolean, bytes: Buffer, from: number, to: number): void {
    const decoded = this.#decoder.decode(bytes, from, to, this.#options.head)
    if (decoded.kind === 'broken') return this.#fault(errorCode.compression)
    const head = decoded.kind === 'fields' ? decoded : undefined
    const stream = this.#streams.get(id)
    if (stream !== undefined) {
      this.#overhead.useful += to - from
      this.#onMoreFields(stream, head, endStream)
    } else if (!this.#isIdle(id)) this.#onClosed(id, to - from, endStream)
    else if (!this.#options.isServer || id % 2 === 0) this.#fault(errorCode.protocol)
    else {
      this.#overhead.useful += to - from
      this.#begin(id, head, endStream)
    }
  }

  /** DATA or HEADERS of a stream that was open, or might have been (RFC 9113, sections 5.1 and 5.1.1). */
  #onClosed(id: number, bytes: number, endStream: boolean): void {
    switch (this.#closed.kind(id)) {
      case 'reset':
        this.#overhead.useful += this.#closed.spend(id, bytes)
        if (endStream) this.#closed.end(id)
        return
      case 'unknown':
        return
      case 'left-out':
        return this.#fault(errorCode.protocol)
      case 'closed':
        // Some servers end an answer that has no body twice: not worth the other requests of a connection that is shared.
        if (this.#options.isServer) this.#fault(errorCode.streamClosed)
    }
  }

  #onMoreFields(stream: Stream, head: DecodedFields | undefined, endStream: boolean): void {
    if (stream.isRemoteEnded) return this.#streamError(stream, errorCode.streamClosed)
    // What comes behind the body of a request ends it (RFC 9113, section 8.1).
    if (this.#options.isServer && !endStream) return this.#streamError(stream, errorCode.protocol)
    stream.sink?.onFields(head, endStream)
    if (endStream && !stream.isClosed) stream.remoteEnded()
  }

  #begin(id: number, head: DecodedFields | undefined, endStream: boolean): void {
    if (id - this.#lastPeerStream > 2) this.#closed.leaveOut(this.#lastPeerStream, id)
    this.#lastPeerStream = id
    if (id > this.#lastTaken) return this.#ignore(id, endStream)
    const { settings, refusedStreams } = this.#options
    if (this.#streams.size >= (settings.maxConcurrentStreams ?? 0)) {
      if (this.#isAcknowledged) return this.#fault(errorCode.protocol)
      this.#refuse(id, endStream, errorCode.refusedStream)
      return this.#useless()
    }
    if (this.isFull) {
      this.#refuse(id, endStream, errorCode.enhanceYourCalm)
      if (++this.#refusedStreams > refusedStreams) this.#fault(errorCode.enhanceYourCalm)
      return
    }
    const stream = new Stream(this, id, this.peer.initialWindowSize, this.#initialReceiveWindow, endStream, true)
    this.#streams.set(id, stream)
    this.#user.onStream(stream, head, endStream)
  }

  #refuse(id: number, endStream: boolean, code: number): void {
    this.#ignore(id, endStream)
    this.writer.reset(id, code)
    this.schedule()
  }

  /** A stream that we do not take; more of it may be under way. */
  #ignore(id: number, endStream: boolean): void {
    if (!endStream) this.#closed.reset(id, this.#initialReceiveWindow)
  }

  #onPaddedData(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    const padding = to > from ? 1 + (bytes[from] as number) : 0
    if (padding === 0) return this.#fault(errorCode.frameSize)
    if (padding > to - from) return this.#fault(errorCode.protocol)
    const endStream = (flags & END_STREAM) !== 0
    this.#takeData(id, bytes, from + 1, to - padding + 1, padding, endStream)
    if (padding === to - from && !endStream) this.#useless()
  }

  /** @param padding bytes that count, and say nothing */
  #takeData(id: number, bytes: Buffer, from: number, to: number, padding: number, endStream: boolean): void {
    if (this.#isIdle(id)) return this.#fault(errorCode.protocol)
    const length = to - from + padding
    this.#receiveWindow -= length
    if (this.#receiveWindow < 0) return this.#fault(errorCode.flowControl)
    // Streams hold what they must, each within its own window: the connection does not wait for the slowest of them.
    this.#credit += length
    if (2 * this.#credit >= this.#options.connectionWindow) this.#grow(this.#credit)
    const stream = this.#streams.get(id)
    if (stream === undefined) return this.#onClosed(id, length, endStream)
    if (stream.isRemoteEnded) return this.#streamError(stream, errorCode.streamClosed)
    stream.receiveWindow -= length
    if (stream.receiveWindow < 0) return this.#streamError(stream, errorCode.flowControl)
    this.#overhead.useful += to - from
    if (to > from) stream.received(bytes, from, to)
    if (padding > 0) stream.consumed(padding)
    if (endStream && !stream.isClosed) stream.remoteEnded()
  }

  #onReset(id: number, bytes: Buffer, from: number, to: number): void {
    if (to - from !== 4) return this.#fault(errorCode.frameSize)
    if (this.#isIdle(id)) return this.#fault(errorCode.protocol)
    const stream = this.#streams.get(id)
    if (stream === undefined) this.#closed.end(id)
    else this.#break(stream, bytes.readUInt32BE(from))
  }

  #onSettings(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (id !== 0) return this.#fault(errorCode.protocol)
    if ((flags & ACK) !== 0) return to === from ? this.#acknowledged() : this.#fault(errorCode.frameSize)
    this.#isSettled = true
    const { initialWindowSize } = this.peer
    const code = readSettings(bytes, from, to, this.peer, !this.#options.isServer)
    if (code !== undefined) return this.#fault(code)
    this.#encoder.setPeerTableSize(this.peer.headerTableSize)
    if (!this.#changeWindows(this.peer.initialWindowSize - initialWindowSize)) return this.#fault(errorCode.flowControl)
    this.writer.settingsAck()
    this.schedule()
    this.#user.onSettings(this.peer)
  }

  /** RFC 9113 section 6.9.2. Returns false when one becomes larger than it may. */
  #changeWindows(by: number): boolean {
    for (const streams of [this.#streams.values(), this.#unopened]) {
      for (const stream of streams) {
        stream.sendWindow += by
        if (stream.sendWindow > maxWindow) return false
      }
    }
    return true
  }

  #acknowledged(): void {
    if (this.#isAcknowledged) return this.#useless()
    const before = this.#initialReceiveWindow
    this.#isAcknowledged = true
    const by = this.#initialReceiveWindow - before
    if (by !== 0) for (const stream of this.#streams.values()) stream.receiveWindow += by
  }

  /** Until the peer knows of ours it may use what holds without a setting. */
  get #initialReceiveWindow(): number {
    const { initialWindowSize } = this.#options.settings
    return this.#isAcknowledged ? initialWindowSize : Math.max(initialWindowSize, defaultWindow)
  }

  #onPing(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (id !== 0) return this.#fault(errorCode.protocol)
    if (to - from !== 8) return this.#fault(errorCode.frameSize)
    if ((flags & ACK) !== 0) return
    this.writer.pong(bytes, from, to)
    this.schedule()
    this.#user.onPing()
  }

  #onGoaway(id: number, bytes: Buffer, from: number, to: number): void {
    if (id !== 0) return this.#fault(errorCode.protocol)
    if (to - from < 8) return this.#fault(errorCode.frameSize)
    const last = bytes.readUInt32BE(from) & 0x7fffffff
    this.#user.onGoaway()
    if (this.#options.isServer) return
    for (const stream of [...this.#streams.values(), ...this.#unopened]) {
      if (stream.id === 0 || stream.id > last) this.#break(stream, errorCode.refusedStream)
    }
  }

  #onWindowUpdate(id: number, bytes: Buffer, from: number, to: number): void {
    if (to - from !== 4) return this.#fault(errorCode.frameSize)
    const increment = bytes.readUInt32BE(from) & 0x7fffffff
    if (id === 0) {
      if (increment === 0) return this.#fault(errorCode.protocol)
      this.sendWindow += increment
      if (this.sendWindow > maxWindow) return this.#fault(errorCode.flowControl)
      return this.schedule()
    }
    if (this.#isIdle(id)) return this.#fault(errorCode.protocol)
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    if (increment === 0) return this.#streamError(stream, errorCode.protocol)
    stream.sendWindow += increment
    if (stream.sendWindow > maxWindow) return this.#streamError(stream, errorCode.flowControl)
    this.schedule()
  }

  /** No stream of that number has been opened. */
  #isIdle(id: number): boolean {
    if (id === 0) return true
    if (this.#options.isServer) return id % 2 === 0 || id > this.#lastPeerStream
    return id % 2 === 0 || id >= this.#nextStream
  }

  #useless(): void {
    if (++this.#uselessFrames > this.#options.uselessFrames) this.#fault(errorCode.enhanceYourCalm)
  }

  #streamError(stream: Stream, code: number): void {
    this.reset(stream, code)
    this.schedule()
    this.#break(stream, code)
  }

  #break(stream: Stream, code: number): void {
    stream.broken(code)
    this.schedule()
  }

  #grow(by: number): void {
    this.writer.windowUpdate(0, by)
    this.#receiveWindow += by
    this.#credit = 0
    this.schedule()
  }

  #fault(code: number): void {
    if (this.#isOver) return
    this.writer.goaway(this.#lastPeerStream, code)
    this.#outlet.flush()
    this.#isOver = true
    this.#user.onFault(code)
  }

  // The turn.

  /** Who is woken meanwhile is told in the next turn. */
  #tell(): void {
    const woken = this.#woken
    if (woken.length === 0) return
    this.#woken = []
    for (const stream of woken) stream.isWoken = false
    for (const stream of woken) {
      stream.deliver()
      stream.settle()
    }
  }

  /** A frame of each stream by turns, as long as something goes. */
  #send(): void {
    let sent = this.#queue.length > 0
    while (sent && !this.#outlet.blocked) {
      sent = false
      const queue = this.#queue
      let kept = 0
      for (let i = 0; i < queue.length; i++) {
        const stream = queue[i] as Stream
        if (stream.send(maxFrameSize)) sent = true
        if (stream.hasMore) queue[kept++] = stream
        else stream.isQueued = false
      }
      queue.length = kept
    }
  }
}
