/** Clients that are slow, broken or ill-mannered. Nothing is expected of their answers; the gateway must forget them. */
import { once } from 'node:events'
import { type ClientHttp2Session, connect as connectHttp2, constants } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { pause } from '../harness/eventually.ts'
import type { Random } from '../load/random.ts'

export interface Target {
  readonly web: number
  readonly secure: number
}

type Rudeness = (target: Target, random: Random) => Promise<void>

const host = '127.0.0.1'
const name = 'shop.example.com'
/** Longer than the bounds of the soak's gateway. */
const patience = 10_000
const large = `/shop/large?token=rude&size=${4 * 2 ** 20}`

export const rudenesses: Readonly<Record<string, Rudeness>> = {
  'half a head': async ({ web }, random) => {
    const socket = await open(web)
    socket.write('GET /shop/item HTTP/1.1\r\nHost: shop.exa')
    await ended(socket, random.below(2) === 0 ? patience : 300)
  },
  'a head, letter by letter': async ({ web }) => {
    const socket = await open(web)
    for (const letter of `GET /shop/item HTTP/1.1\r\nHost: ${name}\r\n\r\n`) {
      if (socket.destroyed) return
      socket.write(letter)
      await pause(20)
    }
    await ended(socket, 200)
  },
  'a reset within the body': async ({ web }, random) => {
    const socket = await open(web)
    socket.write(`POST /shop/upload HTTP/1.1\r\nHost: ${name}\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(random.below(200_000))}`)
    await pause(random.below(200))
    socket.resetAndDestroy()
  },
  'a body that stops': async ({ web }) => {
    const socket = await open(web)
    socket.write(`POST /shop/upload HTTP/1.1\r\nHost: ${name}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`)
    await ended(socket, patience)
  },
  'an answer that is not read': async ({ web }, random) => {
    const socket = await open(web)
    socket.pause()
    socket.write(`GET ${large} HTTP/1.1\r\nHost: ${name}\r\n\r\n`)
    await pause(random.below(2) === 0 ? patience : 500)
    socket.resetAndDestroy()
  },
  'gone within the answer': async ({ web }, random) => {
    const socket = await open(web)
    socket.write(`GET ${large} HTTP/1.1\r\nHost: ${name}\r\n\r\n`)
    await Promise.race([once(socket, 'data'), pause(1_000)])
    if (random.below(2) === 0) socket.resetAndDestroy()
    else socket.destroy()
  },
  'gone before the answer': async ({ web }) => {
    const socket = await open(web)
    socket.write(`GET /shop/slow?token=rude&delay=500 HTTP/1.1\r\nHost: ${name}\r\n\r\n`)
    await pause(50)
    socket.resetAndDestroy()
  },
  'no HTTP at all': async ({ web }) => {
    const socket = await open(web)
    socket.write('\x16\x03\x01 what is this\r\n\r\n')
    await ended(socket, 2_000)
  },
  'many requests at once': async ({ web }) => {
    const socket = await open(web)
    socket.write(`GET /shop/item?token=rude HTTP/1.1\r\nHost: ${name}\r\n\r\n`.repeat(50))
    await ended(socket, 1_000)
  },
  'half a ClientHello': async ({ secure }, random) => {
    const socket = await open(secure)
    socket.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00]))
    await ended(socket, random.below(2) === 0 ? patience : 300)
  },
  'a handshake and nothing more': async ({ secure }, random) => {
    const socket = connectTls({ host, port: secure, servername: name, rejectUnauthorized: false })
    socket.on('error', () => {})
    await Promise.race([once(socket, 'secureConnect'), pause(patience)])
    await ended(socket, random.below(2) === 0 ? patience : 300)
  },
  'a WebSocket that is cut': async ({ web }, random) => {
    const socket = await open(web)
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: ${name}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    )
    await Promise.race([once(socket, 'data'), pause(1_000)])
    socket.write('x'.repeat(random.below(100_000)))
    socket.resetAndDestroy()
  },
  'streams that are reset': (target, random) =>
    overHttp2(target, random, async (session) => {
      // Below the bound of resets, after which the connection would end.
      for (let number = 0; number < 40; number++) {
        const stream = session.request({ ':path': '/shop/slow?token=rude&delay=300', ':authority': name })
        stream.on('error', () => {})
        setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), random.below(100))
      }
      await pause(500)
    }),
  'a flood of resets': (target, random) =>
    overHttp2(target, random, async (session) => {
      for (let number = 0; number < 300 && !session.destroyed && !session.closed; number++) {
        const stream = session.request({ ':path': '/shop/item?token=rude', ':authority': name })
        stream.on('error', () => {})
        stream.close(constants.NGHTTP2_CANCEL)
        if (number % 20 === 0) await pause(5)
      }
      await pause(300)
    }),
  'pings without end': (target, random) =>
    overHttp2(target, random, async (session) => {
      for (let number = 0; number < 9 && !session.destroyed; number++) {
        session.ping(() => {})
        await pause(10)
      }
    }),
  'a window that stays closed': (target, random) =>
    overHttp2(
      target,
      random,
      async (session) => {
        const stream = session.request({ ':path': large, ':authority': name })
        stream.on('error', () => {})
        stream.pause()
        await pause(random.below(2) === 0 ? patience : 500)
        stream.close(constants.NGHTTP2_CANCEL)
      },
      0,
    ),
  'a connection that dies with its streams': (target, random) =>
    overHttp2(target, random, async (session) => {
      for (let number = 0; number < 20; number++) {
        const stream = session.request({ ':method': 'POST', ':path': '/swift/upload?token=rude', ':authority': name })
        stream.on('error', () => {})
        stream.write('x'.repeat(random.below(30_000)))
      }
      await pause(random.below(200))
    }),
  'a gRPC stream that is cut': (target, random) =>
    overHttp2(target, random, async (session) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/test.Shop/chat',
        ':authority': name,
        'content-type': 'application/grpc',
        te: 'trailers',
      })
      stream.on('error', () => {})
      stream.write(Buffer.from([0, 0, 0, 0, 5, 104, 101, 108, 108, 111]))
      await pause(random.below(300))
      stream.close(constants.NGHTTP2_CANCEL)
    }),
  'a gRPC deadline that passes': (target, random) =>
    overHttp2(target, random, async (session) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/test.Shop/chat',
        ':authority': name,
        'content-type': 'application/grpc',
        te: 'trailers',
        'grpc-timeout': '100m',
      })
      stream.on('error', () => {})
      stream.resume()
      await Promise.race([once(stream, 'close'), pause(2_000)])
    }),
}

/** One after the other, until `stop`; counts them by name. */
export async function runRude(target: Target, random: Random, counts: Map<string, number>, stop: AbortSignal): Promise<void> {
  const names = Object.keys(rudenesses)
  while (!stop.aborted) {
    const chosen = random.oneOf(names)
    try {
      await rudenesses[chosen]?.(target, random)
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
    } catch {
      // It is the gateway's right to end it at any moment; whether the gateway lives, others tell.
    }
    await pause(random.below(200))
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Waits for the end of the connection, and ends it when that does not come. */
async function ended(socket: Socket, within: number): Promise<void> {
  socket.resume()
  const end = new AbortController()
  await Promise.race([once(socket, 'close', { signal: end.signal }).catch(() => {}), pause(within)])
  end.abort()
  socket.destroy()
}

async function overHttp2(
  { web, secure }: Target,
  random: Random,
  act: (session: ClientHttp2Session) => Promise<void>,
  initialWindowSize = 65_535,
): Promise<void> {
  const settings = { initialWindowSize }
  const session =
    random.below(2) === 0
      ? connectHttp2(`http://${host}:${web}`, { settings })
      : connectHttp2(`https://${host}:${secure}`, { settings, servername: name, rejectUnauthorized: false })
  session.on('error', () => {})
  try {
    await Promise.race([once(session, 'connect'), once(session, 'close').then(() => Promise.reject(new Error('closed at once')))])
    await act(session)
  } finally {
    session.destroy()
  }
}
