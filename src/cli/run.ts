/** `gatewright run`: puts the parts together, starts them, prints what they do, and ends them in order. */
import { AdminServer } from '../admin/admin-server.ts'
import { Loop } from '../controller/loop.ts'
import { InProcessDelivery } from '../delivery/in-process.ts'
import type { Secret } from '../lib/secret.ts'
import type { FileRead } from '../sources/file/assembly.ts'
import { FileSource } from '../sources/file/file-source.ts'
import { Laptop } from '../standalone/laptop.ts'
import { readSessionKeys } from '../standalone/session-keys.ts'
import { loopbackAddresses } from '../standalone/placement.ts'
import type { OverlaySettings } from '../standalone/overlay.ts'
import type { Settings } from '../standalone/settings.ts'
import { createLogger, type Logger } from '../telemetry/logger.ts'
import { adminSources } from './admin-sources.ts'
import {
  adminPort,
  boundOverrides,
  fileOptions,
  type KindnessFlags,
  listenAddress,
  mappings,
  portOverrides,
  proxyProtocolRanges,
  type SourceFlags,
  stateFolderOf,
  translateOptions,
  trustedHops,
  trustedRanges,
  workerCount,
} from './flags.ts'
import { FolderSettings } from './folder-settings.ts'
import { listenAdmin } from './listen-admin.ts'
import { asUserError } from './offline.ts'
import type { AccessLogFormat } from './open-access-log.ts'
import { RunOutput } from './run-output.ts'
import { Serving } from './serving.ts'
import { openServingPlane, type ServingPlane } from './serving-plane.ts'
import { untilSignal } from './until-signal.ts'
import { UserError } from './user-error.ts'

export interface RunFlags extends SourceFlags, KindnessFlags {
  readonly output?: 'json' | 'yaml'
  readonly address: string
  readonly adminPort: string
  readonly accessLog: AccessLogFormat
  readonly echo: 'auto' | 'on' | 'off'
  readonly developmentCertificates: 'auto' | 'on' | 'off'
  readonly trust: readonly string[]
  readonly trustedHops: string
  readonly acceptProxyProtocol: readonly string[]
  readonly forwardClientCertificate: 'off' | 'details' | 'with-certificate'
  readonly bound: readonly string[]
  readonly zone?: string
  readonly debugHeader: boolean
  readonly workers: string
  readonly poll: boolean
}

export async function run(paths: readonly string[], flags: RunFlags): Promise<number> {
  const folderSettings = new FolderSettings(paths)
  const { settings } = folderSettings.look()
  const address = listenAddress(flags.address)
  const isLoopback = address === '::1' || address.startsWith('127.')
  const logger = createLogger({
    level: 'info',
    format: flags.output === 'json' ? 'json' : 'text',
    write: (line) => process.stderr.write(line),
  })
  const source = new FileSource({
    ...fileOptions(paths, flags, flags.strict ? 'keep' : 'localhost'),
    watch: flags.poll ? 'poll' : 'auto',
  })
  const translation = translateOptions(flags)
  const mapped = mappings(flags)
  const kindnessesOf = (of: Settings): OverlaySettings => ({
    mappings: [...of.mappings, ...mapped],
    echo: wanted(flags.echo, of.echo, isLoopback),
    certificates: wanted(flags.developmentCertificates, of.certificates, isLoopback),
  })
  const { controllerName } = translation
  const laptop = flags.strict ? undefined : new Laptop({ controllerName, ...kindnessesOf(settings), stateFolder: stateFolderOf(flags) })
  if (!flags.strict && !isLoopback && [flags.echo, flags.developmentCertificates].includes('auto')) {
    logger.info(
      'echo backends and development certificates are for loopback addresses only; --echo on and --development-certificates on serve them to others',
      { address },
    )
  }
  const acceptProxyProtocol =
    flags.acceptProxyProtocol.length > 0 ? proxyProtocolRanges(flags.acceptProxyProtocol) : (settings.acceptProxyProtocol ?? [])
  const plane = await openServingPlane({
    workers: workerCount(flags.workers),
    plane: {
      bounds: { ...settings.bounds, ...boundOverrides(flags.bound) },
      sessionKeys: await openSessionKeys(stateFolderOf(flags), logger),
      trusted: trustedRanges(flags.trust),
      trustedHops: trustedHops(flags.trustedHops),
      acceptProxyProtocol,
      ...(flags.forwardClientCertificate !== 'off' && { forwardClientCertificate: flags.forwardClientCertificate }),
      ...(flags.zone !== undefined && { zone: flags.zone }),
      debugHeader: flags.debugHeader || settings.debugHeader === true,
      // Who writes the files runs the gateway.
      namesMayBeLocal: true,
    },
    accessLog: flags.accessLog,
    logger,
    onReport: () => loop.lookAgain(),
  })
  const delivery = new InProcessDelivery(plane)
  const serving = new Serving({
    routerOf: (gateway) => plane.routerOf(gateway),
    lookAround: () => {
      const now = folderSettings.look()
      laptop?.configure(kindnessesOf(now.settings))
      return now.findings
    },
    source,
    delivery,
    laptop,
    translate: translation,
    placement: {
      addresses: address === '127.0.0.1' ? loopbackAddresses : [address],
      overrides: new Map([...settings.ports, ...portOverrides(flags)]),
    },
  })
  const admin = new AdminServer(adminSources({ plane, delivery, serving }))
  const adminAddress = `http://127.0.0.1:${await listenAdmin(admin, '127.0.0.1', adminPort(flags.adminPort))}`
  const output = new RunOutput(flags.output, () => ({
    caCertificate: laptop?.caCertificatePath,
    acceptProxyProtocol,
    admin: adminAddress,
    platform: process.platform,
  }))
  const loop = new Loop(
    async () => output.show(await serving.pass()),
    (error) => logger.error('a pass failed', { reason: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
  const asked = untilSignal()
  try {
    await startSource(source, loop)
    refuseNothing(source.read())
    loop.lookAgain()
    await asked
  } finally {
    await source.stop()
    await loop.stop()
    await drain(plane)
    await laptop?.close()
    await admin.close()
    await plane.closeAccessLog()
  }
  return 0
}

/** A drain that does not end at once says what it waits for. */
async function drain(plane: ServingPlane): Promise<void> {
  const seconds = Math.round(plane.drainTime / 1000)
  const notice = `draining: what is under way may end within ${seconds} s; ask again to end at once\n`
  const timer = setTimeout(() => process.stderr.write(notice), 1_000)
  await plane.drain()
  clearTimeout(timer)
}

/** Kept where it can be, so that sessions outlive this process; nobody is refused anything for want of that. */
async function openSessionKeys(folder: string, logger: Logger): Promise<readonly Secret[]> {
  try {
    return await readSessionKeys(folder)
  } catch (error) {
    logger.warn('the key of sessions could not be kept: they end with this process; name a folder with --state-dir', {
      reason: error instanceof Error ? error.message : String(error),
    })
    return []
  }
}

/** A folder without anything to serve is most likely the wrong one; one whose files are broken will be mended. */
function refuseNothing({ objects, findings, files, foreign }: FileRead): void {
  const serves = objects.some(({ kind }) => kind === 'Gateway' || kind.endsWith('Route') || kind === 'ListenerSet')
  if (serves || findings.some(({ severity }) => severity === 'error')) return
  const others = [...new Set([...objects.map(({ kind }) => kind), ...foreign.map(({ kind }) => kind)])].slice(0, 8)
  const hints = findings.slice(0, 3).map(({ message }) => `\n  ${message}`)
  throw new UserError(
    `Cannot serve: the manifests must hold a Gateway or a route, got ${others.length === 0 ? 'no objects' : others.join(', ')} in ${files.length} ${files.length === 1 ? 'file' : 'files'}. ` +
      `Name another folder, or let \`gatewright init DIR\` write a start.${hints.join('')}`,
  )
}

async function startSource(source: FileSource, loop: Loop): Promise<void> {
  try {
    await source.start(() => loop.lookAgain())
  } catch (error) {
    asUserError(() => {
      throw error
    })
  }
}

/** A flag decides, then the settings; else kindnesses to strangers are off. */
function wanted(flag: 'auto' | 'on' | 'off', setting: boolean | undefined, isLoopback: boolean): boolean {
  return flag === 'auto' ? (setting ?? isLoopback) : flag === 'on'
}
