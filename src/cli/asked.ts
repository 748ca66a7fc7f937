/** What `explain` looks at, whether it comes from files or from a running gateway. */
import type { GatewayConfig } from '../config/config.ts'
import type { PoolKey } from '../config/pool.ts'
import type { Refused } from './refused-routes.ts'
import type { ShownPool } from './shown-pool.ts'

export interface Asked {
  readonly configs: readonly GatewayConfig[]
  /** The specification's port for one that the URL names. */
  readonly specPort: (gateway: string, port: number) => number
  readonly refused: readonly Refused[]
  readonly notes: readonly string[]
  readonly poolOf: (key: PoolKey) => ShownPool | undefined
}
