/** TCP and UDP backends whose every byte a test sees, clients for them, and configurations of stream routes. */
import { createSocket, type Socket as Datagrams } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { BackendTlsConfig } from '../../src/config/backend-tls.ts'
import type { ListenerConfig } from '../../src/config/listener.ts'
import type { PoolConfig } from '../../src/config/pool.ts'
import type { StreamRouteConfig } from '../../src/config/stream-route.ts'
import type { TestCertificate } from './certificates.ts'
import { type DataPlaneOptions } from '../../src/proxy/data-plane.ts'
import { gatewayName, startDataPlane, type TestDataPlane } from './data-plane.ts'
import { eventually } from './eventually.ts'

/** What connections that nobody looks into are made of: the same holds for both. */
export interface SocketKind {
  readonly name: string
  readonly options: Pick<DataPlaneOptions, 'rawSockets'>
}

export const socketKinds: readonly [SocketKind, SocketKind] = [
  { name: 'bare handles', options: { rawSockets: true } },
  { name: 'streams', options: { rawSockets: false } },
]

export interface StreamBackend {
  readonly port: number
  /** In the order in which they came. */
  readonly connections: readonly Socket[]
  readonly server: Server
}

/** `serve` gets each connection; absent: every byte is sent back, and FIN after FIN. */
export async function streamBackend(serve: (socket: Socket) => void = echo): Promise<StreamBackend> {
  const connections: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.push(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of connections) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, connections, server }
}

export function echo(socket: Socket): void {
  socket.pipe(socket)
}

/** Says its name and ends. */
export function saying(name: string): (socket: Socket) => void {
  return (socket) => socket.resume().end(name)
}

/** A client that keeps what comes, and how it ended. */
export class StreamClient {
  readonly socket: Socket
  readonly #parts: Buffer[] = []
  /** FIN has come. */
  ended = false
  closed = false
  error: NodeJS.ErrnoException | undefined

  constructor(socket: Socket) {
    this.socket = socket
    onTestFinished(() => {
      socket.destroy()
    })
    socket.on('data', (bytes: Buffer) => this.#parts.push(bytes))
    socket.on('end', () => {
      this.ended = true
    })
    socket.on('error', (error) => {
      this.error = error
    })
    socket.on('close', () => {
      this.closed = true
    })
  }

  /** It may be refused before it is connected. */
  static dial(port: number): StreamClient {
    return new StreamClient(connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true }))
  }

  static async plain(port: number): Promise<StreamClient> {
    const client = StreamClient.dial(port)
    await once(client.socket, 'connect')
    return client
  }

  get received(): Buffer {
    return Buffer.concat(this.#parts)
  }

  text(): string {
    return this.received.toString('latin1')
  }

  /** Until it has received `text`. */
  async hears(text: string): Promise<void> {
    await eventually(
      () => this.text() === text || (this.closed && this.error !== undefined),
      `${JSON.stringify(text)} (got ${this.text()})`,
    )
    if (this.text() !== text) throw new Error(`got ${JSON.stringify(this.text())} and ${String(this.error)}`)
  }

  async gone(): Promise<void> {
    await eventually(() => this.closed || this.ended, 'the end of the connection')
  }
}

/** What a new connection is told until it ends. */
export async function ask(port: number): Promise<string> {
  const client = await StreamClient.plain(port)
  client.socket.end()
  await eventually(() => client.closed, 'the end of the connection')
  return client.text()
}

export function streamListener(protocol: 'TCP' | 'UDP' | 'TLS', port: number, more: Partial<ListenerConfig> = {}): ListenerConfig {
  const name = `${protocol.toLowerCase()}-${port}-${more.hostname ?? ''}`
  return { key: `Gateway/${gatewayName}/${name}`, name, port, protocol, hostname: '', ...more }
}

export const passthrough = { tls: { kind: 'passthrough' } } as const

export function terminated({ config }: TestCertificate): Pick<ListenerConfig, 'tls'> {
  return { tls: { kind: 'terminate', certificates: [config.fingerprint], minVersion: 'TLSv1.2' } }
}

export function streamPool(
  name: string,
  ports: readonly number[],
  more: { readonly udp?: boolean; readonly tls?: BackendTlsConfig } = {},
): PoolConfig {
  const protocol = more.udp === true ? 'udp' : 'tcp'
  return {
    key: `Service/default/${name}:80;${protocol}`,
    backend: { kind: 'Service', namespace: 'default', name, port: 80 },
    protocol,
    ...(more.tls !== undefined && { tls: more.tls }),
    endpoints: ports.map((port) => ({ address: '127.0.0.1', port, state: 'ready' })),
  }
}

/** All of `pools`, with a weight each or 1. */
export function streamRoute(
  kind: StreamRouteConfig['kind'],
  name: string,
  listeners: readonly ListenerConfig[],
  pools: readonly (PoolConfig | readonly [PoolConfig, number])[],
  hostnames: readonly string[] = [''],
): StreamRouteConfig {
  return {
    kind,
    key: `${kind}/default/${name}`,
    attachments: listeners.map(({ key }) => ({ listener: key, hostnames })),
    backends: pools.map((one) => {
      const [pool, weight] = 'key' in one ? [one, 1] : one
      return { kind: 'pool', pool: pool.key, weight }
    }),
  }
}

export function startPlane(options: Partial<DataPlaneOptions> = {}): TestDataPlane {
  const plane = startDataPlane(options)
  onTestFinished(async () => await plane.stop())
  return plane
}

/** A UDP socket on an address of this machine that keeps what comes. */
export class DatagramPeer {
  readonly socket: Datagrams
  readonly received: { readonly text: string; readonly from: string }[] = []

  private constructor(socket: Datagrams) {
    this.socket = socket
    socket.on('message', (datagram, { address, port }) =>
      this.received.push({ text: datagram.toString('latin1'), from: `${address}:${port}` }),
    )
    socket.on('error', () => {})
    onTestFinished(() => this.close())
  }

  static async open(answer?: (text: string) => string, address = '127.0.0.1', port = 0): Promise<DatagramPeer> {
    const socket = createSocket('udp4')
    const peer = new DatagramPeer(socket)
    if (answer !== undefined)
      socket.on('message', (datagram, { address: from, port }) => socket.send(answer(datagram.toString('latin1')), port, from))
    socket.bind(port, address)
    await once(socket, 'listening')
    return peer
  }

  get port(): number {
    return this.socket.address().port
  }

  send(text: string, port: number, address = '127.0.0.1'): void {
    this.socket.send(text, port, address)
  }

  async hears(count: number): Promise<readonly string[]> {
    await eventually(() => this.received.length >= count, `${count} datagrams`)
    return this.received.map(({ text }) => text)
  }

  close(): void {
    try {
      this.socket.close()
    } catch {
      // It was closed by the test.
    }
  }
}
