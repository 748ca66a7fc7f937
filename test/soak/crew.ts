/** Everybody who uses the gateway during a soak, well-behaved, mortal and rude. */
import { GrpcWay } from '../load/grpc-way.ts'
import { Http1Way } from '../load/http1-way.ts'
import { Http2Way } from '../load/http2-way.ts'
import { type RunningLoad, startLoad } from '../load/load.ts'
import { Random } from '../load/random.ts'
import type { Timeline } from '../load/timeline.ts'
import type { Way } from '../load/exchange.ts'
import { openStream, openTunnel, openTunnelOverHttp2, runBrief } from './brief.ts'
import { type Errand, errands, type ErrandTally, runErrand } from './errands.ts'
import type { Mortality } from './mortality.ts'
import { runRude } from './rude.ts'
import { host } from './scenery.ts'

const rudeClients = 12
/** Of each kind. */
const briefClients = 2

export interface CrewOptions {
  readonly ports: { readonly web: number; readonly secure: number; readonly side: number }
  /** PEM of the authority. */
  readonly ca: string
  /** Fingerprints by number of the certificate. */
  readonly certificates: readonly string[]
  readonly timeline: Timeline
  readonly mortality: Mortality
  readonly seed: number
}

export interface Crew {
  readonly load: RunningLoad
  /** By errand, in the order of the table. */
  readonly tallies: ReadonlyMap<string, ErrandTally>
  readonly rude: ReadonlyMap<string, number>
  /** Ends all of it; resolves when everybody has gone. */
  stop(): Promise<void>
}

export async function startCrew(options: CrewOptions): Promise<Crew> {
  const { ports, ca, certificates, timeline, mortality, seed } = options
  const load = await startLoad({ ports, ca, certificates, timeline, reached: new Set(), seed, longestPause: 800 })
  await load.begun()
  const tls = { ca, servername: host }
  const stopping = new AbortController()
  const stop = stopping.signal
  let seeds = seed + 10_000
  const random = (): Random => new Random((seeds += 1))
  const tallies = new Map<string, ErrandTally>()
  const tallyOf = (name: string): ErrandTally => {
    const tally = tallies.get(name) ?? { asked: 0, right: 0, explained: 0, failures: [] }
    tallies.set(name, tally)
    return tally
  }
  const ways = ({ speech }: Errand): readonly Way[] =>
    speech === 'grpc'
      ? [new GrpcWay(ports.web, host, undefined), new GrpcWay(ports.secure, host, ca)]
      : [
          new Http1Way(ports.web, undefined, false),
          new Http1Way(ports.secure, tls, true),
          new Http2Way(ports.web, undefined),
          new Http2Way(ports.secure, tls),
        ]
  const briefs = {
    'brief WebSockets': () => openTunnel(ports.web, undefined),
    'brief WebSockets, TLS': () => openTunnel(ports.secure, tls),
    'brief WebSockets, HTTP/2': () => openTunnelOverHttp2(ports.secure, tls),
    'brief gRPC streams': () => openStream(ports.web, undefined),
    'brief gRPC streams, TLS': () => openStream(ports.secure, ca),
  }
  const rude = new Map<string, number>()
  const ends = [
    ...errands.flatMap((errand) =>
      ways(errand).map((way, n) =>
        runErrand(`${errand.name.replaceAll(/\W+/g, '-')}-${n}`, errand, way, random(), mortality, tallyOf(errand.name), stop),
      ),
    ),
    ...Object.entries(briefs).flatMap(([name, open]) =>
      Array.from({ length: briefClients }, (_, n) => runBrief(`${name} ${n}`, open, random(), tallyOf(name), stop)),
    ),
    ...Array.from({ length: rudeClients }, () => runRude(ports, random(), rude, stop)),
    mortality.run(stop),
  ]
  return {
    load,
    tallies,
    rude,
    async stop() {
      stopping.abort()
      await Promise.all([...ends, load.stop()])
    },
  }
}
