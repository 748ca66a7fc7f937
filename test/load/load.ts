/** Everybody who uses the gateway while it changes. */
import { eventually } from '../harness/eventually.ts'
import { anyCall, type ClientOptions, type Load, passingQuestion, runClient, type Tally } from './clients.ts'
import { GrpcWay } from './grpc-way.ts'
import { runHandshakes } from './handshakes.ts'
import { Http1Way } from './http1-way.ts'
import { Http2Way } from './http2-way.ts'
import { Random } from './random.ts'
import { runStream, Stream } from './streams.ts'
import type { Timeline } from './timeline.ts'
import { runTunnel, Tunnel, tunnelSession } from './tunnels.ts'

/** Of each kind over clear text and over TLS: 64 connections in all. */
const http1Clients = { plain: 22, tls: 14 }
const http2Clients = { plain: 8, tls: 8 }
const grpcClients = { plain: 6, tls: 6 }
const lanesOfHttp2 = 3
/** Through each of the listeners that come and go, with HTTP/1.1 and HTTP/2. */
const passingClients = { http1: 6, http2: 2 }
const tunnels1 = { plain: 48, tls: 32 }
/** On two sessions for each of clear text and TLS. */
const tunnels2 = 20
/** gRPC streams, on two channels for each of clear text and TLS. */
const openStreams = 32
const shop = 'shop.example.com'

export interface LoadOptions {
  readonly ports: { readonly web: number; readonly secure: number; readonly side: number }
  /** PEM of the authority. */
  readonly ca: string
  /** Fingerprints by number of the certificate. */
  readonly certificates: readonly string[]
  readonly timeline: Timeline
  readonly reached: ReadonlySet<string>
  readonly seed: number
  /** Between two requests of a client, milliseconds at most; absent: 40. */
  readonly longestPause?: number
}

export interface RunningLoad {
  readonly tally: Tally
  readonly tunnels: number
  readonly streams: number
  /** Clients of the listeners that stay, by name. */
  readonly staying: readonly string[]
  /** Resolves when each of those has had an answer. */
  begun(): Promise<unknown>
  /** Ends it in good order. */
  stop(): Promise<void>
}

/** Resolves when every WebSocket is open and every gRPC stream has had an answer. */
export async function startLoad({
  ports,
  ca,
  certificates,
  timeline,
  reached,
  seed,
  longestPause = 40,
}: LoadOptions): Promise<RunningLoad> {
  const tally: Tally = {
    requests: 0,
    bytes: 0,
    longest: 0,
    messages: 0,
    streamed: 0,
    handshakes: 0,
    turnedAway: 0,
    connections: new Map(),
    failures: [],
  }
  const stopping = new AbortController()
  const load: Load = { timeline, reached, tally, stop: stopping.signal, longestPause }
  let seeds = seed
  const random = (): Random => new Random((seeds += 1))
  const ends: Promise<void>[] = []
  const client = (name: string, options: Omit<ClientOptions, 'random'>): void => {
    ends.push(runClient(name, { ...options, random: random() }, load))
  }

  const tls = { ca, servername: shop }
  const tls12 = { ...tls, maxVersion: 'TLSv1.2' } as const
  const sessions = [ports.web, ports.web, ports.secure, ports.secure].map((port) =>
    tunnelSession(port, port === ports.web ? undefined : tls),
  )
  const opened = await Promise.all(sessions)
  const tunnels = await Promise.all([
    ...times(tunnels1.plain, () => Tunnel.open(ports.web, undefined, shop)),
    ...times(tunnels1.tls, () => Tunnel.open(ports.secure, tls, shop)),
    ...opened.flatMap((session) => times(tunnels2 / opened.length, () => Tunnel.overHttp2(session, shop))),
  ])
  const channels = [ports.web, ports.web, ports.secure, ports.secure].map((port) => grpcWay(port))
  const streams = channels.flatMap((way) => times(openStreams / channels.length, () => new Stream(way, '/test.Shop/chat')))
  await Promise.all(streams.map((stream) => stream.echo('hello')))

  const staying: string[] = []
  const stay = (name: string, options: Omit<ClientOptions, 'random'>): void => {
    staying.push(name)
    client(name, options)
  }
  function grpcWay(port: number): GrpcWay {
    return new GrpcWay(port, shop, port === ports.web ? undefined : ca)
  }
  const alias = { asks: passingQuestion('extra.example.net') }
  times(http1Clients.plain, (n) => stay(`plain-${n}`, { way: new Http1Way(ports.web, undefined, false), ...(n < 2 ? alias : {}) }))
  times(http1Clients.tls, (n) => stay(`tls-${n}`, { way: new Http1Way(ports.secure, n % 2 === 0 ? tls : tls12, false), serverName: shop }))
  times(http2Clients.plain, (n) => stay(`h2c-${n}`, { way: new Http2Way(ports.web, undefined), lanes: lanesOfHttp2 }))
  times(http2Clients.tls, (n) => stay(`h2-${n}`, { way: new Http2Way(ports.secure, tls), serverName: shop, lanes: lanesOfHttp2 }))
  times(grpcClients.plain, (n) => stay(`grpc-${n}`, { way: grpcWay(ports.web), asks: anyCall }))
  times(grpcClients.tls, (n) => stay(`grpc-tls-${n}`, { way: grpcWay(ports.secure), asks: anyCall, serverName: shop }))

  const extraTls = { ...tls, servername: 'extra.example.net' }
  const side = { listener: 'side', asks: passingQuestion(shop) }
  const extra = { listener: 'extra', asks: passingQuestion(extraTls.servername), serverName: extraTls.servername }
  times(passingClients.http1, (n) => {
    client(`side-${n}`, { ...side, way: new Http1Way(ports.side, undefined, n % 2 === 0) })
    client(`extra-${n}`, { ...extra, way: new Http1Way(ports.secure, extraTls, n % 2 === 0) })
  })
  times(passingClients.http2, (n) => {
    client(`side-h2c-${n}`, { ...side, way: new Http2Way(ports.side, undefined), lanes: 2 })
    client(`extra-h2-${n}`, { ...extra, way: new Http2Way(ports.secure, extraTls), lanes: 2 })
  })
  ends.push(runHandshakes(ports.secure, tls, certificates, load))
  for (const [n, tunnel] of tunnels.entries()) ends.push(runTunnel(`tunnel-${n}`, tunnel, random(), load))
  for (const [n, stream] of streams.entries()) ends.push(runStream(`stream-${n}`, stream, random(), load))

  return {
    tally,
    tunnels: tunnels.length,
    streams: streams.length,
    staying,
    begun: () => eventually(() => staying.every((name) => tally.connections.has(name)), 'an answer for every client', 10_000),
    async stop() {
      stopping.abort()
      await Promise.all(ends)
      for (const channel of channels) channel.close()
      for (const session of opened) session.close()
    },
  }
}

function times<T>(count: number, make: (number: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, number) => make(number))
}
