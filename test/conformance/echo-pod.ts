/**
 * A pod of the suite: answers every request as JSON with its own name and what it received, as the suite's echo server does.
 * `X-Echo-Set-Header: name:value,name:value` makes it send these fields, `?delay=1s` makes it wait, WebSocket messages come back.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { acceptWebSocket } from '../../src/standalone/websocket-echo.ts'

/** The body of an answer. */
export interface Echo {
  readonly namespace: string
  readonly pod: string
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly host: string
  /** [name, value] as they arrived. */
  readonly fields: readonly (readonly [string, string])[]
}

export class EchoPod {
  readonly #namespace: string
  readonly #name: string
  readonly #server: Server
  readonly #upgraded = new Set<Socket>()

  private constructor(namespace: string, name: string) {
    this.#namespace = namespace
    this.#name = name
    this.#server = createServer({ keepAliveTimeout: 0 }, (request, response) => this.#answer(request, response))
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      this.#upgraded.add(socket)
      socket.once('close', () => this.#upgraded.delete(socket))
      acceptWebSocket(socket, head, request.headers['sec-websocket-key'] ?? '', this.#name)
    })
  }

  static async start(namespace: string, name: string): Promise<EchoPod> {
    const pod = new EchoPod(namespace, name)
    await new Promise<void>((resolve) => pod.#server.listen(0, '127.0.0.1', resolve))
    return pod
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.#upgraded) socket.destroy()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers, rawHeaders } = request
    const fields = pairs(rawHeaders)
    const echo: Echo = { namespace: this.#namespace, pod: this.#name, method, path: url, host: headers.host ?? '', fields }
    const asked = fields.find(([name]) => name.toLowerCase() === 'x-echo-set-header')?.[1] ?? ''
    for (const field of asked.split(',').filter((one) => one !== '')) {
      const [name = '', value = ''] = field.split(':')
      response.appendHeader(name.trim(), value.trim())
    }
    const delay = /[?&]delay=(\d+)s/.exec(url)?.[1] ?? '0'
    request.resume()
    setTimeout(() => response.end(JSON.stringify(echo)), Number(delay) * 1000)
  }
}

/** Node's flat list of names and values. */
export function pairs(raw: readonly string[]): readonly (readonly [string, string])[] {
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1] ?? ''] as const] : []))
}
