/**
 * The built-in echo backend: one server on loopback for each echoed Service, which speaks what its clients do on one port, as the first
 * bytes tell: HTTP/1.1, HTTP/2 by prior knowledge, or neither. It answers every request as JSON with what arrived, so that a route can be
 * tried before its application runs, and echoes the messages of WebSockets and gRPC calls. Whatever is no HTTP comes back byte for byte,
 * TLS is ended with a certificate for the name that was asked for, and datagrams to the port of the same number come back too. A header of
 * the PROXY protocol before HTTP or TLS is taken off; before other bytes it comes back with them.
 */
import { createServer as createHttp1Server } from 'node:http'
import type { IncomingMessage, Server as Http1Server, ServerResponse } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { Http2Server, Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { createServer } from 'node:net'
import { createSocket } from 'node:dgram'
import type { Socket as DatagramSocket } from 'node:dgram'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createSecureContext, createServer as createTlsServer } from 'node:tls'
import type { Server as TlsServer } from 'node:tls'
import { readHeader } from '../proxy/proxy-protocol/read-header.ts'
import type { Leaf } from './development-ca.ts'
import { echoGrpc, isGrpcCall } from './grpc-echo.ts'
import { acceptWebSocket } from './websocket-echo.ts'

/** RFC 9113 section 3.4. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
/** RFC 9110 section 9.1, and the space behind it; methods are rarely longer. */
const requestBegins = /^[A-Z-]{3,12} [/*]/
const longestBegin = 14
/** RFC 8446 section 5.1. */
const handshakeRecord = 22
/** Ports that are tried until TCP and UDP have the same one. */
const mostTries = 20
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
  readonly #tls: TlsServer
  readonly #sockets = new Set<Socket>()
  #datagrams: DatagramSocket | undefined
  #requests = 0

  private constructor(namespace: string, service: string, leafFor: ((hostname: string) => Promise<Leaf>) | undefined) {
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
    this.#tls = createTlsServer({ SNICallback: (hostname, done) => void contextFor(leafFor, hostname, done) }, (socket) =>
      this.#accept(socket),
    )
    this.#tls.on('tlsClientError', (_error, socket) => void socket.destroy())
    // Half open, as the servers that take the sockets over would have them.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket))
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(namespace: string, service: string, leafFor?: (hostname: string) => Promise<Leaf>): Promise<EchoBackend> {
    for (let tries = 1; ; tries += 1) {
      const backend = new EchoBackend(namespace, service, leafFor)
      try {
        await backend.#listen()
        return backend
      } catch (error) {
        await backend.close()
        if (tries === mostTries) throw error
      }
    }
  }

  async #listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    const datagrams = createSocket('udp4')
    await new Promise<void>((resolve, reject) => {
      datagrams.once('error', reject)
      datagrams.bind(this.port, '127.0.0.1', resolve)
    })
    datagrams.on('message', (datagram, { address, port }) => {
      this.#requests += 1
      datagrams.send(datagram, port, address)
    })
    datagrams.on('error', () => {})
    this.#datagrams = datagrams
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Requests, connections without requests and datagrams taken so far, upgrades included. */
  get requests(): number {
    return this.#requests
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    this.#datagrams?.close()
    await closed
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let first: Buffer = Buffer.alloc(0)
    const endUnheard = (): void => void socket.end(first)
    const look = (chunk: Buffer): void => {
      first = Buffer.concat([first, chunk])
      const own = first.subarray(headerLength(first))
      const spoken = own.length === 0 ? undefined : spokenIn(own)
      if (spoken === undefined) return
      socket.off('data', look).off('end', endUnheard).pause()
      socket.unshift(spoken === 'bytes' ? first : own)
      switch (spoken) {
        case 'http1':
          this.#http1.emit('connection', socket)
          socket.resume()
          break
        case 'http2':
          this.#http2.emit('connection', socket)
          break
        case 'tls':
          this.#tls.emit('connection', socket)
          break
        case 'bytes':
          this.#requests += 1
          socket.pipe(socket)
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

/** The gateway sends one in one piece, so that half of one is none. */
function headerLength(first: Buffer): number {
  const result = readHeader(first, first.length)
  return result.kind === 'header' ? result.length : 0
}

/** undefined: more bytes will tell. */
function spokenIn(first: Buffer): 'http1' | 'http2' | 'tls' | 'bytes' | undefined {
  if (first[0] === handshakeRecord) return 'tls'
  const length = Math.min(first.length, preface.length)
  if (first.compare(preface, 0, length, 0, length) === 0) return length < preface.length ? undefined : 'http2'
  const begin = first.toString('latin1', 0, longestBegin)
  if (requestBegins.test(begin)) return 'http1'
  return begin.length < longestBegin && /^[A-Z-]{1,12} ?$/.test(begin) ? undefined : 'bytes'
}

async function contextFor(
  leafFor: ((hostname: string) => Promise<Leaf>) | undefined,
  hostname: string,
  done: (error: Error | null, context?: ReturnType<typeof createSecureContext>) => void,
): Promise<void> {
  try {
    const leaf = await leafFor?.(hostname)
    if (leaf === undefined) return done(new Error('there are no certificates'))
    const [cert, key] = [leaf.data['tls.crt'], leaf.data['tls.key']].map((text) => Buffer.from(text ?? '', 'base64'))
    done(null, createSecureContext({ ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) }))
  } catch (error) {
    done(error as Error)
  }
}
