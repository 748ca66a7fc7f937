/** A backend that speaks HTTP/2 by prior knowledge, and answers each stream as a test says. */
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream, type ServerOptions } from 'node:http2'

export interface ReceivedStream {
  readonly stream: ServerHttp2Stream
  /** Names and values by turns, as they came. */
  readonly raw: readonly string[]
  header(name: string): string | undefined
}

export type RespondTo = (received: ReceivedStream) => void

export class Http2Backend {
  readonly streams: ReceivedStream[] = []
  readonly sessions: ServerHttp2Session[] = []
  readonly #server: Http2Server

  private constructor(server: Http2Server) {
    this.#server = server
  }

  static listen(respond: RespondTo = okTo, options: ServerOptions = {}): Promise<Http2Backend> {
    const server = createServer(options)
    const backend = new Http2Backend(server)
    server.on('session', (session) => {
      backend.sessions.push(session)
      session.on('error', () => {})
    })
    server.on('stream', (stream, _headers, _flags, ...rest: unknown[]) => {
      const raw = rest[0] as string[]
      stream.on('error', () => {})
      const received = { stream, raw, header: (name: string) => raw.find((_value, i) => i % 2 === 1 && raw[i - 1] === name) }
      backend.streams.push(received)
      respond(received)
    })
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(backend))
    })
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  close(): Promise<void> {
    for (const session of this.sessions) session.destroy()
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}

/** 200 with the body `ok`. */
export function okTo({ stream }: ReceivedStream): void {
  stream.respond({ ':status': 200 }, { sendDate: false } as object)
  stream.end('ok')
}
