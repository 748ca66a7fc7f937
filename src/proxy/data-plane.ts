/**
 * proxy: the data plane. Bytes in, bytes out, as configurations say.
 *
 * `DataPlane` is all that others see of it. `apply` takes the whole configuration of every Gateway and makes it true:
 * build new (compile, open sockets, load certificates, add pools), swap (one assignment for each port), drain old.
 * Nothing that a change leaves alone is touched, one bad port, certificate or Gateway stops no other, and what fails is
 * reported and tried again. It knows nothing of Kubernetes objects, files or where a configuration came from.
 */
import { randomBytes } from 'node:crypto'
import type { GatewayConfig } from '../config/config.ts'
import type { KeyMaterial } from '../config/key-material.ts'
import type { ListenerConfig, ListenerKey } from '../config/listener.ts'
import type { Placement } from '../config/placement.ts'
import type { PoolConfig, PoolKey } from '../config/pool.ts'
import { compile } from '../routing/compile.ts'
import { type Cidr, cidrContains } from '../lib/cidr.ts'
import { parseIp } from '../lib/ip.ts'
import { Secret } from '../lib/secret.ts'
import type { PortRouter, Router } from '../routing/router.ts'
import type { AccessRecord } from '../telemetry/access-record.ts'
import type { Logger } from '../telemetry/logger.ts'
import { type ApplyReport, reportOf } from './apply-report.ts'
import { type Bounds, defaultBounds } from '../config/bounds.ts'
import { createSocketBuffers } from './byte-socket.ts'
import { createDownstreamCounters, type ProxyRuntime } from './http/connection-context.ts'
import { createMirrorCounters } from './http/mirror.ts'
import { RequestIds } from './http/request-id.ts'
import { serveHttp } from './http2/serve.ts'
import { SessionTokens } from './http/session-token.ts'
import { type CertificateResult, loadCertificates } from './listener/certificates.ts'
import type { ForwardedCertificate } from './listener/client-certificate.ts'
import { ListeningSocket } from './listener/listening-socket.ts'
import type { AcceptingSocket, ListeningSocketOptions } from './listener/listening-socket.ts'
import { descriptorLimit } from './listener/descriptor-limit.ts'
import { stillAnswering } from './listener/listen-failure.ts'
import { plan, type Plan, type PortPlan } from './listener/plan.ts'
import { type Admission, Port, type PortSurroundings } from './listener/port.ts'
import { ticketKeysFrom } from './listener/ticket-keys.ts'
import { TlsAcceptor } from './listener/tls-acceptor.ts'
import { compileTlsListeners, type TlsListeners } from './listener/tls-listener.ts'
import { canUseRawSockets } from './raw-socket.ts'
import { DatagramPort } from './stream/datagram-port.ts'
import { Sweep } from './sweep.ts'
import { logHealth, logName } from './upstream/health-log.ts'
import { mayLeadTo } from './upstream/name-guard.ts'
import { createNameLookup } from './upstream/name-lookup.ts'
import { poolState, type PoolState } from './upstream/pool-state.ts'
import { type ClientCertificate, PoolRegistry } from './upstream/registry.ts'

export interface DataPlaneOptions {
  readonly logger: Logger
  readonly bounds?: Partial<Bounds>
  /** Protocols that clients may switch to, in lower case; absent: `websocket`. */
  readonly upgrades?: readonly string[]
  /** Peers whose `X-Forwarded-*` and `X-Request-Id` are kept; absent: nobody. */
  readonly trusted?: readonly Cidr[]
  /** Peers whose connections must begin with a header of the PROXY protocol, which says whom they are for; absent: nobody's are asked for one. */
  readonly acceptProxyProtocol?: readonly Cidr[]
  /**
   * So many proxies stand before this one: of `X-Forwarded-For` what they added is kept. Without `trusted` every peer is the last of them.
   * Absent: a trusted peer is believed all of it.
   */
  readonly trustedHops?: number
  /** Where clients show certificates, what backends are told of those that were verified; absent: nothing. */
  readonly forwardClientCertificate?: ForwardedCertificate
  /**
   * For the tokens of persistent sessions, the same in every replica of a Gateway: the first one signs, all are believed, so
   * that a key can be replaced. Absent or empty: a random one, and sessions end with the process.
   */
  readonly sessionKeys?: readonly Secret[]
  /** From which the keys of TLS tickets come, so that whoever has the same believes them; absent: each data plane believes its own only. */
  readonly ticketSecret?: Secret
  /** Opens TCP ports; absent: this process listens itself. UDP ports it always opens itself. */
  readonly listen?: (options: ListeningSocketOptions) => AcceptingSocket
  /** DNS servers for backends that are a name, `address` or `address:port`; absent: those of the system. */
  readonly nameServers?: readonly string[]
  /** True where the gateway serves who it runs for: then such a name may lead to this machine. */
  readonly namesMayBeLocal?: boolean
  /** False: connections that nobody looks into have streams, as they do wherever Node does not have what sockets without them need. */
  readonly rawSockets?: boolean
  /** Bytes of memory that the process uses, for the watermark; absent: what is resident. */
  readonly usedMemory?: () => number
  /** Where this process runs (topology.kubernetes.io/zone): endpoints whose hints name it are preferred. Absent: hints mean nothing. */
  readonly zone?: string
  /** Clients that send `Gatewright-Debug: 1` are told where their request went and why; absent: nobody is. */
  readonly debugHeader?: boolean
  /** Absent: no record is made. It must not block or throw. */
  readonly accessLog?: (record: AccessRecord) => void
  /** A port that could not be opened has been, later than in `apply`. */
  readonly onReport?: (report: ApplyReport) => void
}

type AnyPort = Port | DatagramPort

/** A Gateway as it is served: its configuration and what became of it. */
interface Served {
  readonly config: GatewayConfig
  readonly router: Router
}

export type { ApplyReport, GatewayReport } from './apply-report.ts'

/** So long a configuration waits for the first look for a name, so that its first requests find an address. */
const firstNameTime = 1_000
const retryInterval = 1_000
const memoryInterval = 1_000
const warningInterval = 10_000
/** Sheds until memory has fallen this far below the watermark, so that it does not flutter. */
const memoryRelief = 0.95

export class DataPlane {
  readonly runtime: ProxyRuntime
  readonly #options: DataPlaneOptions
  readonly #surroundings: PortSurroundings
  readonly #admission: Admission
  readonly #ticketKeys: ((config: ListenerConfig) => Buffer) | undefined
  readonly #timers: NodeJS.Timeout[] = []
  #served = new Map<string, Served>()
  #plan: Plan = { ports: [], failures: [] }
  #ports = new Map<string, AnyPort>()
  /** Why a planned port is not among `#ports`, by its key. */
  #closed = new Map<string, string>()
  /** With what they still need. */
  readonly #draining = new Map<AnyPort, { readonly pools: readonly PoolConfig[] }>()
  #certificates: ReadonlyMap<string, CertificateResult> = new Map()
  #tlsListeners: TlsListeners = new Map()
  #tlsFailures: ReadonlyMap<ListenerKey, string> = new Map()
  #turn: Promise<unknown> = Promise.resolve()
  #ended = false
  #nextAcceptWarning = 0
  #nextHeaderWarning = 0

  constructor(options: DataPlaneOptions) {
    this.#options = options
    const bounds = { ...defaultBounds, ...options.bounds }
    const sweep = new Sweep(() => performance.now())
    const buffers = createSocketBuffers()
    this.runtime = {
      bounds,
      pools: new PoolRegistry({
        bounds,
        sweep,
        random: Math.random,
        buffers,
        connections: { open: 0, most: bounds.connectionsUpstream || connectionsWithin(descriptorLimit()) },
        zone: options.zone,
        clientCertificate: (fingerprint) => this.#clientCertificate(fingerprint),
        healthChanged: (pool, endpoint) => logHealth(options.logger, pool, endpoint),
        lookup: createNameLookup({ answerTime: bounds.nameTime, servers: options.nameServers }),
        mayLeadTo: (address) => mayLeadTo(address, options.namesMayBeLocal === true),
        nameChanged: (pool, outcome) => logName(options.logger, pool, outcome),
      }),
      sweep,
      buffers,
      rawSockets: canUseRawSockets && options.rawSockets !== false,
      requestIds: new RequestIds(randomBytes(8).toString('hex')),
      accessLog: options.accessLog,
      counters: createDownstreamCounters(),
      mirrors: createMirrorCounters(),
      sideRequests: new Set(),
      sessions: new SessionTokens(sessionKeys(options.sessionKeys)),
      trustedHops: options.trustedHops ?? 0,
      upgrades: new Set(options.upgrades ?? ['websocket']),
      debugHeader: options.debugHeader === true,
      overloaded: false,
    }
    this.#admission =
      bounds.connections > 0
        ? { open: 0, maximum: bounds.connections, bound: 'process' }
        : { open: 0, maximum: connectionsWithin(descriptorLimit()), bound: 'descriptors' }
    this.#surroundings = {
      runtime: this.runtime,
      tls: new TlsAcceptor(bounds, sweep),
      admission: this.#admission,
      listen: options.listen ?? ((socket) => new ListeningSocket(socket)),
      serve: serveHttp,
      trusts: trustIn(options.trusted ?? [], options.trustedHops ?? 0),
      sendsHeader: options.acceptProxyProtocol?.length ? within(options.acceptProxyProtocol) : undefined,
      forwardedCertificate: options.forwardClientCertificate,
      acceptFailed: (error) => this.#acceptFailed(error),
      headerRefused: (peer, reason) => this.#headerRefused(peer, reason),
    }
    this.#ticketKeys = options.ticketSecret && ticketKeysFrom(options.ticketSecret)
    sweep.start()
    this.#every(retryInterval, () => void this.#retry())
    if (bounds.memory > 0) this.#every(memoryInterval, () => this.#watchMemory(bounds.memory))
  }

  /** TCP ports that listen or drain, for metrics. */
  get ports(): readonly Port[] {
    return this.#allPorts().filter((port) => port instanceof Port)
  }

  /** The same for UDP. */
  get datagramPorts(): readonly DatagramPort[] {
    return this.#allPorts().filter((port) => port instanceof DatagramPort)
  }

  #allPorts(): readonly AnyPort[] {
    return [...this.#ports.values(), ...this.#draining.keys()]
  }

  /** The configurations that are served, for metrics. */
  get routers(): ReadonlyMap<string, Router> {
    return new Map([...this.#served].map(([gateway, { router }]) => [gateway, router]))
  }

  /** The pools with the health of their endpoints, for tools. */
  get pools(): readonly PoolState[] {
    const { pools, sweep } = this.runtime
    return [...pools.all()].map((pool) => poolState(pool, sweep.now))
  }

  /**
   * Makes `configs` what is served; Gateways that are not among them are served no more. One call at a time does its
   * work, later ones wait. Resolves when all of it serves, apart from what the report names.
   */
  apply(configs: readonly GatewayConfig[], keys: KeyMaterial, placement: Placement): Promise<ApplyReport> {
    return this.#inTurn(() => this.#apply(configs, keys, placement))
  }

  /** Accepts no more, lets what is under way end for up to `milliseconds`, then ends it. Nothing can be applied afterwards. */
  async drain(milliseconds: number = this.runtime.bounds.drainTime): Promise<void> {
    this.#ended = true
    await this.#inTurn(async () => {
      for (const timer of this.#timers) clearInterval(timer)
      await Promise.all(this.#allPorts().map((port) => port.drain(milliseconds)))
      this.#ports.clear()
      for (const request of this.runtime.sideRequests) request.expire()
      this.runtime.pools.close()
      this.runtime.sweep.stop()
    })
  }

  async #apply(configs: readonly GatewayConfig[], keys: KeyMaterial, placement: Placement): Promise<ApplyReport> {
    if (this.#ended) throw new Error('Cannot apply a configuration: the data plane must be running, got one that has drained')
    const before = this.#served
    this.#served = this.#compile(configs, placement)
    const effective = [...this.#served.values()].map(({ config }) => config)
    this.#plan = plan(effective, placement)
    this.#prepareTls(effective, keys)

    this.#updatePools([before, this.#served])
    await Promise.all([this.#open(), this.runtime.pools.named(firstNameTime)])
    const planned = new Set<string>(this.#plan.ports.map(({ key }) => key))
    for (const port of this.#plan.ports) {
      const router = this.#routerOf(port)
      if (router !== undefined) this.#ports.get(port.key)?.swap(port, router, this.#tlsListeners)
    }
    for (const [key, port] of this.#ports) if (!planned.has(key)) this.#retire(key, port, before)
    // A socket may have been in the way of another (all addresses and one address, clear text and TLS).
    if (this.#closed.size > 0) await this.#open()
    this.#updatePools([this.#served])
    return this.#report()
  }

  #compile(configs: readonly GatewayConfig[], placement: Placement): Map<string, Served> {
    const served = new Map<string, Served>()
    for (const config of configs) {
      const before = this.#served.get(config.gateway)
      served.set(config.gateway, { config, router: compile(config, before?.router, placement, Math.random) })
    }
    return served
  }

  #prepareTls(configs: readonly GatewayConfig[], keys: KeyMaterial): void {
    this.#certificates = loadCertificates(
      configs.flatMap(({ certificates }) => certificates),
      keys,
      this.#certificates,
    )
    const listeners = configs.flatMap((config) => config.listeners)
    const { secured, failed } = this.#surroundings.tls
    const compiled = compileTlsListeners(listeners, this.#certificates, this.#tlsListeners, {
      secured,
      failed,
      ticketKeys: this.#ticketKeys,
    })
    this.#tlsListeners = compiled.listeners
    this.#tlsFailures = compiled.failures
  }

  #clientCertificate(fingerprint: string): ClientCertificate | undefined {
    const found = this.#certificates.get(fingerprint)
    return found?.kind === 'loaded' ? { chain: found.certificate.config.chain, key: found.certificate.key } : undefined
  }

  /** Opens what is planned and not open. Resolves to true when a port was opened. */
  async #open(): Promise<boolean> {
    const closed = new Map<string, string>()
    let opened = false
    await Promise.all(
      this.#plan.ports.map(async (one) => {
        const router = this.#routerOf(one)
        if (this.#ports.has(one.key) || router === undefined) return
        try {
          this.#ports.set(one.key, (await this.#reopened(one, router)) ?? (await this.#newPort(one, router)))
          opened = true
        } catch (error) {
          closed.set(one.key, this.#isDraining(one) ? stillAnswering(one.address, one.listenPort) : (error as Error).message)
        }
      }),
    )
    this.#closed = closed
    return opened
  }

  /** One that drains, and is wanted again. */
  async #reopened(one: PortPlan, router: PortRouter): Promise<AnyPort | undefined> {
    for (const port of this.#draining.keys()) {
      if (port.plan.key !== one.key) continue
      if (port instanceof Port) await port.reopen(one, router, this.#tlsListeners)
      else if (!port.reopen(one, router)) continue
      this.#draining.delete(port)
      return port
    }
    return undefined
  }

  async #newPort(one: PortPlan, router: PortRouter): Promise<AnyPort> {
    const port =
      one.kind === 'udp' ? new DatagramPort(one, router, this.runtime) : new Port(one, router, this.#tlsListeners, this.#surroundings)
    await port.listen()
    return port
  }

  /** Whether what it would listen on may be taken by a port of UDP that is gone and still answers. */
  #isDraining({ kind, listenPort }: PortPlan): boolean {
    return kind === 'udp' && this.datagramPorts.some((port) => port.draining && port.listenPort === listenPort)
  }

  #routerOf({ gateway, port, kind }: PortPlan) {
    const router = this.#served.get(gateway)?.router
    return (kind === 'udp' ? router?.datagramPorts : router?.ports)?.get(port)
  }

  #retire(key: string, port: AnyPort, before: ReadonlyMap<string, Served>): void {
    this.#ports.delete(key)
    const drain = { pools: before.get(port.plan.gateway)?.config.pools ?? [] }
    this.#draining.set(port, drain)
    void port.drain(this.runtime.bounds.drainTime).then(() => {
      // It may have been taken back, and have begun anew.
      if (this.#draining.get(port) !== drain) return
      this.#draining.delete(port)
      if (this.#ended) return
      this.#updatePools([this.#served])
      void this.#retry()
    })
  }

  /** Pools of draining ports stay until their last request has ended. */
  #updatePools(generations: readonly ReadonlyMap<string, Served>[]): void {
    const pools = new Map<PoolKey, PoolConfig>()
    for (const drain of this.#draining.values()) for (const pool of drain.pools) pools.set(pool.key, pool)
    for (const served of generations) for (const { config } of served.values()) for (const pool of config.pools) pools.set(pool.key, pool)
    this.runtime.pools.update([...pools.values()])
  }

  #report(): ApplyReport {
    return reportOf({
      configs: [...this.#served.values()].map(({ config }) => config),
      plan: this.#plan,
      open: this.#ports,
      closed: this.#closed,
      tlsListeners: this.#tlsListeners,
      tlsFailures: this.#tlsFailures,
    })
  }

  async #retry(): Promise<void> {
    if (this.#closed.size === 0) return
    await this.#inTurn(async () => {
      if (this.#ended || !(await this.#open())) return
      this.#updatePools([this.#served])
      this.#options.onReport?.(this.#report())
    })
  }

  #acceptFailed(error: Error): void {
    const { now } = this.runtime.sweep
    if (now < this.#nextAcceptWarning) return
    this.#nextAcceptWarning = now + warningInterval
    this.#options.logger.warn('a connection could not be accepted', { reason: error.message })
  }

  #headerRefused(peer: string, reason: string): void {
    const { now } = this.runtime.sweep
    if (now < this.#nextHeaderWarning) return
    this.#nextHeaderWarning = now + warningInterval
    this.#options.logger.warn('a connection was closed: it must begin with a header of the PROXY protocol, as all of its peer', {
      peer,
      reason: `got ${reason}`,
    })
  }

  #watchMemory(watermark: number): void {
    const used = this.#options.usedMemory?.() ?? process.memoryUsage.rss()
    if (used > watermark) this.runtime.overloaded = true
    else if (used < watermark * memoryRelief) this.runtime.overloaded = false
  }

  #every(milliseconds: number, action: () => void): void {
    this.#timers.push(setInterval(action, milliseconds).unref())
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action)
    this.#turn = turn.catch(() => undefined)
    return turn
  }
}

/** Half of the descriptors, for clients or for upstream connections. Some are kept for files and sockets that listen. */
function connectionsWithin(descriptors: number): number {
  return Math.max(16, Math.floor((descriptors - 128) / 2))
}

function sessionKeys(given: readonly Secret[] = []): readonly Secret[] {
  return given.length > 0 ? given : [new Secret(randomBytes(32).toString('base64url'))]
}

function trustIn(ranges: readonly Cidr[], hops: number): (address: string) => boolean {
  return ranges.length === 0 ? () => hops > 0 : within(ranges)
}

function within(ranges: readonly Cidr[]): (address: string) => boolean {
  return (address) => {
    const ip = parseIp(address)
    return ip !== undefined && ranges.some((range) => cidrContains(range, ip))
  }
}
