/** The application behind the gateway: the page's files, a place for orders, a stream of events, a chat that says back what it hears. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { acceptWebSocket } from '../../../src/standalone/websocket-echo.ts'

const files = ['/index.html', '/style.css', '/icon.svg', '/main.js', '/text.js']
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript',
}

export interface Site {
  readonly port: number
  /** `METHOD host path`, in the order in which they came. */
  readonly requests: readonly string[]
  /** Event streams that are open. */
  readonly streams: number
  stop(): Promise<void>
}

export async function startSite(): Promise<Site> {
  const requests: string[] = []
  const streams = new Map<ServerResponse, number>()
  const sockets = new Set<{ destroy(): void }>()

  const tell = (stream: ServerResponse): void => {
    const next = (streams.get(stream) ?? 0) + 1
    streams.set(stream, next)
    stream.write(`data: ${next}\n\n`)
  }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '' } = request
    requests.push(`${method} ${request.headers.host} ${url}`)
    const path = url === '/' ? '/index.html' : url
    if (method === 'GET' && files.includes(path)) {
      response.setHeader('content-type', types[extname(path)] ?? '')
      response.end(readFileSync(join(import.meta.dirname, 'page', path)))
    } else if (method === 'POST' && path === '/orders') {
      json(response, await digestOf(request))
    } else if (method === 'GET' && path === '/events') {
      response.setHeader('content-type', 'text/event-stream')
      response.on('close', () => streams.delete(response))
      tell(response)
    } else if (method === 'POST' && path === '/events/next') {
      for (const stream of streams.keys()) tell(stream)
      json(response, {})
    } else if (path === '/cart') {
      response.setHeader('x-total', '42')
      response.setHeader('x-hidden', 'yes')
      json(response, { method, ...(await digestOf(request)) })
    } else {
      response.statusCode = 404
      response.end()
    }
  }

  const server = createServer((request, response) => void answer(request, response))
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request, socket, head) => {
    requests.push(`${request.method} ${request.headers.host} ${request.url}`)
    acceptWebSocket(socket as never, head, request.headers['sec-websocket-key'] ?? '', `${request.headers.host}`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    get streams() {
      return streams.size
    },
    stop: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function json(response: ServerResponse, value: object): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(value))
}

async function digestOf(request: IncomingMessage): Promise<{ length: number; digest: string }> {
  const hash = createHash('sha256')
  let length = 0
  for await (const bytes of request as AsyncIterable<Buffer>) {
    hash.update(bytes)
    length += bytes.length
  }
  return { length, digest: hash.digest('hex') }
}
