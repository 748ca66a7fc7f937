/** `gatewright run`: puts the parts together, starts them, prints what they do, and ends them in order. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Loop } from '../controller/loop.ts'
import { DataPlane } from '../proxy/data-plane.ts'
import { FileSource } from '../sources/file/file-source.ts'
import { Laptop } from '../standalone/laptop.ts'
import { loopbackAddresses } from '../standalone/placement.ts'
import { parseSettings, type Settings, settingsFileName } from '../standalone/settings.ts'
import { createLogger } from '../telemetry/logger.ts'
import {
  adminPort,
  boundOverrides,
  fileOptions,
  type KindnessFlags,
  listenAddress,
  mappings,
  portOverrides,
  type SourceFlags,
  stateFolderOf,
  translateOptions,
  trustedRanges,
} from './flags.ts'
import { asUserError } from './offline.ts'
import { RunOutput } from './run-output.ts'
import { Serving } from './serving.ts'
import { UserError } from './user-error.ts'

export interface RunFlags extends SourceFlags, KindnessFlags {
  readonly output?: 'json' | 'yaml'
  readonly address: string
  readonly adminPort: string
  readonly accessLog: 'off' | 'text' | 'json'
  readonly echo: 'auto' | 'on' | 'off'
  readonly developmentCertificates: 'auto' | 'on' | 'off'
  readonly trust: readonly string[]
  readonly bound: readonly string[]
  readonly poll: boolean
}

export async function run(paths: readonly string[], flags: RunFlags): Promise<number> {
  const settings = readSettings(paths)
  const address = listenAddress(flags.address)
  const isLoopback = address === '::1' || address.startsWith('127.')
  const logger = createLogger({
    level: 'info',
    format: flags.output === 'json' ? 'json' : 'text',
    write: (line) => process.stderr.write(line),
  })
  const source = new FileSource({ ...fileOptions(paths, flags, flags.strict ? 'keep' : 'localhost'), watch: flags.poll ? 'poll' : 'auto' })
  const plane = new DataPlane({ logger, bounds: boundOverrides(flags.bound), trusted: trustedRanges(flags.trust) })
  const translation = translateOptions(flags)
  const laptop = flags.strict
    ? undefined
    : new Laptop({
        controllerName: translation.controllerName,
        mappings: [...settings.mappings, ...mappings(flags)],
        echo: wanted(flags.echo, settings.echo, isLoopback),
        certificates: wanted(flags.developmentCertificates, settings.certificates, isLoopback),
        stateFolder: stateFolderOf(flags),
      })
  const serving = new Serving({
    source,
    plane,
    laptop,
    translate: translation,
    placement: {
      addresses: address === '127.0.0.1' ? loopbackAddresses : [address],
      overrides: new Map([...settings.ports, ...portOverrides(flags)]),
    },
  })
  void adminPort(flags.adminPort)
  const output = new RunOutput(flags.output, () => ({ caCertificate: laptop?.caCertificatePath, admin: '', platform: process.platform }))
  const loop = new Loop(
    async () => output.show(await serving.pass()),
    (error) => logger.error('a pass failed', { reason: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
  const ended = untilSignal()
  await startSource(source, loop)
  loop.lookAgain()
  await loop.settled()
  await ended
  await source.stop()
  await loop.stop()
  await plane.drain()
  await laptop?.close()
  return 0
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

/** Settings of the first folder that has some; what the command line says wins. */
function readSettings(paths: readonly string[]): Settings {
  for (const path of paths) {
    const file = join(path, settingsFileName)
    if (path === '-' || !existsSync(file) || !statSync(file).isFile()) continue
    const { settings, errors } = parseSettings(readFileSync(file, 'utf8'))
    if (errors.length > 0)
      throw new UserError(errors.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}`).join('\n'), 2)
    return settings
  }
  return { mappings: [], ports: new Map() }
}

/** A flag decides, then the settings; else kindnesses to strangers are off. */
function wanted(flag: 'auto' | 'on' | 'off', setting: boolean | undefined, isLoopback: boolean): boolean {
  return flag === 'auto' ? (setting ?? isLoopback) : flag === 'on'
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    const stop = (): void => {
      if (asked) process.exit(130)
      asked = true
      resolve()
    }
    process.on('SIGTERM', stop)
    process.on('SIGINT', stop)
  })
}
