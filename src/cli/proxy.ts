/**
 * `gatewright proxy`: the data plane of one Gateway in a pod. It has no credentials of Kubernetes: what it serves comes
 * from the controllers, or from what it served last, and it serves on whatever happens to them.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { AdminServer, type AdminSources } from '../admin/admin-server.ts'
import type { Placement } from '../config/placement.ts'
import { LastGood } from '../delivery/last-good.ts'
import type { ProxyCredentials } from '../delivery/stream-client.ts'
import { type ServedConfig, StreamReceiver } from '../delivery/stream-receiver.ts'
import { Secret } from '../lib/secret.ts'
import { createLogger, type LogLevel } from '../telemetry/logger.ts'
import { processMetrics } from '../telemetry/process-metrics.ts'
import {
  adminPort,
  boundOverrides,
  hostAndPort,
  listenAddress,
  milliseconds,
  proxyProtocolRanges,
  trustedHops,
  trustedRanges,
  workerCount,
} from './flags.ts'
import { listenAdmin } from './listen-admin.ts'
import type { AccessLogFormat } from './open-access-log.ts'
import { openServingPlane, type ServingPlane } from './serving-plane.ts'
import { untilSignal } from './until-signal.ts'
import { UserError } from './user-error.ts'
import { version } from './version.ts'

export interface ProxyFlags {
  readonly gateway: string
  readonly pod: string
  readonly controller: string
  readonly credentials: string
  readonly state?: string
  readonly address: string
  readonly adminAddress: string
  readonly adminPort: string
  readonly drainDelay: string
  readonly accessLog: AccessLogFormat
  readonly logLevel: LogLevel
  readonly logFormat: 'text' | 'json'
  readonly trust: readonly string[]
  readonly trustedHops: string
  readonly acceptProxyProtocol: readonly string[]
  readonly forwardClientCertificate: 'off' | 'details' | 'with-certificate'
  readonly bound: readonly string[]
  readonly zone?: string
  readonly workers: string
}

export async function proxy(flags: ProxyFlags): Promise<number> {
  const logger = createLogger({ level: flags.logLevel, format: flags.logFormat, write: (line) => process.stderr.write(line) })
  const credentials = (): ProxyCredentials => readCredentials(flags.credentials)
  // A mistake in the pod's volumes shows at once, not in the attempts to connect.
  credentials()
  const drainDelay = milliseconds('--drain-delay', flags.drainDelay)
  const plane = await openServingPlane({
    workers: workerCount(flags.workers),
    plane: {
      bounds: boundOverrides(flags.bound),
      trusted: trustedRanges(flags.trust),
      trustedHops: trustedHops(flags.trustedHops),
      acceptProxyProtocol: proxyProtocolRanges(flags.acceptProxyProtocol),
      ...(flags.forwardClientCertificate !== 'off' && { forwardClientCertificate: flags.forwardClientCertificate }),
      ...(flags.zone !== undefined && { zone: flags.zone }),
      sessionKeys: readSessionKeys(flags.credentials),
    },
    accessLog: flags.accessLog,
    logger,
    onReport: (report) => receiver.reported(report),
  })
  const lastGood = flags.state === undefined ? undefined : new LastGood(join(flags.state, 'config.json'), logger)
  let served: ServedConfig | undefined
  const receiver = new StreamReceiver({
    gateway: flags.gateway,
    pod: flags.pod,
    controller: hostAndPort('--controller', flags.controller),
    credentials,
    target: plane,
    placement: everywhere(listenAddress(flags.address)),
    logger,
    random: Math.random,
    onServing: (config) => {
      if (served === undefined) logger.info('the first configuration is served', { version: config.version })
      served = config
      lastGood?.keep(config)
    },
  })
  let draining = false
  const unready = (): readonly string[] => {
    if (draining) return ['draining']
    return served === undefined ? ['no configuration has come yet'] : plane.unready()
  }
  const admin = new AdminServer(adminSources(plane, receiver, unready, () => served))
  const adminAddress = listenAddress(flags.adminAddress)
  await listenAdmin(admin, adminAddress, adminPort(flags.adminPort))
  const asked = untilSignal()
  try {
    const stored = lastGood?.read(flags.gateway)
    if (stored !== undefined) await receiver.restore(stored)
    receiver.start()
    await asked
    // Whoever sends clients here has to see first that it should not any more.
    draining = true
    logger.info('draining', { delay: drainDelay, within: plane.drainTime })
    await delay(drainDelay)
  } finally {
    await receiver.stop()
    await lastGood?.flush()
    await plane.drain()
    await admin.close()
    await plane.closeAccessLog()
  }
  return 0
}

function readCredentials(folder: string): ProxyCredentials {
  const read = (name: string): string => {
    try {
      return readFileSync(join(folder, name), 'utf8')
    } catch (error) {
      throw new UserError(`Cannot connect to a controller: --credentials must hold ${name}, got: ${(error as Error).message}`, 2, error)
    }
  }
  return { certificate: read('tls.crt'), key: new Secret(read('tls.key')), authority: read('ca.crt') }
}

/** The same in all pods of a Gateway, one in a line, the newest first; absent: sessions end with the pod. */
function readSessionKeys(folder: string): readonly Secret[] {
  const path = join(folder, 'session.key')
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => new Secret(line))
}

/** In a pod the ports are the specification's. */
function everywhere(address: string): Placement {
  return (_gateway, port) => ({ address, port })
}

function adminSources(
  plane: ServingPlane,
  receiver: StreamReceiver,
  unready: () => readonly string[],
  served: () => ServedConfig | undefined,
): AdminSources {
  return {
    metrics: plane.metrics([...receiver.metrics(), ...processMetrics(version)]),
    unready,
    documents: {
      '/config': () => {
        const now = served()
        return { gateways: now === undefined ? [] : [{ config: now.resources.config, version: now.version, ports: receiver.ports }] }
      },
      '/pools': () => plane.pools(),
      '/version': () => ({ version, node: process.version }),
    },
  }
}
