/** What `run` and `proxy` serve with: a data plane in this process, or workers with one each. */
import { fileURLToPath } from 'node:url'
import type { GatewayConfig } from '../config/config.ts'
import type { DeliveryTarget } from '../delivery/in-process.ts'
import { type ApplyReport, DataPlane } from '../proxy/data-plane.ts'
import { dataPlaneMetrics } from '../proxy/metrics.ts'
import { compile } from '../routing/compile.ts'
import type { Router } from '../routing/router.ts'
import { openLogFile } from '../telemetry/log-file.ts'
import type { Logger } from '../telemetry/logger.ts'
import { createMetrics, type MetricFamily, type Metrics } from '../telemetry/metrics.ts'
import type { PlaneOptions } from '../workers/settings.ts'
import { type AccessLogFormat, openAccessLog } from './open-access-log.ts'

export interface ServingPlane extends DeliveryTarget {
  /** Milliseconds. */
  readonly drainTime: number
  drain(): Promise<void>
  /** Its numbers with the caller's own. */
  metrics(own: readonly MetricFamily[]): Metrics
  /** The state of its pools, as plain data. */
  pools(): unknown
  /** What keeps it from serving, in words; empty: nothing. */
  unready(): readonly string[]
  /** What serves a Gateway's configuration, or one that decides the same. */
  routerOf(gateway: string): Router | undefined
  /** After the drain. */
  closeAccessLog(): Promise<void>
}

export interface ServingPlaneOptions {
  /** 1: no process but this one. */
  readonly workers: number
  readonly plane: PlaneOptions
  readonly accessLog: AccessLogFormat
  readonly logger: Logger
  /** A port that could not be opened has been, later than in `apply`; or a worker was replaced. */
  readonly onReport: (report: ApplyReport) => void
}

export function openServingPlane(options: ServingPlaneOptions): Promise<ServingPlane> {
  return options.workers === 1 ? Promise.resolve(inThisProcess(options)) : inWorkers(options)
}

function inThisProcess({ plane: planeOptions, accessLog: format, logger, onReport }: ServingPlaneOptions): ServingPlane {
  const accessLog = openAccessLog(format, logger)
  const plane = new DataPlane({
    ...planeOptions,
    logger,
    ...(accessLog !== undefined && { accessLog: accessLog.record }),
    onReport,
  })
  return {
    drainTime: plane.runtime.bounds.drainTime,
    apply: (...delivery) => plane.apply(...delivery),
    drain: () => plane.drain(),
    metrics: (own) => createMetrics([...dataPlaneMetrics(plane), ...own]),
    pools: () => plane.pools,
    unready: () => [],
    routerOf: (gateway) => plane.routers.get(gateway),
    closeAccessLog: async () => accessLog?.close(),
  }
}

async function inWorkers({ workers: count, plane, accessLog, logger, onReport }: ServingPlaneOptions): Promise<ServingPlane> {
  const { Workers } = await import('../workers/workers.ts')
  const stream =
    accessLog === 'off'
      ? undefined
      : openLogFile(2, (error) => logger.warn('the access log could not be written', { reason: error.message }))
  let served: readonly GatewayConfig[] = []
  const workers = new Workers({
    count,
    entry: fileURLToPath(new URL('./worker.js', import.meta.url)),
    plane,
    ...(accessLog !== 'off' && stream !== undefined && { accessLog: { format: accessLog, stream } }),
    logger,
    random: Math.random,
    onReport,
  })
  return {
    drainTime: workers.bounds.drainTime,
    apply(configs, ...rest) {
      served = configs
      return workers.apply(configs, ...rest)
    },
    drain: () => workers.drain(),
    metrics: (own) => ({
      contentType: createMetrics([]).contentType,
      text: async () => createMetrics(await workers.metrics(own)).text(),
    }),
    pools: () => workers.pools(),
    unready: () => (workers.serving === 0 ? ['no worker process serves'] : []),
    routerOf: routersOf(() => served),
    closeAccessLog: () => (stream === undefined ? Promise.resolve() : new Promise((resolve) => void stream.end(resolve))),
  }
}

/** Compiled when they are asked for, each from the one before: workers have their own. */
function routersOf(configs: () => readonly GatewayConfig[]): (gateway: string) => Router | undefined {
  const routers = new Map<string, Router>()
  return (gateway) => {
    const config = configs().find((one) => one.gateway === gateway)
    if (config === undefined) return undefined
    const before = routers.get(gateway)
    if (before?.config === config) return before
    const router = compile(config, before)
    routers.set(gateway, router)
    return router
  }
}
