/**
 * The sockets that listen for all workers. It accepts in their place and hands each connection to the worker that has the
 * fewest: only so are they shared evenly, also when a worker is new, and a socket stays open whatever becomes of a worker.
 */
import type { Socket } from 'node:net'
import { ListeningSocket } from '../proxy/listener/listening-socket.ts'
import type { ToWorker } from './messages.ts'

/** A worker as a taker of connections. */
export interface Taker {
  /** Connections that it has, those on their way to it included. */
  readonly load: number
  /** Whether so many are on their way that it seems to be stuck. */
  readonly isFull: boolean
  readonly isGone: boolean
  send(message: ToWorker): void
  hand(id: number, connection: Socket, socket: SharedSocket): void
}

/** What a worker asks for. */
export interface Wish {
  readonly id: number
  readonly name: string
  readonly address: string
  readonly port: number
}

/** Milliseconds for the last worker to leave a socket that is in the way of another. */
const leaveTime = 2_000
/** How often more a socket is tried to be opened when another one of ours was in its way. */
const mostOpenings = 2

export class Acceptor {
  /** Connections that were closed at once, because no worker could take them. */
  refused = 0
  /** By the name that workers know them by. */
  readonly #sockets = new Map<string, SharedSocket>()
  #closed = false

  async listen(taker: Taker, { id, name, address, port }: Wish): Promise<void> {
    try {
      const socket = await this.#open(taker, name, address, port)
      if (this.#closed) throw new Error('Cannot listen: the proxy must be running, got one that ends')
      if (taker.isGone) return this.#closeUnused(socket)
      // The answer goes before the first connection.
      taker.send({ kind: 'listening', id, port: socket.port })
      socket.join(taker, id)
    } catch (error) {
      taker.send({ kind: 'not-listening', id, reason: (error as Error).message })
    }
  }

  leave(taker: Taker, id: number): void {
    for (const socket of this.#sockets.values()) if (socket.idOf(taker) === id) this.#part(socket, taker)
    taker.send({ kind: 'closed', id })
  }

  /** It has ended. @param undelivered what it was to get and cannot have got */
  gone(taker: Taker, undelivered: Iterable<readonly [SharedSocket, Socket]>): void {
    for (const socket of this.#sockets.values()) if (socket.idOf(taker) !== undefined) this.#part(socket, taker)
    for (const [socket, connection] of undelivered) socket.offer(connection)
  }

  /** Accepts no more. */
  close(): void {
    this.#closed = true
    for (const socket of this.#sockets.values()) socket.close()
    this.#sockets.clear()
  }

  /**
   * A socket that a configuration takes away may be in the way of one that it brings (all addresses and one address, clear
   * text and TLS), until the last worker has left it; whoever asks tries again when he himself has.
   */
  async #open(taker: Taker, name: string, address: string, port: number): Promise<SharedSocket> {
    for (let left = mostOpenings; ; left -= 1) {
      const known = this.#sockets.get(name)
      try {
        return await this.#openNow(name, address, port)
      } catch (error) {
        const leaving = [...this.#sockets.values()].find(
          (socket) => socket.port === port && socket.takers > 0 && socket.idOf(taker) === undefined,
        )
        // Another worker may have begun to open it when something was in the way that is gone now.
        if (left === 0 || (leaving === undefined && known === undefined)) throw error
        await leaving?.end(leaveTime)
      }
    }
  }

  async #openNow(name: string, address: string, port: number): Promise<SharedSocket> {
    const known = this.#sockets.get(name)
    const socket = known ?? new SharedSocket(name, address, port, () => (this.refused += 1))
    this.#sockets.set(name, socket)
    try {
      await socket.opened
      return socket
    } catch (error) {
      if (this.#sockets.get(name) === socket) this.#sockets.delete(name)
      throw error
    }
  }

  #part(socket: SharedSocket, taker: Taker): void {
    socket.part(taker)
    this.#closeUnused(socket)
  }

  #closeUnused(socket: SharedSocket): void {
    if (socket.takers > 0) return
    if (this.#sockets.get(socket.name) === socket) this.#sockets.delete(socket.name)
    socket.close()
  }
}

export class SharedSocket {
  readonly name: string
  /** Rejects with a message fit for a person. */
  readonly opened: Promise<void>
  readonly #socket: ListeningSocket
  readonly #takers = new Map<Taker, number>()
  readonly #refuse: () => void
  /** Accepted before the first worker was there to take it. */
  #held: Socket[] = []
  #closed = false
  readonly #ended: (() => void)[] = []

  constructor(name: string, address: string, port: number, refuse: () => void) {
    this.name = name
    this.#refuse = refuse
    this.#socket = new ListeningSocket({
      name,
      address,
      port,
      accept: (connection) => this.offer(connection),
      acceptFailed: (error) => this.#tellFailure(error),
    })
    this.opened = this.#socket.open()
  }

  get port(): number {
    return this.#socket.port
  }

  get takers(): number {
    return this.#takers.size
  }

  idOf(taker: Taker): number | undefined {
    return this.#takers.get(taker)
  }

  join(taker: Taker, id: number): void {
    this.#takers.set(taker, id)
    for (const connection of this.#held.splice(0)) this.offer(connection)
  }

  part(taker: Taker): void {
    this.#takers.delete(taker)
  }

  offer(connection: Socket): void {
    const best = this.#least()
    if (best !== undefined) best[0].hand(best[1], connection, this)
    else if (this.#takers.size === 0 && !this.#closed) this.#held.push(connection)
    else {
      this.#refuse()
      refuse(connection)
    }
  }

  close(): void {
    this.#closed = true
    this.#socket.close()
    for (const connection of this.#held.splice(0)) refuse(connection)
    for (const resolve of this.#ended.splice(0)) resolve()
  }

  /** Resolves when it is closed, or after so many milliseconds. */
  async end(milliseconds: number): Promise<void> {
    if (this.#closed) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#ended.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #least(): readonly [Taker, number] | undefined {
    let least: readonly [Taker, number] | undefined
    for (const entry of this.#takers) if (!entry[0].isFull && (least === undefined || entry[0].load < least[0].load)) least = entry
    return least
  }

  #tellFailure(error: Error): void {
    const [first] = this.#takers
    first?.[0].send({ kind: 'accept-failed', id: first[1], reason: error.message })
  }
}

function refuse(connection: Socket): void {
  connection.on('error', () => {})
  connection.destroy()
}
