/**
 * One side of a connection whose bytes go through as they are: what a stream needs of a socket, and no more. A `RawSocket` is one
 * without a stream around it; where that cannot be, and for TLS that ends here, it is a `NetSocketSide`.
 */
import type { Socket } from 'node:net'
import type { ByteHandler } from './byte-socket.ts'
import type { Ends } from './proxy-protocol/ends.ts'

export interface SocketSide {
  /** May be exchanged: the first bytes may tell whose a connection is. Must be there before the side reads. */
  owner: SideOwner | undefined
  /** Called once, whoever the owner is, when the socket has closed. */
  onClosed: (() => void) | undefined
  /** Undefined for a connection that is gone. */
  readonly remoteAddress: string | undefined
  /** Of the connection itself. */
  readonly ends: Ends
  /** Bytes that were sent and that the kernel has not taken; as they become fewer, the peer takes some. */
  readonly unsent: number
  /** Bytes that the kernel has been given, see `Sender`. */
  readonly passed: number
  /** More than enough is unsent; `onDrain` comes when all of it has gone. */
  readonly blocked: boolean
  /** Taken during the call. */
  send(bytes: Buffer): void
  /** FIN, behind what was sent. Once both sides have said it, the socket closes. */
  end(): void
  pause(): void
  /** An accepted side does not read before. */
  resume(): void
  /** What is unsent is lost. */
  destroy(): void
  /** The same, so that the peer cannot take it for an orderly end. */
  breakOff(): void
  /** A stream in place of this side, for TLS to end: nobody reads it, `first` comes before everything else. `onClosed` is still called. */
  toStream(first: Buffer): Socket
}

/** Whom a side tells. Nothing comes while one of its own functions is called, and nothing but `onClose` after `destroy`. */
export interface SideOwner extends ByteHandler {
  /** Everything that waited has gone. */
  onDrain(): void
  /** FIN has come. */
  onEnd(): void
  /** FIN has gone, and all before it; not told where the side closes at once. */
  onFinish(): void
  /** It cannot be read or written any more; it closes. */
  onError(error: NodeJS.ErrnoException): void
  onClose(): void
}
