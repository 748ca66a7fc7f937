/** A backend of HTTP/2 in bytes: it may break the rules, and say things in an order that no library does. */
import { createServer, type Server, type Socket } from 'node:net'
import { frame, frameType, framesIn, http2Preface } from './http2-frames.ts'

/** The block of `:status: 200`. */
export const status200 = Buffer.from([0x88])

export class RawHttp2Backend {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  /** `respond` is called with each head of a request, and its block. */
  static listen(respond: (socket: Socket, stream: number, block: Buffer) => void): Promise<RawHttp2Backend> {
    const server = createServer((socket) => {
      let received = Buffer.alloc(0)
      let seen = 0
      backend.#sockets.add(socket)
      socket.on('error', () => {})
      socket.write(frame(frameType.settings, 0, 0))
      socket.on('data', (bytes) => {
        received = Buffer.concat([received, bytes])
        const heads = framesIn(received.subarray(http2Preface.length)).filter(({ type }) => type === frameType.headers)
        for (const { stream, payload } of heads.slice(seen)) respond(socket, stream, payload)
        seen = heads.length
      })
    })
    const backend = new RawHttp2Backend(server)
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(backend))
    })
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}
