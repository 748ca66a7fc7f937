/** The configuration of each Gateway: its serving listeners, the routes attached to them in tie-break order, and all that these name. */
import type { GatewayConfig } from '../config/config.ts'
import type { PoolConfig, PoolKey } from '../config/pool.ts'
import type { HttpRouteConfig } from '../config/route.ts'
import type { PoolUse } from './backend.ts'
import { publicParts, type GatewayPart } from './gateway.ts'
import { keep, keepArray } from './keep.ts'
import type { Memo } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import { poolOf } from './pool.ts'
import type { RouteResult } from './route.ts'
import { compareRank } from './tie-break.ts'
import { versionOf, type Hashes } from './version.ts'

export interface Assembled {
  readonly configs: readonly GatewayConfig[]
  readonly versions: ReadonlyMap<string, string>
}

interface Served {
  readonly routes: HttpRouteConfig[]
  readonly pools: Map<PoolKey, PoolUse>
}

/** `gateways` sorted as the configurations shall be. A Gateway without a listener to serve has none. */
export function assembleConfigs(
  memo: Memo,
  options: TranslateOptions,
  gateways: readonly GatewayPart[],
  routes: readonly RouteResult[],
  last: readonly GatewayConfig[],
  hashes: Hashes,
): Assembled {
  const served = servedByGateway(routes)
  const pools = new Map<PoolKey, PoolConfig>()
  const poolFor = (use: PoolUse): PoolConfig => {
    const known = pools.get(use.key)
    if (known !== undefined) return known
    const pool = memo.compute<PoolConfig>(`Pool/${use.key}`, undefined, (read, before) => keep(before, poolOf(read, options, use)))
    pools.set(use.key, pool)
    return pool
  }

  const configs = gateways.flatMap(({ surface, configs: listeners, certificates }): readonly GatewayConfig[] => {
    if (listeners.length === 0) return []
    const gateway = `${surface.namespace}/${surface.name}`
    const before = last.find((config) => config.gateway === gateway)
    const own = served.get(gateway)
    const config: GatewayConfig = {
      gateway,
      listeners,
      routes: keepArray(before?.routes, own?.routes ?? []),
      pools: keepArray(before?.pools, sortedUses(own?.pools ?? new Map(), before?.pools ?? []).map(poolFor)),
      certificates: keepArray(before?.certificates, publicParts(certificates)),
    }
    return [before !== undefined && sameParts(before, config) ? before : config]
  })
  return { configs, versions: new Map(configs.map((config) => [config.gateway, versionOf(config, hashes)])) }
}

function servedByGateway(routes: readonly RouteResult[]): ReadonlyMap<string, Served> {
  const byGateway = new Map<string, Served>()
  const inOrder = routes.filter(({ served }) => served.length > 0).sort((a, b) => compareRank(a.rank, b.rank))
  for (const { served, pools } of inOrder) {
    for (const { gateway, config } of served) {
      let own = byGateway.get(gateway)
      if (own === undefined) byGateway.set(gateway, (own = { routes: [], pools: new Map() }))
      own.routes.push(config)
      for (const use of pools) own.pools.set(use.key, use)
    }
  }
  return byGateway
}

/** By key. Begins with the order of the pass before: what is nearly sorted is sorted in no time. */
function sortedUses(uses: ReadonlyMap<PoolKey, PoolUse>, before: readonly PoolConfig[]): readonly PoolUse[] {
  const sorted: PoolUse[] = []
  const seen = new Set<PoolKey>()
  for (const { key } of before) {
    const use = uses.get(key)
    if (use === undefined) continue
    sorted.push(use)
    seen.add(key)
  }
  if (sorted.length === uses.size) return sorted
  for (const use of uses.values()) if (!seen.has(use.key)) sorted.push(use)
  return sorted.sort((a, b) => (a.key < b.key ? -1 : 1))
}

function sameParts(a: GatewayConfig, b: GatewayConfig): boolean {
  return a.listeners === b.listeners && a.routes === b.routes && a.pools === b.pools && a.certificates === b.certificates
}
