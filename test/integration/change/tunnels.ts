/** WebSockets that echo without end. The gateway carries bytes of a tunnel, so the messages are lines and not frames. */
import { randomBytes } from 'node:crypto'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { connect } from 'node:net'
import { pause } from '../../harness/eventually.ts'
import type { Load } from './clients.ts'
import { filler } from './filler.ts'
import type { Random } from './random.ts'

const longestWait = 10_000

export class Tunnel {
  readonly #socket: Socket
  #received = ''
  #ended = ''
  #changed: () => void = () => {}

  private constructor(socket: Socket) {
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

  static open(port: number, tls: ConnectionOptions | undefined): Promise<Tunnel> {
    return new Promise((resolve, reject) => {
      const at = { host: '127.0.0.1', port }
      const opening = request({
        createConnection: () => (tls === undefined ? connect(at) : connectTls({ ...at, ...tls })),
        path: '/ws',
        headers: {
          host: 'shop.example.com',
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

/** Sends message after message, each after the echo of the one before. */
export async function runTunnel(name: string, tunnel: Tunnel, random: Random, { tally, stop }: Load): Promise<void> {
  try {
    for (let number = 0; !stop.aborted; number++) {
      await tunnel.echo(filler(`${name}-${number}`, random.below(10) === 0 ? random.below(50_000) : 40) + '\n')
      tally.messages += 1
      await pause(random.below(200))
    }
    await tunnel.close()
  } catch (error) {
    tally.failures.push(`${name}: ${(error as Error).message}`)
  }
}
