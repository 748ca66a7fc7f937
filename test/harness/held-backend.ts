/** A backend for tests of connections: answers with its name, and holds answers back while it is told to. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HeldBackend {
  readonly port: number
  /** Requests that came, as `METHOD path`. */
  readonly requests: readonly string[]
  /** From now on requests wait until `release`. */
  hold(): void
  release(): void
  /** Resolves when as many requests have come in all. */
  seen(count: number): Promise<void>
  stop(): Promise<void>
}

export async function startBackend(name: string): Promise<HeldBackend> {
  const requests: string[] = []
  const waiting: ServerResponse[] = []
  let holding = false
  let changed: () => void = () => {}
  const answer = (response: ServerResponse): unknown => response.setHeader('content-length', name.length).end(name)
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    request.resume()
    if (holding) waiting.push(response)
    else answer(response)
    changed()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    hold() {
      holding = true
    },
    release() {
      holding = false
      for (const response of waiting.splice(0)) answer(response)
    },
    async seen(count) {
      while (requests.length < count) {
        await new Promise<void>((resolve) => {
          changed = resolve
        })
      }
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
