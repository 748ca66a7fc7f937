/** The configuration of each Gateway: its serving listeners, the routes attached to them in tie-break order, and all that these name. */
import type { GatewayConfig } from '../config/config.ts'
import type { PoolConfig, PoolKey } from '../config/pool.ts'
import { sameItems } from '../lib/list-change.ts'
import type { PoolUse } from './backend.ts'
import { publicParts, type GatewayPart } from './gateway.ts'
import { equal, keep, keepArray } from './keep.ts'
import type { Memo } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import { poolOf } from './pool.ts'
import { Presenting } from './presenting.ts'
import type { RouteResult } from './route.ts'
import { sortedFrom, type Sorted } from './sorted.ts'
import { compareRank } from './tie-break.ts'
import type { LoadedCertificate } from './tls.ts'
import { versionOf, type Hashes } from './version.ts'

export interface Assembled {
  readonly configs: readonly GatewayConfig[]
  readonly versions: ReadonlyMap<string, string>
  /** For the next pass. */
  readonly routes: Sorted<RouteResult>
  readonly pools: Pools
  readonly gateways: readonly GatewayPart[]
  readonly poolConfigs: readonly PoolConfig[]
  /** By Gateway, for those that show a certificate to their backends. */
  readonly presenting: ReadonlyMap<string, Presenting>
  /** Those that backends themselves name, each once. */
  readonly shown: readonly LoadedCertificate[]
}

interface Pools {
  readonly uses: Sorted<PoolUse>
  readonly byGateway: ReadonlyMap<string, ReadonlySet<PoolKey>>
}

/** `gateways` sorted as the configurations shall be. A Gateway without a listener to serve has none. */
export function assembleConfigs(
  memo: Memo,
  options: TranslateOptions,
  gateways: readonly GatewayPart[],
  results: readonly RouteResult[],
  last: Assembled | undefined,
  hashes: Hashes,
): Assembled {
  const routes = sortedFrom(last?.routes, results, (a, b) => compareRank(a.rank, b.rank))
  const pools = last !== undefined && (last.routes === routes || sameUse(routes)) ? last.pools : poolsOf(routes.sorted, last?.pools)
  const inputs = { sorted: pools.uses.sorted, compare: compareUses, byKey: true }
  const poolConfigs = memo.each<PoolUse, PoolConfig>('Pool', inputs, (use, read, before) => keep(before, poolOf(read, options, use)))

  if (last?.routes === routes && last.poolConfigs === poolConfigs && sameItems(last.gateways, gateways)) return last
  const routesOf = byGateway(routes.sorted, ({ served }) => served)
  const streamsOf = byGateway(routes.sorted, ({ streams }) => streams)
  const presenting = new Map<string, Presenting>()
  const shownBy = certificatesByPool(pools, last?.shown ?? [])
  const configs = gateways.flatMap(({ surface, configs: listeners, certificates, backendCertificate }): readonly GatewayConfig[] => {
    if (listeners.length === 0) return []
    const gateway = `${surface.namespace}/${surface.name}`
    const before = last?.configs.find((config) => config.gateway === gateway)
    const ownKeys = pools.byGateway.get(gateway)
    const ownRoutes = routesOf.get(gateway) ?? []
    const ownStreams = streamsOf.get(gateway) ?? []
    const ownPools = ownKeys === undefined ? [] : poolConfigs.filter(({ key }) => ownKeys.has(key))
    const presents = backendCertificate && presentingWith(last?.presenting.get(gateway), backendCertificate.certificate.fingerprint)
    if (presents !== undefined) presenting.set(gateway, presents)
    const config: GatewayConfig = {
      gateway,
      listeners,
      routes: keepArray(before?.routes, presents === undefined ? ownRoutes : ownRoutes.map((route) => presents.route(route))),
      streams: keepArray(before?.streams, presents === undefined ? ownStreams : ownStreams.map((stream) => presents.stream(stream))),
      pools: keepArray(before?.pools, presents === undefined ? ownPools : ownPools.map((pool) => presents.pool(pool))),
      certificates: keepArray(before?.certificates, publicParts(withShown(certificates, shownBy, ownKeys))),
    }
    return [before !== undefined && sameParts(before, config) ? before : config]
  })
  const versions = new Map(configs.map((config) => [config.gateway, versionOf(config, hashes)]))
  return {
    configs: keepArray(last?.configs, configs),
    versions,
    routes,
    pools,
    gateways,
    poolConfigs,
    presenting,
    shown: [...new Set(shownBy.values())],
  }
}

/** What is shown to the endpoints of a pool; equal ones are one, and that of `last`. */
function certificatesByPool({ uses }: Pools, last: readonly LoadedCertificate[]): ReadonlyMap<PoolKey, LoadedCertificate> {
  const byFingerprint = new Map(last.map((loaded) => [loaded.certificate.fingerprint, loaded]))
  const found = new Map<PoolKey, LoadedCertificate>()
  for (const { key, certificate } of uses.sorted) {
    if (certificate === undefined) continue
    const { fingerprint } = certificate.certificate
    const kept = byFingerprint.get(fingerprint) ?? certificate
    byFingerprint.set(fingerprint, kept)
    found.set(key, kept)
  }
  return found
}

/** Sorted by fingerprint, as `own` is. */
function withShown(
  own: readonly LoadedCertificate[],
  shownBy: ReadonlyMap<PoolKey, LoadedCertificate>,
  keys: ReadonlySet<PoolKey> = new Set(),
): readonly LoadedCertificate[] {
  if (shownBy.size === 0) return own
  const all = new Map(own.map((loaded) => [loaded.certificate.fingerprint, loaded]))
  for (const [key, loaded] of shownBy) {
    const { fingerprint } = loaded.certificate
    if (keys.has(key) && !all.has(fingerprint)) all.set(fingerprint, loaded)
  }
  return [...all.values()].sort((a, b) => (a.certificate.fingerprint < b.certificate.fingerprint ? -1 : 1))
}

function presentingWith(last: Presenting | undefined, fingerprint: string): Presenting {
  return last?.fingerprint === fingerprint ? last : new Presenting(fingerprint)
}

function byGateway<C>(
  routes: readonly RouteResult[],
  servedOf: (route: RouteResult) => readonly { readonly gateway: string; readonly config: C }[],
): ReadonlyMap<string, readonly C[]> {
  const found = new Map<string, C[]>()
  for (const route of routes) {
    for (const { gateway, config } of servedOf(route)) {
      const own = found.get(gateway)
      if (own === undefined) found.set(gateway, [config])
      else own.push(config)
    }
  }
  return found
}

/** The changed routes lead to the pools, and through the Gateways, that they led to before: the usual case. */
function sameUse({ removed, added }: Sorted<RouteResult>): boolean {
  const keysOf = (route: RouteResult) => [...gatewaysOf(route), '', ...route.pools.map(({ key }) => key)]
  return equal(removed.map(keysOf), added.map(keysOf))
}

/** Those that serve it. */
function gatewaysOf({ served, streams }: RouteResult): readonly string[] {
  return [...served, ...streams].map(({ gateway }) => gateway)
}

/** Each pool that a served route names, once, and which Gateway needs which. */
function poolsOf(routes: readonly RouteResult[], last: Pools | undefined): Pools {
  const uses = new Map<PoolKey, PoolUse>()
  const byGateway = new Map<string, Set<PoolKey>>()
  for (const route of routes) {
    for (const gateway of gatewaysOf(route)) {
      let own = byGateway.get(gateway)
      if (own === undefined) byGateway.set(gateway, (own = new Set()))
      for (const use of route.pools) {
        own.add(use.key)
        uses.set(use.key, use)
      }
    }
  }
  // In the order of before, with what is new at the end, so that sorting again finds little to do.
  const known = (last?.uses.source ?? []).filter(({ key }) => uses.delete(key))
  return { uses: sortedFrom(last?.uses, [...known, ...uses.values()], compareUses), byGateway }
}

function compareUses(a: PoolUse, b: PoolUse): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}

function sameParts(a: GatewayConfig, b: GatewayConfig): boolean {
  return (
    a.listeners === b.listeners &&
    a.routes === b.routes &&
    a.streams === b.streams &&
    a.pools === b.pools &&
    a.certificates === b.certificates
  )
}
