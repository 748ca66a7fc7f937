/** A backend that keeps every byte it got, and answers as a test says: with bytes, so that it can be as broken as it likes. */
import { createServer, type Server, type Socket } from 'node:net'
import { type ReceivedRequest, splitRequests } from './received-requests.ts'
import { eventually } from './eventually.ts'

/** Answers a complete request; the socket is there for whatever bytes and endings the test wants. */
export type Respond = (request: ReceivedRequest, connection: BackendConnection) => void

/** Sees every read, complete request or not. */
export type OnBytes = (connection: BackendConnection) => void

export class BackendConnection {
  readonly socket: Socket
  /** Everything received, a byte string. */
  bytes = ''
  /** 'open', then 'end' after the gateway's FIN, or 'reset'. */
  ending: 'open' | 'end' | 'reset' = 'open'

  constructor(socket: Socket) {
    this.socket = socket
  }

  write(bytes: string): void {
    this.socket.write(bytes, 'latin1')
  }

  get requests(): ReceivedRequest[] {
    return splitRequests(this.bytes).requests
  }

  /** Bytes that belong to no complete request. */
  get rest(): string {
    return splitRequests(this.bytes).rest
  }
}

export class Backend {
  readonly connections: BackendConnection[] = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static listen(respond: Respond = ok, onBytes?: OnBytes): Promise<Backend> {
    const server = createServer({ allowHalfOpen: true, noDelay: true })
    const backend = new Backend(server)
    server.on('connection', (socket) => backend.#accept(socket, respond, onBytes))
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(backend))
    })
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Complete requests over all connections. */
  get requests(): ReceivedRequest[] {
    return this.connections.flatMap((connection) => connection.requests)
  }

  /** Bytes over all connections that belong to no complete request. */
  get rest(): string {
    return this.connections.map((connection) => connection.rest).join('')
  }

  /** The only request, or the error that tells how many there were. */
  get request(): ReceivedRequest {
    const [request, ...others] = this.requests
    if (request === undefined || others.length > 0)
      throw new Error(`Cannot take the request: there must be one, got ${this.requests.length}`)
    return request
  }

  connection(index: number): Promise<BackendConnection> {
    return eventually(() => this.connections[index], `connection ${index} of the backend`)
  }

  /** Stops to listen and cuts every connection. */
  close(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy()
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }

  #accept(socket: Socket, respond: Respond, onBytes: OnBytes | undefined): void {
    const connection = new BackendConnection(socket)
    this.connections.push(connection)
    let answered = 0
    socket.on('data', (bytes) => {
      connection.bytes += bytes.toString('latin1')
      onBytes?.(connection)
      const { requests } = connection
      for (; answered < requests.length; answered++) {
        const request = requests[answered]
        if (request !== undefined) respond(request, connection)
      }
    })
    socket.on('end', () => {
      connection.ending = 'end'
      socket.end()
    })
    socket.on('error', () => {
      connection.ending = 'reset'
    })
  }
}

/** 200 with the body `ok`. */
export function ok(_request: ReceivedRequest, connection: BackendConnection): void {
  connection.write(response('ok'))
}

/** The bytes of a plain response. */
export function response(body: string, status = '200 OK', fields = ''): string {
  return `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`
}

/** Always the same bytes. */
export function always(bytes: string): Respond {
  return (_request, connection) => connection.write(bytes)
}
