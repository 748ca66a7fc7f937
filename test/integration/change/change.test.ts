import { X509Certificate } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestAuthority } from '../../harness/certificates.ts'
import { eventually, pause } from '../../harness/eventually.ts'
import { type Backends, startBackends } from './backends.ts'
import { changed, changeKinds, schedule } from './change.ts'
import { type ClientOptions, type Load, runClient, type Tally } from './clients.ts'
import { runHandshakes } from './handshakes.ts'
import { Pipeline } from './pipeline.ts'
import { quietPort } from './quiet-port.ts'
import { Random } from './random.ts'
import { Timeline } from './timeline.ts'
import { runTunnel, Tunnel } from './tunnels.ts'
import { firstWorld, manifestsOf, securePort, services, sidePort, type Surroundings, webPort, type World } from './world.ts'

const rounds = 20
const plainClients = 44
const tlsClients = 20
const passingClients = 4
const plainTunnels = 60
const tlsTunnels = 40
/** How long the changes take in all. */
const seconds = Number(process.env['CHANGE_TEST_SECONDS'] ?? 12)
/** Of the order of changes and of the mixture of requests. */
const seed = Number(process.env['CHANGE_TEST_SEED'] ?? 1)
const drainTime = 2_000

describe('changes of manifests under load', () => {
  const authority = createTestAuthority()
  const issued = Array.from({ length: rounds + 1 }, () => authority.issue('*.example.com', 'extra.example.net'))
  const serials = issued.map(({ config }) => new X509Certificate(config.chain).fingerprint256)
  const placed = new Map<number, number>()
  const before = { resources: 0 }
  let backends: Backends
  let surroundings: Surroundings
  let pipeline: Pipeline

  beforeAll(async () => {
    before.resources = openResources()
    backends = await startBackends(Object.values(services).flat())
    const certificates = issued.map(({ config, key }) => ({ chain: config.chain, key: key.reveal() }))
    surroundings = { ports: backends.ports, certificates }
    for (const port of [webPort, securePort, sidePort]) placed.set(port, await quietPort())
    pipeline = new Pipeline((_gateway, port) => ({ address: '127.0.0.1', port: placedAt(port) }), drainTime)
  })
  afterAll(async () => {
    await pipeline.dataPlane.drain(100)
    await backends.stop()
    await eventually(() => openResources() <= before.resources, 'the end of every socket and timer')
  })

  function placedAt(port: number): number {
    return placed.get(port) ?? 0
  }

  async function serve(world: World): Promise<void> {
    const { ports, failedPorts, failedListeners } = await pipeline.serve(manifestsOf(world, surroundings))
    expect({ failedPorts, failedListeners }).toEqual({ failedPorts: [], failedListeners: [] })
    const side = world.listeners.includes('side') ? [sidePort] : []
    expect(ports.map(({ port }) => port).toSorted((a, b) => a - b)).toEqual([webPort, securePort, ...side])
  }

  /** Applies every change of the schedule, evenly over the time of the test. */
  async function change(timeline: Timeline, random: Random): Promise<Map<string, number>> {
    const counts = new Map<string, number>()
    const kinds = schedule(rounds, random)
    const interval = (seconds * 1_000) / kinds.length
    let world = firstWorld
    let due = performance.now()
    for (const kind of kinds) {
      due += interval
      await pause(Math.max(0, due - performance.now()))
      world = changed(world, kind, random)
      timeline.begin(world)
      await serve(world)
      timeline.settle()
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
    }
    await pause(interval)
    return counts
  }

  it(
    'lose no request, give no wrong answer, break no WebSocket and leave nothing behind',
    { timeout: (seconds + 60) * 1_000 },
    async () => {
      await serve(firstWorld)
      const heapBefore = heapUsed()
      const { dataPlane } = pipeline
      const tally: Tally = { requests: 0, bytes: 0, longest: 0, messages: 0, handshakes: 0, turnedAway: 0, failures: [] }
      const stopping = new AbortController()
      const timeline = new Timeline(firstWorld)
      const load: Load = { timeline, tally, stop: stopping.signal }

      const web = { port: placedAt(webPort) }
      const secure = { port: placedAt(securePort) }
      const tls = { ca: authority.certificate, servername: 'shop.example.com' }
      const tls12 = { ...tls, maxVersion: 'TLSv1.2' } as const
      const tunnels = await Promise.all([
        ...Array.from({ length: plainTunnels }, () => Tunnel.open(web.port, undefined)),
        ...Array.from({ length: tlsTunnels }, () => Tunnel.open(secure.port, tls)),
      ])
      let seeds = seed
      const random = (): Random => new Random((seeds += 1))
      const client = (name: string, options: Omit<ClientOptions, 'random'>): Promise<number> =>
        runClient(name, { ...options, random: random() }, load)
      const staying = [
        ...Array.from({ length: plainClients }, (_, n) => client(`plain-${n}`, web)),
        ...Array.from({ length: tlsClients }, (_, n) => client(`tls-${n}`, { ...secure, tls: n % 2 === 0 ? tls : tls12 })),
      ]
      const passing = Array.from({ length: passingClients }, (_, n) => [
        client(`side-${n}`, { port: placedAt(sidePort), host: 'shop.example.com', listener: 'side' }),
        client(`extra-${n}`, { ...secure, tls: { ...tls, servername: 'extra.example.net' }, host: 'extra.example.net', listener: 'extra' }),
      ]).flat()
      const others = [
        runHandshakes(secure.port, tls, serials, load),
        ...tunnels.map((tunnel, n) => runTunnel(`tunnel-${n}`, tunnel, random(), load)),
      ]

      let counts: Map<string, number>
      try {
        counts = await change(timeline, random())
      } finally {
        stopping.abort()
        await Promise.all([...passing, ...others])
      }
      const connections = await Promise.all(staying)

      const changes = [...counts.values()].reduce((sum, count) => sum + count, 0)
      process.stdout.write(
        `${changes} changes in ${seconds} s (${[...counts].map(([kind, count]) => `${kind} ${count}`).join(', ')}) under ` +
          `${tally.requests} requests (${Math.round(tally.bytes / 2 ** 20)} MiB, slowest ${Math.round(tally.longest)} ms), ` +
          `${tally.messages} messages over ${tunnels.length} WebSockets, ${tally.handshakes} handshakes, ` +
          `${tally.turnedAway} turned away by a listener that was gone\n`,
      )
      expect(tally.failures.slice(0, 20)).toEqual([])
      for (const kind of changeKinds) expect(counts.get(kind), kind).toBeGreaterThanOrEqual(20)
      expect(changes).toBeGreaterThanOrEqual(300)
      // A connection whose listener stays is never closed.
      expect(connections).toEqual(connections.map(() => 1))
      // The load was one: every client was heard between any two changes or so.
      expect(tally.requests).toBeGreaterThan(changes * 10)
      expect(tally.messages).toBeGreaterThan(changes * 5)

      const { counters, pools } = dataPlane.runtime
      const upstream = (): number[] => [...pools.all()].flatMap(({ endpoints }) => [...endpoints].map(({ active }) => active))
      await eventually(() => counters.connections === 0 && counters.tunnels === 0, 'the end of every connection')
      await eventually(() => upstream().every((active) => active === 0), 'the end of every upstream exchange')
      await eventually(() => dataPlane.ports.every(({ draining }) => !draining), 'the end of every drain', drainTime + 1_000)
      expect(dataPlane.ports.map(({ open }) => open)).toEqual(dataPlane.ports.map(() => 0))

      await serve(firstWorld)
      await eventually(() => servedConfigs() <= 1, 'the release of configurations that are served no more', drainTime + 2_000)
      const grown = (heapUsed() - heapBefore) / 2 ** 20
      process.stdout.write(`the heap has grown by ${grown.toFixed(1)} MiB\n`)
      expect(grown).toBeLessThan(16)

      await dataPlane.drain(100)
      await backends.stop()
      await eventually(() => openResources() <= before.resources, 'the end of every socket and timer')
    },
  )

  function servedConfigs(): number {
    collectGarbage()
    return new Set(pipeline.configs.map((config) => config.deref()).filter((config) => config !== undefined)).size
  }
})

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
