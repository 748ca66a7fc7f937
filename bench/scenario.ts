/** What is measured, and what may come out: the targets of the data plane. */
import type { Contestant } from './contestants.ts'
import { burst, type Burst, type Load, type Tools } from './load.ts'
import { grpcHost, grpcPath, host, largePath, ours, secureHost, smallPath, withAccessLog } from './workload.ts'

export interface Scenario {
  readonly name: string
  readonly load: Load
  /** By the name of the other proxy: our cost divided by its cost may be this at most. */
  readonly targets: Readonly<Record<string, number>>
  /** Rows beside the three proxies that take part. */
  readonly extras: readonly string[]
}

export const scenarios: readonly Scenario[] = [
  {
    name: 'small GET',
    load: { kind: 'http1', scheme: 'http', host, path: smallPath },
    targets: { nginx: 1.4, envoy: 0.4 },
    extras: [withAccessLog],
  },
  { name: 'small GET over TLS', load: { kind: 'http1', scheme: 'https', host, path: smallPath }, targets: { nginx: 1.5 }, extras: [] },
  {
    name: 'small GET to a backend over TLS',
    load: { kind: 'http1', scheme: 'http', host: secureHost, path: smallPath },
    targets: { nginx: 1.6 },
    extras: [],
  },
  { name: '64 KiB body', load: { kind: 'http1', scheme: 'http', host, path: largePath }, targets: { nginx: 1.5 }, extras: [] },
  { name: 'HTTP/2 over TLS', load: { kind: 'http2', host, path: smallPath }, targets: { envoy: 0.9 }, extras: [] },
  { name: 'gRPC unary', load: { kind: 'grpc', host: grpcHost, path: grpcPath }, targets: { envoy: 1.2 }, extras: [] },
  { name: 'WebSocket echo', load: { kind: 'websocket' }, targets: { nginx: 1.6 }, extras: [] },
]

/** One proxy in one scenario. */
export interface Cell {
  readonly proxy: string
  readonly cpuPerRequest: number
  readonly requestsPerSecond: number
  readonly busy: number
  readonly errors: number
  /** Those that count, in the same order for every proxy. */
  readonly rounds: readonly Burst[]
  /** How many were left out. */
  readonly disturbed: number
}

/**
 * Every proxy in every round, forwards and backwards in turn: a machine that slows down slows all of them. A round in
 * which some proxy served less than half of what it can was disturbed by other processes: a proxy that waits for its load
 * pays for a turn of its event loop with each request. It is run again, at most as many times as there are rounds.
 */
export async function measure(
  tools: Tools,
  contestants: readonly Contestant[],
  scenario: Scenario,
  rounds: number,
  seconds: number,
): Promise<Cell[]> {
  const runs = contestants.map((contestant) => ({ contestant, bursts: new Array<Burst>() }))
  for (const { contestant } of runs) await burst(tools, contestant, scenario.load, 2) // warm-up
  let counting: number[] = []
  for (let round = 0; counting.length < rounds && round < 2 * rounds; round += 1) {
    for (const { contestant, bursts } of round % 2 === 0 ? runs : runs.toReversed())
      bursts.push(await burst(tools, contestant, scenario.load, seconds))
    counting = undisturbed(runs.map(({ bursts }) => bursts))
  }
  return runs.map(({ contestant, bursts }) => {
    const kept = bursts.filter((_, round) => counting.includes(round))
    return { proxy: contestant.name, ...medians(kept), errors: errorsOf(bursts), rounds: kept, disturbed: bursts.length - kept.length }
  })
}

export function medians(bursts: readonly Burst[]): Pick<Cell, 'cpuPerRequest' | 'requestsPerSecond' | 'busy'> {
  return {
    cpuPerRequest: median(bursts.map((one) => one.cpuPerRequest)),
    requestsPerSecond: median(bursts.map((one) => one.requestsPerSecond)),
    busy: median(bursts.map((one) => one.busy)),
  }
}

export function errorsOf(bursts: readonly Burst[]): number {
  return bursts.reduce((sum, one) => sum + one.errors, 0)
}

/** Indices of the rounds in which every proxy served at least half of its best. */
export function undisturbed(bursts: readonly (readonly Burst[])[]): number[] {
  const rates = bursts.map((runs) => runs.map((run) => run.requestsPerSecond))
  const rounds = [...(rates[0] ?? []).keys()]
  return rounds.filter((round) => rates.every((runs) => (runs[round] ?? 0) >= Math.max(...runs) / 2))
}

/** Our cost divided by another proxy's: the median of the rounds' ratios. Undefined when one of them did not take part. */
export function ratio(cells: readonly Cell[], other: string): number | undefined {
  const mine = cells.find((cell) => cell.proxy === ours)
  const theirs = cells.find((cell) => cell.proxy === other)
  if (mine === undefined || theirs === undefined) return undefined
  return median(mine.rounds.map((run, round) => run.cpuPerRequest / (theirs.rounds[round]?.cpuPerRequest ?? Number.NaN)))
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
