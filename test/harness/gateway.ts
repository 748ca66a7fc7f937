/** The exchange behind a real socket, without what the listener side adds: a plain server that calls `serveHttp`. */
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { canUseRawSockets } from '../../src/proxy/raw-socket.ts'
import { createSocketBuffers } from '../../src/proxy/byte-socket.ts'
import { type Bounds, defaultBounds } from '../../src/config/bounds.ts'
import {
  type ClientConnection,
  createDownstreamCounters,
  type LivePort,
  type ProxyRuntime,
} from '../../src/proxy/http/connection-context.ts'
import { createMirrorCounters } from '../../src/proxy/http/mirror.ts'
import { RequestIds } from '../../src/proxy/http/request-id.ts'
import { serveHttp1 } from '../../src/proxy/http1/serve.ts'
import { serveHttp } from '../../src/proxy/http2/serve.ts'
import { SessionTokens } from '../../src/proxy/http/session-token.ts'
import { Sweep } from '../../src/proxy/sweep.ts'
import { PoolRegistry } from '../../src/proxy/upstream/registry.ts'
import { Secret } from '../../src/lib/secret.ts'
import { compile } from '../../src/routing/compile.ts'
import type { PortRouter, Router } from '../../src/routing/router.ts'
import type { AccessRecord } from '../../src/telemetry/access-record.ts'
import { createTestAuthority, type TestCertificate } from './certificates.ts'
import { type ConfigSketch, gatewayConfig } from './gateway-config.ts'
import { eventually } from './eventually.ts'

export interface GatewayOptions {
  readonly bounds?: Partial<Bounds>
  readonly trusted?: boolean
  readonly trustedHops?: number
  /** 'https': behind a TLS server with a certificate of its own. */
  readonly scheme?: 'http' | 'https'
  /** As if the handshake's SNI had chosen it. */
  readonly sniListener?: string
  readonly upgrades?: readonly string[]
  readonly sessionKeys?: readonly string[]
  /** What pools may show, by fingerprint. */
  readonly clientCertificates?: readonly TestCertificate[]
  readonly debugHeader?: boolean
  /** Of every client, instead of the true one. */
  readonly clientAddress?: string
  /** As if the listener side had read it from each connection before it handed it over. */
  readonly first?: string
}

export class Gateway {
  readonly scheme: 'http' | 'https'
  readonly records: AccessRecord[] = []
  readonly connections = new Set<ClientConnection>()
  readonly runtime: ProxyRuntime
  readonly live: LivePort
  router: Router
  readonly #server: Server

  private constructor(sketch: ConfigSketch, options: GatewayOptions) {
    this.scheme = options.scheme ?? 'http'
    const config = gatewayConfig(sketch)
    const bounds = { ...defaultBounds, ...options.bounds }
    const sweep = new Sweep(() => performance.now())
    const buffers = createSocketBuffers()
    const pools = new PoolRegistry({
      bounds,
      sweep,
      random: Math.random,
      buffers,
      connections: { open: 0, most: bounds.connectionsUpstream || 10_000 },
      clientCertificate: (fingerprint) => {
        const shown = options.clientCertificates?.find((one) => one.config.fingerprint === fingerprint)
        return shown && { chain: shown.config.chain, key: shown.key }
      },
    })
    pools.update(config.pools)
    this.router = compile(config)
    this.live = { router: portOf(this.router), draining: false }
    this.runtime = {
      bounds,
      pools,
      sweep,
      requestIds: new RequestIds('00000000000000aa'),
      accessLog: (record) => this.records.push(record),
      counters: createDownstreamCounters(),
      mirrors: createMirrorCounters(),
      sideRequests: new Set(),
      rawSockets: canUseRawSockets,
      sessions: new SessionTokens((options.sessionKeys ?? ['the key of the tests']).map((key) => new Secret(key))),
      upgrades: new Set(['websocket', ...(options.upgrades ?? [])]),
      buffers,
      trustedHops: options.trustedHops ?? 0,
      debugHeader: options.debugHeader === true,
      overloaded: false,
    }
    const serve = (socket: Socket): void => {
      const context = {
        runtime: this.runtime,
        port: this.live,
        scheme: this.scheme,
        sniListener: options.sniListener,
        clientAddress: options.clientAddress ?? socket.remoteAddress ?? '',
        trusted: options.trusted ?? false,
        clientCertificate: undefined,
      }
      const connection = options.first === undefined ? serveHttp(socket, context) : serveHttp1(socket, context, Buffer.from(options.first))
      this.connections.add(connection)
      connection.onClosed = () => this.connections.delete(connection)
    }
    const serverOptions = { pauseOnConnect: true, allowHalfOpen: true, noDelay: true }
    if (options.scheme === 'https') {
      const { config: certificate, key } = createTestAuthority().issue('a.example')
      this.#server = createTlsServer(
        { ...serverOptions, cert: certificate.chain, key: key.reveal(), ALPNProtocols: ['h2', 'http/1.1'] },
        serve,
      )
    } else this.#server = createServer(serverOptions, serve)
    sweep.start()
  }

  static start(sketch: ConfigSketch, options: GatewayOptions = {}): Promise<Gateway> {
    const gateway = new Gateway(sketch, options)
    return new Promise((resolve) => {
      gateway.#server.listen(0, '127.0.0.1', () => resolve(gateway))
    })
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Swaps the configuration as the listener side does. */
  update(sketch: ConfigSketch): void {
    const config = gatewayConfig(sketch)
    this.router = compile(config, this.router)
    this.runtime.pools.update(config.pools)
    this.live.router = portOf(this.router)
  }

  /** The access log's next line, which comes when the exchange has ended. */
  record(index = 0): Promise<AccessRecord> {
    return eventually(() => this.records[index], `line ${index} of the access log`)
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    for (const connection of this.connections) connection.destroy()
    for (const request of this.runtime.sideRequests) request.expire()
    this.runtime.pools.close()
    await closed
    this.runtime.sweep.stop()
  }
}

function portOf(router: Router): PortRouter {
  const port = router.ports.get(80)
  if (port === undefined) throw new Error('Cannot start: the configuration must have a listener on port 80')
  return port
}
