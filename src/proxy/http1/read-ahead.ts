/** Bytes of a client that came before their time: kept up to a bound, then the socket is paused. */
import type { Socket } from 'node:net'

export class ReadAhead {
  readonly #socket: Socket
  readonly #bound: number
  #held: Buffer | undefined
  #paused = false

  constructor(socket: Socket, bound: number) {
    this.#socket = socket
    this.#bound = bound
  }

  get isEmpty(): boolean {
    return this.#held === undefined
  }

  /** Copies bytes[from, ...). */
  hold(bytes: Buffer, from: number): void {
    const rest = bytes.subarray(from)
    this.#held = this.#held === undefined ? Buffer.from(rest) : Buffer.concat([this.#held, rest])
    if (this.#held.length >= this.#bound) this.pause()
  }

  /** What is held, which is forgotten. */
  take(): Buffer | undefined {
    const held = this.#held
    this.#held = undefined
    return held
  }

  pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#socket.resume()
  }
}
