/** Echoes WebSocket messages of up to 125 bytes, on bare sockets: the load's core is to carry little else. Run as a process of its own. */
import { createHash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { webSocketBackendPort } from './workload.ts'

const headEnd = '\r\n\r\n'
/** Two bytes of head and four of mask. */
const clientOverhead = 6

function serve(socket: Socket): void {
  let head = ''
  let rest: Buffer = Buffer.alloc(0)
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes: Buffer) => {
    if (rest.length > 0) bytes = Buffer.concat([rest, bytes])
    if (!head.endsWith(headEnd)) {
      head += bytes.toString('latin1')
      if (head.endsWith(headEnd)) socket.write(handshake(head), 'latin1')
      return
    }
    let at = 0
    for (let end = frameEnd(bytes, at); end <= bytes.length; end = frameEnd(bytes, at)) {
      socket.write(echo(bytes.subarray(at, end)))
      at = end
    }
    rest = bytes.subarray(at)
  })
}

function handshake(head: string): string {
  const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1] ?? ''
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}${headEnd}`
}

/** Beyond the bytes as long as the frame's head is not there. */
function frameEnd(bytes: Buffer, at: number): number {
  return at + clientOverhead + (at + 1 < bytes.length ? (bytes[at + 1] ?? 0) & 0x7f : 0)
}

function echo(frame: Buffer): Buffer {
  const length = frame.length - clientOverhead
  const answer = Buffer.allocUnsafe(2 + length)
  answer[0] = frame[0] ?? 0
  answer[1] = length
  for (let i = 0; i < length; i++) answer[2 + i] = (frame[clientOverhead + i] ?? 0) ^ (frame[2 + (i & 3)] ?? 0)
  return answer
}

createServer(serve).listen(webSocketBackendPort, '127.0.0.1')
