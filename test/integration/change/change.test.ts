import { X509Certificate } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestAuthority } from '../../harness/certificates.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { type Backends, startBackends } from '../../load/backends.ts'
import { changed, type ChangeKind, changeKinds, schedule } from '../../load/change.ts'
import { longestWait } from '../../load/exchange.ts'
import { type RunningLoad, startLoad } from '../../load/load.ts'
import { Pipeline } from './pipeline.ts'
import { quietPort } from '../../load/quiet-port.ts'
import { Random } from '../../load/random.ts'
import { Timeline } from '../../load/timeline.ts'
import { firstWorld, manifestsOf, securePort, services, sidePort, speechOf, webPort, type World } from '../../load/world.ts'

/** In each one every kind of change comes once. */
const rounds = 20
/** One in so many changes comes together with the next one, as when a source tells of both at once. */
const pairing = 8
/** How long the changes take in all. */
const seconds = Number(process.env['CHANGE_TEST_SECONDS'] ?? 12)
/** Of the order of changes and of the mixture of requests. */
const seed = Number(process.env['CHANGE_TEST_SEED'] ?? 1)
/** As long as clients wait: no request of a listener that goes is cut for being slow. */
const drainTime = longestWait
/** Less than the time that idle upstream connections are kept, so that none ends for that reason. */
const patience = 3_000
/**
 * MiB. Compiled code takes some 12, what the clients keep of sessions that were turned away about as much; a leak of
 * bodies would be hundreds. Smaller ones show in the soak.
 */
const heapGrowth = 48

interface Changes {
  readonly counts: ReadonlyMap<ChangeKind, number>
  /** How often the data plane was given something new. */
  readonly passes: number
}

describe('changes of manifests under load', () => {
  const authority = createTestAuthority()
  const issued = Array.from({ length: rounds + 1 }, () => authority.issue('*.example.com', 'extra.example.net'))
  const certificates = issued.map(({ config, key }) => ({ chain: config.chain, key: key.reveal() }))
  const ports = { web: 0, secure: 0, side: 0 }
  let backends: Backends
  let pipeline: Pipeline
  let resourcesBefore = 0

  beforeAll(async () => {
    resourcesBefore = openResources()
    backends = await startBackends(new Map(Object.values(services).flatMap((names) => names.map((name) => [name, speechOf(name)]))))
    Object.assign(ports, { web: await quietPort(), secure: await quietPort(), side: await quietPort() })
    const placed = new Map([
      [webPort, ports.web],
      [securePort, ports.secure],
      [sidePort, ports.side],
    ])
    pipeline = new Pipeline((_gateway, port) => ({ address: '127.0.0.1', port: placed.get(port) ?? 0 }), drainTime)
  })
  afterAll(async () => {
    await pipeline.dataPlane.drain(100)
    await backends.stop()
    await eventually(() => openResources() <= resourcesBefore, 'the end of every socket and timer', patience)
  })

  async function serve(world: World): Promise<void> {
    const report = await pipeline.serve(manifestsOf(world, { ports: backends.ports, certificates }))
    expect([...report.failedPorts, ...report.failedListeners]).toEqual([])
    const side = world.listeners.includes('side') ? [sidePort] : []
    expect(report.ports.map(({ port }) => port).toSorted((a, b) => a - b)).toEqual([webPort, securePort, ...side])
  }

  /** Goes through the schedule, evenly over the time of the test. */
  async function change(timeline: Timeline): Promise<Changes> {
    const random = new Random(seed)
    const kinds = schedule(rounds, random)
    const interval = (seconds * 1_000) / kinds.length
    let world = firstWorld
    let due = performance.now()
    const counts = new Map<ChangeKind, number>()
    let passes = 0
    for (const [index, kind] of kinds.entries()) {
      due += interval
      world = changed(world, kind, random)
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
      if (random.below(pairing) === 0 && index < kinds.length - 1) continue
      await pause(Math.max(0, due - performance.now()))
      timeline.begin(world)
      await serve(world)
      timeline.settle()
      passes += 1
    }
    await pause(interval)
    return { counts, passes }
  }

  function say({ counts, passes }: Changes, { tally, tunnels, streams }: RunningLoad): void {
    const kinds = [...counts].map(([kind, count]) => `${kind} ${count}`).join(', ')
    process.stdout.write(
      `${sum(counts.values())} changes in ${seconds} s and ${passes} passes: ${kinds}\n` +
        `${tally.requests} requests, ${Math.round(tally.bytes / 2 ** 20)} MiB of bodies, the slowest answer after ${Math.round(tally.longest)} ms\n` +
        `${tally.messages} messages over ${tunnels} WebSockets, ${tally.streamed} over ${streams} gRPC streams, ${tally.handshakes} handshakes, ` +
        `${tally.turnedAway} connections turned away by a listener that was gone\n`,
    )
  }

  it('lose no request, give no wrong answer and break no WebSocket and no gRPC stream', { timeout: (seconds + 60) * 1_000 }, async () => {
    await serve(firstWorld)
    const heapBefore = heapUsed()
    const timeline = new Timeline(firstWorld)
    const fingerprints = certificates.map(({ chain }) => new X509Certificate(chain).fingerprint256)
    const { reached } = backends
    const load = await startLoad({ ports, ca: authority.certificate, certificates: fingerprints, timeline, reached, seed })
    let changes: Changes = { counts: new Map(), passes: 0 }
    try {
      await load.begun()
      changes = await change(timeline)
    } finally {
      await load.stop()
    }
    say(changes, load)

    const { tally, staying } = load
    expect(tally.failures.slice(0, 20)).toEqual([])
    const { counts, passes } = changes
    for (const kind of changeKinds) expect(counts.get(kind), kind).toBeGreaterThanOrEqual(20)
    expect(passes).toBeGreaterThanOrEqual(300)
    // A connection whose listener stays is never closed.
    expect(staying.map((name) => [name, tally.connections.get(name)?.size])).toEqual(staying.map((name) => [name, 1]))
    // It was a load, on a busy machine too: on an idle one there are seventy requests and thirty messages for each pass.
    expect(Math.min(tally.requests, tally.messages, tally.streamed)).toBeGreaterThan(passes)

    await leftNothing()
    expect(heapUsed() - heapBefore).toBeLessThan(heapGrowth * 2 ** 20)
  })

  /** What the load and the changes took is given back while the gateway goes on. */
  async function leftNothing(): Promise<void> {
    const { dataPlane } = pipeline
    const { counters, pools } = dataPlane.runtime
    const endpoints = () => [...pools.all()].flatMap((pool) => [...pool.endpoints])
    const upstream = (): number => sum(endpoints().map(({ connections }) => connections))
    await eventually(() => counters.connections === 0 && counters.tunnels === 0, 'the end of every connection', patience)
    await eventually(() => endpoints().every(({ active }) => active === 0), 'the end of every exchange', patience)
    await eventually(() => dataPlane.ports.every(({ draining }) => !draining), 'the end of every drain', drainTime + patience)
    expect(dataPlane.ports.map(({ open }) => open)).toEqual(dataPlane.ports.map(() => 0))
    await serve(firstWorld)
    await eventually(() => backends.connections() === upstream(), 'the end of connections to endpoints that are gone', patience)
    const served = (): number => {
      collectGarbage()
      return pipeline.configs.filter((config) => config.deref() !== undefined).length
    }
    await eventually(() => served() <= 1, 'the release of every configuration but the last', drainTime + patience)
  }
})

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, number) => total + number, 0)
}

function heapUsed(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}

function openResources(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP') || kind === 'Timeout').length
}
