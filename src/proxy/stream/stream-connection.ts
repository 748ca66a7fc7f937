/**
 * stream: connections and datagrams of TLSRoutes, TCPRoutes and UDPRoutes, which nobody looks into.
 *
 * A `StreamConnection` joins a client's connection to one of an endpoint: bytes go through as they come, either side may end its half
 * and go on with the other, and who cannot take what is sent pauses who sends it. A `DatagramPort` has a session for each client.
 * They choose backends by a `CompiledStream` and endpoints by the pools of `upstream`; of HTTP they know nothing. The listener side makes them.
 */
import type { ListenerKey } from '../../config/listener.ts'
import type { CompiledStream } from '../../routing/router.ts'
import type { AnswerFlag } from '../../telemetry/access-record.ts'
import type { ClientConnection, ConnectionPhase, ProxyRuntime } from '../http/connection-context.ts'
import type { Origin } from '../proxy-protocol/ends.ts'
import { writeHeader } from '../proxy-protocol/write-header.ts'
import type { SideOwner, SocketSide } from '../socket-side.ts'
import { unknown } from '../send-queues.ts'
import { ended, type Swept } from '../sweep.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import type { UpstreamFailure } from '../upstream/failure.ts'
import type { Pool } from '../upstream/pool.ts'
import { Backend, type BackendEvents } from './backend.ts'
import { streamRecord } from './stream-record.ts'

export class StreamConnection implements ClientConnection, SideOwner, BackendEvents, Swept {
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
  readonly #client: SocketSide
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
  /** Bytes that each side had acknowledged when the kernel was last asked. */
  #clientAcknowledged = unknown
  #backendAcknowledged = unknown

  /**
   * @param client nobody reads it, or its bytes are told to this from now on
   * @param first bytes that were read from it already
   */
  constructor(client: SocketSide, context: StreamContext, first?: Buffer) {
    const { listener, stream, runtime, origin } = context
    const { proxyProtocol } = stream.config
    this.listener = listener
    this.stream = stream
    this.#runtime = runtime
    this.#context = context
    this.#client = client
    this.#first = first
    this.#preamble = proxyProtocol && writeHeader(proxyProtocol, origin.ends ?? client.ends)
    runtime.counters.connections += 1
    runtime.counters.connectionsTotal += 1
    client.owner = this
    this.#connect()
  }

  /** What is under way goes on; the listener side ends it when its time is over. */
  drain(): void {}

  stay(): void {}

  destroy(): void {
    this.#end(false, 'shutdown')
  }

  expire(): void {
    if (this.phase === 'head') return this.#connectFailed('connect-timeout')
    const unsent = this.#unsent()
    if (unsent === 0) return this.#end(false, this.phase === 'linger' ? '' : 'idle')
    // Somebody has to take what waits, or some of it at least.
    if (unsent < this.#untaken) return this.#awaitTaking()
    if (this.#takesStill()) return this.#await(this.#runtime.bounds.writeStuckTime)
    this.#end(true, this.#client.unsent > 0 ? 'client-gone' : 'upstream-timeout')
  }

  /** Of the client. */
  onBytes(bytes: Buffer): void {
    // One whose hello was read goes on to read; one that was accepted over TLS may bring what it had decrypted while it was paused.
    if (this.phase === 'head') {
      this.#client.pause()
      this.#first = this.#first === undefined ? Buffer.from(bytes) : Buffer.concat([this.#first, bytes])
      return
    }
    const backend = this.#backend
    if (this.phase !== 'tunnel' || backend === undefined) return
    this.#send(backend, bytes)
  }

  backendBytes(backend: Backend, bytes: Buffer): void {
    if (this.#backend !== backend || this.phase !== 'tunnel') return
    this.stream.counters.received += bytes.length
    this.#received += bytes.length
    this.#client.send(bytes)
    if (!this.#client.blocked) return this.#touch()
    backend.side.pause()
    this.#awaitTaking()
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
    this.#backend = new Backend(pool, endpoint, this, this.#runtime, this.#preamble)
    this.#await(this.#runtime.bounds.connectTime)
  }

  backendReady(backend: Backend): void {
    if (this.#backend !== backend || this.phase !== 'head') return
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
    if (this.#clientEnded) backend.side.end()
    // It goes on when the backend has taken what came before.
    if (!this.#clientPaused) this.#client.resume()
  }

  #connectFailed(failure: UpstreamFailure): void {
    const backend = this.#backend
    if (backend === undefined) return
    this.#backend = undefined
    backend.pool.counters.connectFailures += 1
    if (!backend.isOwnFailure) backend.endpoint.failed(failure, this.#runtime.sweep.now)
    backend.release(false)
    this.#tried.push(backend.endpoint)
    if (this.#tried.length >= this.#runtime.bounds.endpointsTried || this.#tried.length >= backend.pool.size)
      return this.#refuse('connect-failed')
    backend.pool.counters.retries += 1
    this.#dial(backend.pool)
  }

  #send({ side }: Backend, bytes: Buffer): void {
    this.stream.counters.sent += bytes.length
    this.#sent += bytes.length
    side.send(bytes)
    if (!side.blocked) return this.#touch()
    this.#clientPaused = true
    this.#client.pause()
    this.#awaitTaking()
  }

  /** Of the client. */
  onDrain(): void {
    if (this.phase !== 'tunnel') return
    this.#touch()
    this.#backend?.side.resume()
  }

  backendDrained(backend: Backend): void {
    if (this.#backend !== backend || this.phase !== 'tunnel') return
    this.#touch()
    if (!this.#clientPaused) return
    this.#clientPaused = false
    this.#client.resume()
  }

  /** The client's FIN has come: its half ends, the other goes on. */
  onEnd(): void {
    this.#clientEnded = true
    const backend = this.#backend
    if (this.phase === 'tunnel' && backend !== undefined) backend.side.end()
  }

  backendEnd(backend: Backend): void {
    if (this.#backend !== backend || this.phase !== 'tunnel') return
    backend.hasEnded = true
    this.#client.end()
  }

  /** Everything that the client is sent has gone. */
  onFinish(): void {
    if (this.phase === 'linger') this.#await(this.#runtime.bounds.lingerTime)
  }

  backendGone(backend: Backend): void {
    if (this.#backend !== backend) return
    if (this.phase === 'head') return this.#connectFailed(backend.failure)
    // An end that was none must not look like one.
    if (!backend.hasEnded) return this.#end(true, 'upstream-closed')
    this.#backend = undefined
    backend.release(false)
    if (this.#clientClosed) return this.#end(false, '')
    // It takes no more, and the client may still be reading: what it is sent goes out, what it sends is thrown away.
    this.#leaveTunnel('linger')
    this.#client.resume()
    if (this.#unsent() > 0) this.#awaitTaking()
    else this.#await(this.#runtime.bounds.lingerTime)
  }

  /** Of the client. */
  onError(): void {
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
    if (broken && !this.#clientClosed) this.#client.breakOff()
    else this.#client.destroy()
    backend?.release(broken && backend.isReady && !this.#clientEnded)
    if (this.#clientClosed) this.#forget()
  }

  #leaveTunnel(phase: 'linger' | 'closed'): void {
    if (this.phase === 'tunnel') this.stream.counters.active -= 1
    this.phase = phase
  }

  /** The client's socket. After both sides have said FIN, the backend may still have to take what it was sent. */
  onClose(): void {
    this.#clientClosed = true
    if (this.phase === 'closed') return this.#forget()
    if (this.#clientEnded && this.#backend?.isReady === true && this.#backend.side.unsent > 0) return this.#awaitTaking()
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

  #unsent(): number {
    return this.#client.unsent + (this.#backend?.side.unsent ?? 0)
  }

  /** Whoever has to take something has taken some of it since the last look, as far as the kernel knows. */
  #takesStill(): boolean {
    const [client, backend] = [this.#clientAcknowledged, this.#backendAcknowledged]
    this.#clientAcknowledged = this.#acknowledged(this.#client)
    this.#backendAcknowledged = this.#acknowledged(this.#backend?.side)
    const clientTakes = this.#client.unsent === 0 || this.#clientAcknowledged > client
    return clientTakes && ((this.#backend?.side.unsent ?? 0) === 0 || this.#backendAcknowledged > backend)
  }

  #acknowledged(side: SocketSide | undefined): number {
    const { buffers, sweep } = this.#runtime
    return side === undefined ? unknown : buffers.kernel.acknowledged(side, sweep.now)
  }

  #awaitTaking(): void {
    this.#untaken = this.#unsent()
    this.#clientAcknowledged = unknown
    this.#backendAcknowledged = unknown
    this.#await(this.#runtime.bounds.writeStuckTime)
  }

  /** A byte of either side counts; who waits to be taken from has a deadline of its own. */
  #touch(): void {
    if (this.#clientPaused || this.#client.blocked) return
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
