/** The scene of a soak: gateway and backends as processes, and phases of load between two moments of rest. */
import { type ChildProcess, fork } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestAuthority } from '../harness/certificates.ts'
import { pause } from '../harness/eventually.ts'
import { changed, schedule } from '../load/change.ts'
import { quietPort } from '../load/quiet-port.ts'
import { Random } from '../load/random.ts'
import { Timeline } from '../load/timeline.ts'
import { firstWorld, securePort, sidePort, type Surroundings, webPort, type World } from '../load/world.ts'
import type { Ports } from './backends-process.ts'
import { type Crew, startCrew } from './crew.ts'
import { GatewayProcess } from './gateway-process.ts'
import { Mortality } from './mortality.ts'
import { isAtRest, type Sample } from './sample.ts'
import { manifestsOfSoak } from './scenery.ts'

const changeInterval = 1_000
const certificateCount = 8
/** For what rude clients left behind, drains and idle upstream connections. */
const longestRest = 60_000
/** Pools of closed connections and the like are given back a little after the last of them. */
const calm = 3_000

export interface Phase {
  readonly crew: Crew
  readonly changes: number
  readonly deaths: number
  /** In seconds since the beginning. */
  readonly samples: readonly (readonly [number, Sample])[]
}

export class Soak {
  readonly gateway: GatewayProcess
  readonly #backends: ChildProcess
  readonly #folder: string
  readonly #surroundings: Surroundings
  readonly #ca: string
  readonly #ports: { readonly web: number; readonly secure: number; readonly side: number }
  readonly #seed: number
  #marks = 0

  private constructor(parts: {
    gateway: GatewayProcess
    backends: ChildProcess
    folder: string
    surroundings: Surroundings
    ca: string
    ports: { web: number; secure: number; side: number }
    seed: number
  }) {
    this.gateway = parts.gateway
    this.#backends = parts.backends
    this.#folder = parts.folder
    this.#surroundings = parts.surroundings
    this.#ca = parts.ca
    this.#ports = parts.ports
    this.#seed = parts.seed
  }

  /** @param command the built command */
  static async start(command: string, seed: number): Promise<Soak> {
    const address = ownAddress()
    const folder = mkdtempSync(join(tmpdir(), 'gatewright-soak-'))
    const backends = fork(join(import.meta.dirname, 'backends-process.js'), [address])
    try {
      const [listed] = (await once(backends, 'message')) as [Ports]
      const authority = createTestAuthority()
      const certificates = Array.from({ length: certificateCount }, () => {
        const { config, key } = authority.issue('*.example.com', 'extra.example.net')
        return { chain: config.chain, key: key.reveal() }
      })
      const surroundings = { ports: new Map(listed), certificates, address }
      const ports = { web: await quietPort(), secure: await quietPort(), side: await quietPort() }
      const placed = new Map([
        [webPort, ports.web],
        [securePort, ports.secure],
        [sidePort, ports.side],
      ])
      const gateway = await GatewayProcess.start({ ports: placed, folder, command }, manifestsOfSoak(firstWorld, surroundings, '/mark-0'))
      return new Soak({ gateway, backends, folder, surroundings, ca: authority.certificate, ports, seed })
    } catch (error) {
      backends.disconnect()
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  }

  /** Load and changes for so many milliseconds. `sampled` is called every `interval` with what was seen. */
  async load(time: number, interval: number, sampled: (seconds: number, sample: Sample) => void): Promise<Phase> {
    const timeline = new Timeline(firstWorld)
    const mortality = new Mortality(this.#backends, new Random(this.#seed))
    const crew = await startCrew({
      ports: this.#ports,
      ca: this.#ca,
      certificates: this.#surroundings.certificates.map(({ chain }) => new X509Certificate(chain).fingerprint256),
      timeline,
      mortality,
      seed: this.#seed,
    })
    const samples: [number, Sample][] = []
    const began = performance.now()
    const stop = new AbortController()
    const changes = this.#change(timeline, stop.signal)
    try {
      for (let due = interval; due <= time; due += interval) {
        await Promise.race([pause(Math.max(0, began + due - performance.now())), changes])
        const seconds = Math.round((performance.now() - began) / 1_000)
        const sample = await this.gateway.sample(true)
        samples.push([seconds, sample])
        sampled(seconds, sample)
      }
    } finally {
      stop.abort()
      await crew.stop()
    }
    return { crew, changes: await changes, deaths: mortality.deaths, samples }
  }

  /** Nobody asks anything: what is seen then, once all is over or has had its time. */
  async rest(): Promise<Sample> {
    await this.#serve(firstWorld)
    const until = performance.now() + longestRest
    while (!isAtRest(await this.gateway.sample(false)) && performance.now() < until) await pause(250)
    await pause(calm)
    return this.gateway.sample(true)
  }

  /** The gateway's exit status. */
  async stop(): Promise<number | null> {
    const code = await this.gateway.stop()
    if (this.#backends.connected) this.#backends.disconnect()
    rmSync(this.#folder, { recursive: true, force: true })
    return code
  }

  /** One change a second; how many. */
  async #change(timeline: Timeline, stop: AbortSignal): Promise<number> {
    const random = new Random(this.#seed)
    let world = firstWorld
    let changes = 0
    for (;;) {
      for (const kind of schedule(1, random)) {
        const due = performance.now() + changeInterval
        world = changed(world, kind, random)
        world = { ...world, certificate: world.certificate % certificateCount }
        timeline.begin(world)
        await this.#serve(world)
        timeline.settle()
        changes += 1
        while (performance.now() < due && !stop.aborted) await pause(50)
        if (stop.aborted) return changes
      }
    }
  }

  #serve(world: World): Promise<void> {
    const mark = `/mark-${(this.#marks += 1)}`
    return this.gateway.serve(manifestsOfSoak(world, this.#surroundings, mark), `"${mark}"`)
  }
}

/** An EndpointSlice may not name a loopback address, so the backends need another one of this machine. */
function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  const found = addresses.find(({ family, address }) => family === 'IPv4' && !/^(127|169\.254)\./.test(address))
  if (found === undefined)
    throw new Error(
      'Cannot soak: the machine must have an IPv4 address beside those of loopback, on which its backends listen, got none. ' +
        'One on the loopback interface will do: ip addr add 192.0.2.1/32 dev lo',
    )
  return found.address
}
