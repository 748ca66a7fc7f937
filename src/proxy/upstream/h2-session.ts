/**
 * One HTTP/2 connection to an endpoint (h2c by prior knowledge), shared by as many requests as it and the endpoint allow.
 * It connects, hands out streams, and closes when nothing has been asked of it for a while or when the endpoint says so.
 */
import { type ClientHttp2Session, connect } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { ended, type Swept } from '../sweep.ts'
import type { UpstreamFailure, UpstreamUser } from './connection.ts'
import type { Endpoint } from './endpoint.ts'
import { UpstreamStream } from './h2-stream.ts'
import { isOwnFailure } from './own-failure.ts'
import type { Pool } from './pool.ts'

/** Beyond it another connection is opened. RFC 9113 section 6.5.2 asks servers to allow at least as many. */
const mostStreams = 100
const connectionWindow = 1024 * 1024
/** What counts as fresh for a request that found its last connection closed. */
const youngTime = 1_000
const pseudoHeaders = 1

export class UpstreamSession implements Swept {
  readonly endpoint: Endpoint
  readonly pool: Pool
  deadline: number
  sweepSlot = -1
  readonly #session: ClientHttp2Session
  readonly #streams = new Set<UpstreamStream>()
  #connected = false
  #connectedAt = 0
  /** No new streams: the endpoint, or the configuration, wants it to end. */
  #closing = false
  #closed = false
  /** The error was ours: it says nothing about the endpoint. */
  #ownFailure = false
  #connectFailure: UpstreamFailure = 'connect-refused'

  constructor(pool: Pool, endpoint: Endpoint) {
    this.pool = pool
    this.endpoint = endpoint
    endpoint.connections += 1
    endpoint.sessions.push(this)
    const { bounds, sweep } = pool.runtime
    const { address, port } = endpoint.config
    const socket = connectTcp({ host: address, port, noDelay: true })
    const session = connect('http://upstream', {
      createConnection: () => socket,
      maxHeaderListPairs: bounds.fields + pseudoHeaders,
      maxSessionMemory: 64,
      settings: { enablePush: false, initialWindowSize: 64 * 1024, maxHeaderListSize: bounds.head },
    })
    this.#session = session
    session.on('connect', () => this.#ready())
    session.on('goaway', () => this.#retire())
    session.on('error', (error: NodeJS.ErrnoException) => {
      this.#ownFailure = isOwnFailure(error)
    })
    session.on('close', () => this.#end())
    this.deadline = sweep.now + bounds.connectTime
    sweep.watch(this)
  }

  get connected(): boolean {
    return this.#connected
  }

  get ownFailure(): boolean {
    return this.#ownFailure
  }

  /** @param fresh only if it was not there, or just so, when the request found another one closed */
  hasRoom(fresh: boolean): boolean {
    if (this.#closing || this.#closed || this.#session.closed || this.#session.destroyed) return false
    if (fresh && this.#connected && this.pool.runtime.sweep.now - this.#connectedAt > youngTime) return false
    const allowed = this.#connected ? this.#session.remoteSettings.maxConcurrentStreams : undefined
    return this.#streams.size < Math.min(mostStreams, allowed ?? mostStreams)
  }

  assign(user: UpstreamUser): UpstreamStream {
    const stream = new UpstreamStream(this, this.#session, user, this.#connected)
    this.#streams.add(stream)
    if (this.#connected) this.deadline = Number.POSITIVE_INFINITY
    return stream
  }

  /** The stream is over for its user; its session may be idle now. */
  released(stream: UpstreamStream): void {
    if (!this.#streams.delete(stream) || this.#streams.size > 0 || !this.#connected || this.#closed) return
    if (this.#closing) return this.#session.close()
    this.#await(this.pool.runtime.bounds.poolIdleTime)
  }

  /** Ends after its last stream. */
  retire(): void {
    this.#retire()
    if (this.#streams.size === 0) this.#destroy()
  }

  expire(): void {
    if (!this.#connected) {
      this.#connectFailure = 'connect-timeout'
      this.#destroy()
    } else if (this.#streams.size === 0) this.#destroy()
    else this.deadline = Number.POSITIVE_INFINITY
  }

  #ready(): void {
    this.#connected = true
    this.#connectedAt = this.pool.runtime.sweep.now
    this.#session.setLocalWindowSize(connectionWindow)
    this.deadline = Number.POSITIVE_INFINITY
    for (const stream of this.#streams) stream.ready()
    if (this.#streams.size === 0 && !this.#closed) this.#await(this.pool.runtime.bounds.poolIdleTime)
  }

  #retire(): void {
    this.#closing = true
    const place = this.endpoint.sessions.indexOf(this)
    if (place >= 0) this.endpoint.sessions.splice(place, 1)
  }

  #destroy(): void {
    this.#session.destroy()
    this.#end()
  }

  #end(): void {
    if (this.#closed) return
    this.#closed = true
    this.#retire()
    this.endpoint.connections -= 1
    this.deadline = ended
    this.pool.runtime.sweep.forget(this)
    const failure = this.#connected ? 'closed' : this.#connectFailure
    for (const stream of this.#streams) stream.fail(failure)
  }

  #await(milliseconds: number): void {
    const { sweep } = this.pool.runtime
    this.deadline = sweep.now + milliseconds
    sweep.watch(this)
  }
}
