/** One TCP socket that listens. It accepts, bounds and hands over; what is spoken on the connections is not its matter. */
import { createServer, type Server, type Socket } from 'node:net'
import { listenFailure } from './listen-failure.ts'

export interface ListeningSocketOptions {
  /** What tells the socket from others, also where the system chooses the port. */
  readonly name: string
  readonly address: string
  /** 0: the system chooses one. */
  readonly port: number
  /** Gets a paused socket that nobody else listens to. */
  readonly accept: (socket: Socket) => void
  /** The system refused to accept (too many open files); the socket goes on listening. */
  readonly acceptFailed: (error: Error) => void
}

/** A socket that listens, whoever opens it: this process, or another one that hands on what it accepts. */
export interface AcceptingSocket {
  /** The port that was really opened; 0 before `open`. */
  readonly port: number
  /** Resolves when connections are accepted. Rejects with an Error whose message is fit for a person. */
  open(): Promise<void>
  /** Stops to accept, at once. Accepted connections live on. */
  close(): void
}

/** Connections that the kernel holds for us until we accept them; it cuts the number to its own limit. */
const backlog = 4096

export class ListeningSocket implements AcceptingSocket {
  readonly #options: ListeningSocketOptions
  readonly #server: Server
  #port = 0

  constructor(options: ListeningSocketOptions) {
    this.#options = options
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, options.accept)
  }

  get port(): number {
    return this.#port
  }

  open(): Promise<void> {
    const { address, port } = this.#options
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => reject(new Error(listenFailure(address, port, error), { cause: error }))
      this.#server.once('error', failed)
      this.#server.listen({ host: address, port, backlog, exclusive: true }, () => {
        this.#server.off('error', failed)
        // libuv sheds what it cannot accept for want of descriptors, so that nothing spins; what it could not shed is told here.
        this.#server.on('error', this.#options.acceptFailed)
        const bound = this.#server.address()
        this.#port = typeof bound === 'object' && bound !== null ? bound.port : port
        resolve()
      })
    })
  }

  close(): void {
    this.#server.close()
  }
}
