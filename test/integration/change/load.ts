/** Everybody who uses the gateway while it changes. */
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
  /** Ends it in good order. Resolves to the number of connections that each client of a staying listener has had. */
  stop(): Promise<readonly number[]>
}

/** Resolves when every WebSocket is open. */
export async function startLoad({ ports, ca, certificates, timeline, reached, seed }: LoadOptions): Promise<RunningLoad> {
  const tally: Tally = { requests: 0, bytes: 0, longest: 0, messages: 0, handshakes: 0, turnedAway: 0, failures: [] }
  const stopping = new AbortController()
  const load: Load = { timeline, reached, tally, stop: stopping.signal }
  let seeds = seed
  const random = (): Random => new Random((seeds += 1))
  const client = (name: string, options: Omit<ClientOptions, 'random'>): Promise<number> =>
    runClient(name, { ...options, random: random() }, load)

  const tls = { ca, servername: 'shop.example.com' }
  const tls12 = { ...tls, maxVersion: 'TLSv1.2' } as const
  const tunnels = await Promise.all([
    ...Array.from({ length: plainTunnels }, () => Tunnel.open(ports.web, undefined)),
    ...Array.from({ length: tlsTunnels }, () => Tunnel.open(ports.secure, tls)),
  ])

  const side = { port: ports.side, host: 'shop.example.com', listener: 'side' }
  const extra = { port: ports.secure, tls: { ...tls, servername: 'extra.example.net' }, host: 'extra.example.net', listener: 'extra' }
  const staying = [
    ...Array.from({ length: plainClients }, (_, n) => client(`plain-${n}`, { port: ports.web })),
    ...Array.from({ length: tlsClients }, (_, n) => client(`tls-${n}`, { port: ports.secure, tls: n % 2 === 0 ? tls : tls12 })),
  ]
  const others: Promise<unknown>[] = [
    ...Array.from({ length: passingClients }, (_, n) => client(`side-${n}`, { ...side, fresh: n % 2 === 0 })),
    ...Array.from({ length: passingClients }, (_, n) => client(`extra-${n}`, { ...extra, fresh: n % 2 === 0 })),
    ...tunnels.map((tunnel, n) => runTunnel(`tunnel-${n}`, tunnel, random(), load)),
    runHandshakes(ports.secure, tls, certificates, load),
  ]
  return {
    tally,
    tunnels: tunnels.length,
    async stop() {
      stopping.abort()
      await Promise.all(others)
      return Promise.all(staying)
    },
  }
}
