/**
 * workers: one proxy in many processes, for as many cores.
 *
 * The main process has everything that there is once: where configurations come from, the sockets that listen, the admin
 * port, signals. Each worker has a data plane, as if it were alone, which gets its connections from the main process. To
 * delivery `Workers` is one data plane: a configuration is served when all workers serve it, numbers are those of all.
 * A worker that ends is replaced; the others do not notice. Workers end with the main process, however that ends.
 * This folder knows data planes and how configurations travel, nothing of where they come from.
 */
import { randomBytes } from 'node:crypto'
import { type Bounds, defaultBounds } from '../config/bounds.ts'
import type { GatewayConfig } from '../config/config.ts'
import type { KeyMaterial } from '../config/key-material.ts'
import type { Placement } from '../config/placement.ts'
import { resourcesOf } from '../delivery/gateway-resources.ts'
import type { DeliveryTarget, GatewayResult } from '../delivery/in-process.ts'
import { type Backoff, pauseAfter } from '../lib/backoff.ts'
import { Secret } from '../lib/secret.ts'
import type { PoolState } from '../proxy/upstream/pool-state.ts'
import type { LogStream } from '../telemetry/access-log.ts'
import type { Logger } from '../telemetry/logger.ts'
import { collect, type CollectedFamily, counted, familiesOf, merge } from '../telemetry/many-processes.ts'
import type { MetricFamily } from '../telemetry/metrics.ts'
import { Acceptor } from './acceptor.ts'
import type { Delivered } from './config-message.ts'
import { dividedBounds } from './divided-bounds.ts'
import { mergePools } from './merge-pools.ts'
import { mergeResults } from './merge-results.ts'
import { type PlaneOptions, settingsOf, type WorkerSettings } from './settings.ts'
import { workerMetrics, type WorkersState } from './worker-metrics.ts'
import { Worker } from './worker.ts'
import { WorkerPart } from './worker-part.ts'

export interface WorkersOptions {
  /** How many, 2 or more. */
  readonly count: number
  /** The file that a worker runs, which calls `serveAsWorker`. */
  readonly entry: string
  /** As for one data plane: bounds are divided among workers. */
  readonly plane: PlaneOptions
  readonly accessLog?: { readonly format: 'text' | 'json'; readonly stream: LogStream }
  readonly logger: Logger
  /** Milliseconds between looks whether a worker is stuck; absent: 5 s. One that does not answer seven times is ended, and replaced. */
  readonly pingTime?: number
  /** From 0 up to 1. */
  readonly random: () => number
  /** A port that could not be opened has been, or a worker has taken the place of another. */
  readonly onReport: (results: ReadonlyMap<string, GatewayResult>) => void
}

/** What all workers are to serve. */
interface Wanted {
  readonly configs: readonly GatewayConfig[]
  readonly keys: KeyMaterial
  readonly placement: Placement
}

/** Of a worker that ended by itself; one that served for `steadyTime` before starts a new count. */
const restarts: Backoff = { first: 100, longest: 10_000 }
const steadyTime = 30_000
const defaultPingTime = 5_000
/** Milliseconds beyond the drain that a worker may take to end. */
const exitTime = 2_000

export class Workers implements DeliveryTarget {
  readonly bounds: Bounds
  readonly #options: WorkersOptions
  readonly #settings: WorkerSettings
  readonly #acceptor = new Acceptor()
  readonly #places: WorkerPlace[]
  readonly #state: WorkersState
  #wanted: Wanted | undefined
  /** What workers that have ended had counted. */
  #past: readonly CollectedFamily[] = []
  #ends = 0
  #draining = false
  /** Workers whose lines wait for the access log's stream. */
  #blocked: (() => void)[] | undefined
  readonly #waiting: (() => void)[] = []

  constructor(options: WorkersOptions) {
    const { count, plane, accessLog } = options
    this.#options = options
    this.bounds = { ...defaultBounds, ...plane.bounds }
    const secrets = {
      sessionKeys: plane.sessionKeys?.length ? plane.sessionKeys : [randomSecret()],
      ticketSecret: plane.ticketSecret ?? randomSecret(),
    }
    this.#settings = settingsOf({ ...plane, ...secrets, bounds: dividedBounds(this.bounds, count) }, accessLog?.format ?? 'off')
    this.#places = Array.from({ length: count }, (_, index) => new WorkerPlace(index, count))
    this.#state = {
      serving: () => this.serving,
      ends: () => this.#ends,
      refused: () => this.#acceptor.refused,
      connections: () => this.#running().map(({ number, load }) => ({ worker: number, open: load })),
    }
  }

  /** Workers that serve what they are to serve. */
  get serving(): number {
    return this.#running().filter(({ results }) => results !== undefined).length
  }

  /**
   * Starts the workers when it is called first. Resolves when every worker serves this; one that ends meanwhile does not
   * hold it up, as long as another one serves, because the one in its place serves nothing else. Call it again only after that.
   */
  async apply(configs: readonly GatewayConfig[], keys: KeyMaterial, placement: Placement): Promise<ReadonlyMap<string, GatewayResult>> {
    if (this.#draining) throw new Error('Cannot apply a configuration: the workers must be running, got some that have drained')
    if (this.#wanted === undefined) for (const place of this.#places) this.#start(place)
    this.#wanted = { configs, keys, placement }
    const outcomes = await Promise.allSettled(this.#places.map((place) => this.#bring(place)))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    while (this.serving === 0 && !this.#draining) await this.#changed()
    return this.#results()
  }

  /** Accepts no more, lets what is under way end for up to `drainTime`, then ends it. */
  async drain(): Promise<void> {
    this.#draining = true
    this.#acceptor.close()
    const milliseconds = this.bounds.drainTime
    const running = this.#running()
    for (const place of this.#places) clearTimeout(place.restart)
    for (const worker of running) worker.send({ kind: 'drain', milliseconds })
    const timer = setTimeout(() => {
      for (const worker of running) worker.kill()
    }, milliseconds + exitTime)
    while (this.#running().length > 0) await this.#changed()
    clearTimeout(timer)
  }

  /** The families of all workers and of workers that have ended, with those of this process. @param own of this process */
  async metrics(own: readonly MetricFamily[]): Promise<MetricFamily[]> {
    const running = this.#running()
    await Promise.all(
      running.map(async (worker) => {
        worker.metrics = (await worker.ask('metrics')) ?? worker.metrics
      }),
    )
    const workers = this.#running().map(({ metrics }) => metrics)
    return familiesOf(merge([collect([...own, ...workerMetrics(this.#state)]), ...workers, this.#past]))
  }

  async pools(): Promise<PoolState[]> {
    const pools = await Promise.all(this.#running().map((worker) => worker.ask('pools')))
    return mergePools(pools.map((own) => own ?? []))
  }

  #running(): readonly Worker[] {
    return this.#places.flatMap(({ worker }) => (worker === undefined || worker.isGone ? [] : [worker]))
  }

  #start(place: WorkerPlace): void {
    const { entry, pingTime = defaultPingTime, logger, accessLog } = this.#options
    place.startedAt = performance.now()
    place.worker = new Worker(place.index + 1, { entry, pingTime }, this.#settings, {
      listen: (worker, wish) => void this.#acceptor.listen(worker, wish),
      close: (worker, id) => this.#acceptor.leave(worker, id),
      reported: () => this.#report(),
      log: ({ number }, { level, message, fields }) => logger[level](message, { ...fields, worker: number }),
      lines: (text, taken) => this.#write(accessLog?.stream, text, taken),
      ended: (worker, how) => this.#ended(place, worker, how),
    })
    logger.debug('a worker has been started', { worker: place.worker.number, pid: place.worker.pid })
    if (this.#wanted !== undefined) void this.#rejoin(place)
  }

  /** A worker that has taken the place of another serves what the others do. */
  async #rejoin(place: WorkerPlace): Promise<void> {
    const { logger } = this.#options
    const { worker } = place
    if (worker === undefined) return
    try {
      await this.#bring(place)
    } catch (error) {
      logger.error('a worker could not apply the configuration', { worker: worker.number, reason: (error as Error).message })
      worker.kill()
      return
    }
    if (worker.results === undefined) return
    logger.info('a worker has taken the place of one that ended', { worker: worker.number, pid: worker.pid })
    this.#tell()
    this.#report()
  }

  async #bring(place: WorkerPlace): Promise<void> {
    const wanted = this.#wanted
    if (wanted === undefined) return
    if (place.worker?.isGone === true) place.lastResults = undefined
    await place.worker?.serve(place.partOf(wanted), wanted.placement)
  }

  #report(): void {
    if (this.serving > 0) this.#options.onReport(this.#results())
  }

  #results(): ReadonlyMap<string, GatewayResult> {
    return mergeResults(this.#places.map(({ results }) => results ?? []))
  }

  #ended(place: WorkerPlace, worker: Worker, how: string): void {
    const { logger, random } = this.#options
    this.#past = merge([this.#past, counted(worker.metrics)])
    place.lastResults = worker.results ?? place.lastResults
    this.#acceptor.gone(worker, worker.undelivered())
    if (!this.#draining) {
      this.#ends += 1
      place.failures = performance.now() - place.startedAt > steadyTime ? 1 : place.failures + 1
      const pause = Math.round(pauseAfter(place.failures, restarts, random))
      logger.error('a worker has ended; its connections are lost, another one takes its place', {
        worker: worker.number,
        pid: worker.pid,
        reason: how,
        pause,
      })
      place.restart = setTimeout(() => this.#start(place), pause)
    }
    this.#tell()
  }

  /** Lines wait for a stream that does not take them, and the workers hold back what comes after. */
  #write(stream: LogStream | undefined, text: string, taken: () => void): void {
    if (stream?.write(text) !== false) {
      taken()
      return
    }
    if (this.#blocked !== undefined) {
      this.#blocked.push(taken)
      return
    }
    this.#blocked = [taken]
    stream.once('drain', () => {
      const waiting = this.#blocked ?? []
      this.#blocked = undefined
      for (const one of waiting) one()
    })
  }

  /** Resolves when a worker has ended or begun to serve. */
  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** One of the count of workers, whichever process fills it now. */
class WorkerPlace {
  readonly index: number
  worker: Worker | undefined
  startedAt = 0
  /** Ends in a row. */
  failures = 0
  restart: NodeJS.Timeout | undefined
  /** Of the worker before, until the present one has some. */
  lastResults: Worker['results']
  readonly #part: WorkerPart

  constructor(index: number, count: number) {
    this.index = index
    this.#part = new WorkerPart(index, count)
  }

  get results(): Worker['results'] {
    return this.worker?.results ?? this.lastResults
  }

  partOf({ configs, keys }: Wanted): Delivered {
    return new Map(configs.map((config) => [config.gateway, resourcesOf(this.#part.of(config), keys)]))
  }
}

function randomSecret(): Secret {
  return new Secret(randomBytes(32).toString('base64url'))
}
