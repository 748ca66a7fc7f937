/** In a worker: sockets that listen in the main process, which hands on what they accept. */
import type { Socket } from 'node:net'
import type { AcceptingSocket, ListeningSocketOptions } from '../proxy/listener/listening-socket.ts'
import type { FromWorker } from './messages.ts'

interface Opening {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class HandedSockets {
  /** Connections that have come. */
  received = 0
  readonly #send: (message: FromWorker) => void
  /** By the number that the worker gave it; until the main process has confirmed the end. */
  readonly #sockets = new Map<number, HandedSocket>()
  #last = 0

  constructor(send: (message: FromWorker) => void) {
    this.#send = send
  }

  readonly listen = (options: ListeningSocketOptions): AcceptingSocket => {
    this.#last += 1
    const socket = new HandedSocket(this.#last, options, this.#send)
    this.#sockets.set(this.#last, socket)
    return socket
  }

  listening(id: number, port: number): void {
    this.#sockets.get(id)?.opened(port)
  }

  notListening(id: number, reason: string): void {
    this.#sockets.get(id)?.failed(new Error(reason))
    this.#sockets.delete(id)
  }

  closed(id: number): void {
    this.#sockets.delete(id)
  }

  acceptFailed(id: number, reason: string): void {
    this.#sockets.get(id)?.options.acceptFailed(new Error(reason))
  }

  /** @param connection undefined where it was gone before it came here */
  take(id: number, connection: Socket | undefined): void {
    this.received += 1
    if (connection === undefined) return
    const socket = this.#sockets.get(id)
    if (socket === undefined) {
      connection.destroy()
      return
    }
    // As the sockets that this process accepts itself; it was born reading, and nothing has been read yet.
    connection.allowHalfOpen = true
    connection.pause()
    socket.options.accept(connection)
  }
}

class HandedSocket implements AcceptingSocket {
  readonly options: ListeningSocketOptions
  readonly #id: number
  readonly #send: (message: FromWorker) => void
  #port = 0
  #opening: Opening | undefined

  constructor(id: number, options: ListeningSocketOptions, send: (message: FromWorker) => void) {
    this.#id = id
    this.options = options
    this.#send = send
  }

  get port(): number {
    return this.#port
  }

  open(): Promise<void> {
    const { name, address, port } = this.options
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject }
      this.#send({ kind: 'listen', id: this.#id, name, address, port })
    })
  }

  opened(port: number): void {
    this.#port = port
    this.#opening?.resolve()
  }

  failed(error: Error): void {
    this.#opening?.reject(error)
  }

  close(): void {
    this.#send({ kind: 'close', id: this.#id })
  }
}
