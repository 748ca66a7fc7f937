import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { describe, expect, it } from 'vitest'
import type { Gateway } from '../../harness/gateway.ts'
import { pause } from '../../harness/eventually.ts'
import { harness } from '../../harness/harness.ts'
import type { Http2Client } from '../../harness/http2-client.ts'
import { endHeaders, endStream, frame, frameType, framesIn, headerBlock, http2Preface, uint32 } from '../../harness/http2-frames.ts'

const h = harness()
const goaway = frameType.goaway

/** A client that sends what it likes, and counts what it gets for it. */
class Attacker {
  readonly socket: Socket
  readonly closed: Promise<void>
  ended = false
  sent = 0
  received = Buffer.alloc(0)

  constructor(port: number, settings: Buffer = Buffer.alloc(0), socket: Socket = connect({ port, host: '127.0.0.1' })) {
    this.socket = socket
    this.socket.on('error', () => {})
    this.socket.on('data', (bytes) => {
      if (this.received.length < 1_000_000) this.received = Buffer.concat([this.received, bytes])
    })
    this.closed = new Promise((resolve) => {
      this.socket.once('close', () => {
        this.ended = true
        resolve()
      })
    })
    this.socket.write(Buffer.concat([http2Preface, frame(frameType.settings, 0, 0, settings)]))
  }

  /** Writes `frames(0)`, `frames(1)`, ... as fast as they are taken, until the gateway ends it or `most` were sent. */
  async flood(frames: (index: number) => Buffer, most: number): Promise<void> {
    for (let i = 0; i < most && !this.ended; i++) {
      const piece = frames(i)
      this.sent += 1
      if (!this.socket.write(piece)) await Promise.race([this.closed, new Promise((resolve) => this.socket.once('drain', resolve))])
      else if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  get frames() {
    return framesIn(this.received)
  }
}

/** Asks on and on while `flood` runs: every request must be answered soon. */
async function others(client: Http2Client, flood: Promise<void>): Promise<{ asked: number; longest: number }> {
  const state = { over: false }
  void flood.then(() => {
    state.over = true
  })
  let asked = 0
  let longest = 0
  while (!state.over || asked < 5) {
    const from = performance.now()
    expect(await client.request()).toMatchObject({ status: 200, body: 'ok' })
    longest = Math.max(longest, performance.now() - from)
    asked += 1
  }
  return { asked, longest }
}

const get = headerBlock()
const odd = (index: number): number => 2 * index + 1
const request = (index: number): Buffer => frame(frameType.headers, endStream | endHeaders, odd(index), get)
const openRequest = (index: number): Buffer => frame(frameType.headers, endHeaders, odd(index), get)
/** Many small frames a write, as an attacker would. */
const packed = (make: (index: number) => Buffer) => (index: number) =>
  Buffer.concat(Array.from({ length: 50 }, (_, i) => make(index * 50 + i)))

const priority = frame(frameType.priority, 0, 1, Buffer.alloc(5))
const unknown = frame(0xbe, 0, 1, Buffer.alloc(5))

/** A request, and then these. */
const afterRequest = (make: () => Buffer) => (index: number) => (index === 0 ? request(0) : packed(make)(index))

const floods: readonly (readonly [name: string, frames: (index: number) => Buffer])[] = [
  [
    '[wire:h2-continuation] CONTINUATION without an end',
    (i) =>
      i === 0
        ? frame(frameType.headers, 0, 1, get)
        : packed(() => frame(frameType.continuation, 0, 1, headerBlock([['x', 'y']]).subarray(13)))(i),
  ],
  ['[wire:h2-ping-flood] pings', packed(() => frame(frameType.ping, 0, 0, Buffer.alloc(8)))],
  ['[wire:h2-settings-flood] settings', packed(() => frame(frameType.settings, 0, 0))],
  ['[wire:h2-empty-data] empty DATA', (i) => (i === 0 ? openRequest(0) : packed(() => frame(frameType.data, 0, 1))(i))],
  ['[wire:h2-resets] rapid reset', packed((i) => Buffer.concat([request(i), frame(frameType.reset, 0, odd(i), uint32(8))]))],
  [
    '[wire:h2-resets] resets that we are made to send, by a window update of nothing',
    packed((i) => Buffer.concat([request(i), frame(frameType.windowUpdate, 0, odd(i), uint32(0))])),
  ],
  [
    '[wire:h2-resets] resets that we are made to send, by a window beyond its bound',
    packed((i) => Buffer.concat([request(i), frame(frameType.windowUpdate, 0, odd(i), uint32(0x7fffffff))])),
  ],
  ['[wire:h2-resets] more streams than are allowed', packed(openRequest)],
  ['[wire:h2-overhead] priorities before any request', packed(() => priority)],
  ['[wire:h2-overhead] priorities behind an answer', afterRequest(() => priority)],
  ['[wire:h2-overhead] priorities with a request now and then', (i) => (i % 100 === 0 ? request(i / 100) : packed(() => priority)(i))],
  ['[wire:h2-overhead] frames that nobody knows', afterRequest(() => unknown)],
  ['[wire:h2-overhead] window updates of a closed stream', afterRequest(() => frame(frameType.windowUpdate, 0, 1, uint32(1)))],
  ['[wire:h2-closed] DATA of a closed stream', afterRequest(() => frame(frameType.data, 0, 1, Buffer.alloc(1_000)))],
]

async function scene(bounds = {}): Promise<{ gate: Gateway; client: Http2Client }> {
  const web = await h.backend()
  const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] }, { bounds })
  return { gate, client: await h.http2(gate) }
}

describe('a flood of', () => {
  it.each(floods)('%s ends its connection soon, while others are served', async (_name, frames) => {
    const { gate, client } = await scene()
    await client.request()
    const before = process.memoryUsage().rss
    const attacker = new Attacker(gate.port)
    const served = await others(client, attacker.flood(frames, 4_000))
    await attacker.closed
    expect(attacker.sent).toBeLessThan(4_000)
    expect(served.longest).toBeLessThan(1_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024)
    await expect.poll(() => gate.connections.size).toBe(1)
    await expect.poll(() => [...gate.runtime.pools.all()].flatMap((pool) => [...pool.endpoints]).map(({ active }) => active)).toEqual([0])
  })

  it('[wire:h2-resets] resets is told by GOAWAY with ENHANCE_YOUR_CALM', async () => {
    const { gate } = await scene()
    const attacker = new Attacker(gate.port)
    for (let i = 0; i < 110; i++) attacker.socket.write(Buffer.concat([request(i), frame(frameType.reset, 0, odd(i), uint32(8))]))
    await attacker.closed
    expect(attacker.frames.find(({ type }) => type === goaway)?.payload.readUInt32BE(4)).toBe(11)
    expect(gate.runtime.counters.http2Floods).toBe(1)
  })

  it('[wire:h2-head-bounds] fields in one head is refused, whatever a small head unpacks to', async () => {
    const { gate, client } = await scene()
    const attacker = new Attacker(gate.port)
    const before = process.memoryUsage().rss
    // One field of 4,000 bytes that the decoder keeps, then references to it: a byte each.
    const kept = Buffer.concat([Buffer.from([0x40, 1, 0x78, 0x7f, 0xa1, 0x1e]), Buffer.alloc(4_000, 0x61)])
    for (let i = 0; i < 50; i++) {
      const block = Buffer.concat([get, kept, Buffer.alloc(12_000, 0xbe)])
      attacker.socket.write(frame(frameType.headers, endStream | endHeaders, odd(i), block))
    }
    expect((await others(client, new Promise((resolve) => setTimeout(resolve, 200)))).longest).toBeLessThan(1_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024)
    expect(attacker.frames.filter(({ type, payload }) => type === frameType.headers && payload[0] === 0x88)).toEqual([])
    attacker.socket.destroy()
  })

  const wide = Array.from({ length: 130 }, (_, i) => [`x${i}`, 'y'] as const)
  const long = Array.from({ length: 100 }, (_, i) => [`x${i}`, 'y'.repeat(120)] as const)

  it.each([
    { name: '130 fields', fields: wide, bounds: {} },
    { name: 'fields of 12 KB where 8 may be', fields: long, bounds: { head: 8 * 1024 } },
  ])('[wire:h2-head-bounds] $name: only heads within the bounds are served', async ({ fields, bounds }) => {
    const { gate, client } = await scene(bounds)
    const attacker = new Attacker(gate.port)
    const block = headerBlock(fields)
    attacker.socket.write(
      Buffer.concat([
        frame(frameType.headers, endStream, 1, block.subarray(0, 16_000)),
        frame(frameType.continuation, endHeaders, 1, block.subarray(16_000)),
      ]),
    )
    await expect
      .poll(() => attacker.frames.some(({ type, stream }) => stream === 1 && (type === frameType.reset || type === frameType.headers)))
      .toBe(true)
    expect(gate.records.map(({ status }) => status)).not.toContain(200)
    expect((await client.request()).status).toBe(200)
    attacker.socket.destroy()
  })

  it.each(['http', 'https'] as const)(
    '[wire:h2-overhead] frames that nobody needs ends its connection as soon as they are too many, over %s',
    async (scheme) => {
      const web = await h.backend(() => {})
      const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] }, { scheme })
      const socket = scheme === 'http' ? undefined : connectTls({ port: gate.port, rejectUnauthorized: false, ALPNProtocols: ['h2'] })
      const attacker = new Attacker(gate.port, undefined, socket)
      attacker.socket.write(openRequest(0))
      // Fewer than the bound are taken.
      await attacker.flood(
        packed(() => priority),
        1_400,
      )
      await expect.poll(() => web.connections.length).toBe(1)
      await pause(300)
      expect(attacker.ended).toBe(false)
      attacker.socket.write(Buffer.concat(Array.from({ length: 6_000 }, () => priority)))
      await attacker.closed
      expect(attacker.frames.find(({ type }) => type === goaway)?.payload.readUInt32BE(4)).toBe(11)
      expect(gate.runtime.counters.http2Floods).toBe(1)
    },
  )

  it('[wire:h2-window-stuck] streams whose windows stay closed is reset after the time for it', async () => {
    const web = await h.backend((_request, connection) =>
      connection.write(`HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n${'x'.repeat(500_000)}`),
    )
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] }, { bounds: { writeStuckTime: 500 } })
    // SETTINGS_INITIAL_WINDOW_SIZE 0
    const attacker = new Attacker(gate.port, Buffer.from([0, 4, 0, 0, 0, 0]))
    for (let i = 0; i < 50; i++) attacker.socket.write(request(i))
    await expect.poll(() => web.connections.length).toBe(50)
    await expect.poll(() => attacker.frames.filter(({ type }) => type === frameType.reset).length, { timeout: 3_000 }).toBe(50)
    await expect.poll(() => [...gate.runtime.pools.all()].flatMap((pool) => [...pool.endpoints]).map(({ active }) => active)).toEqual([0])
    attacker.socket.destroy()
  })

  it('[wire:h2-window-stuck] an answer of which a part was taken is reset when the rest is not', async () => {
    const web = await h.backend((_request, connection) =>
      connection.write(`HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n${'x'.repeat(5 * 16_384)}`),
    )
    const gate = await h.gateway({ pools: { web: [web.port] }, rules: [{ backends: ['web'] }] }, { bounds: { writeStuckTime: 500 } })
    const attacker = new Attacker(gate.port, Buffer.from([0, 4, 0, 0, 0, 0]))
    attacker.socket.write(request(0))
    await expect.poll(() => web.connections.length).toBe(1)
    await pause(100)
    const resets = (): number => attacker.frames.filter(({ type }) => type === frameType.reset).length
    // So much that less is left than would stop the backend, and more than nothing.
    attacker.socket.write(frame(frameType.windowUpdate, 0, 1, uint32(16_384)))
    await expect.poll(resets, { timeout: 4_000 }).toBe(1)
    attacker.socket.destroy()
  })

  it('[wire:h2-window-stuck] small answers that are not taken is reset, too', async () => {
    const { gate } = await scene({ writeStuckTime: 500 })
    const attacker = new Attacker(gate.port, Buffer.from([0, 4, 0, 0, 0, 0]))
    for (let i = 0; i < 10; i++) attacker.socket.write(request(i))
    await expect.poll(() => attacker.frames.filter(({ type }) => type === frameType.reset).length, { timeout: 3_000 }).toBe(10)
    attacker.socket.destroy()
  })
})
