/** The configuration of each Gateway: its serving listeners, the routes attached to them in tie-break order, and all that these name. */
import type { GatewayConfig } from '../config/config.ts'
import type { PoolConfig, PoolKey } from '../config/pool.ts'
import type { HttpRouteConfig } from '../config/route.ts'
import type { StreamRouteConfig } from '../config/stream-route.ts'
import { sameItems } from '../lib/list-change.ts'
import type { PoolUse } from './backend.ts'
import { publicParts, type GatewayPart } from './gateway.ts'
import { keep, keepArray } from './keep.ts'
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
  const pools = poolsFrom(last, routes)
  const inputs = { sorted: pools.uses.sorted, compare: compareUses, byKey: true }
  const poolConfigs = memo.each<PoolUse, PoolConfig>('Pool', inputs, (use, read, before) => keep(before, poolOf(read, options, use)))

  if (last?.routes === routes && last.poolConfigs === poolConfigs && sameItems(last.gateways, gateways)) return last
  const routesOf = new ByGateway<HttpRouteConfig>()
  const streamsOf = new ByGateway<StreamRouteConfig>()
  for (const { served, streams } of routes.sorted) {
    routesOf.add(served)
    streamsOf.add(streams)
  }
  const former = new Map(last?.configs.map((config) => [config.gateway, config]))
  const presenting = new Map<string, Presenting>()
  const shownBy = certificatesByPool(pools, last?.shown ?? [])
  const configs = gateways.flatMap(({ surface, configs: listeners, certificates, backendCertificate }): readonly GatewayConfig[] => {
    if (listeners.length === 0) return []
    const gateway = `${surface.namespace}/${surface.name}`
    const before = former.get(gateway)
    const [ownRoutes, ownStreams] = [routesOf.of(gateway), streamsOf.of(gateway)]
    const presents = backendCertificate && presentingWith(last?.presenting.get(gateway), backendCertificate.certificate.fingerprint)
    if (presents !== undefined) presenting.set(gateway, presents)
    const poolsIn = (): readonly PoolConfig[] => {
      const keys = pools.byGateway.get(gateway)
      const isSame =
        last?.poolConfigs === poolConfigs && last.pools.byGateway.get(gateway) === keys && last.presenting.get(gateway) === presents
      if (before !== undefined && isSame) return before.pools
      const own = keys === undefined ? [] : poolConfigs.filter(({ key }) => keys.has(key))
      return presents === undefined ? own : own.map((pool) => presents.pool(pool))
    }
    const config: GatewayConfig = {
      gateway,
      listeners,
      routes: keepArray(before?.routes, presents === undefined ? ownRoutes : ownRoutes.map((route) => presents.route(route))),
      streams: keepArray(before?.streams, presents === undefined ? ownStreams : ownStreams.map((stream) => presents.stream(stream))),
      pools: keepArray(before?.pools, poolsIn()),
      certificates: keepArray(before?.certificates, publicParts(withShown(certificates, shownBy, pools.byGateway.get(gateway)))),
    }
    return [before !== undefined && sameParts(before, config) ? before : config]
  })
  const versions = new Map(configs.map((config) => [config.gateway, versionOf(config, hashes, former.get(config.gateway))]))
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

/** Configurations by the Gateway that serves them, in the order in which they were added. */
class ByGateway<C> {
  readonly #all = new Map<string, C[]>()
  /** Mostly the next one is for the same Gateway. */
  #last: { readonly gateway: string; readonly own: C[] } | undefined

  add(served: readonly { readonly gateway: string; readonly config: C }[]): void {
    for (const { gateway, config } of served) {
      let last = this.#last
      if (last?.gateway !== gateway) {
        const own = this.#all.get(gateway) ?? []
        if (own.length === 0) this.#all.set(gateway, own)
        this.#last = last = { gateway, own }
      }
      last.own.push(config)
    }
  }

  of(gateway: string): readonly C[] {
    return this.#all.get(gateway) ?? []
  }
}

/**
 * From the last pass's, by the routes that came and went: the usual case. Where routes that went led to something that none of those
 * that came leads to, all others have to be asked whether they still do.
 */
function poolsFrom(last: Assembled | undefined, routes: Sorted<RouteResult>): Pools {
  if (last === undefined) return poolsOf(routes.sorted, undefined)
  if (last.routes === routes) return last.pools
  const came = poolsOf(routes.added, undefined)
  const isLeft = (gateway: string, key: PoolKey) => came.byGateway.get(gateway)?.has(key) !== true
  const isShort = routes.removed.some((route) => gatewaysOf(route).some((gateway) => route.pools.some(({ key }) => isLeft(gateway, key))))
  return isShort ? poolsOf(routes.sorted, last.pools) : withPools(last.pools, came)
}

/** `pools` itself where `came` is part of it. */
function withPools(pools: Pools, came: Pools): Pools {
  let byGateway: Map<string, ReadonlySet<PoolKey>> | undefined
  for (const [gateway, keys] of came.byGateway) {
    const own = pools.byGateway.get(gateway)
    const fresh = own === undefined ? [...keys] : [...keys].filter((key) => !own.has(key))
    if (own !== undefined && fresh.length === 0) continue
    byGateway ??= new Map(pools.byGateway)
    byGateway.set(gateway, new Set([...(own ?? []), ...fresh]))
  }
  if (byGateway === undefined) return pools
  const known = new Set(pools.uses.source.map(({ key }) => key))
  const fresh = came.uses.source.filter(({ key }) => !known.has(key))
  return { uses: fresh.length === 0 ? pools.uses : sortedFrom(pools.uses, pools.uses.source.concat(fresh), compareUses), byGateway }
}

/** Those that serve it. */
function gatewaysOf({ served, streams }: RouteResult): readonly string[] {
  return served.map(({ gateway }) => gateway).concat(streams.map(({ gateway }) => gateway))
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
