/** Backends that say who they are and what they got, by `node:http`, `node:http2` and `@grpc/grpc-js`: the gateway's own codec has no part in the test's other end. */
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { pause } from '../harness/eventually.ts'
import type { Testimony } from './expectation.ts'
import { filler } from './filler.ts'
import { grpcAcceptor } from './grpc-backend.ts'
import { callServices, type Speech } from './world.ts'

export interface Backends {
  /** By name. */
  readonly ports: ReadonlyMap<string, number>
  /** Tokens of the requests that have come. */
  readonly reached: ReadonlySet<string>
  /** Connections that are open, of all backends. */
  connections(): number
  /** Ends all of its connections with a reset and refuses others. */
  kill(name: string): void
  /** On the port that it had. */
  revive(name: string): Promise<void>
  stop(): Promise<void>
}

export interface BackendOptions {
  readonly address?: string
  /** Absent: any. */
  readonly choosePort?: () => Promise<number>
  readonly callServices?: Readonly<Record<string, readonly string[]>>
  /** Answers some requests in its own way: true when it did. */
  readonly respond?: (name: string, url: URL, request: IncomingMessage, response: ServerResponse) => boolean
  /** Absent: every token is kept in `reached`. */
  readonly seen?: (token: string) => void
}

/** Serves what comes on a connection. */
export type Acceptor = (socket: Socket) => void

export async function startBackends(speeches: ReadonlyMap<string, Speech>, options: BackendOptions = {}): Promise<Backends> {
  const { address = '127.0.0.1', choosePort } = options
  const servers = new Map<string, Server>()
  const ports = new Map<string, number>()
  const sockets = new Map<Socket, string>()
  const ends: (() => void)[] = []
  const reached = new Set<string>()
  const seen = options.seen ?? ((token: string): void => void reached.add(token))
  for (const [name, speech] of speeches) {
    const { accept, end } = acceptor(name, speech, seen, options)
    const server = createServer({ noDelay: true }, (socket) => {
      // Nobody else on the network has any business here.
      if (socket.remoteAddress !== address && socket.remoteAddress !== '127.0.0.1') return socket.destroy()
      sockets.set(socket, name)
      socket.once('close', () => sockets.delete(socket))
      accept(socket)
      return undefined
    })
    server.listen((await choosePort?.()) ?? 0, address)
    await once(server, 'listening')
    servers.set(name, server)
    ports.set(name, (server.address() as AddressInfo).port)
    ends.push(end)
  }
  return {
    reached,
    connections: () => sockets.size,
    ports,
    kill(name) {
      servers.get(name)?.close()
      for (const [socket, of] of sockets) if (of === name) socket.resetAndDestroy()
    },
    async revive(name) {
      const server = servers.get(name)
      server?.listen(ports.get(name), address)
      if (server !== undefined) await once(server, 'listening')
    },
    async stop() {
      for (const end of ends) end()
      for (const socket of sockets.keys()) socket.destroy()
      for (const server of servers.values()) await new Promise((resolve) => server.close(resolve))
    },
  }
}

function acceptor(
  name: string,
  speech: Speech,
  seen: (token: string) => void,
  options: BackendOptions,
): { accept: Acceptor; end: () => void } {
  if (speech === 'grpc') return grpcAcceptor(name, options.callServices ?? callServices, seen)
  const respond = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void => {
    const url = new URL(request.url ?? '/', 'http://backend')
    seen(url.searchParams.get('token') ?? '')
    if (options.respond?.(name, url, request as IncomingMessage, response as ServerResponse) === true) return
    void answer(name, url, request, response)
  }
  if (speech === 'h2c') {
    const server = createHttp2Server(respond)
    return { accept: (socket) => void server.emit('connection', socket), end: () => {} }
  }
  // Longer than the gateway keeps a connection idle: a backend that closes first is another test's matter.
  const server = createHttpServer({ keepAliveTimeout: 60_000 }, respond)
  server.on('upgrade', (_request, socket: Socket) => {
    socket.on('error', () => {})
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Backend: ${name}\r\n\r\n`)
    socket.pipe(socket)
  })
  return { accept: (socket) => void server.emit('connection', socket), end: () => server.close() }
}

/** A line of testimony, then the request's body or, by the query, `size` bytes; after `delay` milliseconds, and in chunks where `chunked` says so. */
async function answer(
  name: string,
  url: URL,
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
): Promise<void> {
  const headers: IncomingHttpHeaders = request.headers
  const edition = headers['x-edition']
  const testimony: Testimony = {
    backend: name,
    host: hostOf(request),
    path: url.pathname,
    ...(edition === undefined ? {} : { edition: String(edition) }),
  }
  const pieces: Buffer[] = []
  try {
    for await (const piece of request) pieces.push(piece as Buffer)
  } catch {
    // The client's complaint tells why.
    return
  }
  await pause(Number(url.searchParams.get('delay') ?? 0))
  const token = url.searchParams.get('token') ?? ''
  const rest =
    request.method === 'POST' ? Buffer.concat(pieces).toString('latin1') : filler(token, Number(url.searchParams.get('size') ?? 0))
  const first = `${JSON.stringify(testimony)}\n`
  // The two kinds of response have the same methods, and overloads that differ.
  const sink = response as ServerResponse
  if (url.searchParams.has('chunked')) {
    sink.write(first)
    await pause(5)
    sink.end(rest, 'latin1')
    return
  }
  sink.setHeader('content-length', first.length + rest.length)
  sink.end(first + rest, 'latin1')
}

function hostOf(request: IncomingMessage | Http2ServerRequest): string {
  return ('authority' in request ? request.authority : request.headers.host) ?? ''
}
