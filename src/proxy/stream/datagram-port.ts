/**
 * A UDP port and the sessions of its clients. A client, that is an address and a port, keeps its backend as long as datagrams go either
 * way; what a backend answers leaves from the address and the port that the client wrote to.
 *
 * A port on all addresses has a socket for each address of the machine besides the one for all of them: the system gives a datagram to the
 * nearest, and only so is it known which address a client wrote to.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { longestTimer } from '../../lib/longest-timer.ts'
import type { CompiledStream, PortRouter } from '../../routing/router.ts'
import type { ProxyRuntime } from '../http/connection-context.ts'
import { listenFailure } from '../listener/listen-failure.ts'
import type { PortPlan } from '../listener/plan.ts'
import type { Endpoint } from '../upstream/endpoint.ts'
import { DatagramSession } from './datagram-session.ts'
import { asIs } from './numeric-lookup.ts'

/** Plain numbers, read at scrape. */
export interface DatagramCounters {
  /** Sessions that ended so that another one could begin. */
  evicted: number
  /** Datagrams of clients that went nowhere. */
  dropped: number
}

/** Clients of which it is remembered who refused them; those that do not come back are forgotten in their turn. */
const mostRefused = 1_024

export class DatagramPort {
  plan: PortPlan
  draining = false
  readonly counters: DatagramCounters = { evicted: 0, dropped: 0 }
  readonly #runtime: ProxyRuntime
  #router: PortRouter
  #sockets: readonly Socket[] = []
  /** By socket and client; the one that was silent longest comes first. */
  readonly #sessions = new Map<string, DatagramSession>()
  /** By client: endpoints that took none of its datagrams, until one does. */
  readonly #refused = new Map<string, readonly Endpoint[]>()
  #listenPort = 0
  /** Ends the drain: its time is over, or it is taken back. */
  #endDrain: ((isOver: boolean) => void) | undefined
  #drained: Promise<void> | undefined
  #closed = false
  #latest: DatagramSession | undefined

  constructor(plan: PortPlan, router: PortRouter, runtime: ProxyRuntime) {
    this.plan = plan
    this.#router = router
    this.#runtime = runtime
  }

  /** The port that listens; 0 before `listen`. */
  get listenPort(): number {
    return this.#listenPort
  }

  /** Sessions. */
  get open(): number {
    return this.#sessions.size
  }

  /** Rejects with a message fit for a person. */
  async listen(): Promise<void> {
    const { address, listenPort } = this.plan
    const addresses = addressesBehind(address)
    // Sockets that share a port would share it with another program's as well: so whether it is free is found out first.
    const [first, ...others] = addresses
    if (others.length > 0) await close(await bound(address, listenPort, false))
    const main = await bound(first ?? address, listenPort, others.length > 0)
    this.#listenPort = main.address().port
    const sockets = [main]
    for (const other of others) {
      // An address may have gone meanwhile: the socket for all of them hears what comes to it.
      const socket = await bound(other, this.#listenPort, true).catch(() => undefined)
      if (socket !== undefined) sockets.push(socket)
    }
    for (const [index, socket] of sockets.entries()) this.#serve(socket, index)
    this.#sockets = sockets
  }

  /** Sessions of routes that get no more datagrams here end. */
  swap(plan: PortPlan, router: PortRouter): void {
    this.plan = plan
    this.#router = router
    const stream = this.#stream()
    for (const session of this.#sessions.values()) if (session.stream.config.key !== stream?.config.key) session.end()
  }

  /** Takes a drain back: sockets and sessions go on as they are. False: they are closed already. */
  reopen(plan: PortPlan, router: PortRouter): boolean {
    if (this.#closed) return false
    this.draining = false
    this.#drained = undefined
    this.#endDrain?.(false)
    this.swap(plan, router)
    return true
  }

  /** No new sessions; those that there are have `milliseconds` for their answers, but no longer than it takes to see that none comes. */
  drain(milliseconds: number): Promise<void> {
    this.draining = true
    return (this.#drained ??= this.#drain(milliseconds))
  }

  async #drain(milliseconds: number): Promise<void> {
    if (this.#sessions.size > 0 && milliseconds > 0) {
      const time = Math.min(milliseconds, this.#runtime.bounds.lingerTime, longestTimer)
      const isOver = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => this.#endDrain?.(true), time)
        this.#endDrain = (over) => {
          clearTimeout(timer)
          this.#endDrain = undefined
          this.#closed = over
          resolve(over)
        }
      })
      if (!isOver) return
    }
    this.#closed = true
    for (const session of this.#sessions.values()) session.end()
    await Promise.all(this.#sockets.map(close))
  }

  #serve(socket: Socket, index: number): void {
    // What could not be sent is lost, as any datagram may be.
    socket.on('error', ignore)
    socket.on('message', (datagram, from) => this.#receive(socket, index, datagram, from))
  }

  #receive(socket: Socket, index: number, datagram: Buffer, from: RemoteInfo): void {
    const client = `${index} ${from.address} ${from.port}`
    const known = this.#sessions.get(client)
    const session = known?.isUsable === true ? known : this.#open(socket, client, from, known)
    if (session === undefined) {
      this.counters.dropped += 1
      return
    }
    if (session !== this.#latest) {
      this.#sessions.delete(client)
      this.#sessions.set(client, session)
      this.#latest = session
    }
    session.send(datagram)
  }

  #open(socket: Socket, client: string, from: RemoteInfo, former: DatagramSession | undefined): DatagramSession | undefined {
    former?.end()
    const stream = this.draining ? undefined : this.#stream()
    const listener = this.#router.listenerFor('')?.config.key
    if (stream === undefined || listener === undefined) return undefined
    const { bounds, pools } = this.#runtime
    const choice = stream.chooseBackend()
    const pool = choice?.kind === 'pool' ? pools.get(choice.pool) : undefined
    const tried = this.#refused.get(client)
    let endpoint = pool?.pick(tried) ?? 'no-endpoint'
    if (endpoint === 'overload' && this.#sessions.size > 0) {
      this.#evict()
      endpoint = pool?.pick(tried) ?? 'no-endpoint'
    }
    if (pool === undefined || typeof endpoint === 'string') {
      stream.counters.failed += 1
      return undefined
    }
    // Not before it is known that another one begins.
    if (this.#sessions.size >= bounds.udpSessions) this.#evict()
    this.#refused.delete(client)
    const session: DatagramSession = new DatagramSession({
      listener,
      client: from.address,
      stream,
      pool,
      endpoint,
      runtime: this.#runtime,
      reply: (datagram) => socket.send(datagram, from.port, from.address, ignore),
      refused: () => this.#remember(client, [...(tried ?? []).filter((one) => one !== endpoint), endpoint]),
      ended: () => this.#forget(client, session),
    })
    this.#sessions.set(client, session)
    return session
  }

  #evict(): void {
    const [longest] = this.#sessions.values()
    if (longest === undefined) return
    this.counters.evicted += 1
    longest.end()
  }

  #remember(client: string, endpoints: readonly Endpoint[]): void {
    const [longest] = this.#refused.keys()
    if (longest !== undefined && this.#refused.size >= mostRefused) this.#refused.delete(longest)
    this.#refused.set(client, endpoints)
  }

  #forget(client: string, session: DatagramSession): void {
    if (this.#latest === session) this.#latest = undefined
    if (this.#sessions.get(client) === session) this.#sessions.delete(client)
    if (this.#sessions.size === 0) this.#endDrain?.(true)
  }

  #stream(): CompiledStream | undefined {
    return this.#router.listenerFor('')?.streamFor('')
  }
}

/** The address itself, and for all of them the machine's, one by one. */
function addressesBehind(address: string): readonly string[] {
  if (address !== '0.0.0.0' && address !== '::') return [address]
  const all = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses)
  const own = all.filter(({ family, scopeid }) => family === (address === '::' ? 'IPv6' : 'IPv4') && (scopeid ?? 0) === 0)
  return [address, ...own.map((one) => one.address)]
}

/** Rejects with a message fit for a person. */
function bound(address: string, port: number, shared: boolean): Promise<Socket> {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', reuseAddr: shared, lookup: asIs })
  return new Promise((resolve, reject) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close()
      reject(new Error(listenFailure(address, port, error), { cause: error }))
    })
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

function close(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.close(() => resolve())
  })
}

function ignore(): void {}
