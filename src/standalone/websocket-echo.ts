/** The echo backend's side of a WebSocket (RFC 6455): accepts, says once whom the client reached, then sends every message back. */
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'

const opcode = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const
/** RFC 6455 section 5.5: a control frame's payload. */
const maxControlPayload = 125
/** A frame is echoed whole, so that it must be held whole: bytes. */
const maxPayload = 16 * 1024 * 1024

/** `greeting` is the first text message. A frame that breaks the protocol closes the connection with status 1002, one too large with 1009. */
export function acceptWebSocket(socket: Socket, head: Buffer, key: string, greeting: string): void {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)
  socket.write(frame(opcode.text, true, Buffer.from(greeting)))
  let pending: Buffer = Buffer.alloc(0)
  const take = (chunk: Buffer): void => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    while (!socket.writableEnded) {
      const read = readFrame(pending)
      if (read === undefined) return
      if ('refuse' in read) {
        close(socket, read.refuse)
        return
      }
      pending = pending.subarray(read.length)
      reply(socket, read)
    }
  }
  socket.on('data', take)
  socket.on('drain', () => socket.resume())
  // Sockets of an http.Server stay half open: a client that went without a close frame would leave its tunnel behind.
  socket.on('end', () => socket.end())
  if (head.length > 0) take(head)
}

interface Frame {
  readonly opcode: number
  readonly final: boolean
  readonly payload: Buffer
  /** Bytes of the whole frame. */
  readonly length: number
}

/** The frame at the start of `bytes`, undefined while it is not complete, or the status to refuse it with. Section 5.2. */
function readFrame(bytes: Buffer): Frame | { readonly refuse: number } | undefined {
  const first = bytes[0]
  const second = bytes[1]
  if (first === undefined || second === undefined) return undefined
  const kind = first & 0x0f
  const final = (first & 0x80) !== 0
  const short = second & 0x7f
  const control = kind >= opcode.close
  // Reserved bits need an extension, none was agreed on; a client masks every frame (section 5.1).
  if ((first & 0x70) !== 0 || (second & 0x80) === 0) return { refuse: 1002 }
  if (control && (!final || short > maxControlPayload)) return { refuse: 1002 }
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0
  if (bytes.length < 2 + extended + 4) return undefined
  const size = extended === 0 ? short : extended === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (size > maxPayload) return { refuse: 1009 }
  const start = 2 + extended + 4
  if (bytes.length < start + size) return undefined
  const mask = bytes.subarray(start - 4, start)
  const payload = Buffer.from(bytes.subarray(start, start + size))
  for (let index = 0; index < size; index += 1) payload[index] = (payload[index] ?? 0) ^ (mask[index & 3] ?? 0)
  return { opcode: kind, final, payload, length: start + size }
}

function reply(socket: Socket, { opcode: kind, final, payload }: Frame): void {
  switch (kind) {
    case opcode.continuation:
    case opcode.text:
    case opcode.binary:
      if (!socket.write(frame(kind, final, payload))) socket.pause()
      return
    case opcode.ping:
      socket.write(frame(opcode.pong, true, payload))
      return
    case opcode.pong:
      return
    case opcode.close:
      socket.end(frame(opcode.close, true, payload))
      return
    default:
      close(socket, 1002)
  }
}

function close(socket: Socket, status: number): void {
  socket.end(frame(opcode.close, true, Buffer.from([status >> 8, status & 0xff])))
}

function frame(kind: number, final: boolean, payload: Buffer): Buffer {
  const head = payload.length <= 125 ? Buffer.alloc(2) : payload.length <= 0xffff ? Buffer.alloc(4) : Buffer.alloc(10)
  head[0] = (final ? 0x80 : 0) | kind
  if (head.length === 2) {
    head[1] = payload.length
  } else if (head.length === 4) {
    head[1] = 126
    head.writeUInt16BE(payload.length, 2)
  } else {
    head[1] = 127
    head.writeBigUInt64BE(BigInt(payload.length), 2)
  }
  return Buffer.concat([head, payload])
}
