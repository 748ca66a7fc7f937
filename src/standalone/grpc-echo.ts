/**
 * The echo backend's side of a gRPC call: any method, whatever its messages are. It answers the first message, or a call without any,
 * with one whose field 1 is a string that tells what arrived, and sends each further one back; so a unary call and a call that
 * streams answers get one message, and one that streams both ways gets as many as it sent.
 */
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'

/** One byte that says whether the message is compressed, four of its length ("gRPC over HTTP/2", Length-Prefixed-Message). */
const prefixLength = 5
/** A message is echoed whole, so that it must be held whole: bytes. */
const maxMessage = 16 * 1024 * 1024
const resourceExhausted = 8

/** gRPC-Web is another protocol. */
export function isGrpcCall(request: Http2ServerRequest): boolean {
  return /^application\/grpc(?:$|[+; \t])/i.test(request.headers['content-type'] ?? '')
}

/** `describe` gives the text of the first answer for the bytes of body that arrived so far. */
export function echoGrpc(request: Http2ServerRequest, response: Http2ServerResponse, describe: (bodySize: number) => string): void {
  const encoding = request.headers['grpc-encoding']
  // What is sent back compressed is so as it came.
  response.writeHead(200, { 'content-type': 'application/grpc', ...(typeof encoding === 'string' ? { 'grpc-encoding': encoding } : {}) })
  let pending: Buffer = Buffer.alloc(0)
  let bodySize = 0
  let greeted = false
  const end = (status: number): void => {
    response.addTrailers({ 'grpc-status': `${status}` })
    response.end()
  }
  const reply = (message: Buffer): void => {
    const answer = greeted ? message : framed(stringField(describe(bodySize)))
    greeted = true
    if (!response.write(answer)) request.pause()
  }
  request.on('data', (chunk: Buffer) => {
    if (response.writableEnded) return
    bodySize += chunk.length
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    while (pending.length >= prefixLength) {
      const length = pending.readUInt32BE(1)
      if (length > maxMessage) return end(resourceExhausted)
      if (pending.length < prefixLength + length) return
      reply(pending.subarray(0, prefixLength + length))
      pending = pending.subarray(prefixLength + length)
    }
  })
  response.on('drain', () => request.resume())
  request.on('end', () => {
    if (response.writableEnded) return
    if (!greeted) reply(Buffer.alloc(0))
    end(0)
  })
}

function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(prefixLength)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

/** A protobuf message of one field: number 1, wire type 2 (length-delimited). */
function stringField(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([(1 << 3) | 2, ...varint(bytes.length)]), bytes])
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}
