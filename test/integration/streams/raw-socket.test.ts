/** Sockets without streams, against Node's own on the other side. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSocketBuffers, type SocketBuffers } from '../../../src/proxy/byte-socket.ts'
import { ListeningSocket } from '../../../src/proxy/listener/listening-socket.ts'
import { canUseRawSockets, type ConnectingOwner, RawSocket } from '../../../src/proxy/raw-socket.ts'
import { freePort } from '../../harness/data-plane.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { StreamClient } from '../../harness/streams.ts'

const blockedAbove = 64 * 1024

/** Keeps what it is told, in order. */
class Owner implements ConnectingOwner {
  readonly told: string[] = []
  readonly parts: Buffer[] = []
  error: NodeJS.ErrnoException | undefined
  bytesIn: ArrayBufferLike | undefined
  /** Called after what it names was told. */
  after: Record<string, () => void> = {}

  get text(): string {
    return Buffer.concat(this.parts).toString('latin1')
  }

  onConnect(): void {
    this.#tell('connect')
  }

  onBytes(bytes: Buffer): void {
    this.parts.push(Buffer.from(bytes))
    this.bytesIn = bytes.buffer
    this.after['bytes']?.()
  }

  onDrain(): void {
    this.#tell('drain')
  }

  onEnd(): void {
    this.#tell('end')
  }

  onFinish(): void {
    this.#tell('finish')
  }

  onError(error: NodeJS.ErrnoException): void {
    this.error = error
    this.#tell('error')
  }

  onClose(): void {
    this.#tell('close')
  }

  #tell(what: string): void {
    this.told.push(what)
    this.after[what]?.()
  }
}

interface Pair {
  readonly raw: RawSocket
  readonly owner: Owner
  readonly peer: StreamClient
}

/** One that was connected, and the socket that took it. */
async function connected(buffers = createSocketBuffers(), host = '127.0.0.1'): Promise<Pair> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }).listen(0, host)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const owner = new Owner()
  const raw = RawSocket.connect(host, (server.address() as AddressInfo).port, owner, buffers, blockedAbove)
  if (raw === undefined) throw new Error('no raw socket')
  onTestFinished(() => raw.destroy())
  const [accepted] = (await once(server, 'connection')) as [Socket]
  const peer = new StreamClient(accepted)
  await eventually(() => owner.told.includes('connect'), 'the connection')
  return { raw, owner, peer }
}

/** One that was accepted, and the socket that connected. */
async function accepted(buffers = createSocketBuffers()): Promise<Pair> {
  const owner = new Owner()
  let raw: RawSocket | undefined
  const listening = new ListeningSocket({
    name: 'test',
    address: '127.0.0.1',
    port: 0,
    accept: () => {},
    acceptHandle: (handle) => {
      raw = RawSocket.accepted(handle, buffers, blockedAbove)
      return raw !== undefined
    },
    acceptFailed: () => {},
  })
  await listening.open()
  onTestFinished(() => listening.close())
  const peer = await StreamClient.plain(listening.port)
  const found = await eventually(() => raw, 'the connection')
  onTestFinished(() => found.destroy())
  found.owner = owner
  found.resume()
  return { raw: found, owner, peer }
}

/** Bytes that are none of their neighbours'. */
function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at += 1) bytes[at] = (at * 7 + seed * 31 + (at >> 8)) & 255
  return bytes
}

/** Writes until the kernel takes no more, from one buffer that is written over each time. */
function fill({ raw }: Pair, seed = 0): Buffer {
  const sent: Buffer[] = []
  const lengths = [100_000, 10, 4_096, 4_097, 131_072, 135_168, 300_000, 1]
  const shared = Buffer.alloc(300_000)
  for (let i = 0; !raw.blocked || i % lengths.length !== 0; i += 1) {
    const piece = shared.subarray(0, lengths[i % lengths.length])
    pattern(piece.length, i + seed).copy(piece)
    raw.send(piece)
    sent.push(Buffer.from(piece))
    piece.fill(0)
  }
  return Buffer.concat(sent)
}

it.runIf(process.platform === 'linux')('sockets without streams can be had with this Node', () => {
  expect(canUseRawSockets).toBe(true)
})

describe.runIf(canUseRawSockets).each([
  { kind: 'connected', open: connected },
  { kind: 'accepted', open: accepted },
])('a socket without a stream that was $kind', ({ open }) => {
  it('passes bytes both ways, and reads into the buffer that all share', async () => {
    const buffers: SocketBuffers = createSocketBuffers()
    const { raw, owner, peer } = await open(buffers)
    const all = pattern(70_000, 3)
    peer.socket.write(all)
    await eventually(() => owner.text.length === all.length, 'the bytes')
    expect(Buffer.concat(owner.parts).equals(all)).toBe(true)
    expect(owner.bytesIn).toBe(buffers.read.bytes.buffer)
    raw.send(Buffer.from('small'))
    raw.send(all)
    await eventually(() => peer.received.length === all.length + 5, 'the answer')
    expect(peer.received.equals(Buffer.concat([Buffer.from('small'), all]))).toBe(true)
    expect([raw.unsent, raw.blocked, raw.remoteAddress]).toEqual([0, false, '127.0.0.1'])
  })

  it('keeps what the kernel did not take, in order, and tells when all of it has gone', async () => {
    const buffers = createSocketBuffers()
    const pairs = [await open(buffers), await open(buffers)]
    for (const { peer } of pairs) peer.socket.pause()
    const sent = pairs.map((pair, i) => fill(pair, i))
    // Another socket uses the buffer meanwhile.
    const third = await open(buffers)
    third.raw.send(pattern(90_000, 9))
    await eventually(() => third.peer.received.length === 90_000, 'what the third was sent')
    for (const { raw, owner } of pairs) {
      expect(raw.blocked).toBe(true)
      expect(raw.unsent).toBeGreaterThan(blockedAbove)
      expect(owner.told).not.toContain('drain')
    }
    for (const { peer } of pairs) peer.socket.resume()
    for (const [i, { raw, owner, peer }] of pairs.entries()) {
      await eventually(() => peer.received.length === sent[i]?.length, 'everything')
      expect(sent[i] !== undefined && peer.received.equals(sent[i])).toBe(true)
      await eventually(() => owner.told.includes('drain'), 'drain')
      expect([raw.unsent, raw.blocked]).toEqual([0, false])
    }
  })

  it('reads nothing while it is paused, and loses nothing', async () => {
    const { raw, owner, peer } = await open()
    peer.socket.write('one')
    await eventually(() => owner.text === 'one', 'the first bytes')
    raw.pause()
    raw.pause()
    peer.socket.end(' two')
    await pause(60)
    expect([owner.text, owner.told.includes('end')]).toEqual(['one', false])
    raw.resume()
    raw.resume()
    await eventually(() => owner.told.includes('end'), 'FIN')
    expect(owner.text).toBe('one two')
  })

  it('pauses from within a read', async () => {
    const { raw, owner, peer } = await open()
    owner.after = { bytes: () => raw.pause() }
    peer.socket.write(Buffer.alloc(1024 * 1024, 'x'))
    await eventually(() => owner.text.length > 0, 'the first bytes')
    await pause(60)
    expect(owner.parts.length).toBe(1)
    expect(owner.text.length).toBeLessThanOrEqual(128 * 1024)
  })

  it('ends its half behind what waits, hears the other out, and closes when both have ended', async () => {
    const pair = await open()
    const { raw, owner, peer } = pair
    let closed = 0
    raw.onClosed = () => {
      closed += 1
    }
    peer.socket.pause()
    const sent = fill(pair)
    raw.end()
    raw.end()
    raw.send(Buffer.from('too late'))
    await pause(60)
    expect(owner.told).not.toContain('finish')
    peer.socket.resume()
    await eventually(() => peer.ended, 'FIN')
    expect(peer.received.equals(sent)).toBe(true)
    await eventually(() => owner.told.includes('finish'), 'finish')
    peer.socket.write('still here')
    await eventually(() => owner.text === 'still here', 'the bytes after FIN')
    expect(owner.told).not.toContain('close')
    peer.socket.end()
    await eventually(() => owner.told.includes('close') && peer.closed, 'the end')
    expect(owner.told.filter((what) => what !== 'connect')).toEqual(['drain', 'finish', 'end', 'close'])
    expect([closed, peer.error]).toEqual([1, undefined])
  })

  it('goes on after the FIN of its peer, and says FIN by closing', async () => {
    const pair = await open()
    const { raw, owner, peer } = pair
    peer.socket.end('a question')
    await eventually(() => owner.told.includes('end'), 'FIN')
    await pause(30)
    raw.send(Buffer.from('an '))
    raw.send(Buffer.from('answer'))
    raw.end()
    await eventually(() => owner.told.includes('close') && peer.closed, 'the end')
    expect([owner.text, peer.text(), peer.error]).toEqual(['a question', 'an answer', undefined])
  })

  it('does so too when the peer takes the answer late', async () => {
    const pair = await open()
    const { raw, owner, peer } = pair
    peer.socket.pause()
    peer.socket.end()
    await eventually(() => owner.told.includes('end'), 'FIN')
    const sent = fill(pair)
    raw.end()
    await pause(60)
    expect(owner.told).not.toContain('close')
    peer.socket.resume()
    await eventually(() => owner.told.includes('close') && peer.closed, 'the end')
    expect([peer.received.equals(sent), peer.error]).toEqual([true, undefined])
  })

  it('resets its peer', async () => {
    const { raw, owner, peer } = await open()
    raw.breakOff()
    raw.breakOff()
    raw.send(Buffer.from('too late'))
    expect([raw.unsent, raw.blocked, raw.remoteAddress]).toEqual([0, false, undefined])
    await eventually(() => owner.told.includes('close') && peer.closed, 'the end')
    expect(peer.error?.code).toBe('ECONNRESET')
    expect(owner.told.filter((what) => what !== 'connect')).toEqual(['close'])
  })

  it.each(['unsent bytes', 'unsent bytes and FIN behind them'])('resets its peer with %s before', async (before) => {
    const pair = await open()
    const { raw, owner, peer } = pair
    peer.socket.pause()
    const sent = fill(pair)
    if (before.includes('FIN')) raw.end()
    raw.breakOff()
    expect([raw.unsent, raw.blocked]).toEqual([0, false])
    await eventually(() => owner.told.includes('close'), 'the end')
    await pause(30)
    peer.socket.resume()
    // A kernel may hand over some of what it has, and then say either.
    await eventually(() => peer.closed || peer.ended, 'the end at the peer')
    expect(peer.received.length).toBeLessThan(sent.length)
    expect(owner.told.filter((what) => what !== 'connect')).toEqual(['close'])
  })

  it('breaks off while its FIN is on the way', async () => {
    const { raw, owner, peer } = await open()
    raw.send(Buffer.from('all'))
    raw.end()
    raw.breakOff()
    await eventually(() => owner.told.includes('close') && peer.ended, 'the end')
    expect(peer.text()).toBe('all')
  })

  it('closes with bytes unsent, and tells nothing but that', async () => {
    const pair = await open()
    const { raw, owner, peer } = pair
    peer.socket.pause()
    fill(pair)
    raw.destroy()
    raw.destroy()
    raw.end()
    raw.resume()
    raw.pause()
    await eventually(() => owner.told.includes('close'), 'the end')
    await pause(30)
    expect(owner.told.filter((what) => what !== 'connect')).toEqual(['close'])
    peer.socket.resume()
    await eventually(() => peer.ended || peer.closed, 'the end at the peer')
  })

  it('tells of a reset once, and closes', async () => {
    const { owner, peer } = await open()
    peer.socket.resetAndDestroy()
    await eventually(() => owner.told.includes('close'), 'the end')
    expect(owner.told.filter((what) => what !== 'connect')).toEqual(['error', 'close'])
    expect(owner.error).toMatchObject({ code: 'ECONNRESET', syscall: 'read', message: 'read ECONNRESET' })
  })

  it('tells of a write that fails in a later turn, once', async () => {
    const { raw, owner, peer } = await open()
    raw.pause()
    peer.socket.resetAndDestroy()
    await eventually(() => peer.closed, 'the reset')
    await pause(30)
    for (let i = 0; i < 3; i += 1) raw.send(Buffer.from('x'))
    expect(owner.told).not.toContain('error')
    await eventually(() => owner.told.includes('close'), 'the end')
    expect(owner.told.filter((what) => what !== 'connect')).toEqual(['error', 'close'])
    expect(owner.error?.syscall).toBe('write')
    expect(['ECONNRESET', 'EPIPE']).toContain(owner.error?.code)
  })

  it('tells of a reset while bytes wait', async () => {
    const pair = await open()
    const { owner, peer } = pair
    peer.socket.pause()
    fill(pair)
    peer.socket.resetAndDestroy()
    await eventually(() => owner.told.includes('close'), 'the end')
    expect(owner.told.filter((what) => what !== 'connect')).toEqual(['error', 'close'])
  })

  it('may be destroyed by whom it tells', async () => {
    for (const what of ['end', 'drain', 'finish', 'error']) {
      const pair = await open()
      const { raw, owner, peer } = pair
      owner.after = { [what]: () => raw.destroy() }
      peer.socket.pause()
      if (what === 'drain') fill(pair)
      if (what === 'finish') raw.end()
      if (what === 'error') peer.socket.resetAndDestroy()
      else peer.socket.resume()
      if (what === 'end') peer.socket.end()
      await eventually(() => owner.told.includes('close'), `the end after ${what}`)
      expect(owner.told.filter((told) => told !== 'connect')).toEqual([what, 'close'])
    }
  })
})

describe.runIf(canUseRawSockets)('a socket without a stream', () => {
  it('tells of an endpoint that refuses, in a later turn', async () => {
    const port = await freePort()
    const owner = new Owner()
    RawSocket.connect('127.0.0.1', port, owner, createSocketBuffers(), blockedAbove)
    expect(owner.told).toEqual([])
    await eventually(() => owner.told.includes('close'), 'the end')
    expect(owner.told).toEqual(['error', 'close'])
    expect(owner.error).toMatchObject({ code: 'ECONNREFUSED', message: `connect ECONNREFUSED 127.0.0.1:${port}` })
  })

  it('tells of an address that cannot be reached from here', async () => {
    const owner = new Owner()
    // Broadcast is for datagrams.
    RawSocket.connect('255.255.255.255', 80, owner, createSocketBuffers(), blockedAbove)
    expect(owner.told).toEqual([])
    await eventually(() => owner.told.includes('close'), 'the end')
    expect(owner.told).toEqual(['error', 'close'])
    expect(owner.error?.syscall).toBe('connect')
  })

  it('connects to addresses of IPv6', async () => {
    const { raw, owner, peer } = await connected(undefined, '::1')
    raw.send(Buffer.from('six'))
    await peer.hears('six')
    expect([raw.remoteAddress, owner.error]).toEqual(['::1', undefined])
  })

  it('is none for a name, which has to be looked up', () => {
    expect(RawSocket.connect('localhost', 80, new Owner(), createSocketBuffers(), blockedAbove)).toBeUndefined()
    expect(RawSocket.accepted({ constructor: { name: 'TCP' } }, createSocketBuffers(), blockedAbove)).toBeUndefined()
  })

  it('is not connected once it was destroyed', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const owner = new Owner()
    const raw = RawSocket.connect('127.0.0.1', (server.address() as AddressInfo).port, owner, createSocketBuffers(), blockedAbove)
    raw?.destroy()
    await eventually(() => owner.told.includes('close'), 'the end')
    await pause(30)
    expect(owner.told).toEqual(['close'])
  })

  it('leaves nothing open', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.resume()
      if (ways % 2 === 0) socket.end('x')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    let ways = 0
    const handles = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
    const before = handles()
    for (; ways < 40; ways += 1) {
      const owner = new Owner()
      const raw = RawSocket.connect('127.0.0.1', port, owner, createSocketBuffers(), blockedAbove)
      if (raw === undefined) throw new Error('no raw socket')
      if (ways % 4 < 2) await eventually(() => owner.told.includes('connect'), 'the connection')
      if (ways % 4 === 0) raw.end()
      else if (ways % 4 === 1) raw.breakOff()
      else raw.destroy()
      await eventually(() => owner.told.includes('close'), 'the end')
    }
    server.close()
    await eventually(() => handles() <= before, 'the end of all handles')
  })
})

describe.runIf(canUseRawSockets)('a socket that listens and hands over handles', () => {
  it('makes sockets of what is not taken, and stops to accept at once', async () => {
    const [handles, sockets]: [unknown[], Socket[]] = [[], []]
    let takes = true
    const listening = new ListeningSocket({
      name: 'test',
      address: '127.0.0.1',
      port: 0,
      accept: (socket) => {
        sockets.push(socket)
        socket.end('a socket')
      },
      acceptHandle: (handle) => {
        handles.push(handle)
        if (takes) RawSocket.accepted(handle, createSocketBuffers(), blockedAbove)?.breakOff()
        return takes
      },
      acceptFailed: () => {},
    })
    await listening.open()
    const first = StreamClient.dial(listening.port)
    await eventually(() => first.closed, 'the reset')
    takes = false
    const second = await StreamClient.plain(listening.port)
    await second.hears('a socket')
    expect([handles.length, sockets.length]).toEqual([2, 1])
    const { port } = listening
    listening.close()
    const late = connect(port, '127.0.0.1')
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')
  })
})
