/** What a person typed, turned into values once. A mistake is a UserError with exit status 2. */
import { homedir } from 'node:os'
import { isIP } from 'node:net'
import { type Cidr, parseCidr } from '../lib/cidr.ts'
import { type Bounds, parseBound } from '../config/bounds.ts'
import type { FileOptions } from '../sources/file/read-once.ts'
import { parsePort, parseServiceMapping, type ServiceMapping } from '../standalone/service-mapping.ts'
import { stateFolder } from '../standalone/state-folder.ts'
import type { TranslateOptions } from '../translate/options.ts'
import { UserError } from './user-error.ts'

export const ownController = 'gatewright.dev/gateway-controller'

/** How to reach a cluster, as commander gives it. */
export interface ClusterFlags {
  readonly kubeconfig?: string
  readonly context?: string
}

/** As commander gives them. */
export interface SourceFlags extends ClusterFlags {
  readonly namespace: string
  readonly set: readonly string[]
  readonly controllerName?: string
}

export interface KindnessFlags {
  readonly service: readonly string[]
  readonly port: readonly string[]
  readonly strict: boolean
  readonly stateDir?: string
}

export function fileOptions(paths: readonly string[], flags: SourceFlags, unknownVariables: 'localhost' | 'keep'): FileOptions {
  if (paths.length === 0) {
    throw new UserError(
      'Cannot look for manifests: name a folder or a file, or - for standard input. `gatewright init DIR` writes some to start from.',
      2,
    )
  }
  return { paths, namespace: flags.namespace, variables: variablesOf(flags.set), unknownVariables }
}

/** Whoever names a cluster means it, not files. */
export function namesCluster({ kubeconfig, context }: ClusterFlags): boolean {
  return kubeconfig !== undefined || context !== undefined
}

/** A folder is for whoever reads it; in a cluster the classes of others are theirs. */
export function translateOptions(flags: SourceFlags): TranslateOptions {
  return {
    controllerName: flags.controllerName ?? ownController,
    anyClassIsOurs: flags.controllerName === undefined && !namesCluster(flags),
  }
}

export function mappings(flags: KindnessFlags): ServiceMapping[] {
  return flags.service.map((text) => asUsage(() => parseServiceMapping(text)))
}

/** `80=9080`: the specification's port, and where it listens here. */
export function portOverrides(flags: KindnessFlags): Map<number, number> {
  const overrides = new Map(
    flags.port.map((text): [number, number] => {
      const [from = '', to = '', ...rest] = text.split('=')
      if (rest.length > 0 || to === '') throw new UserError(`Cannot move a port: --port must be PORT=LOCAL, got ${text}`, 2)
      return asUsage(() => [parsePort(from), parsePort(to)])
    }),
  )
  const places = [...overrides.values()]
  const twice = places.find((place, i) => places.indexOf(place) !== i)
  if (twice !== undefined)
    throw new UserError(`Cannot move two ports to one: each --port must name a local port of its own, got ${twice} twice`, 2)
  return overrides
}

export function stateFolderOf(flags: KindnessFlags): string {
  return flags.stateDir ?? stateFolder({ XDG_STATE_HOME: process.env['XDG_STATE_HOME'] }, homedir())
}

export function listenAddress(text: string): string {
  if (isIP(text) === 0) throw new UserError(`Cannot listen: --address must be an IP address (127.0.0.1, ::1, 0.0.0.0, ::), got ${text}`, 2)
  return text
}

export function adminPort(text: string): number {
  return text === '0' ? 0 : asUsage(() => parsePort(text))
}

export function trustedRanges(texts: readonly string[]): Cidr[] {
  return ranges('Cannot trust peers: --trust', texts)
}

/** Peers that must send a header of the PROXY protocol. */
export function proxyProtocolRanges(texts: readonly string[]): Cidr[] {
  return ranges('Cannot accept the PROXY protocol: --accept-proxy-protocol', texts)
}

function ranges(what: string, texts: readonly string[]): Cidr[] {
  return texts.map((text) => {
    const range = parseCidr(text)
    if (range === undefined) throw new UserError(`${what} must be an IP address or a CIDR such as 10.0.0.0/8, got ${text}`, 2)
    return range
  })
}

const mostHops = 16

/** How many proxies stand before this one; 0: not said. */
export function trustedHops(text: string): number {
  const hops = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
  if (!(hops <= mostHops)) {
    throw new UserError(`Cannot trust peers: --trusted-hops must be a number from 0 to ${mostHops}, got ${text}`, 2)
  }
  return hops
}

const mostWorkers = 64

/** How many processes carry the traffic. */
export function workerCount(text: string): number {
  const count = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
  if (!(count >= 1 && count <= mostWorkers)) {
    throw new UserError(`Cannot start workers: --workers must be a number from 1 to ${mostWorkers}, got ${text}`, 2)
  }
  return count
}

/** `head-time=5000`: names, units and ranges are those of docs/wire.md. */
export function boundOverrides(texts: readonly string[]): Partial<Bounds> {
  const bounds = texts.map((text) => {
    const at = text.indexOf('=')
    return asUsage(() => parseBound(at < 0 ? text : text.slice(0, at), at < 0 ? '' : text.slice(at + 1)))
  })
  return Object.assign({}, ...bounds) as Partial<Bounds>
}

function variablesOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw new UserError(`Cannot set a variable: --set must be VAR=value, got ${text}`, 2)
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

function asUsage<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error), 2, error)
  }
}

/** `HOST:PORT`, `[IPv6]:PORT`. */
export function hostAndPort(flag: string, text: string): { readonly address: string; readonly port: number } {
  const [, bracketed, plain, port = ''] = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text) ?? []
  const address = bracketed ?? plain
  if (address === undefined) throw new UserError(`Cannot connect: ${flag} must be HOST:PORT, got ${text}`, 2)
  return { address, port: asUsage(() => parsePort(port)) }
}

export function milliseconds(flag: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UserError(`Cannot wait: ${flag} must be a number of milliseconds, got ${text}`, 2)
  return Number(text)
}
