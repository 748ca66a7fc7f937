/** Frames that RFC 9113 forbids, and what becomes of the connection or the stream that they came on. */
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../../harness/eventually.ts'
import { FrameClient } from '../../harness/frame-client.ts'
import { harness } from '../../harness/harness.ts'
import { endHeaders, endStream, frame, frameType, headerBlock, http2Preface, uint32 } from '../../harness/http2-frames.ts'
import { status200 } from '../../harness/raw-http2-backend.ts'

const h = harness()
const clients: FrameClient[] = []
afterEach(() => {
  for (const { socket } of clients.splice(0)) socket.destroy()
})

const protocolError = 1
const flowControlError = 3
const streamClosed = 5
const frameSizeError = 6
const compressionError = 9
const enhanceYourCalm = 11

const get = headerBlock()
const open = frame(frameType.headers, endHeaders, 1, get)
const request = frame(frameType.headers, endHeaders | endStream, 1, get)
const requestOf = (stream: number): Buffer => frame(frameType.headers, endHeaders | endStream, stream, get)
const reset = frame(frameType.reset, 0, 1, uint32(8))
const ping = frame(frameType.ping, 0, 0, Buffer.alloc(8))
const padded = 8
const priority = 0x20
const pushPromise = 5
const setting = (id: number, value: number): Buffer => Buffer.concat([Buffer.from([0, id]), uint32(value)])

/** What ends the connection. */
const faults: readonly (readonly [name: string, code: number, frames: readonly Buffer[]])[] = [
  ['a frame larger than 16,384 bytes', frameSizeError, [frame(frameType.data, 0, 1, Buffer.alloc(16_385))]],
  ['DATA on stream 0', protocolError, [frame(frameType.data, 0, 0, Buffer.from('x'))]],
  ['DATA on a stream that was not opened', protocolError, [frame(frameType.data, 0, 1, Buffer.from('x'))]],
  ['empty DATA on a stream that was not opened', protocolError, [frame(frameType.data, 0, 3)]],
  ['DATA with more padding than there is', protocolError, [open, frame(frameType.data, padded, 1, Buffer.from([9, 1]))]],
  ['padded DATA without its length', frameSizeError, [open, frame(frameType.data, padded, 1)]],
  ['HEADERS on stream 0', protocolError, [frame(frameType.headers, endHeaders, 0, get)]],
  ['HEADERS of a stream of even number', protocolError, [frame(frameType.headers, endHeaders, 2, get)]],
  ['HEADERS with more padding than there is', protocolError, [frame(frameType.headers, endHeaders | padded, 1, Buffer.from([9, 0x82]))]],
  ['HEADERS too short for their priority', frameSizeError, [frame(frameType.headers, endHeaders | priority, 1, Buffer.alloc(3))]],
  ['a head that HPACK cannot read', compressionError, [frame(frameType.headers, endHeaders, 1, Buffer.from([0x80]))]],
  ['another frame within a head', protocolError, [frame(frameType.headers, 0, 1, get), frame(frameType.ping, 0, 0, Buffer.alloc(8))]],
  ['DATA within a head', protocolError, [frame(frameType.headers, 0, 1, get), frame(frameType.data, 0, 1, Buffer.from('x'))]],
  [
    'CONTINUATION of another stream',
    protocolError,
    [frame(frameType.headers, 0, 1, get), frame(frameType.continuation, endHeaders, 3, get)],
  ],
  ['CONTINUATION of nothing', protocolError, [frame(frameType.continuation, endHeaders, 1, get)]],
  [
    'a head in a hundred frames',
    enhanceYourCalm,
    [frame(frameType.headers, 0, 1, get), ...Array.from({ length: 100 }, () => frame(frameType.continuation, 0, 1))],
  ],
  ['PRIORITY of stream 0', protocolError, [frame(frameType.priority, 0, 0, Buffer.alloc(5))]],
  ['PRIORITY of another length', frameSizeError, [frame(frameType.priority, 0, 1, Buffer.alloc(4))]],
  ['RST_STREAM of stream 0', protocolError, [frame(frameType.reset, 0, 0, uint32(8))]],
  ['RST_STREAM of a stream that was not opened', protocolError, [frame(frameType.reset, 0, 1, uint32(8))]],
  ['RST_STREAM of another length', frameSizeError, [open, frame(frameType.reset, 0, 1, Buffer.alloc(5))]],
  ['SETTINGS of a stream', protocolError, [frame(frameType.settings, 0, 1)]],
  ['SETTINGS of another length', frameSizeError, [frame(frameType.settings, 0, 0, Buffer.alloc(5))]],
  ['an acknowledgement with settings', frameSizeError, [frame(frameType.settings, 1, 0, setting(3, 1))]],
  ['a window that is too large', flowControlError, [frame(frameType.settings, 0, 0, setting(4, 0x80000000))]],
  ['frames that may be too small', protocolError, [frame(frameType.settings, 0, 0, setting(5, 16_383))]],
  ['frames that may be too large', protocolError, [frame(frameType.settings, 0, 0, setting(5, 2 ** 24))]],
  ['a push that is neither on nor off', protocolError, [frame(frameType.settings, 0, 0, setting(2, 2))]],
  ['PUSH_PROMISE of a client', protocolError, [frame(pushPromise, endHeaders, 1, Buffer.concat([uint32(2), get]))]],
  ['PING of a stream', protocolError, [frame(frameType.ping, 0, 1, Buffer.alloc(8))]],
  ['PING of another length', frameSizeError, [frame(frameType.ping, 0, 0, Buffer.alloc(7))]],
  ['GOAWAY of a stream', protocolError, [frame(frameType.goaway, 0, 1, Buffer.alloc(8))]],
  ['GOAWAY that is too short', frameSizeError, [frame(frameType.goaway, 0, 0, Buffer.alloc(7))]],
  ['WINDOW_UPDATE of nothing for the connection', protocolError, [frame(frameType.windowUpdate, 0, 0, uint32(0))]],
  ['a window of the connection beyond its bound', flowControlError, [frame(frameType.windowUpdate, 0, 0, uint32(0x7fffffff))]],
  ['WINDOW_UPDATE of another length', frameSizeError, [frame(frameType.windowUpdate, 0, 0, Buffer.alloc(3))]],
  ['WINDOW_UPDATE of a stream that was not opened', protocolError, [frame(frameType.windowUpdate, 0, 1, uint32(1))]],
]

/** What ends it because of the stream that it is for. */
const closedFaults: typeof faults = [
  ['HEADERS of a stream that was passed over', protocolError, [requestOf(5), requestOf(3)]],
  ['HEADERS of the first stream when it was passed over', protocolError, [requestOf(3), requestOf(1)]],
  ['DATA of a stream that was passed over', protocolError, [requestOf(1), requestOf(7), frame(frameType.data, 0, 5, Buffer.from('x'))]],
  ['DATA of a stream that its client has reset', streamClosed, [open, reset, frame(frameType.data, 0, 1, Buffer.from('x'))]],
  [
    'padded DATA of a stream that its client has reset',
    streamClosed,
    [open, reset, frame(frameType.data, padded, 1, Buffer.from([1, 1, 0]))],
  ],
  ['empty DATA of a stream that its client has reset', streamClosed, [open, reset, frame(frameType.data, 0, 1)]],
  ['HEADERS of a stream that its client has reset', streamClosed, [open, reset, request]],
]

/** What ends the stream alone. */
const resets: readonly (readonly [name: string, code: number, frames: readonly Buffer[]])[] = [
  ['DATA behind the end', streamClosed, [request, frame(frameType.data, 0, 1, Buffer.from('x'))]],
  ['HEADERS behind the end', streamClosed, [request, frame(frameType.headers, endHeaders | endStream, 1, get)]],
  ['trailers that do not end it', protocolError, [open, frame(frameType.headers, endHeaders, 1, headerBlock().subarray(0, 0))]],
  ['WINDOW_UPDATE of nothing', protocolError, [request, frame(frameType.windowUpdate, 0, 1, uint32(0))]],
  ['a window beyond its bound', flowControlError, [request, frame(frameType.windowUpdate, 0, 1, uint32(0x7fffffff))]],
  [
    'more DATA than its window',
    flowControlError,
    [open, ...Array.from({ length: 5 }, () => frame(frameType.data, 0, 1, Buffer.alloc(16_384)))],
  ],
]

/** What is allowed, if odd. */
const allowed: readonly (readonly [name: string, frames: readonly Buffer[]])[] = [
  ['a frame of a type that nobody knows', [frame(0xbe, 0xff, 7, Buffer.alloc(20)), request]],
  ['a setting that nobody knows', [frame(frameType.settings, 0, 0, setting(0x77, 1)), request]],
  ['PRIORITY of a stream that was not opened', [frame(frameType.priority, 0, 9, Buffer.alloc(5)), request]],
  [
    'padding and priority',
    [
      frame(
        frameType.headers,
        endHeaders | endStream | padded | priority,
        1,
        Buffer.concat([Buffer.from([3]), Buffer.alloc(5), get, Buffer.alloc(3)]),
      ),
    ],
  ],
  [
    'a head in three frames',
    [
      frame(frameType.headers, endStream, 1, get.subarray(0, 2)),
      frame(frameType.continuation, 0, 1, get.subarray(2, 5)),
      frame(frameType.continuation, endHeaders, 1, get.subarray(5)),
    ],
  ],
  [
    'frames for a stream that has ended',
    [request, frame(frameType.reset, 0, 1, uint32(8)), frame(frameType.windowUpdate, 0, 1, uint32(5))],
  ],
]

async function dial(): Promise<FrameClient> {
  const web = await h.backend(() => {})
  const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] })
  const client = FrameClient.greet(gate.port)
  clients.push(client)
  return client
}

/** Its stream 1 has ended on both sides. */
async function answered(): Promise<FrameClient> {
  const web = await h.backend()
  const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] })
  const client = FrameClient.greet(gate.port)
  clients.push(client)
  client.socket.write(request)
  await eventually(() => client.frames.some(({ type, flags }) => type === frameType.data && (flags & endStream) !== 0), 'the answer')
  return client
}

/** The gateway has reset its stream 1, of which nobody wants the body (RFC 9113, section 8.1). */
async function answeredEarly(): Promise<FrameClient> {
  const web = await h.rawHttp2Backend((socket, stream) => socket.write(frame(frameType.headers, endHeaders | endStream, stream, status200)))
  const gate = await h.gateway({ pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] })
  const client = FrameClient.greet(gate.port)
  clients.push(client)
  client.socket.write(open)
  await eventually(() => client.resetOf(1) === 0, 'the reset')
  return client
}

describe('[wire:h2-frames]', () => {
  it.each(faults)('%s ends the connection, which is told why', async (_name, code, frames) => {
    const client = await dial()
    client.socket.write(Buffer.concat(frames))
    await eventually(() => client.ended, 'the end')
    expect(client.goaway).toBe(code)
  })

  it.each(closedFaults)('[wire:h2-closed] %s ends the connection, which is told why', async (_name, code, frames) => {
    const client = await dial()
    client.socket.write(Buffer.concat(frames))
    await eventually(() => client.ended, 'the end')
    expect(client.goaway).toBe(code)
  })

  it.each(resets)('%s resets the stream, which is told why, and no other', async (_name, code, frames) => {
    const client = await dial()
    client.socket.write(Buffer.concat([...frames, frame(frameType.ping, 0, 0, Buffer.alloc(8))]))
    await eventually(() => client.frames.some(({ type }) => type === frameType.ping), 'the answer to a ping')
    expect([client.resetOf(1), client.goaway, client.ended]).toEqual([code, undefined, false])
  })

  it.each(allowed)('%s is taken', async (_name, frames) => {
    const client = await dial()
    client.socket.write(Buffer.concat([...frames, frame(frameType.ping, 0, 0, Buffer.alloc(8))]))
    await eventually(() => client.frames.some(({ type }) => type === frameType.ping), 'the answer to a ping')
    expect([client.resetOf(1), client.goaway, client.ended]).toEqual([undefined, undefined, false])
  })

  it.each([
    ['DATA', frame(frameType.data, 0, 1, Buffer.from('x'))],
    ['empty DATA', frame(frameType.data, 0, 1)],
    ['HEADERS', request],
    ['trailers', frame(frameType.headers, endHeaders | endStream, 1, get.subarray(0, 0))],
  ])('[wire:h2-closed] %s of a stream that both sides have ended ends the connection', async (_name, bytes) => {
    const client = await answered()
    client.socket.write(bytes)
    await eventually(() => client.ended, 'the end')
    expect(client.goaway).toBe(streamClosed)
  })

  it('[wire:h2-closed] what may be under way when a stream ends is taken', async () => {
    const client = await answered()
    const late = [reset, frame(frameType.windowUpdate, 0, 1, uint32(5)), frame(frameType.priority, 0, 1, Buffer.alloc(5))]
    client.socket.write(Buffer.concat([...late, ...late, ping, requestOf(3)]))
    await eventually(() => client.frames.some(({ type, stream }) => type === frameType.data && stream === 3), 'the next answer')
    expect([client.resetOf(1), client.goaway]).toEqual([undefined, undefined])
  })

  it('[wire:h2-closed] what was under way when the gateway reset a stream is thrown away, up to its end', async () => {
    const client = await answeredEarly()
    const data = frame(frameType.data, 0, 1, Buffer.alloc(10_000))
    const trailers = frame(frameType.headers, endHeaders | endStream, 1, Buffer.alloc(0))
    client.socket.write(Buffer.concat([data, data, data, trailers, requestOf(3)]))
    await eventually(() => client.frames.some(({ type, stream }) => type === frameType.headers && stream === 3), 'the next answer')
    expect(client.goaway).toBe(undefined)
    client.socket.write(data)
    await eventually(() => client.ended, 'the end')
    expect(client.goaway).toBe(streamClosed)
  })

  it('[wire:h2-closed] what was under way when the gateway reset a stream for a fault is thrown away, and HEADERS of a new one are not', async () => {
    const client = await dial()
    const data = frame(frameType.data, 0, 1, Buffer.from('x'))
    client.socket.write(Buffer.concat([request, data, data, data, requestOf(3), ping]))
    await eventually(() => client.frames.some(({ type }) => type === frameType.ping), 'the answer to a ping')
    expect([client.resetOf(1), client.resetOf(3), client.goaway]).toEqual([streamClosed, undefined, undefined])
  })

  it('[wire:h2-closed] a stream that the client has reset after the gateway did is closed', async () => {
    const client = await answeredEarly()
    client.socket.write(Buffer.concat([reset, frame(frameType.data, 0, 1, Buffer.from('x'))]))
    await eventually(() => client.ended, 'the end')
    expect(client.goaway).toBe(streamClosed)
  })

  it.each([
    ['another preface', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').fill('X', 20, 21)],
    ['no SETTINGS first', Buffer.concat([http2Preface, request])],
  ])('%s is no HTTP/2', async (_name, bytes) => {
    const web = await h.backend(() => {})
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] })
    const client = new FrameClient(gate.port)
    clients.push(client)
    client.socket.write(bytes)
    await eventually(() => client.ended, 'the end')
    expect(web.requests).toEqual([])
  })

  it('[wire:h2-fin] a client that has said FIN gets what it has asked for whole', async () => {
    const web = await h.backend((_request, connection) => {
      setTimeout(() => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 100)
    })
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] })
    const client = FrameClient.greet(gate.port)
    clients.push(client)
    const incomplete = frame(frameType.headers, endHeaders, 3, get)
    client.socket.end(Buffer.concat([request, incomplete, frame(frameType.data, 0, 3, Buffer.from('half'))]))
    await eventually(() => client.ended, 'the end')
    const answers = client.frames.filter(({ type }) => type === frameType.headers || type === frameType.data)
    expect(answers.map(({ stream }) => stream)).toEqual([1, 1])
    expect(answers[1]?.payload.toString()).toBe('ok')
  })

  it('[wire:h2-fin] a client that has said FIN and left no window gets nothing more, and holds nothing', async () => {
    const web = await h.backend((_request, connection) => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] })
    const client = FrameClient.greet(gate.port)
    clients.push(client)
    client.socket.end(Buffer.concat([frame(frameType.settings, 0, 0, setting(4, 0)), request]))
    await eventually(() => client.ended, 'the end')
    await eventually(() => gate.runtime.counters.active === 0, 'the end of the request')
  })

  it('[wire:h2-sensitive] a field that no table may hold is sent on as such', async () => {
    const blocks: Buffer[] = []
    const back = await h.rawHttp2Backend((socket, stream, block) => {
      blocks.push(block)
      socket.write(frame(frameType.headers, endHeaders | endStream, stream, Buffer.from([0x88])))
    })
    const gate = await h.gateway({ pools: { web: [back.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] })
    const client = FrameClient.greet(gate.port)
    clients.push(client)
    const secret = Buffer.concat([get, Buffer.from([0x10, 3]), Buffer.from('x-s'), Buffer.from([1]), Buffer.from('y')])
    client.socket.write(frame(frameType.headers, endHeaders | endStream, 1, secret))
    await eventually(() => blocks.length === 1, 'the request')
    expect(blocks[0]?.toString('latin1')).toContain('\x10\x03x-s\x01y')
  })
})
