/**
 * A pod of the suite: answers every request as JSON with its own name and what it received, as the suite's echo server does,
 * over HTTP/1.1 on one port and over HTTP/2 by prior knowledge on another. `X-Echo-Set-Header: name:value,name:value` makes it
 * send these fields, `?delay=1s` makes it wait, below `/retry/` it fails as often as the query says, WebSocket messages come back.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import {
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { acceptWebSocket } from '../../src/standalone/websocket-echo.ts'

/** The body of an answer. */
export interface Echo {
  readonly namespace: string
  readonly pod: string
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly host: string
  /** [name, value] as they arrived, without pseudo-headers. */
  readonly fields: readonly (readonly [string, string])[]
}

/** Where it listens on loopback, by the port of the suite's container. */
export type ContainerPorts = ReadonlyMap<number, number>

export class EchoPod {
  readonly #namespace: string
  readonly #name: string
  readonly #http1: Server
  readonly #http2: Http2Server
  readonly #upgraded = new Set<Socket>()
  readonly #sessions = new Set<ServerHttp2Session>()
  /** How often requests failed by intent, by their `uuid`. */
  readonly #failures = new Map<string, number>()
  readonly #paths: string[] = []

  private constructor(namespace: string, name: string) {
    this.#namespace = namespace
    this.#name = name
    this.#http1 = createServer({ keepAliveTimeout: 0 }, (request, response) => void this.#answer(request, response))
    this.#http1.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#upgraded.add(socket)
      socket.once('close', () => this.#upgraded.delete(socket))
      acceptWebSocket(socket, head, request.headers['sec-websocket-key'] ?? '', this.#name)
    })
    this.#http2 = createHttp2Server((request, response) => void this.#answer(request, response))
    this.#http2.on('session', (session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
    })
  }

  static async start(namespace: string, name: string): Promise<EchoPod> {
    const pod = new EchoPod(namespace, name)
    await new Promise<void>((resolve) => pod.#http1.listen(0, '127.0.0.1', resolve))
    await new Promise<void>((resolve) => pod.#http2.listen(0, '127.0.0.1', resolve))
    return pod
  }

  get ports(): ContainerPorts {
    return new Map([
      [3000, portOf(this.#http1)],
      [3001, portOf(this.#http2)],
    ])
  }

  /** Of all requests so far, with their queries. */
  get paths(): readonly string[] {
    return this.#paths
  }

  async close(): Promise<void> {
    for (const socket of this.#upgraded) socket.destroy()
    for (const session of this.#sessions) session.destroy()
    const closed = [this.#http1, this.#http2].map((server) => new Promise<void>((resolve) => void server.close(() => resolve())))
    this.#http1.closeAllConnections()
    await Promise.all(closed)
  }

  async #answer(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    this.#paths.push(url)
    request.resume()
    if (url.startsWith('/retry/') && (await this.#fail(new URL(url, 'http://pod').searchParams, response))) return
    const fields = pairs(request.rawHeaders).filter(([name]) => !name.startsWith(':'))
    const host = headers[':authority']?.toString() ?? headers.host ?? ''
    const echo: Echo = { namespace: this.#namespace, pod: this.#name, method, path: url, host, fields }
    const asked = fields.find(([name]) => name.toLowerCase() === 'x-echo-set-header')?.[1] ?? ''
    for (const field of asked.split(',').filter((one) => one !== '')) {
      const [name = '', value = ''] = field.split(':')
      response.appendHeader(name.trim(), value.trim())
    }
    await pause(milliseconds(new URL(url, 'http://pod').searchParams.get('delay')))
    response.end(JSON.stringify(echo))
  }

  /** Whether this attempt is one of the first `succeedAfter` with its `uuid`: after `delayRetry` it gets `responseCode`. */
  async #fail(query: URLSearchParams, response: ServerResponse | Http2ServerResponse): Promise<boolean> {
    const uuid = query.get('uuid') ?? ''
    const failures = this.#failures.get(uuid) ?? 0
    if (failures >= Number(query.get('succeedAfter'))) return false
    this.#failures.set(uuid, failures + 1)
    await pause(milliseconds(query.get('delayRetry')))
    response.statusCode = Number(query.get('responseCode'))
    response.end()
    return true
  }
}

/** Node's flat list of names and values. */
export function pairs(raw: readonly string[]): readonly (readonly [string, string])[] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []))
}

function portOf(server: Server | Http2Server): number {
  return (server.address() as AddressInfo).port
}

/** Of `1s` or `300ms`. */
function milliseconds(duration: string | null): number {
  const [, amount = '0', unit] = /^(\d+)(ms|s)$/.exec(duration ?? '') ?? []
  return Number(amount) * (unit === 's' ? 1000 : 1)
}
