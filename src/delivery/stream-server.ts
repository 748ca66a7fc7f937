/**
 * The controller's side of delivery to proxies in other pods: one TLS 1.3 connection from each, told apart by its client
 * certificate. A proxy is sent the configuration of its own Gateway, with the keys of that Gateway, and nobody else's.
 *
 * Nothing is sent before the first `publish`: a controller that has just started knows less than the proxies do.
 */
import { type AddressInfo } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { GatewayConfig } from '../config/config.ts'
import type { KeyMaterial } from '../config/key-material.ts'
import type { Secret } from '../lib/secret.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { MetricFamily } from '../telemetry/metrics.ts'
import { emptyResources, resourcesOf } from './gateway-resources.ts'
import { type MessageHandler, MessageSocket } from './message-socket.ts'
import { type FromController, identityIn, longestAnswer, protocol } from './messages.ts'
import { readProxyMessage } from './proxy-message.ts'
import { ProxySession, type ProxyState, type Published } from './proxy-session.ts'

/** PEM. */
export interface StreamCredentials {
  readonly certificate: string
  readonly key: Secret
  /** Signs the certificates of the other side. */
  readonly authority: string
}

export interface StreamServerOptions {
  readonly credentials: StreamCredentials
  /** Of the Gateway `namespace/name` that is there now. */
  readonly uidOf: (gateway: string) => string | undefined
  readonly logger: Logger
  /** A proxy came, went, or said what it serves. */
  readonly onChange: () => void
}

interface Connection {
  readonly uid: string
  readonly session: ProxySession
  readonly messages: MessageSocket
}

const handshakeTime = 10_000
/** Connections of one Gateway's proxies: twice as many as it may have pods, for those that go while others come. */
const mostConnections = 2_000
/** Bytes of messages of one Gateway's proxies that have not come whole. */
const mostHeld = 16 * 1024 * 1024

export class StreamServer {
  readonly #options: StreamServerOptions
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  /** By Gateway; undefined before the first `publish`. */
  #published: ReadonlyMap<string, Published> | undefined
  #epoch = 0
  #peers: readonly string[] = []

  constructor(options: StreamServerOptions) {
    this.#options = options
    this.#server = createServer(
      { ...contextOf(options.credentials), requestCert: true, rejectUnauthorized: true, handshakeTimeout: handshakeTime },
      (socket) => this.#accept(socket),
    )
    this.#server.on('tlsClientError', (error, socket) =>
      options.logger.warn('a connection to the configuration stream was refused', { peer: socket.remoteAddress, reason: error.message }),
    )
  }

  /** Resolves to the port. */
  listen(address: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, address, () => {
        this.#server.off('error', reject)
        resolve((this.#server.address() as AddressInfo).port)
      })
    })
  }

  /** New certificates serve the connections to come. */
  renew(credentials: StreamCredentials): void {
    this.#server.setSecureContext(contextOf(credentials))
  }

  /** What every Gateway's proxies shall serve. A Gateway that is not among them serves nothing. */
  publish(configs: readonly GatewayConfig[], versions: ReadonlyMap<string, string>, keys: KeyMaterial): void {
    const before = this.#published
    const published = new Map<string, Published>()
    for (const config of configs) {
      const version = versions.get(config.gateway) ?? ''
      const known = before?.get(config.gateway)
      published.set(config.gateway, known?.version === version ? known : { version, resources: resourcesOf(config, keys) })
    }
    this.#published = published
    for (const connection of this.#connections) this.#publishTo(connection)
  }

  /** The Lease's transitions while this controller holds it, else 0. */
  set epoch(epoch: number) {
    if (epoch === this.#epoch) return
    this.#epoch = epoch
    for (const { session, messages } of this.#connections) {
      messages.send({ kind: 'epoch', epoch } satisfies FromController)
      session.reconsider()
    }
  }

  /** `host:port` of every controller, this one too. */
  set peers(addresses: readonly string[]) {
    if (addresses.join() === this.#peers.join()) return
    this.#peers = addresses
    for (const { messages } of this.#connections) messages.send({ kind: 'peers', addresses } satisfies FromController)
  }

  /** What the connected proxies of a Gateway said last; a pod with two connections counts once. */
  proxiesOf(gateway: string): readonly ProxyState[] {
    const states = new Map<string, ProxyState>()
    for (const { session } of this.#connections) {
      const { state } = session
      if (session.gateway === gateway && state !== undefined) states.set(state.pod, state)
    }
    return [...states.values()]
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const { messages } of this.#connections) messages.close('shutdown')
    await closed
  }

  metrics(): readonly MetricFamily[] {
    return [
      {
        kind: 'gauge',
        name: 'gatewright_stream_proxies',
        help: 'Proxies that are connected to this controller, by Gateway and whether they serve what is published.',
        labels: ['gateway', 'current'],
        samples: () =>
          [...this.#connections].map(({ session }) => ({
            labels: {
              gateway: session.gateway,
              current: String(session.state?.version === this.#published?.get(session.gateway)?.version),
            },
            value: 1,
          })),
      },
    ]
  }

  #accept(socket: TLSSocket): void {
    const { logger, onChange } = this.#options
    const identity = identityIn(socket.getPeerCertificate().subjectaltname)
    const refused = identity === undefined ? 'its certificate names no Gateway' : this.#tooMany(identity.gateway)
    if (identity === undefined || refused !== undefined) {
      logger.warn(`a connection to the configuration stream was refused: ${refused ?? ''}`, { peer: socket.remoteAddress })
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    const { gateway, uid } = identity
    const session = new ProxySession(gateway, (message) => messages.send(message))
    const handler: MessageHandler = {
      onMessage: (message) => {
        const known = readProxyMessage(message)
        if (known?.kind === 'hello' && known.protocol !== protocol)
          return messages.close(`speaks protocol ${known.protocol}, not ${protocol}`)
        if (known !== undefined && session.receive(known)) onChange()
      },
      onHeld: () => {
        if (this.#heldOf(gateway) > mostHeld) messages.close('too many bytes of messages that are not whole')
      },
      onEnd: (reason) => {
        this.#connections.delete(connection)
        logger.info('a proxy has left the configuration stream', { gateway, pod: session.state?.pod ?? '', reason })
        onChange()
      },
    }
    const messages: MessageSocket = new MessageSocket(socket, handler, longestAnswer)
    const connection: Connection = { uid, session, messages }
    this.#connections.add(connection)
    messages.send({ kind: 'epoch', epoch: this.#epoch } satisfies FromController)
    messages.send({ kind: 'peers', addresses: this.#peers } satisfies FromController)
    this.#publishTo(connection)
  }

  #tooMany(gateway: string): string | undefined {
    let count = 0
    for (const { session } of this.#connections) if (session.gateway === gateway) count += 1
    return count >= mostConnections ? `there are ${count} of Gateway ${gateway} already` : undefined
  }

  #heldOf(gateway: string): number {
    let held = 0
    for (const { session, messages } of this.#connections) if (session.gateway === gateway) held += messages.held
    return held
  }

  #publishTo({ uid, session, messages }: Connection): void {
    if (this.#published === undefined) return
    const present = this.#options.uidOf(session.gateway)
    if (present !== undefined && present !== uid) return messages.close('its certificate is of a Gateway that was here before')
    session.publish(this.#published.get(session.gateway) ?? { version: 'none', resources: emptyResources(session.gateway) })
  }
}

function contextOf({ certificate, key, authority }: StreamCredentials): object {
  return { cert: certificate, key: key.reveal(), ca: authority, minVersion: 'TLSv1.3' }
}
