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
  /**
   * Gets libuv's handle instead, without a stream around it, which nobody reads either. False: it is not what it should be, and `accept` gets
   * a socket. Absent: all connections come as sockets.
   */
  readonly acceptHandle?: ((handle: unknown) => boolean) | undefined
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

/** What `net.Server` keeps for itself. */
interface ServerInternals {
  readonly _handle: ListeningHandle | null
}

interface ListeningHandle {
  onconnection?: (this: ListeningHandle, status: number, handle: unknown) => void
}

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
        this.#passHandles()
        this.#port = typeof bound === 'object' && bound !== null ? bound.port : port
        resolve()
      })
    })
  }

  /** Sees every connection before the server makes a socket of it and counts it. It goes on to tell of what could not be accepted. */
  #passHandles(): void {
    const { acceptHandle } = this.#options
    const listening = (this.#server as unknown as ServerInternals)._handle
    const makeSocket = listening?.onconnection
    if (acceptHandle === undefined || listening === null || typeof makeSocket !== 'function') return
    listening.onconnection = function (status, handle) {
      if (status !== 0 || handle === undefined || !acceptHandle(handle)) makeSocket.call(this, status, handle)
    }
  }

  close(): void {
    this.#server.close()
  }
}
