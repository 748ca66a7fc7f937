/** A client that writes and reads bytes, over a plain socket or TLS. */
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { once } from 'node:events'

export interface RawAnswer {
  readonly status: number
  /** By lower-case name; the last of equal names. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

export class RawClient {
  readonly socket: Socket | TLSSocket
  /** Resolves when the connection has ended, whichever way. */
  readonly closed: Promise<void>
  /** The other side has said FIN. */
  ended = false
  /** What went wrong on the connection, if anything. */
  error: NodeJS.ErrnoException | undefined
  #received = ''
  #changed: () => void = () => {}

  constructor(socket: Socket | TLSSocket) {
    this.socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.#received += bytes.toString('latin1')
      this.#changed()
    })
    socket.on('error', (error) => {
      this.error = error
    })
    socket.on('end', () => {
      this.ended = true
    })
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    void this.closed.then(() => this.#changed())
  }

  static async plain(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host })
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** Rejects when the handshake fails. */
  static async tls(port: number, options: ConnectionOptions): Promise<RawClient> {
    const socket = connectTls({ port, host: '127.0.0.1', ...options })
    await once(socket, 'secureConnect')
    return new RawClient(socket)
  }

  /** What has come and was not taken as an answer. */
  get received(): string {
    return this.#received
  }

  send(text: string): void {
    this.socket.write(text, 'latin1')
  }

  async get(host: string, path = '/'): Promise<RawAnswer> {
    this.send(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    return this.answer()
  }

  /** Takes the next answer; its body must have a Content-Length or end with the connection. Rejects when the connection ends before. */
  async answer(): Promise<RawAnswer> {
    return this.#next(() => this.#take())
  }

  /** Takes the head of the next answer; what follows stays in `received`. */
  async head(): Promise<RawAnswer> {
    return this.#next(() => this.#take(0))
  }

  async #next(look: () => RawAnswer | undefined): Promise<RawAnswer> {
    for (;;) {
      const answer = look()
      if (answer !== undefined) return answer
      if (this.socket.destroyed) {
        throw new Error(`the connection ended within an answer: ${JSON.stringify(this.#received)}`, { cause: this.error })
      }
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
  }

  /** @param bodyLength absent: as Content-Length says, or to the end of the connection */
  #take(bodyLength?: number): RawAnswer | undefined {
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const [first = '', ...lines] = this.#received.slice(0, end).split('\r\n')
    const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
    const status = Number(first.split(' ')[1])
    const length = bodyLength ?? (status === 204 ? 0 : headers.get('content-length'))
    if (length === undefined && !this.socket.destroyed) return undefined
    const bodyEnd = length === undefined ? this.#received.length : end + 4 + Number(length)
    if (this.#received.length < bodyEnd) return undefined
    const body = this.#received.slice(end + 4, bodyEnd)
    this.#received = this.#received.slice(bodyEnd)
    return { status, headers, body }
  }

  async close(): Promise<void> {
    this.socket.destroy()
    await this.closed
  }
}
