/** Everybody who uses the gateway while it changes. */
import { allOrNone } from '../../harness/all-or-none.ts'
import { descriptorShare } from '../../harness/descriptors.ts'
import { eventually } from '../../harness/eventually.ts'
import { type ClientOptions, type Load, runClient, type Tally } from './clients.ts'
import { runHandshakes } from './handshakes.ts'
import { Random } from './random.ts'
import type { Timeline } from './timeline.ts'
import { runTunnel, Tunnel } from './tunnels.ts'

const plainClients = 44
const tlsClients = 20
/** Through each of the listeners that come and go. */
const passingClients = 6
const plainTunnels = 60
const tlsTunnels = 40
/** File descriptors that all of them take together, with some connections to endpoints that are just going. */
const descriptors = 900

export interface LoadOptions {
  readonly ports: { readonly web: number; readonly secure: number; readonly side: number }
  /** PEM of the authority. */
  readonly ca: string
  /** Fingerprints by number of the certificate. */
  readonly certificates: readonly string[]
  readonly timeline: Timeline
  readonly reached: ReadonlySet<string>
  readonly seed: number
}

export interface RunningLoad {
  readonly tally: Tally
  readonly tunnels: number
  /** Clients of the listeners that stay, by name. */
  readonly staying: readonly string[]
  /** Resolves when each of those has had an answer. */
  begun(): Promise<unknown>
  /** Ends it in good order. */
  stop(): Promise<void>
}

/** Resolves when every WebSocket is open. */
export async function startLoad({ ports, ca, certificates, timeline, reached, seed }: LoadOptions): Promise<RunningLoad> {
  const tally: Tally = {
    requests: 0,
    bytes: 0,
    longest: 0,
    messages: 0,
    handshakes: 0,
    turnedAway: 0,
    connections: new Map(),
    failures: [],
  }
  const stopping = new AbortController()
  const load: Load = { timeline, reached, tally, stop: stopping.signal }
  let seeds = seed
  const random = (): Random => new Random((seeds += 1))
  const ends: Promise<void>[] = []
  const client = (name: string, options: Omit<ClientOptions, 'random'>): void => {
    ends.push(runClient(name, { ...options, random: random() }, load))
  }

  const tls = { ca, servername: 'shop.example.com' }
  const tls12 = { ...tls, maxVersion: 'TLSv1.2' } as const
  const share = descriptorShare(descriptors)
  const many = (whole: number): number => Math.ceil(whole * share)
  const tunnels = await allOrNone([
    ...Array.from({ length: many(plainTunnels) }, () => Tunnel.open(ports.web, undefined)),
    ...Array.from({ length: many(tlsTunnels) }, () => Tunnel.open(ports.secure, tls)),
  ])

  const side = { port: ports.side, host: 'shop.example.com', listener: 'side' }
  const extra = { port: ports.secure, tls: { ...tls, servername: 'extra.example.net' }, host: 'extra.example.net', listener: 'extra' }
  const plain = Array.from({ length: many(plainClients) }, (_, n) => `plain-${n}`)
  const secure = Array.from({ length: many(tlsClients) }, (_, n) => `tls-${n}`)
  for (const name of plain) client(name, { port: ports.web })
  for (const [n, name] of secure.entries()) client(name, { port: ports.secure, tls: n % 2 === 0 ? tls : tls12 })
  for (let n = 0; n < many(passingClients); n++) {
    client(`side-${n}`, { ...side, fresh: n % 2 === 0 })
    client(`extra-${n}`, { ...extra, fresh: n % 2 === 0 })
  }
  ends.push(runHandshakes(ports.secure, tls, certificates, load))
  for (const [n, tunnel] of tunnels.entries()) ends.push(runTunnel(`tunnel-${n}`, tunnel, random(), load))

  const staying = [...plain, ...secure]
  return {
    tally,
    tunnels: tunnels.length,
    staying,
    begun: () => eventually(() => staying.every((name) => tally.connections.has(name)), 'an answer for every client', 10_000),
    async stop() {
      stopping.abort()
      await Promise.all(ends)
    },
  }
}
