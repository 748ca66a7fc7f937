/** The bounds of HTTP/2 as options: each with a value of its own, looked at from the other side of the socket. */
import type { Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Bounds, boundSchema } from '../../../src/config/bounds.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { FrameClient } from '../../harness/frame-client.ts'
import { harness } from '../../harness/harness.ts'
import { answerOf } from '../../harness/http2-client.ts'
import { endHeaders, endStream, frame, frameType, headerBlock, uint32 } from '../../harness/http2-frames.ts'
import { status200 } from '../../harness/raw-http2-backend.ts'
import type { Respond } from '../../harness/scripted-backend.ts'

const h = harness()
const raw: Socket[] = []
afterEach(() => {
  for (const socket of raw.splice(0)) socket.destroy()
})

const refusedStream = 7
const enhanceYourCalm = 11
const get = headerBlock()
const odd = (index: number): number => 2 * index + 1
const resetAt = (index: number): Buffer =>
  Buffer.concat([frame(frameType.headers, endHeaders | endStream, odd(index), get), frame(frameType.reset, 0, odd(index), uint32(8))])

async function scene(bounds: Partial<Bounds>, respond?: Respond) {
  const web = await h.backend(respond)
  const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] }, { bounds })
  return { web, gate }
}

function dial(port: number): FrameClient {
  const client = FrameClient.greet(port)
  raw.push(client.socket)
  return client
}

describe('[wire:h2-options]', () => {
  it.each(['http1', 'h2c'])('[wire:bounds-options] every bound at its most is taken, with a backend of %s', async (protocol) => {
    const back = protocol === 'h2c' ? await h.http2Backend() : await h.backend()
    const bounds = Object.fromEntries(Object.entries(boundSchema).map(([key, { most }]) => [key, most]))
    const gate = await h.gateway(
      { pools: { web: [back.port] }, h2c: protocol === 'h2c' ? ['web'] : [], rules: [{ backends: ['web'] }] },
      { bounds },
    )
    for (const client of [await h.client(gate), await h.http2(gate)])
      expect(await client.request({ method: 'POST', body: 'body' })).toMatchObject({ status: 200, body: 'ok' })
  })

  it('http2-streams and the windows are told to the client', async () => {
    const { gate } = await scene({ http2Streams: 3, http2StreamWindow: 20_000, http2ConnectionWindow: 300_000 })
    const { session } = await h.http2(gate)
    await expect.poll(() => session.remoteSettings).toMatchObject({ maxConcurrentStreams: 3, initialWindowSize: 20_000 })
    await expect.poll(() => session.state.remoteWindowSize).toBe(300_000)
  })

  it('http2-streams ends who goes beyond it and knows of it', async () => {
    const { gate } = await scene({ http2Streams: 3 }, () => {})
    const client = dial(gate.port)
    await eventually(() => client.frames.some(({ type }) => type === frameType.settings), 'settings')
    client.socket.write(frame(frameType.settings, 1, 0))
    for (let i = 0; i < 3; i++) client.socket.write(frame(frameType.headers, endHeaders | endStream, odd(i), get))
    await pause(100)
    expect(client.ended).toBe(false)
    client.socket.write(frame(frameType.headers, endHeaders | endStream, odd(3), get))
    await eventually(() => client.ended, 'the end')
    expect(client.goaway).toBeGreaterThan(0)
  })

  it('http2-streams refuses who does not know of it yet, and http2-useless-frames ends who goes on', async () => {
    const { gate } = await scene({ http2Streams: 3, http2UselessFrames: 5, http2Resets: 1_000 }, () => {})
    const client = dial(gate.port)
    const open = (from: number, to: number): void => {
      for (let i = from; i < to; i++) client.socket.write(frame(frameType.headers, endHeaders | endStream, odd(i), get))
    }
    open(0, 4)
    await eventually(() => client.resetOf(odd(3)) === refusedStream, 'the refusal')
    expect([client.resetOf(odd(0)), client.resetOf(odd(2)), client.ended]).toEqual([undefined, undefined, false])
    open(4, 20)
    await eventually(() => client.ended, 'the end')
  })

  it.each([
    ['http2-resets', { http2Resets: 5 }, 5, resetAt],
    ['http2-pings', { http2Pings: 5 }, 5, () => frame(frameType.ping, 0, 0, Buffer.alloc(8))],
    // The first ones are those of the preface.
    ['http2-settings', { http2Settings: 5 }, 4, () => frame(frameType.settings, 0, 0)],
  ] as const)('%s ends with GOAWAY what is beyond it', async (_name, bounds, most, make) => {
    const { gate } = await scene(bounds, () => {})
    const client = dial(gate.port)
    await eventually(() => client.frames.length > 0, 'settings')
    for (let i = 0; i < most; i++) client.socket.write(make(i))
    await pause(150)
    expect(client.ended).toBe(false)
    client.socket.write(make(most))
    await eventually(() => client.ended, 'the end')
    expect(client.goaway).toBe(enhanceYourCalm)
  })

  it('http2-count-time begins to count anew', async () => {
    const { gate } = await scene({ http2Resets: 5, http2CountTime: 200 }, () => {})
    const client = dial(gate.port)
    for (let i = 0; i < 12; i++) {
      client.socket.write(resetAt(i))
      await pause(60)
    }
    expect(client.ended).toBe(false)
  })

  it('http2-overhead ends who sends more that nobody needs in a http2-count-time', async () => {
    const { gate } = await scene({ http2Overhead: 4_000, http2CountTime: 300 }, () => {})
    const frames = (count: number): Buffer =>
      Buffer.concat(Array.from({ length: count }, () => frame(frameType.priority, 0, 1, Buffer.alloc(5))))
    const client = dial(gate.port)
    client.socket.write(frame(frameType.headers, endHeaders | endStream, 1, get))
    client.socket.write(frames(200))
    await pause(800)
    expect(client.ended).toBe(false)
    client.socket.write(frames(400))
    await eventually(() => client.ended, 'the end')
    expect(client.goaway).toBe(enhanceYourCalm)
  })

  it('http2-overhead counts no body, however much of it waits', async () => {
    const { gate } = await scene({ http2Overhead: 4_000 }, () => {})
    const client = dial(gate.port)
    for (let i = 0; i < 20; i++) {
      client.socket.write(frame(frameType.headers, endHeaders, 2 * i + 1, get))
      for (let j = 0; j < 4; j++) client.socket.write(frame(frameType.data, 0, 2 * i + 1, Buffer.alloc(16_384)))
    }
    client.socket.write(frame(frameType.ping, 0, 0, Buffer.alloc(8)))
    await eventually(() => client.frames.some(({ type }) => type === frameType.ping), 'the answer to a ping')
    expect(client.goaway).toBe(undefined)
  })

  it('http2-overhead counts DATA of a stream that was reset beyond what its window took', async () => {
    const web = await h.rawHttp2Backend((socket, stream) =>
      socket.write(frame(frameType.headers, endHeaders | endStream, stream, status200)),
    )
    const sketch = { pools: { web: [web.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] }
    const gate = await h.gateway(sketch, { bounds: { http2Overhead: 4_000 } })
    const client = dial(gate.port)
    client.socket.write(frame(frameType.headers, endHeaders, 1, get))
    await eventually(() => client.resetOf(1) !== undefined, 'the reset')
    const data = frame(frameType.data, 0, 1, Buffer.alloc(16_384))
    client.socket.write(Buffer.concat([data, data, data, data, frame(frameType.ping, 0, 0, Buffer.alloc(8))]))
    await eventually(() => client.frames.some(({ type }) => type === frameType.ping), 'the answer to a ping')
    expect([client.resetOf(1), client.goaway]).toEqual([0, undefined])
    for (let i = 0; i < 70; i++) client.socket.write(data)
    await eventually(() => client.ended, 'the end')
    expect(client.goaway).toBe(enhanceYourCalm)
  })

  it('http2-useless-frames ends who sends empty DATA beyond it', async () => {
    const { gate } = await scene({ http2UselessFrames: 5 }, () => {})
    const client = dial(gate.port)
    client.socket.write(frame(frameType.headers, endHeaders, 1, get))
    for (let i = 0; i < 5; i++) client.socket.write(frame(frameType.data, 0, 1))
    await pause(100)
    expect(client.ended).toBe(false)
    for (let i = 0; i < 5; i++) client.socket.write(frame(frameType.data, 0, 1))
    await eventually(() => client.ended, 'the end')
  })

  it('http2-notice-time is between the two GOAWAYs of a drain', async () => {
    const { gate } = await scene({ http2NoticeTime: 300 }, () => {})
    const client = dial(gate.port)
    client.socket.write(frame(frameType.headers, endHeaders | endStream, 1, get))
    await eventually(() => gate.connections.size === 1 && gate.runtime.counters.active === 1, 'the request')
    const started = performance.now()
    for (const connection of gate.connections) connection.drain()
    const goaways = () => client.frames.filter(({ type }) => type === frameType.goaway)
    await eventually(() => goaways().length === 1, 'the notice')
    await eventually(() => goaways().length === 2, 'the last GOAWAY')
    expect(performance.now() - started).toBeGreaterThan(40)
    expect(performance.now() - started).toBeLessThan(950)
  })

  it('[wire:h2-closed] http2-notice-time takes streams; those behind the last GOAWAY are thrown away with what follows them', async () => {
    const { gate } = await scene({ http2NoticeTime: 100, http2Overhead: 4_000 }, () => {})
    const client = dial(gate.port)
    client.socket.write(frame(frameType.headers, endHeaders | endStream, 1, get))
    await eventually(() => gate.runtime.counters.active === 1, 'the request')
    for (const connection of gate.connections) connection.drain()
    const goaways = (): number => client.frames.filter(({ type }) => type === frameType.goaway).length
    await eventually(() => goaways() === 2, 'the last GOAWAY')
    const data = frame(frameType.data, 0, 3, Buffer.alloc(16_384))
    const last = frame(frameType.data, endStream, 3, Buffer.alloc(16_384))
    client.socket.write(Buffer.concat([frame(frameType.headers, endHeaders, 3, get), data, data, last]))
    client.socket.write(frame(frameType.ping, 0, 0, Buffer.alloc(8)))
    await eventually(() => client.frames.some(({ type }) => type === frameType.ping), 'the answer to a ping')
    expect([goaways(), client.resetOf(3), client.ended]).toEqual([2, undefined, false])
    expect(gate.runtime.counters.active).toBe(1)
  })

  it.each([
    { refused: 5_000, ends: false },
    { refused: 20, ends: true },
  ])('http2-memory refuses streams while a session holds more, and http2-refused-streams ends it: $refused', async ({ refused, ends }) => {
    const back = await h.http2Backend(() => {})
    const bounds = { http2Memory: 1_000_000, http2Streams: 5_000, http2RefusedStreams: refused, http2Resets: 5_000 }
    const gate = await h.gateway({ pools: { web: [back.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] }, { bounds })
    const client = await h.http2(gate)
    await expect.poll(() => client.session.remoteSettings.maxConcurrentStreams).toBe(5_000)
    const codes: number[] = []
    for (let i = 0; i < 2_000; i++) {
      const stream = client.open({}, true)
      stream.on('close', () => codes.push(stream.rstCode ?? 0))
    }
    await eventually(() => codes.length > 0, 'a refusal')
    await pause(200)
    expect(codes).toContain(enhanceYourCalm)
    expect(client.session.destroyed).toBe(ends)
  })

  it('http2-upstream-streams opens another connection beyond it', async () => {
    const back = await h.http2Backend(() => {})
    const gate = await h.gateway(
      { pools: { web: [back.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] },
      { bounds: { http2UpstreamStreams: 2 } },
    )
    const client = await h.http2(gate)
    for (let i = 0; i < 5; i++) client.open({}, true)
    await eventually(() => back.streams.length === 5, 'five streams')
    expect(back.sessions).toHaveLength(3)
  })

  it('http2-upstream-memory opens another connection when what clients do not take fills one', async () => {
    const back = await h.http2Backend(({ stream }) => {
      stream.on('error', () => {})
      stream.respond({ ':status': 200 })
      stream.write('x'.repeat(300_000))
    })
    const bounds = { http2UpstreamMemory: 1_000_000, http2Memory: 64_000_000 }
    const gate = await h.gateway({ pools: { web: [back.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] }, { bounds })
    const client = await h.http2(gate, { settings: { initialWindowSize: 0 } })
    const open = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) client.open({}, true).on('error', () => {})
      await eventually(() => back.streams.length % count === 0 && back.streams.length > 0, 'the streams')
      await pause(200)
    }
    await open(12)
    expect(back.sessions).toHaveLength(1)
    await open(12)
    await open(12)
    expect(back.sessions.length).toBeGreaterThan(1)
  })

  it.each([
    ['trailers', { trailers: 100 }, { 'x-long': 'y'.repeat(100) }],
    ['trailer-fields', { trailerFields: 2 }, { a: '1', b: '2', c: '3' }],
  ])('%s of a request are a 400 beyond their bound, and those of an answer break it off', async (_name, bounds, trailers) => {
    const back = await h.http2Backend((received) => {
      const { stream } = received
      if (received.header(':method') === 'POST') return
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers(trailers))
      stream.end('ok')
    })
    const gate = await h.gateway({ pools: { web: [back.port] }, h2c: ['web'], rules: [{ backends: ['web'] }] }, { bounds })
    const client = await h.http2(gate)
    const stream = client.session.request({ ':method': 'POST', ':path': '/', ':authority': 'a.example' }, { waitForTrailers: true })
    stream.on('error', () => {})
    stream.on('wantTrailers', () => stream.sendTrailers(trailers))
    stream.end('body')
    expect((await answerOf(stream)).status).toBe(400)
    const broken = await client.request()
    expect([broken.status, broken.resetCode]).toEqual([200, 2])
  })
})
