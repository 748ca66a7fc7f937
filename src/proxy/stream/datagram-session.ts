/** Datagrams between one client and one endpoint, by a socket of their own: that is how an answer is known to be this client's. */
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { ListenerKey } from '../../config/listener.ts'
import type { CompiledStream } from '../../routing/router.ts'
import type { AnswerFlag } from '../../telemetry/access-record.ts'
import type { ProxyRuntime } from '../http/connection-context.ts'
import { ended, type Swept } from '../sweep.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import type { Pool } from '../upstream/pool.ts'
import { asIs } from './numeric-lookup.ts'
import { streamRecord } from './stream-record.ts'

export interface SessionParts {
  readonly listener: ListenerKey
  /** Its address. */
  readonly client: string
  readonly stream: CompiledStream
  readonly pool: Pool
  readonly endpoint: Endpoint
  readonly runtime: ProxyRuntime
  readonly reply: (datagram: Buffer) => void
  /** The endpoint takes no datagrams; the session has ended. */
  readonly refused: () => void
  readonly ended: () => void
}

/** What ICMP says of an endpoint that does not take what it is sent; other errors are this machine's, or the datagram's. */
const refusals: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN'])

/** Who has not refused a datagram for so long, takes it: there are protocols without answers. */
const standTime = 100

/** Datagrams that wait for the name of an endpoint to be looked up. */
const mostWaiting = 16

export class DatagramSession implements Swept {
  readonly stream: CompiledStream
  deadline: number
  sweepSlot = -1
  readonly #parts: SessionParts
  readonly #socket: Socket
  readonly #startedAt = performance.now()
  #sent = 0
  #received = 0
  #connected = false
  #answered = false
  #waiting: Buffer[] = []

  constructor(parts: SessionParts) {
    const { stream, pool, endpoint, runtime } = parts
    const { address, port } = endpoint.config
    this.#parts = parts
    this.stream = stream
    this.#socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', lookup: asIs })
    pool.connectionOpened(endpoint)
    endpoint.active += 1
    stream.counters.active += 1
    stream.counters.passed += 1
    this.deadline = runtime.sweep.now + runtime.bounds.udpIdleTime
    runtime.sweep.watch(this)
    this.#socket.on('message', (datagram) => this.#answer(datagram))
    this.#socket.on('error', (error) => this.#failed(error))
    this.#socket.connect(port, address, () => this.#ready())
  }

  /** False: the next datagram needs another session. */
  get isUsable(): boolean {
    return this.deadline !== ended && !this.#parts.endpoint.retired
  }

  send(datagram: Buffer): void {
    this.stream.counters.sent += datagram.length
    this.#sent += datagram.length
    this.#touch()
    if (this.#connected) this.#socket.send(datagram, this.#wasSent)
    else if (this.#waiting.length < mostWaiting) this.#waiting.push(datagram)
  }

  end(flag: AnswerFlag = ''): void {
    if (this.deadline === ended) return
    const { listener, client, pool, endpoint, runtime } = this.#parts
    this.deadline = ended
    runtime.accessLog?.(
      streamRecord({
        listener,
        stream: this.stream,
        client,
        serverName: '',
        startedAt: this.#startedAt,
        flag,
        sent: this.#sent,
        received: this.#received,
        backend: pool.config.key,
        upstream: endpoint.name,
        attempts: 1,
      }),
    )
    runtime.sweep.forget(this)
    pool.connectionClosed(endpoint)
    endpoint.active -= 1
    this.stream.counters.active -= 1
    this.#waiting = []
    this.#socket.close()
    this.#parts.ended()
  }

  expire(): void {
    this.end()
  }

  #ready(): void {
    if (this.deadline === ended) return
    this.#connected = true
    for (const datagram of this.#waiting.splice(0)) this.#socket.send(datagram, this.#wasSent)
    if (this.#parts.endpoint.health.kind === 'trial') setTimeout(() => this.#stands(), standTime).unref()
  }

  readonly #wasSent = (error: Error | null): void => {
    if (error !== null) this.#failed(error)
  }

  /** The next datagram begins another session, with another endpoint where this one is not there. */
  #failed(error: NodeJS.ErrnoException): void {
    if (this.deadline === ended) return
    if (error.code === undefined || !refusals.has(error.code)) return this.end()
    const { pool, endpoint, runtime, refused } = this.#parts
    pool.counters.connectFailures += 1
    endpoint.problem = error.message
    endpoint.failed('connect-refused', runtime.sweep.now)
    this.end(!this.#answered ? 'connect-failed' : 'upstream-closed')
    refused()
  }

  #stands(): void {
    if (this.deadline !== ended) this.#parts.endpoint.answered(this.#parts.runtime.sweep.now)
  }

  #answer(datagram: Buffer): void {
    if (!this.#answered) {
      this.#answered = true
      this.#stands()
    }
    this.stream.counters.received += datagram.length
    this.#received += datagram.length
    this.#touch()
    this.#parts.reply(datagram)
  }

  #touch(): void {
    const { sweep, bounds } = this.#parts.runtime
    if (this.deadline !== ended) this.deadline = sweep.now + bounds.udpIdleTime
  }
}
