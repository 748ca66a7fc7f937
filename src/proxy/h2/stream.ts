/**
 * One stream of a session, for either role. Its user (`StreamSink`) sends on it and is told what comes; its session reads
 * and writes the frames. What is sent waits in a queue until the session's turn; large pieces go out at once as far as
 * the windows and the socket take them. What comes while the user has paused is held, up to the stream's window.
 */
import { errorCode, maxFrameSize } from './frames.ts'
import type { FrameWriter } from './frame-writer.ts'
import type { DecodedFields } from './hpack-decoder.ts'
import { SendQueue } from './send-queue.ts'

/** The user of a stream. */
export interface StreamSink {
  /** A head after the one that opened the stream: of an answer, or trailers. Undefined: larger than it may be. */
  onFields(head: DecodedFields | undefined, endStream: boolean): void
  /** Valid during the call. */
  onData(bytes: Buffer, from: number, to: number): void
  /** Everything that the peer sends has been told. */
  onEnd(): void
  /** What was `blocked` has gone. */
  onDrain(): void
  /** Called once, and nothing after it. @param code of the reset, whoever sent it; 0: both sides have ended */
  onClosed(code: number): void
}

/** The session, as its streams see it. */
export interface StreamOwner {
  readonly writer: FrameWriter
  /** Bytes that wait for a stream from which it is `blocked`. */
  readonly unsent: number
  /** Bytes that a stream may get back before it is told so. */
  readonly creditAbove: number
  /** The socket takes no more for the moment. */
  readonly blocked: boolean
  /** Bytes that all streams together may send. */
  sendWindow: number
  /** Bytes that streams hold. */
  held: number
  /** Gives a stream of ours its id: its first head is about to be written. */
  open(stream: Stream): void
  /** It has something to send. */
  queue(stream: Stream): void
  /** It has something to deliver, or to tell. */
  wake(stream: Stream): void
  /** Writes RST_STREAM. */
  reset(stream: Stream, code: number): void
  /** No frames belong to it any more. */
  remove(stream: Stream): void
  /** A turn will write what was written. */
  schedule(): void
}

/** Pieces of a body up to this length wait for others. */
const smallPiece = 4 * 1024

export class Stream {
  /** 0: one of ours that is not open yet. */
  id: number
  sink: StreamSink | undefined
  sendWindow: number
  receiveWindow: number
  /** The peer has sent its last frame. */
  isRemoteEnded: boolean
  /** No frames are sent or read any more. */
  isClosed = false
  /** More waits than may: `onDrain` comes. */
  blocked = false
  /** Its session knows that it has something to send, or something to tell. */
  isQueued = false
  isWoken = false
  readonly #owner: StreamOwner
  readonly #queue = new SendQueue()
  readonly #held: Buffer[] = []
  #isLocalEnded = false
  #isPaused: boolean
  #discards = false
  /** `onEnd` is to be called. */
  #owesEnd = false
  /** `onDrain` is to be called. */
  #owesDrain = false
  /** `onClosed` is to be called with it. */
  #owesClose: number | undefined
  /** Bytes that were consumed, and that the peer does not know of. */
  #credit = 0

  /** @param isPaused what comes is held until `resume` */
  constructor(owner: StreamOwner, id: number, sendWindow: number, receiveWindow: number, isRemoteEnded: boolean, isPaused: boolean) {
    this.#owner = owner
    this.id = id
    this.sendWindow = sendWindow
    this.receiveWindow = receiveWindow
    this.isRemoteEnded = isRemoteEnded
    this.#isPaused = isPaused
  }

  // What its user calls. None of these calls back.

  /** Bytes of a body that wait. */
  get queued(): number {
    return this.#queue.bytes
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /**
   * @param fields names in lower case and values by turns, pseudo-headers first
   * @param sensitive names of those that no table may hold
   */
  sendFields(fields: readonly string[], sensitive?: ReadonlySet<string>): void {
    if (!this.#isOpen) return
    this.#queue.head({ fields, sensitive })
    this.#owner.queue(this)
  }

  /** Taken during the call. */
  sendData(bytes: Buffer, from: number, to: number): void {
    if (!this.#isOpen || from === to) return
    if (to - from <= smallPiece) return this.sendText(bytes.toString('latin1', from, to))
    const at = this.#sendNow(bytes, from, to)
    if (at === to) return this.#owner.schedule()
    this.#queue.copy(bytes, at, to)
    this.#queued(to - at)
  }

  /** A byte string. */
  sendText(text: string): void {
    if (!this.#isOpen) return
    this.#queue.text(text)
    this.#queued(text.length)
  }

  /** Nothing more follows. */
  end(): void {
    if (!this.#isOpen) return
    this.#queue.ends = true
    this.#owner.queue(this)
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    if (this.#held.length > 0 || this.#owesEnd) this.#owner.wake(this)
  }

  /**
   * What the peer sends is not wanted: when our side has ended, it is told so without an error (RFC 9113, section 8.1).
   */
  discard(): void {
    if (this.#discards) return
    this.#discards = true
    this.#drop()
    if (this.#isLocalEnded && !this.isClosed) this.reset(errorCode.noError)
    else if (this.#owesClose !== undefined) this.#owner.wake(this)
  }

  /** What waits goes out, as far as it may at once; then a reset. */
  breakOff(code: number): void {
    if (this.id !== 0) this.#sendQueue()
    this.reset(code)
  }

  /** Ends it at once; what waits is forgotten. */
  reset(code: number): void {
    this.#discards = true
    this.#drop()
    if (this.isClosed) return this.#owner.wake(this)
    if (this.id !== 0) this.#owner.reset(this, code)
    this.#close(code)
    this.#owner.wake(this)
  }

  // What its session calls.

  /** Bytes of DATA, within the windows. */
  received(bytes: Buffer, from: number, to: number): void {
    if (this.#discards) return
    if (this.#isPaused || this.#held.length > 0) {
      this.#held.push(Buffer.from(bytes.subarray(from, to)))
      this.#owner.held += to - from
      return
    }
    this.sink?.onData(bytes, from, to)
    this.consumed(to - from)
  }

  /** The peer's window opens again when half of it was used. */
  consumed(bytes: number): void {
    this.#credit += bytes
    if (this.#credit < this.#owner.creditAbove || this.isRemoteEnded || this.isClosed) return
    this.#owner.writer.windowUpdate(this.id, this.#credit)
    this.receiveWindow += this.#credit
    this.#credit = 0
    this.#owner.schedule()
  }

  /** END_STREAM has come. */
  remoteEnded(): void {
    this.isRemoteEnded = true
    if (this.#isLocalEnded) {
      this.#close(errorCode.noError)
      this.#owner.wake(this)
    }
    if (this.#discards) return
    if (this.#isPaused || this.#held.length > 0) this.#owesEnd = true
    else this.sink?.onEnd()
  }

  /** The peer has reset it, or made us do so: its user is told at once, so that it cannot begin the next one before. */
  broken(code: number): void {
    this.#close(code)
    // Without an error: what came before still counts (RFC 9113, section 8.1).
    if (code === errorCode.noError && this.#held.length > 0) return
    this.#discards = true
    this.#drop()
    this.settle()
  }

  /** The connection has gone: nothing is sent any more, and what came complete can still be delivered. */
  cut(): void {
    this.isClosed = true
    this.#owner.held -= this.#queue.bytes
    this.#queue.clear()
  }

  /** Gives its user what was held, as far as that takes it. */
  deliver(): void {
    while (!this.#isPaused && this.#held.length > 0) {
      const piece = this.#held.shift() as Buffer
      this.#owner.held -= piece.length
      this.sink?.onData(piece, 0, piece.length)
      this.consumed(piece.length)
    }
    if (this.#isPaused || !this.#owesEnd) return
    this.#owesEnd = false
    this.sink?.onEnd()
  }

  /** Tells what is owed. */
  settle(): void {
    if (this.#owesDrain) {
      this.#owesDrain = false
      if (!this.isClosed) this.sink?.onDrain()
    }
    const code = this.#owesClose
    if (code === undefined || this.#held.length > 0 || this.#owesEnd) return
    this.#owesClose = undefined
    const { sink } = this
    this.sink = undefined
    sink?.onClosed(code)
  }

  /** True while there is something to send. */
  get hasMore(): boolean {
    return !this.isClosed && !this.#isLocalEnded && (!this.#queue.isEmpty || this.#queue.ends)
  }

  /** Writes frames of up to about `most` bytes. Returns whether one was written. */
  send(most: number): boolean {
    let bytes = 0
    let sent = false
    while (bytes < most && this.hasMore && !this.#owner.blocked) {
      const allowed = this.#allowed
      if (!this.#queue.canSend(allowed)) break
      if (this.id === 0) this.#owner.open(this)
      bytes += this.#spend(this.#queue.send(this.#owner.writer, this.id, allowed))
      sent = true
      if (this.#queue.ends && this.#queue.isEmpty) this.#localEnded()
    }
    return sent
  }

  /** The peer would take more of it. */
  get hasWindow(): boolean {
    return this.#allowed > 0
  }

  get #isOpen(): boolean {
    return !this.isClosed && !this.#queue.ends
  }

  get #allowed(): number {
    return Math.min(this.sendWindow, this.#owner.sendWindow)
  }

  /** What waits, and then as much of these bytes as may go now; returns where that ends. */
  #sendNow(bytes: Buffer, from: number, to: number): number {
    this.#sendQueue()
    let at = from
    while (at < to && this.#queue.isEmpty && !this.#owner.blocked) {
      const next = Math.min(to, at + Math.min(this.#allowed, maxFrameSize))
      if (next <= at) break
      this.#owner.writer.data(this.id, bytes, at, next, false)
      this.sendWindow -= next - at
      this.#owner.sendWindow -= next - at
      at = next
    }
    return at
  }

  #sendQueue(): void {
    while (!this.isClosed && !this.#queue.isEmpty && this.send(maxFrameSize));
  }

  #queued(bytes: number): void {
    this.#owner.held += bytes
    if (this.#queue.bytes > this.#owner.unsent) this.blocked = true
    this.#owner.queue(this)
  }

  /** Bytes of the queue have gone. */
  #spend(bytes: number): number {
    this.sendWindow -= bytes
    this.#owner.sendWindow -= bytes
    this.#owner.held -= bytes
    if (this.blocked && this.#queue.bytes === 0) {
      this.blocked = false
      this.#owesDrain = true
      this.#owner.wake(this)
    }
    return bytes
  }

  #localEnded(): void {
    this.#isLocalEnded = true
    if (this.isRemoteEnded) this.#close(errorCode.noError)
    else if (this.#discards) this.reset(errorCode.noError)
    if (this.isClosed) this.#owner.wake(this)
  }

  #close(code: number): void {
    this.isClosed = true
    this.#owesClose = code
    this.#owner.held -= this.#queue.bytes
    this.#queue.clear()
    this.#owner.remove(this)
  }

  /** Forgets what was held. */
  #drop(): void {
    for (const piece of this.#held) this.#owner.held -= piece.length
    this.#held.length = 0
    this.#owesEnd = false
  }
}
