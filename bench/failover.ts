/**
 * `npm run bench:failover`: what clients notice of an endpoint that fails.
 *
 * 256 path prefixes over one Service of four endpoints, one of which is unwell for 22 s and well for 22 s, five times; a
 * request every 5 ms. Six gateways side by side: without `retry`, with `attempts: 0`, and with retries; each over
 * endpoints that refuse connections and over endpoints that accept and reset them. Prints failed requests beside their
 * targets, with median and p99 of the duration, and ends with 1 when a target was missed.
 * Options: --seconds N (22, of each phase), --cycles N (5).
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get } from 'node:http'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { GatewayConfig } from '../src/config/config.ts'
import type { RetryConfig } from '../src/config/route.ts'
import { DataPlane } from '../src/proxy/data-plane.ts'
import { silentLogger } from '../src/telemetry/logger.ts'
import { addresses, type Ailment, ailments, type Order, portOf } from './failover-backends.ts'

const prefixes = 256
const interval = 5

interface Case {
  readonly ailment: Ailment
  readonly name: string
  readonly retry: RetryConfig | undefined
  /** Failed requests, over five cycles. */
  readonly target: number
}

const retries: readonly Omit<Case, 'ailment'>[] = [
  { name: 'no retry stanza', retry: undefined, target: 10 },
  { name: 'attempts: 0', retry: { codes: [], attempts: 0 }, target: 10 },
  { name: 'retries', retry: { codes: [502, 503, 504], attempts: 1 }, target: 0 },
]

class Run {
  readonly case: Case
  readonly #dataPlane = new DataPlane({ logger: silentLogger })
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  readonly #durations: number[] = []
  readonly #failures = new Map<string, number>()
  #port = 0
  #sent = 0
  #open = 0

  constructor(one: Case) {
    this.case = one
  }

  async start(): Promise<void> {
    const placement = (): { address: string; port: number } => ({ address: '127.0.0.1', port: 0 })
    const config = configOf(this.case)
    const report = (await this.#dataPlane.apply([config], new Map(), placement)).get(config.gateway)
    this.#port = report?.ports[0]?.listenPort ?? 0
    if (this.#port === 0) throw new Error(`Cannot start: the gateway's port must open, got ${JSON.stringify(report)}`)
  }

  send(): void {
    const path = `/p${this.#sent++ % prefixes}/`
    const began = performance.now()
    this.#open += 1
    const ended = (outcome: string): void => {
      this.#open -= 1
      this.#durations.push(performance.now() - began)
      if (outcome !== '200') this.#failures.set(outcome, (this.#failures.get(outcome) ?? 0) + 1)
    }
    const request = get({ host: '127.0.0.1', port: this.#port, path, agent: this.#agent }, (response) => {
      response.resume()
      response.once('close', () => ended(response.complete ? String(response.statusCode) : 'broken'))
    })
    request.once('error', (error: NodeJS.ErrnoException) => ended(error.code ?? error.message))
  }

  /** What came so far warmed up. */
  begin(): void {
    this.#durations.length = 0
  }

  async stop(): Promise<void> {
    for (let waited = 0; this.#open > 0 && waited < 5_000; waited += 10) await delay(10)
    if (this.#open > 0) this.#failures.set('unanswered', this.#open)
    this.#agent.destroy()
    await this.#dataPlane.drain(0)
  }

  get failed(): number {
    return [...this.#failures.values()].reduce((sum, count) => sum + count, 0)
  }

  get missed(): boolean {
    return this.failed > this.case.target
  }

  get cells(): readonly string[] {
    const sorted = Float64Array.from(this.#durations).sort()
    const quantile = (share: number): string => `${(sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(2)} ms`
    const failures = [...this.#failures].map(([outcome, count]) => `${count} x ${outcome}`).join(', ')
    const { ailment, name, target } = this.case
    const verdict = this.missed ? 'MISSED' : 'met'
    return [ailment, name, String(this.#sent), String(this.failed), `<= ${target}`, verdict, quantile(0.5), quantile(0.99), failures]
  }
}

function configOf({ ailment, name, retry }: Case): GatewayConfig {
  const gateway = `bench/${ailment} ${name}`
  const listener = `Gateway/${gateway}/http`
  const pool = 'Service/bench/web:80'
  return {
    gateway,
    listeners: [{ key: listener, name: 'http', port: 80, protocol: 'HTTP', hostname: '' }],
    routes: Array.from({ length: prefixes }, (_, i) => ({
      kind: 'http' as const,
      key: `HTTPRoute/bench/p${i}`,
      attachments: [{ listener, hostnames: [''] }],
      rules: [
        {
          key: `HTTPRoute/bench/p${i}#0`,
          index: 0,
          matches: [{ path: { kind: 'prefix' as const, value: `/p${i}` }, headers: [], query: [] }],
          filters: [],
          backends: [{ kind: 'pool' as const, pool, weight: 1, filters: [] }],
          timeouts: {},
          ...(retry !== undefined && { retry }),
        },
      ],
    })),
    streams: [],
    pools: [
      {
        key: pool,
        backend: { kind: 'Service', namespace: 'bench', name: 'web', port: 80 },
        protocol: 'http',
        endpoints: addresses.map((address) => ({ address, port: portOf[ailment], state: 'ready' })),
      },
    ],
    certificates: [],
  }
}

/** Sends on every gateway at each interval, those that are late at once. */
async function load(runs: readonly Run[], seconds: number): Promise<void> {
  const began = performance.now()
  for (let sent = 0; sent * interval < seconds * 1000;) {
    for (; sent * interval <= performance.now() - began; sent++) for (const run of runs) run.send()
    await delay(1)
  }
}

function print(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  for (const row of rows)
    process.stdout.write(
      `${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    )
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '22' }, cycles: { type: 'string', default: '5' } } })
  const [seconds, cycles] = [Number(values.seconds), Number(values.cycles)]
  const backends = fork(join(import.meta.dirname, 'failover-backends.js'), { stdio: 'inherit' })
  try {
    await once(backends, 'message')
    const runs = ailments.flatMap((ailment) => retries.map((one) => new Run({ ailment, ...one })))
    for (const run of runs) await run.start()
    await load(runs, 2)
    for (const run of runs) run.begin()
    const delays = monitorEventLoopDelay({ resolution: 5 })
    delays.enable()
    for (let cycle = 1; cycle <= cycles; cycle++) {
      for (const well of [false, true]) {
        backends.send({ well } satisfies Order)
        await load(runs, seconds)
        const counts = runs.map((run) => run.failed).join(' ')
        process.stdout.write(
          `cycle ${cycle} of ${cycles}, endpoint ${well ? 'well' : 'unwell'} for ${seconds} s; failed so far: ${counts}\n`,
        )
      }
    }
    for (const run of runs) await run.stop()
    print([['endpoint', 'rule', 'requests', 'failed', 'target', '', 'median', 'p99', 'failures'], ...runs.map((run) => run.cells)])
    process.stdout.write(
      `This process stood still for ${(delays.max / 1e6).toFixed(0)} ms at most: durations up to that may be the machine's.\n`,
    )
    return runs.some((run) => run.missed) ? 1 : 0
  } finally {
    backends.disconnect()
  }
}

process.exitCode = await main()
