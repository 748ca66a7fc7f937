/**
 * `gatewright.yaml`: what a folder says of its own laptop, so that nobody has to type it. Flags of the command line win over it.
 * A save of it is followed like one of a manifest, all but ports, bounds and accept-proxy-protocol.
 *
 *     services:
 *       app-team-alpha/my-app-stable:80: localhost:3000
 *     ports:
 *       80: 9080
 *     echo: false            # no echo backends for Services without endpoints
 *     certificates: false    # no certificates of the development CA
 *     debug-header: true     # clients that ask are told where their request went, see docs/wire.md
 *     bounds:                # names and units of docs/wire.md
 *       head-time: 5000
 *     accept-proxy-protocol: [127.0.0.1]    # connections of these peers begin with a header of the PROXY protocol
 */
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Node, Pair, YAMLMap } from 'yaml'
import { type Bounds, parseBound } from '../config/bounds.ts'
import { type Cidr, parseCidr } from '../lib/cidr.ts'
import { parsePort, parseServicePort, parseTarget } from './service-mapping.ts'
import type { ServiceMapping } from './service-mapping.ts'

export const settingsFileName = 'gatewright.yaml'

export interface Settings {
  readonly mappings: readonly ServiceMapping[]
  /** The specification's port -> the port to listen on. */
  readonly ports: ReadonlyMap<number, number>
  /** Absent: as the command decides. */
  readonly echo?: boolean
  readonly certificates?: boolean
  readonly debugHeader?: boolean
  /** Those that differ from the defaults. */
  readonly bounds?: Partial<Bounds>
  /** Peers whose connections begin with a header of the PROXY protocol; absent: nobody's. */
  readonly acceptProxyProtocol?: readonly Cidr[]
}

/** Line and column count from 1. */
export interface SettingsError {
  readonly line: number
  readonly column: number
  readonly message: string
}

/** What the text says, as far as it is good, and every error in it. An empty file is good. */
export function parseSettings(text: string): { readonly settings: Settings; readonly errors: readonly SettingsError[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const errors: SettingsError[] = []
  const mappings: ServiceMapping[] = []
  const ports = new Map<number, number>()
  const acceptProxyProtocol: Cidr[] = []
  let bounds: Partial<Bounds> | undefined
  const switches: { echo?: boolean; certificates?: boolean; debugHeader?: boolean } = {}
  const refuse = (offset: number, message: string): void => {
    const { line, col } = lines.linePos(offset)
    errors.push({ line, column: col, message })
  }
  for (const error of document.errors) refuse(error.pos[0], error.message.split('\n', 1)[0] ?? error.code)
  const entries = (node: unknown, where: string, at: number): readonly Entry[] => {
    if (node === null || (isScalar(node) && node.value === null)) return []
    if (isMap(node)) return node.items.map((pair) => entryOf(pair, node))
    refuse(at, `Cannot read settings: ${where} must be a mapping`)
    return []
  }
  const items = (node: unknown, where: string, at: number): readonly Item[] => {
    if (node === null || (isScalar(node) && node.value === null)) return []
    if (isSeq(node)) return node.items.map((item) => ({ node: item, at: (item as Node | null)?.range?.[0] ?? at }))
    refuse(at, `Cannot read settings: ${where} must be a list`)
    return []
  }
  const read = (entry: Item, take: () => void): void => {
    try {
      take()
    } catch (error) {
      refuse(entry.at, error instanceof Error ? error.message : String(error))
    }
  }
  for (const entry of errors.length > 0 ? [] : entries(document.contents, 'the file', 0)) {
    switch (entry.key) {
      case 'services':
        for (const service of entries(entry.node, 'services', entry.at))
          read(service, () => mappings.push({ ...parseServicePort(service.key), target: parseTarget(textOf(service.node)) }))
        break
      case 'ports':
        for (const port of entries(entry.node, 'ports', entry.at))
          read(port, () => ports.set(parsePort(port.key), parsePort(textOf(port.node))))
        break
      case 'bounds':
        for (const bound of entries(entry.node, 'bounds', entry.at))
          read(bound, () => {
            bounds = { ...bounds, ...parseBound(bound.key, textOf(bound.node)) }
          })
        break
      case 'accept-proxy-protocol':
        for (const item of items(entry.node, 'accept-proxy-protocol', entry.at))
          read(item, () => acceptProxyProtocol.push(parseRange(textOf(item.node))))
        break
      case 'echo':
      case 'certificates':
      case 'debug-header':
        if (isScalar(entry.node) && typeof entry.node.value === 'boolean') switches[switchNames[entry.key]] = entry.node.value
        else refuse(entry.at, `Cannot read settings: ${entry.key} must be true or false, got ${textOf(entry.node)}`)
        break
      default:
        refuse(
          entry.at,
          `Cannot read settings: a field must be services, ports, echo, certificates, debug-header, bounds or accept-proxy-protocol, got ${entry.key}`,
        )
    }
  }
  const settings = {
    mappings,
    ports,
    ...switches,
    ...(bounds !== undefined && { bounds }),
    ...(acceptProxyProtocol.length > 0 && { acceptProxyProtocol }),
  }
  return { settings, errors }
}

const switchNames = { echo: 'echo', certificates: 'certificates', 'debug-header': 'debugHeader' } as const

interface Item {
  readonly node: unknown
  readonly at: number
}

/** `at` is the offset of the key. */
interface Entry extends Item {
  readonly key: string
}

function entryOf(pair: Pair, map: YAMLMap): Entry {
  const key = pair.key as Node
  return { key: textOf(key), node: pair.value, at: key.range?.[0] ?? map.range?.[0] ?? 0 }
}

function parseRange(text: string): Cidr {
  const range = parseCidr(text)
  if (range === undefined)
    throw new Error(
      `Cannot accept the PROXY protocol: accept-proxy-protocol must hold IP addresses and CIDRs such as 10.0.0.0/8, got ${text}`,
    )
  return range
}

function textOf(node: unknown): string {
  return isScalar(node) ? String(node.value) : 'a list or mapping'
}
