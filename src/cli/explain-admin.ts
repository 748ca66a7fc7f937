/** What a running gateway serves, from its admin port, so that `explain` can explain it locally. */
import type { GatewayConfig } from '../config/config.ts'
import type { PoolState } from '../proxy/upstream/pool-state.ts'
import type { StatusOf } from '../translate/translation.ts'
import type { Asked } from './asked.ts'
import { refusedRoutes } from './refused-routes.ts'
import { UserError } from './user-error.ts'

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
  const { gateways } = await get<ServedConfig>(admin, '/config')
  const pools = await get<readonly PoolState[]>(admin, '/pools')
  const { statuses, kindnesses } = await get<ServedStatuses>(admin, '/statuses')
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

async function get<T>(admin: string, path: string): Promise<T> {
  const problem = (got: string): UserError =>
    new UserError(`Cannot explain: --admin must be the admin address that \`gatewright run\` printed, got ${admin} (${got})`, 2)
  try {
    const response = await fetch(new URL(path, admin))
    if (!response.ok) throw problem(`${path} answered ${response.status}`)
    return (await response.json()) as T
  } catch (error) {
    if (error instanceof UserError) throw error
    throw problem(error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error))
  }
}
