/** Workers for tests: the main process's side in this process, real worker processes of the compiled program beside it. */
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { GatewayConfig } from '../../src/config/config.ts'
import type { KeyMaterial } from '../../src/config/key-material.ts'
import type { Placement } from '../../src/config/placement.ts'
import type { GatewayResult } from '../../src/delivery/in-process.ts'
import type { LogFields, Logger } from '../../src/telemetry/logger.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { Workers, type WorkersOptions } from '../../src/workers/workers.ts'
import { builtCommand } from './command-build.ts'
import { anyPort } from './data-plane.ts'

export interface TestWorkers {
  readonly workers: Workers
  readonly log: readonly { readonly message: string; readonly fields: LogFields }[]
  /** What was reported outside of `serve`. */
  readonly reports: readonly ReadonlyMap<string, GatewayResult>[]
  /** Applies the configuration of one Gateway. */
  serve(config: GatewayConfig, keys?: KeyMaterial, placement?: Placement): Promise<GatewayResult>
  /** Where a port of the specification listens now. */
  port(specified: number): number
  /** Process ids of the workers that were started last, by number. */
  pids(): ReadonlyMap<number, number>
  /** The value of a series as a scrape has it, undefined when there is none; `name{label="value"}`. */
  metric(series: string): Promise<number | undefined>
}

/** They end with the test. */
export function startWorkers(options: Partial<WorkersOptions> = {}): TestWorkers {
  const log: { message: string; fields: LogFields }[] = []
  const reports: ReadonlyMap<string, GatewayResult>[] = []
  const note = (message: string, fields: LogFields = {}): void => void log.push({ message, fields })
  const logger: Logger = { debug: note, info: note, warn: note, error: note }
  const workers = new Workers({
    count: 2,
    entry: join(dirname(builtCommand()), 'worker.js'),
    logger,
    random: Math.random,
    onReport: (report) => reports.push(report),
    ...options,
    plane: { ...options.plane, bounds: { drainTime: 100, ...options.plane?.bounds } },
  })
  onTestFinished(() => workers.drain())
  let last: GatewayResult | undefined
  return {
    workers,
    log,
    reports,
    async serve(config, keys = new Map(), placement = anyPort) {
      last = (await workers.apply([config], keys, placement)).get(config.gateway)
      if (last === undefined) throw new Error(`the result does not name ${config.gateway}`)
      return last
    },
    port(specified) {
      const open = last?.ports.find(({ port }) => port === specified)
      if (open === undefined) throw new Error(`port ${specified} is not open: ${JSON.stringify(last)}`)
      return open.listenPort
    },
    pids: () =>
      new Map(
        log
          .filter(({ message }) => message === 'a worker has been started')
          .map(({ fields }) => [Number(fields['worker']), Number(fields['pid'])]),
      ),
    async metric(series) {
      const text = await createMetrics(await workers.metrics([])).text()
      const line = text.split('\n').find((one) => one.startsWith(`${series} `))
      return line === undefined ? undefined : Number(line.slice(series.length + 1))
    },
  }
}

/** Whether a process is there and no zombie is left of it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
