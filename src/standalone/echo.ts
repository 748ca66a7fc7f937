/**
 * The built-in echo backend: one HTTP/1.1 server on loopback for each echoed Service. It answers every request as JSON with what arrived,
 * so that a route can be tried before its application runs, and echoes WebSocket messages.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { acceptWebSocket } from './websocket-echo.ts'

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
  /** Names in lower case, values of equal names joined by a comma. */
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
  readonly #upgraded = new Set<Socket>()
  #requests = 0

  private constructor(namespace: string, service: string) {
    this.#namespace = namespace
    this.#service = service
    // The gateway's pool decides how long a connection lives: an idle one closed from this side would race with its next request.
    this.#server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, maxHeaderSize: 128 * 1024 }, (request, response) =>
      this.#answer(request, response),
    )
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => this.#upgrade(request, socket, head))
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
    for (const socket of this.#upgraded) socket.destroy()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
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

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#requests += 1
    const key = request.headers['sec-websocket-key']
    if (request.headers.upgrade?.toLowerCase() !== 'websocket' || key === undefined) {
      socket.end('HTTP/1.1 501 Not Implemented\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
      return
    }
    this.#upgraded.add(socket)
    socket.on('close', () => this.#upgraded.delete(socket))
    acceptWebSocket(socket, head, key, JSON.stringify(this.#describe(request, 0)))
  }

  #describe(request: IncomingMessage, bodySize: number): EchoAnswer {
    const target = request.url ?? '/'
    const mark = target.indexOf('?')
    const headers: Record<string, string> = Object.create(null) as Record<string, string>
    const headerList: [string, string][] = []
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      const name = request.rawHeaders[index] ?? ''
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
      host: request.headers.host ?? '',
      headers,
      headerList,
      bodySize,
    }
  }
}
