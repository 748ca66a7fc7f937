/** SETTINGS of HTTP/2 (RFC 9113, section 6.5; RFC 8441, section 3). */
import { defaultWindow, errorCode, frameHeader, frameType, maxFrameSize, maxWindow, uint32Text } from './frames.ts'

const HEADER_TABLE_SIZE = 1
const ENABLE_PUSH = 2
const MAX_CONCURRENT_STREAMS = 3
const INITIAL_WINDOW_SIZE = 4
const MAX_FRAME_SIZE = 5
const MAX_HEADER_LIST_SIZE = 6
const ENABLE_CONNECT_PROTOCOL = 8

const entrySize = 6
const largestFrame = 2 ** 24 - 1

export interface PeerSettings {
  /** Bytes of HPACK's table. */
  headerTableSize: number
  /** Streams that we may open at a time. */
  maxConcurrentStreams: number
  /** Bytes that may be sent on a new stream. */
  initialWindowSize: number
}

export function defaultSettings(): PeerSettings {
  return { headerTableSize: 4_096, maxConcurrentStreams: Number.POSITIVE_INFINITY, initialWindowSize: defaultWindow }
}

/** What is told to the peer; what is absent is not said. */
export interface OwnSettings {
  readonly maxConcurrentStreams?: number
  readonly initialWindowSize: number
  readonly maxHeaderListSize: number
  readonly enablePush?: false
  readonly enableConnectProtocol?: true
}

/** The whole frame as a byte string. */
export function settingsFrame(own: OwnSettings): string {
  let entries = entry(INITIAL_WINDOW_SIZE, own.initialWindowSize) + entry(MAX_HEADER_LIST_SIZE, own.maxHeaderListSize)
  if (own.maxConcurrentStreams !== undefined) entries += entry(MAX_CONCURRENT_STREAMS, own.maxConcurrentStreams)
  if (own.enablePush !== undefined) entries += entry(ENABLE_PUSH, 0)
  if (own.enableConnectProtocol !== undefined) entries += entry(ENABLE_CONNECT_PROTOCOL, 1)
  return frameHeader(entries.length, frameType.settings, 0, 0) + entries
}

function entry(id: number, value: number): string {
  return String.fromCharCode(id >>> 8, id & 0xff) + uint32Text(value)
}

/**
 * Takes what bytes[from, to) say into `settings`. Returns the code of the connection error that one of them is, or undefined.
 * @param byServer servers may not offer to push
 */
export function readSettings(bytes: Buffer, from: number, to: number, settings: PeerSettings, byServer: boolean): number | undefined {
  if ((to - from) % entrySize !== 0) return errorCode.frameSize
  for (let at = from; at < to; at += entrySize) {
    const value = bytes.readUInt32BE(at + 2)
    switch (bytes.readUInt16BE(at)) {
      case HEADER_TABLE_SIZE:
        settings.headerTableSize = value
        break
      case ENABLE_PUSH:
        if (value > (byServer ? 0 : 1)) return errorCode.protocol
        break
      case MAX_CONCURRENT_STREAMS:
        settings.maxConcurrentStreams = value
        break
      case INITIAL_WINDOW_SIZE:
        if (value > maxWindow) return errorCode.flowControl
        settings.initialWindowSize = value
        break
      case MAX_FRAME_SIZE:
        if (value < maxFrameSize || value > largestFrame) return errorCode.protocol
        break
      case ENABLE_CONNECT_PROTOCOL:
        if (value > 1) return errorCode.protocol
        break
      default:
    }
  }
  return undefined
}
