/** Connections of proxies that say for whom they connect, from the first byte to the end of the header (PROXY protocol). What follows it is handed on. */
import type { Socket } from 'node:net'
import type { Bounds } from '../../config/bounds.ts'
import type { Ends } from '../proxy-protocol/ends.ts'
import { readHeader } from '../proxy-protocol/read-header.ts'
import { ended, type Sweep, type Swept } from '../sweep.ts'

/** Each connection has one of them, once; one that its peer resets has none. */
export interface HeaderEvents {
  /** Nobody reads the socket any more; `rest`: what was read behind the header, if anything was. The ends are undefined where it says nothing of them. */
  readonly read: (ends: Ends | undefined, rest: Buffer | undefined) => void
  /** It has been closed. The reason completes "got …". */
  readonly refused: (reason: string) => void
  /** It is gone. */
  readonly closed: () => void
}

export class PendingHeader implements Swept {
  deadline: number
  sweepSlot = -1
  readonly #socket: Socket
  readonly #sweep: Sweep
  readonly #limit: number
  readonly #events: HeaderEvents
  #received: Buffer | undefined

  /** @param socket accepted with `pauseOnConnect`, nobody reads it */
  constructor(socket: Socket, { bounds, sweep }: { readonly bounds: Bounds; readonly sweep: Sweep }, events: HeaderEvents) {
    this.#socket = socket
    this.#sweep = sweep
    this.#limit = bounds.proxyHeader
    this.#events = events
    this.deadline = sweep.now + bounds.handshakeTime
    sweep.watch(this)
    socket.on('error', ignore)
    socket.on('data', this.#onData)
    socket.once('end', this.#onEnd)
    socket.once('close', this.#onClose)
    socket.resume()
  }

  expire(): void {
    this.#refuse(this.#received === undefined ? 'nothing in time' : 'half of one in time')
  }

  /** It has this long, 0: it ends now. */
  hurry(milliseconds: number): void {
    if (milliseconds === 0) {
      this.#socket.destroy()
      return
    }
    this.deadline = Math.min(this.deadline, this.#sweep.now + milliseconds)
    this.#sweep.watch(this)
  }

  readonly #onData = (bytes: Buffer): void => {
    const all = this.#received === undefined ? bytes : Buffer.concat([this.#received, bytes])
    const result = readHeader(all, this.#limit)
    switch (result.kind) {
      case 'incomplete':
        this.#received = all
        return
      case 'refused':
        this.#refuse(result.reason)
        return
      case 'header':
        this.#release()
        this.#socket.pause()
        this.#events.read(result.ends, result.length === all.length ? undefined : all.subarray(result.length))
    }
  }

  readonly #onEnd = (): void => this.#refuse(this.#received === undefined ? 'its end' : 'half of one')

  readonly #onClose = (): void => {
    this.#release()
    this.#events.closed()
  }

  /** Without a byte: a stranger learns nothing. */
  #refuse(reason: string): void {
    this.#release()
    this.#socket.destroy()
    this.#events.refused(reason)
  }

  #release(): void {
    this.deadline = ended
    this.#sweep.forget(this)
    this.#received = undefined
    this.#socket.off('data', this.#onData)
    this.#socket.off('end', this.#onEnd)
    this.#socket.off('close', this.#onClose)
  }
}

function ignore(): void {}
