/**
 * stream: connections and datagrams of TLSRoutes, TCPRoutes and UDPRoutes, which nobody looks into.
 *
 * A `StreamConnection` joins a client's connection to one of an endpoint: bytes go through as they come, either side may end its half
 * and go on with the other, and who cannot take what is sent pauses who sends it. A `DatagramPort` has a session for each client.
 * They choose backends by a `CompiledStream` and endpoints by the pools of `upstream`; of HTTP they know nothing. The listener side makes them.
 */
import type { Socket } from 'node:net'
import type { ListenerKey } from '../../config/listener.ts'
import type { CompiledStream } from '../../routing/router.ts'
import type { AnswerFlag } from '../../telemetry/access-record.ts'
import { AdoptedSocket, breakOff, type ByteHandler, startReading, unsentBytes } from '../byte-socket.ts'
import type { ClientConnection, ConnectionPhase, ProxyRuntime } from '../http/connection-context.ts'
import { Outlet } from '../outlet.ts'
import { endsOf, type Origin } from '../proxy-protocol/ends.ts'
import { writeHeader } from '../proxy-protocol/write-header.ts'
import { ended, type Swept } from '../sweep.ts'
import { dial, type Dialled } from '../upstream/dial.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import type { UpstreamFailure } from '../upstream/failure.ts'
import type { Pool } from '../upstream/pool.ts'
import { streamRecord } from './stream-record.ts'

export class StreamConnection implements ClientConnection, ByteHandler, Swept {
  /** Where it came in, and whose it is: what a change of the configuration goes by. */
  readonly listener: ListenerKey
  readonly stream: CompiledStream
  phase: ConnectionPhase = 'head'
  deadline = Number.POSITIVE_INFINITY
  sweepSlot = -1
  onClosed: (() => void) | undefined
  readonly #runtime: ProxyRuntime
  readonly #context: StreamContext
  readonly #startedAt = performance.now()
  readonly #client: Socket
  readonly #toClient: Outlet
  /** What came before there was a backend to take it. */
  #first: Buffer | undefined
  #backend: Backend | undefined
  /** What a backend is told before everything else. */
  readonly #preamble: Buffer | undefined
  readonly #tried: Endpoint[] = []
  /** It has said FIN. */
  #clientEnded = false
  #clientClosed = false
  #clientPaused = false
  #sent = 0
  #received = 0
  /** The last one that was dialled. */
  #endpoint: Endpoint | undefined
  #pool = ''
  /** Bytes that waited for both sides when they were last looked at. */
  #untaken = 0

  /**
   * @param accepted nobody reads it
   * @param first bytes that were read from it already
   */
  constructor(accepted: Socket, context: StreamContext, first?: Buffer) {
    const { listener, stream, runtime, origin } = context
    const { proxyProtocol } = stream.config
    const { bounds, buffers, counters } = runtime
    const adopted = new AdoptedSocket(accepted, buffers.read)
    adopted.handler = this
    this.listener = listener
    this.stream = stream
    this.#runtime = runtime
    this.#context = context
    this.#client = adopted.socket
    this.#toClient = new Outlet(this.#client, buffers.write, bounds.unsent)
    this.#first = first
    this.#preamble = proxyProtocol && writeHeader(proxyProtocol, origin.ends ?? endsOf(accepted))
    counters.connections += 1
    counters.connectionsTotal += 1
    this.#client.on('drain', () => this.#clientDrained())
    this.#client.on('end', () => this.#clientEnd())
    this.#client.on('finish', () => this.#clientFinished())
    this.#client.on('error', () => this.#clientGone())
    this.#client.on('close', () => this.#closed())
    this.#connect()
  }

  /** What is under way goes on; the listener side ends it when its time is over. */
  drain(): void {}

  destroy(): void {
    this.#end(false, 'shutdown')
  }

  expire(): void {
    if (this.phase === 'head') return this.#connectFailed('connect-timeout')
    const unsent = this.#unsent()
    if (unsent === 0) return this.#end(false, this.phase === 'linger' ? '' : 'idle')
    // Somebody has to take what waits, or some of it at least.
    if (unsent >= this.#untaken) return this.#end(true, unsentBytes(this.#client) > 0 ? 'client-gone' : 'upstream-timeout')
    this.#untaken = unsent
    this.#await(this.#runtime.bounds.writeStuckTime)
  }

  /** Of the client. */
  onBytes(bytes: Buffer): void {
    // One that was accepted over TLS may bring what it had decrypted while it was paused.
    if (this.phase === 'head') {
      this.#first = this.#first === undefined ? Buffer.from(bytes) : Buffer.concat([this.#first, bytes])
      return
    }
    const backend = this.#backend
    if (this.phase !== 'tunnel' || backend === undefined) return
    this.#send(backend, bytes)
  }

  /** Of the backend. */
  readonly #fromBackend: ByteHandler = {
    onBytes: (bytes) => {
      if (this.phase !== 'tunnel') return
      this.stream.counters.received += bytes.length
      this.#received += bytes.length
      this.#toClient.bytes(bytes, 0, bytes.length)
      this.#toClient.flush()
      if (!this.#toClient.blocked) return this.#touch()
      this.#backend?.dialled.socket.pause()
      this.#awaitTaking()
    },
  }

  /** A backend by weight, and an endpoint of it; those that were tried already come last. */
  #connect(): void {
    const choice = this.stream.chooseBackend()
    const pool = choice?.kind === 'pool' ? this.#runtime.pools.get(choice.pool) : undefined
    if (pool === undefined) return this.#refuse(choice === undefined ? 'no-backend' : 'bad-backend')
    this.#pool = pool.config.key
    this.#dial(pool)
  }

  #dial(pool: Pool): void {
    const endpoint = pool.pick(this.#tried.length === 0 ? undefined : this.#tried)
    if (typeof endpoint === 'string') return this.#refuse(endpoint)
    this.#endpoint = endpoint
    pool.connectionOpened(endpoint)
    endpoint.active += 1
    const dialled = dial(pool, endpoint, this.#fromBackend, () => this.#connected(backend), this.#preamble)
    const backend: Backend = {
      pool,
      endpoint,
      dialled,
      outlet: new Outlet(dialled.socket, this.#runtime.buffers.write, this.#runtime.bounds.unsent),
      ready: false,
      ended: false,
    }
    this.#backend = backend
    const { socket } = dialled
    socket.on('drain', () => this.#backendDrained(backend))
    socket.on('writeFailed', () => this.#backendGone(backend))
    socket.on('end', () => this.#backendEnd(backend))
    socket.on('close', () => this.#backendGone(backend))
    this.#await(this.#runtime.bounds.connectTime)
  }

  #connected(backend: Backend): void {
    if (this.#backend !== backend || this.phase !== 'head') return
    backend.ready = true
    backend.endpoint.answered(this.#runtime.sweep.now)
    this.stream.counters.passed += 1
    this.stream.counters.active += 1
    this.phase = 'tunnel'
    const first = this.#first
    this.#first = undefined
    this.#touch()
    this.#runtime.sweep.watch(this)
    if (first !== undefined) this.#send(backend, first)
    // FIN may have come with the first bytes, which were read before.
    if (this.#clientEnded) this.#clientEnd()
    startReading(this.#client)
  }

  #connectFailed(failure: UpstreamFailure): void {
    const backend = this.#backend
    if (backend === undefined) return
    this.#backend = undefined
    backend.pool.counters.connectFailures += 1
    if (!backend.dialled.isOwnFailure()) backend.endpoint.failed(failure, this.#runtime.sweep.now)
    this.#release(backend)
    this.#tried.push(backend.endpoint)
    if (this.#tried.length >= this.#runtime.bounds.endpointsTried || this.#tried.length >= backend.pool.size)
      return this.#refuse('connect-failed')
    backend.pool.counters.retries += 1
    this.#dial(backend.pool)
  }

  #send({ outlet }: Backend, bytes: Buffer): void {
    this.stream.counters.sent += bytes.length
    this.#sent += bytes.length
    outlet.bytes(bytes, 0, bytes.length)
    outlet.flush()
    if (!outlet.blocked) return this.#touch()
    this.#clientPaused = true
    this.#client.pause()
    this.#awaitTaking()
  }

  #clientDrained(): void {
    if (this.phase !== 'tunnel') return
    this.#touch()
    this.#backend?.dialled.socket.resume()
  }

  #backendDrained(backend: Backend): void {
    if (this.#backend !== backend || this.phase !== 'tunnel') return
    this.#touch()
    if (!this.#clientPaused) return
    this.#clientPaused = false
    this.#client.resume()
  }

  /** FIN has come: its half ends, the other goes on. */
  #clientEnd(): void {
    this.#clientEnded = true
    const backend = this.#backend
    if (this.phase !== 'tunnel' || backend === undefined) return
    backend.outlet.flush()
    backend.dialled.socket.end()
  }

  #backendEnd(backend: Backend): void {
    if (this.#backend !== backend || this.phase !== 'tunnel') return
    backend.ended = true
    this.#toClient.flush()
    this.#client.end()
  }

  /** Everything that the client is sent has gone. */
  #clientFinished(): void {
    if (this.phase === 'linger') this.#await(this.#runtime.bounds.lingerTime)
  }

  #backendGone(backend: Backend): void {
    if (this.#backend !== backend) return
    if (this.phase === 'head') return this.#connectFailed(backend.dialled.failure())
    // An end that was none must not look like one.
    if (!backend.ended) return this.#end(true, 'upstream-closed')
    this.#backend = undefined
    this.#release(backend)
    if (this.#clientClosed) return this.#end(false, '')
    // It takes no more, and the client may still be reading: what it is sent goes out, what it sends is thrown away.
    this.#leaveTunnel('linger')
    this.#client.resume()
    if (this.#unsent() > 0) this.#awaitTaking()
    else this.#await(this.#runtime.bounds.lingerTime)
  }

  #clientGone(): void {
    this.#end(true, 'client-gone')
  }

  /** Nothing can take the connection. */
  #refuse(flag: AnswerFlag): void {
    this.stream.counters.failed += 1
    this.#end(true, flag)
  }

  /** @param broken the sides must see that it was no orderly end */
  #end(broken: boolean, flag: AnswerFlag): void {
    if (this.phase === 'closed') return
    const backend = this.#backend
    this.#backend = undefined
    this.#leaveTunnel('closed')
    this.#record(flag)
    this.deadline = ended
    this.#runtime.sweep.forget(this)
    this.#toClient.drop()
    if (broken && !this.#clientClosed) breakOff(this.#client)
    else this.#client.destroy()
    if (backend !== undefined) this.#release(backend, broken && backend.ready && !this.#clientEnded)
    if (this.#clientClosed) this.#forget()
  }

  #leaveTunnel(phase: 'linger' | 'closed'): void {
    if (this.phase === 'tunnel') this.stream.counters.active -= 1
    this.phase = phase
  }

  /** The client's socket. After both sides have said FIN, the backend may still have to take what it was sent. */
  #closed(): void {
    this.#clientClosed = true
    if (this.phase === 'closed') return this.#forget()
    if (this.#clientEnded && this.#backend?.ready === true && unsentBytes(this.#backend.dialled.socket) > 0) return this.#awaitTaking()
    this.#end(!this.#clientEnded, this.#clientEnded ? '' : 'client-gone')
  }

  #record(flag: AnswerFlag): void {
    const { accessLog } = this.#runtime
    if (accessLog === undefined) return
    const { listener, stream, origin, serverName } = this.#context
    accessLog(
      streamRecord({
        listener,
        stream,
        client: origin.address,
        serverName,
        startedAt: this.#startedAt,
        flag,
        sent: this.#sent,
        received: this.#received,
        backend: this.#pool,
        upstream: this.#endpoint?.name ?? '',
        attempts: this.#tried.length + (flag === 'connect-failed' || this.#endpoint === undefined ? 0 : 1),
      }),
    )
  }

  /** Nothing is left. */
  #forget(): void {
    this.#runtime.counters.connections -= 1
    this.onClosed?.()
  }

  #release({ pool, endpoint, dialled, outlet }: Backend, broken = false): void {
    endpoint.active -= 1
    pool.connectionClosed(endpoint)
    outlet.drop()
    if (broken) breakOff(dialled.socket)
    else dialled.socket.destroy()
  }

  #unsent(): number {
    return unsentBytes(this.#client) + (this.#backend === undefined ? 0 : unsentBytes(this.#backend.dialled.socket))
  }

  #awaitTaking(): void {
    this.#untaken = this.#unsent()
    this.#await(this.#runtime.bounds.writeStuckTime)
  }

  /** A byte of either side counts; who waits to be taken from has a deadline of its own. */
  #touch(): void {
    if (this.#clientPaused || this.#toClient.blocked) return
    this.deadline = this.#runtime.sweep.now + this.#runtime.bounds.tunnelIdleTime
  }

  #await(milliseconds: number): void {
    this.deadline = this.#runtime.sweep.now + milliseconds
    this.#runtime.sweep.watch(this)
  }
}

/** Where a connection came in, and whose it is. */
export interface StreamContext {
  readonly listener: ListenerKey
  readonly stream: CompiledStream
  readonly runtime: ProxyRuntime
  readonly origin: Origin
  /** '' for none. */
  readonly serverName: string
}

interface Backend {
  readonly pool: Pool
  readonly endpoint: Endpoint
  readonly dialled: Dialled
  readonly outlet: Outlet
  /** It may be written to. */
  ready: boolean
  /** It has said FIN. */
  ended: boolean
}
