/**
 * A gRPC service for the load, h2c, on bare sockets: it answers each call when all of it has come, with the same message
 * and grpc-status 0, and costs the second core a few microseconds, where node:http2 would cost it more than a proxy costs
 * the first one. It need not understand heads, so it does not; beside it node:http2 answers with what it was told.
 * Run as a process of its own.
 */
import { createServer as createHttp2Server } from 'node:http2'
import { createServer, type Socket } from 'node:net'
import { grpcBackendPort, grpcMessage, grpcToldPort } from './workload.ts'

const prefaceLength = 24
const frameHead = 9
const DATA = 0
const HEADERS = 1
const SETTINGS = 4
const PING = 6
const WINDOW_UPDATE = 8
const END_STREAM = 1
const ACK = 1
const END_HEADERS = 4
/** How much may come before the client's window for the connection is opened again. */
const windowStep = 16 * 1024

function frame(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(frameHead)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  return Buffer.concat([head, payload])
}

/** HPACK: `:status: 200` from the static table; names and values that no table remembers (RFC 7541, sections 6.1 and 6.2.2). */
const head = frame(HEADERS, END_HEADERS, Buffer.concat([Buffer.from([0x88, 0x0f, 0x10, 16]), Buffer.from('application/grpc')]))
const message = frame(DATA, 0, grpcMessage)
const trailers = frame(
  HEADERS,
  END_HEADERS | END_STREAM,
  Buffer.concat([Buffer.from([0, 11]), Buffer.from('grpc-status'), Buffer.from([1]), Buffer.from('0')]),
)
const answer = Buffer.concat([head, message, trailers])
/** Where the stream's number goes. */
const numbers = [5, head.length + 5, head.length + message.length + 5]

/** What waits for its windows is at most 15 bytes for each call under way: it always has room. */
function serve(socket: Socket): void {
  let rest: Buffer = Buffer.alloc(0)
  let started = false
  let consumed = 0
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes: Buffer) => {
    let all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    const out: Buffer[] = []
    if (!started) {
      if (all.length < prefaceLength) return void (rest = all)
      all = all.subarray(prefaceLength)
      started = true
      out.push(frame(SETTINGS, 0, Buffer.alloc(0)))
    }
    let at = 0
    while (at + frameHead <= all.length) {
      const end = at + frameHead + all.readUIntBE(at, 3)
      if (end > all.length) break
      const [type, flags] = [all[at + 3], all[at + 4] ?? 0]
      if (type === DATA) consumed += end - at - frameHead
      if ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0) out.push(answerTo(all, at + 5))
      else if ((type === SETTINGS || type === PING) && (flags & ACK) === 0)
        out.push(frame(type, ACK, type === PING ? Buffer.from(all.subarray(at + frameHead, end)) : Buffer.alloc(0)))
      at = end
    }
    rest = all.subarray(at)
    if (consumed >= windowStep) {
      const step = Buffer.alloc(4)
      step.writeUInt32BE(consumed)
      out.push(frame(WINDOW_UPDATE, 0, step))
      consumed = 0
    }
    if (out.length > 0) socket.write(out.length === 1 ? (out[0] ?? '') : Buffer.concat(out))
  })
}

function answerTo(request: Buffer, numberAt: number): Buffer {
  const copy = Buffer.from(answer)
  for (const at of numbers) request.copy(copy, at, numberAt, numberAt + 4)
  return copy
}

createServer(serve).listen(grpcBackendPort, '127.0.0.1')

const telling = createHttp2Server()
telling.on('stream', (stream, headers) => {
  // nginx tells Host instead of :authority.
  const told = [
    headers[':authority'] ?? headers.host,
    ...['x-forwarded-for', 'x-forwarded-proto', 'x-request-id'].map((name) => headers[name]),
  ]
  stream.resume()
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', seen: told.join(' ') }, { waitForTrailers: true })
  stream.end(grpcMessage)
})
telling.listen(grpcToldPort, '127.0.0.1')
