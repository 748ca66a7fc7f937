/** A backend that answers every request with its name, at once or when it is told to. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface TestBackend {
  readonly port: number
  /** Heads, in the order in which they came. */
  readonly requests: readonly string[]
  /** From now on answers wait for `release`. */
  hold(): void
  release(): void
  /** Resolves when that many requests have come in all. */
  seen(count: number): Promise<void>
  stop(): Promise<void>
}

export async function startBackend(name: string): Promise<TestBackend> {
  const requests: string[] = []
  const waiting: Socket[] = []
  const sockets = new Set<Socket>()
  let held = false
  let changed = (): void => {}
  const answer = (socket: Socket): void => {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`)
  }
  const server = createServer((socket) => {
    let received = ''
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes: Buffer) => {
      received += bytes.toString('latin1')
      for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
        requests.push(received.slice(0, end))
        received = received.slice(end + 4)
        if (held) waiting.push(socket)
        else answer(socket)
        changed()
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    hold: () => {
      held = true
    },
    release: () => {
      held = false
      for (const socket of waiting.splice(0)) answer(socket)
    },
    seen: async (count) => {
      while (requests.length < count) {
        await new Promise<void>((resolve) => {
          changed = resolve
        })
      }
    },
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
