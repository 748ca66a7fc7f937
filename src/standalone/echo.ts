/**
 * The built-in echo backend: one server on loopback for each echoed Service, which speaks HTTP/1.1 and HTTP/2 by prior knowledge on
 * one port, as the first bytes tell. It answers every request as JSON with what arrived, so that a route can be tried before its
 * application runs, and echoes the messages of WebSockets and gRPC calls.
 */
import { createServer as createHttp1Server } from 'node:http'
import type { IncomingMessage, Server as Http1Server, ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { Http2Server, Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { echoGrpc, isGrpcCall } from './grpc-echo.ts'
import { acceptWebSocket } from './websocket-echo.ts'

/** RFC 9113 section 3.4. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
/** Bytes. */
const maxHeaderSize = 128 * 1024

/** The body of an answer. */
export interface EchoAnswer {
  readonly service: string
  readonly namespace: string
  readonly pod: string
  readonly method: string
  readonly path: string
  /** Undecoded, without `?`; '' when there is none. */
  readonly query: string
  readonly protocol: string
  readonly host: string
  /** Without HTTP/2's pseudo-headers. Names in lower case, values of equal names joined by a comma. */
  readonly headers: Readonly<Record<string, string>>
  /** [name, value] as they arrived. */
  readonly headerList: readonly (readonly [string, string])[]
  /** Bytes. */
  readonly bodySize: number
}

export class EchoBackend {
  readonly #namespace: string
  readonly #service: string
  readonly #server: Server
  readonly #http1: Http1Server
  readonly #http2: Http2Server
  readonly #sockets = new Set<Socket>()
  #requests = 0

  private constructor(namespace: string, service: string) {
    this.#namespace = namespace
    this.#service = service
    // The gateway's pool decides how long a connection lives: an idle one closed from this side would race with its next request.
    this.#http1 = createHttp1Server({ keepAliveTimeout: 0, requestTimeout: 0, maxHeaderSize }, (request, response) =>
      this.#answer(request, response),
    )
    this.#http1.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => this.#upgrade(request, socket, head))
    this.#http2 = createHttp2Server({ settings: { maxHeaderListSize: maxHeaderSize }, maxHeaderListPairs: 2_000 }, (request, response) =>
      isGrpcCall(request) ? this.#call(request, response) : this.#answer(request, response),
    )
    // Half open, as the servers that take the sockets over would have them.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket))
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(namespace: string, service: string): Promise<EchoBackend> {
    const backend = new EchoBackend(namespace, service)
    await new Promise<void>((resolve, reject) => {
      backend.#server.once('error', reject)
      backend.#server.listen(0, '127.0.0.1', resolve)
    })
    return backend
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Requests taken so far, upgrades included. */
  get requests(): number {
    return this.#requests
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let first: Buffer = Buffer.alloc(0)
    const endUnheard = (): void => void socket.end()
    const look = (chunk: Buffer): void => {
      first = Buffer.concat([first, chunk])
      const length = Math.min(first.length, preface.length)
      const isHttp2 = first.compare(preface, 0, length, 0, length) === 0
      if (isHttp2 && length < preface.length) return
      socket.off('data', look).off('end', endUnheard).pause()
      socket.unshift(first)
      if (isHttp2) {
        this.#http2.emit('connection', socket)
      } else {
        this.#http1.emit('connection', socket)
        socket.resume()
      }
    }
    socket.on('data', look).on('end', endUnheard)
  }

  #answer(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void {
    this.#requests += 1
    let bodySize = 0
    request.on('data', (chunk: Buffer) => {
      bodySize += chunk.length
    })
    request.on('end', () => {
      const body = `${JSON.stringify(this.#describe(request, bodySize))}\n`
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
      response.end(body)
    })
  }

  #call(request: Http2ServerRequest, response: Http2ServerResponse): void {
    this.#requests += 1
    echoGrpc(request, response, (bodySize) => JSON.stringify(this.#describe(request, bodySize)))
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#requests += 1
    const key = request.headers['sec-websocket-key']
    if (request.headers.upgrade?.toLowerCase() !== 'websocket' || key === undefined) {
      socket.end('HTTP/1.1 501 Not Implemented\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      return
    }
    acceptWebSocket(socket, head, key, JSON.stringify(this.#describe(request, 0)))
  }

  #describe(request: IncomingMessage | Http2ServerRequest, bodySize: number): EchoAnswer {
    const target = request.url ?? '/'
    const mark = target.indexOf('?')
    const headers: Record<string, string> = Object.create(null) as Record<string, string>
    const headerList: [string, string][] = []
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      const name = request.rawHeaders[index] ?? ''
      // HTTP/2's pseudo-headers are method, path and host.
      if (name.startsWith(':')) continue
      const value = request.rawHeaders[index + 1] ?? ''
      const known = headers[name.toLowerCase()]
      headers[name.toLowerCase()] = known === undefined ? value : `${known}, ${value}`
      headerList.push([name, value])
    }
    return {
      service: this.#service,
      namespace: this.#namespace,
      pod: `${this.#service}-echo`,
      method: request.method ?? '',
      path: mark < 0 ? target : target.slice(0, mark),
      query: mark < 0 ? '' : target.slice(mark + 1),
      protocol: `HTTP/${request.httpVersion}`,
      host: ('authority' in request ? request.authority : request.headers.host) ?? '',
      headers,
      headerList,
      bodySize,
    }
  }
}
