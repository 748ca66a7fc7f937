/** How pools are now, as plain data for tools: what the admin port tells and `explain` shows. Made when it is asked for. */
import type { EndpointConfig, PoolConfig, PoolKey } from '../../config/pool.ts'
import type { UpstreamFailure } from './failure.ts'
import type { Endpoint } from './endpoint.ts'
import type { Health } from './health.ts'
import type { Pool } from './pool.ts'
import type { LookOutcome } from './resolution.ts'

export interface PoolState {
  readonly pool: PoolKey
  readonly protocol: PoolConfig['protocol']
  /** Ejections are ignored, because too few endpoints are left. */
  readonly panic: boolean
  /** Of a backend that is a name: its endpoints are what it leads to. */
  readonly hostname?: string
  /** What came of the last look for the name, where it gave nothing new; absent otherwise. */
  readonly problem?: string
  readonly endpoints: readonly EndpointState[]
}

export interface EndpointState {
  /** `address:port` */
  readonly endpoint: string
  readonly state: EndpointConfig['state']
  readonly zone?: string
  readonly forZones?: readonly string[]
  /** Among those over which requests are balanced now. */
  readonly takesRequests: boolean
  readonly health: Health['kind']
  /** The failure that came last; absent while it is available. */
  readonly reason?: UpstreamFailure
  /** Of an ejected one: when it is looked at again (ISO 8601), and in how many milliseconds; 0: now. */
  readonly until?: string
  readonly left?: number
  readonly activeRequests: number
  readonly connections: number
}

/** @param now milliseconds on the sweep's clock, which is `performance.now()` */
export function poolState(pool: Pool, now: number): PoolState {
  const { config, panic, candidates, looked } = pool
  const endpoints = [...pool.endpoints].map((endpoint) => endpointState(endpoint, candidates.includes(endpoint), now))
  return {
    pool: config.key,
    protocol: config.protocol,
    panic,
    ...(config.hostname !== undefined && { hostname: config.hostname }),
    ...(looked !== undefined && looked.kind !== 'found' && { problem: problemOf(looked) }),
    endpoints,
  }
}

function problemOf(looked: LookOutcome): string {
  switch (looked.kind) {
    case 'found':
      return ''
    case 'absent':
      return 'it has no address'
    case 'failed':
    case 'refused':
      return looked.reason
  }
}

function endpointState({ name, config, health, active, connections }: Endpoint, takesRequests: boolean, now: number): EndpointState {
  const { state, zone, forZones } = config
  return {
    endpoint: name,
    state,
    ...(zone !== undefined && { zone }),
    ...(forZones !== undefined && { forZones }),
    takesRequests,
    health: health.kind,
    ...(health.kind !== 'available' && { reason: health.reason }),
    ...(health.kind === 'ejected' && {
      until: new Date(performance.timeOrigin + health.until).toISOString(),
      left: Math.max(0, Math.round(health.until - now)),
    }),
    activeRequests: active,
    connections,
  }
}
