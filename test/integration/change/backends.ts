/** Backends that say who they are and what they got, by `node:http`: the gateway's own codec has no part in the test's other end. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { pause } from '../../harness/eventually.ts'
import type { Testimony } from './expectation.ts'
import { filler } from './filler.ts'

export interface Backends {
  /** By name. */
  readonly ports: ReadonlyMap<string, number>
  /** Tokens of the requests that have come. */
  readonly reached: ReadonlySet<string>
  /** Connections that are open, of all backends. */
  connections(): number
  stop(): Promise<void>
}

export async function startBackends(names: readonly string[]): Promise<Backends> {
  const servers = new Map<string, Server>()
  const tunnels = new Set<Socket>()
  const reached = new Set<string>()
  let connections = 0
  for (const name of names) {
    // Longer than the gateway keeps a connection idle: a backend that closes first is another test's matter.
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      const url = new URL(request.url ?? '/', 'http://backend')
      reached.add(url.searchParams.get('token') ?? '')
      void answer(name, url, request, response)
    })
    server.on('connection', (socket) => {
      connections += 1
      socket.once('close', () => {
        connections -= 1
      })
    })
    server.on('upgrade', (_request, socket: Socket) => {
      tunnels.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => tunnels.delete(socket))
      socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Backend: ${name}\r\n\r\n`)
      socket.pipe(socket)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    servers.set(name, server)
  }
  return {
    reached,
    connections: () => connections,
    ports: new Map([...servers].map(([name, server]) => [name, (server.address() as AddressInfo).port])),
    async stop() {
      for (const socket of tunnels) socket.destroy()
      for (const server of servers.values()) {
        const closed = new Promise((resolve) => server.close(resolve))
        server.closeAllConnections()
        await closed
      }
    },
  }
}

/** A line of testimony, then the request's body or, by the query, `size` bytes; after `delay` milliseconds, and in chunks where `chunked` says so. */
async function answer(name: string, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const edition = request.headers['x-edition']
  const testimony: Testimony = {
    backend: name,
    host: request.headers.host ?? '',
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
  if (url.searchParams.has('chunked')) {
    response.write(first)
    await pause(5)
    response.end(rest, 'latin1')
  } else response.setHeader('content-length', first.length + rest.length).end(first + rest, 'latin1')
}
