/** WebSockets that echo without end. The gateway carries bytes of a tunnel, so the messages are lines and not frames. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { connect } from 'node:net'
import { pause } from '../harness/eventually.ts'
import type { Load } from './clients.ts'
import { longestWait } from './exchange.ts'
import { filler } from './filler.ts'
import type { Random } from './random.ts'

export class Tunnel {
  readonly #socket: Duplex
  #received = ''
  #ended = ''
  #changed: () => void = () => {}

  private constructor(socket: Duplex) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.#received += bytes.toString('latin1')
      this.#changed()
    })
    const ended = (how: string) => (): void => {
      this.#ended ||= how
      this.#changed()
    }
    socket.on('end', ended('end'))
    socket.on('error', (error) => ended(error.message)())
    socket.on('close', ended('close'))
  }

  static open(port: number, tls: ConnectionOptions | undefined, host: string): Promise<Tunnel> {
    return new Promise((resolve, reject) => {
      const at = { host: '127.0.0.1', port }
      const opening = request({
        createConnection: () => (tls === undefined ? connect(at) : connectTls({ ...at, ...tls })),
        path: '/ws',
        headers: {
          host,
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': randomBytes(16).toString('base64'),
        },
      })
      opening.on('error', reject)
      opening.on('response', ({ statusCode }) => reject(new Error(`Cannot open a tunnel: the status must be 101, got ${statusCode}`)))
      opening.on('upgrade', (_message, socket) => resolve(new Tunnel(socket)))
      opening.end()
    })
  }

  /** On a stream of its own (RFC 8441). */
  static async overHttp2(session: ClientHttp2Session, host: string): Promise<Tunnel> {
    const stream = session.request(
      { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/ws', ':authority': host, 'sec-websocket-version': '13' },
      { endStream: false },
    )
    const closed = once(stream, 'close').then(() => Promise.reject(new Error('Cannot open a tunnel: its stream must stay open, it closed')))
    const [headers] = (await Promise.race([once(stream, 'response'), closed])) as [Record<string, unknown>]
    closed.catch(() => {})
    if (headers[':status'] !== 200) throw new Error(`Cannot open a tunnel: the status must be 200, got ${String(headers[':status'])}`)
    return new Tunnel(stream)
  }

  /** Resolves when the message has come back. Rejects when something else comes, or nothing. */
  async echo(message: string): Promise<void> {
    this.#socket.write(message, 'latin1')
    const until = performance.now() + longestWait
    const timer = setTimeout(() => this.#changed(), longestWait + 1)
    while (this.#received.length < message.length && this.#ended === '' && performance.now() < until) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
    clearTimeout(timer)
    if (this.#received !== message) throw new Error(`${this.#received.length} bytes of ${message.length} came back ${this.#ended}`)
    this.#received = ''
  }

  abandon(): void {
    this.#socket.destroy()
  }

  /** FIN; resolves when the other side has said so too. */
  async close(): Promise<void> {
    this.#socket.end()
    while (!this.#socket.closed) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
    if (this.#ended !== 'end') throw new Error(`Cannot close the tunnel: the end must be a FIN, got ${this.#ended}`)
  }
}

/** A session for tunnels, once the gateway has said that it takes them; it closes after the last of them. */
export async function tunnelSession(port: number, tls: ConnectionOptions | undefined): Promise<ClientHttp2Session> {
  const session = connectHttp2(`${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, tls ?? {})
  await once(session, 'remoteSettings')
  return session
}

/** Sends message after message, each after the echo of the one before. */
export async function runTunnel(name: string, tunnel: Tunnel, random: Random, { tally, stop, longestPause }: Load): Promise<void> {
  try {
    for (let number = 0; !stop.aborted; number++) {
      await tunnel.echo(filler(`${name}-${number}`, random.below(10) === 0 ? random.below(50_000) : 40) + '\n')
      tally.messages += 1
      await pause(random.below(5 * longestPause))
    }
    await tunnel.close()
  } catch (error) {
    tally.failures.push(`${name}: ${(error as Error).message}`)
  }
}
