/**
 * Asks an endpoint whether it is there by connecting to it: no request is put at risk. A connection that stands for a
 * moment is a yes, since what accepts only to reset is not there either. It is the same for every protocol.
 */
import { connect, type Socket } from 'node:net'
import type { Bounds } from '../../config/bounds.ts'
import { ended, type Sweep, type Swept } from '../sweep.ts'
import type { Endpoint } from './endpoint.ts'
import { isOwnFailure } from './own-failure.ts'

const standTime = 100

export class EndpointProbe implements Swept {
  deadline: number
  sweepSlot = -1
  readonly #endpoint: Endpoint
  readonly #sweep: Sweep
  readonly #bounds: Bounds
  readonly #done: (stands: boolean, now: number) => void
  #socket: Socket | undefined
  #connected = false

  /**
   * @param at milliseconds on the sweep's clock: when it connects, at once if that has passed
   * @param done called once, unless it is stopped before
   */
  constructor(
    endpoint: Endpoint,
    at: number,
    runtime: { readonly sweep: Sweep; readonly bounds: Bounds },
    done: (stands: boolean, now: number) => void,
  ) {
    this.#endpoint = endpoint
    this.#sweep = runtime.sweep
    this.#bounds = runtime.bounds
    this.#done = done
    this.deadline = at
    if (at <= runtime.sweep.now) this.#connect()
    else runtime.sweep.watch(this)
  }

  expire(): void {
    if (this.#socket === undefined) this.#connect()
    else this.#end(this.#connected)
  }

  stop(): void {
    this.deadline = ended
    this.#sweep.forget(this)
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #connect(): void {
    const { address, port } = this.#endpoint.config
    const socket = connect({ host: address, port })
    this.#socket = socket
    this.#connected = false
    let error: NodeJS.ErrnoException | undefined
    socket.on('error', (reason) => {
      error = reason
    })
    socket.on('connect', () => {
      this.#connected = true
      this.#await(standTime)
    })
    socket.on('close', () => {
      if (socket !== this.#socket) return
      if (error === undefined || !isOwnFailure(error)) return this.#end(false)
      this.#socket = undefined
      this.#await(this.#bounds.ejectTime)
    })
    // Read, so that a FIN or a reset is seen.
    socket.resume()
    this.#await(this.#bounds.connectTime)
  }

  #await(milliseconds: number): void {
    this.deadline = this.#sweep.now + milliseconds
    this.#sweep.watch(this)
  }

  #end(stands: boolean): void {
    this.stop()
    this.#done(stands, this.#sweep.now)
  }
}
