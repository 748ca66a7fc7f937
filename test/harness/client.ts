/** A client of bytes: sends what a test says and reads answers without the gateway's codec. */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { eventually } from './eventually.ts'

export interface ClientAnswer {
  readonly status: number
  readonly reason: string
  /** Lines with their CRLF. */
  readonly head: string
  readonly body: string
  /** The body as it was framed on the wire. */
  readonly rawBody: string
  readonly trailers: string
  header(name: string): string | undefined
  headers(name: string): string[]
}

/** What any version of HTTP can be asked; the cases of the exchange's semantics use only this. */
export interface HttpRequest {
  readonly method?: string
  readonly target?: string
  readonly host?: string
  /** Lines, `Name: value`. */
  readonly fields?: readonly string[]
  readonly body?: string
}

export interface HttpClient {
  request(request?: HttpRequest): Promise<ClientAnswer>
}

export class Client implements HttpClient {
  readonly socket: Socket
  readonly #tcp: Socket
  #received = ''
  ending: 'open' | 'end' | 'reset' = 'open'

  private constructor(socket: Socket, tcp: Socket) {
    this.socket = socket
    this.#tcp = tcp
    socket.on('data', (bytes) => {
      this.#received += bytes.toString('latin1')
    })
    socket.on('end', () => {
      if (this.ending === 'open') this.ending = 'end'
    })
    socket.on('error', () => {
      this.ending = 'reset'
    })
  }

  static connect(port: number, scheme: 'http' | 'https' = 'http'): Promise<Client> {
    return new Promise((resolve, reject) => {
      const tcp = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
      // Whom it talks to is not what these tests are about.
      const socket = scheme === 'http' ? tcp : connectTls({ socket: tcp, rejectUnauthorized: false })
      const client = new Client(socket, tcp)
      socket.once(scheme === 'http' ? 'connect' : 'secureConnect', () => resolve(client))
      socket.once('error', reject)
    })
  }

  /** Received and not yet taken by `answer`. */
  get received(): string {
    return this.#received
  }

  send(bytes: string): void {
    this.socket.write(bytes, 'latin1')
  }

  async request(request: HttpRequest = {}): Promise<ClientAnswer> {
    this.send(requestBytes(request))
    return this.answer(request.method)
  }

  /** Takes the next answer; interim ones too. `method` decides whether it has a body. */
  async answer(method = 'GET'): Promise<ClientAnswer> {
    const found = await eventually(() => readAnswer(this.#received, method, this.ending !== 'open'), 'an answer')
    this.#received = this.#received.slice(found.end)
    return found.answer
  }

  /** FIN; the other direction stays open. */
  end(): void {
    this.socket.end()
  }

  reset(): void {
    this.#tcp.resetAndDestroy()
  }

  /** Resolves when the gateway has closed: with a FIN or a reset. */
  closed(): Promise<'end' | 'reset'> {
    return eventually(() => (this.ending === 'open' ? undefined : this.ending), "the connection's end", 4_000)
  }

  close(): void {
    this.socket.destroy()
  }
}

export function requestBytes({ method = 'GET', target = '/', host = 'a.example', fields = [], body }: HttpRequest): string {
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...fields]
  if (body !== undefined) lines.push(`Content-Length: ${body.length}`)
  return lines.join('\r\n') + '\r\n\r\n' + (body ?? '')
}

function readAnswer(bytes: string, method: string, closed: boolean): { readonly answer: ClientAnswer; readonly end: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = bytes.slice(0, headEnd + 2)
  const [, status = '', reason = ''] = /^HTTP\/1\.1 (\d{3}) (.*)\r\n/.exec(head) ?? []
  const headers = (name: string): string[] =>
    head
      .split('\r\n')
      .slice(1)
      .filter((line) => line.toLowerCase().startsWith(name.toLowerCase() + ':'))
      .map((line) => line.slice(name.length + 1).trim())
  const made = (body: string, end: number, trailers = '') => ({
    answer: {
      status: Number(status),
      reason,
      head,
      body,
      trailers,
      rawBody: bytes.slice(headEnd + 4, end),
      header: (name: string) => headers(name)[0],
      headers,
    },
    end,
  })
  const start = headEnd + 4
  if (Number(status) < 200 || status === '204' || status === '304' || method === 'HEAD') return made('', start)
  const length = headers('content-length')[0]
  if (length !== undefined)
    return bytes.length < start + Number(length) ? undefined : made(bytes.slice(start, start + Number(length)), start + Number(length))
  if (headers('transfer-encoding')[0] === undefined) return closed ? made(bytes.slice(start), bytes.length) : undefined
  let body = ''
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const size = Number.parseInt(bytes.slice(at, lineEnd), 16)
    if (size === 0) {
      const end = bytes.startsWith('\r\n', lineEnd + 2) ? lineEnd + 2 : bytes.indexOf('\r\n\r\n', lineEnd) + 2
      return end < 2 || bytes.length < end + 2 ? undefined : made(body, end + 2, bytes.slice(lineEnd + 2, end))
    }
    at = lineEnd + 2 + size + 2
    if (bytes.length < at) return undefined
    body += bytes.slice(lineEnd + 2, lineEnd + 2 + size)
  }
}
