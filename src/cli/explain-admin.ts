/** What a running gateway serves, from its admin port, so that `explain` can explain it locally. */
import type { GatewayConfig } from '../config/config.ts'
import type { PoolState } from '../proxy/upstream/pool-state.ts'
import type { StatusOf } from '../translate/translation.ts'
import type { Asked } from './asked.ts'
import { fetchAdmin } from './fetch-admin.ts'
import { refusedRoutes } from './refused-routes.ts'

/** The shapes of GET /config and GET /statuses. */
export interface ServedConfig {
  readonly gateways: readonly {
    readonly config: GatewayConfig
    readonly ports: readonly { readonly port: number; readonly listenPort: number }[]
  }[]
}

export interface ServedStatuses {
  readonly statuses: readonly (StatusOf & { readonly hostnames?: readonly string[] })[]
  readonly cluster: readonly StatusOf[]
  readonly kindnesses: readonly string[]
}

export async function fetchServed(admin: string): Promise<Asked> {
  const { gateways } = await fetchAdmin<ServedConfig>('explain', admin, '/config')
  const pools = await fetchAdmin<readonly PoolState[]>('explain', admin, '/pools')
  const { statuses, kindnesses } = await fetchAdmin<ServedStatuses>('explain', admin, '/statuses')
  return {
    configs: gateways.map(({ config }) => config),
    specPort: (gateway, port) => {
      const ports = gateways.find(({ config }) => config.gateway === gateway)?.ports ?? []
      return ports.find(({ listenPort }) => listenPort === port)?.port ?? port
    },
    refused: refusedRoutes(({ hostnames }) => hostnames ?? [], statuses),
    notes: kindnesses,
    poolOf: (key) => pools.find(({ pool }) => pool === key),
  }
}
