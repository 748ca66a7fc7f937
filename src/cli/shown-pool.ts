/** The endpoints that `explain` shows beneath a backend: as a running gateway sees them now, or as the files have them. */
import type { EndpointConfig, PoolConfig, PoolKey, RetryBudgetConfig } from '../config/pool.ts'
import type { EndpointState, PoolState } from '../proxy/upstream/pool-state.ts'
import { nameOf } from '../proxy/upstream/endpoint.ts'
import type { Winner } from '../routing/explain.ts'
import type { Style } from './style.ts'

/** What only a running gateway knows is absent where files were asked. */
export interface ShownPool extends Pick<PoolState, 'pool' | 'protocol'>, Partial<Pick<PoolState, 'panic' | 'hostname' | 'problem'>> {
  readonly retryBudget?: RetryBudgetConfig
  readonly endpoints: readonly ShownEndpoint[]
}

export interface ShownEndpoint extends Pick<EndpointState, 'endpoint' | 'state'>, Partial<Omit<EndpointState, 'endpoint' | 'state'>> {
  /** An echo backend would answer, at an address that `run` chooses. */
  readonly echo?: true
}

const shownEndpoints = 10

/** @param isEcho whether an endpoint only stands for an echo backend that `run` would start */
export function configuredPool(pool: PoolConfig, isEcho: (endpoint: EndpointConfig) => boolean): ShownPool {
  const endpoints = pool.endpoints.map((config): ShownEndpoint => {
    const { address: _address, port: _port, ...rest } = config
    return isEcho(config) ? { endpoint: '', echo: true, ...rest } : { endpoint: nameOf(config), ...rest }
  })
  const { hostname, retryBudget } = pool
  return {
    pool: pool.key,
    protocol: pool.protocol,
    ...(hostname !== undefined && { hostname }),
    ...(retryBudget !== undefined && { retryBudget }),
    endpoints,
  }
}

/** Pools that the winning rule sends requests to, its filters' too, each once. */
export function poolsOf({ filters, backends }: Winner): PoolKey[] {
  const all = [...filters, ...backends.flatMap((backend) => backend.filters ?? [])]
  const targets = all.flatMap((filter) => ('target' in filter && filter.target.kind === 'pool' ? [filter.target.pool] : []))
  return [...new Set([...backends.flatMap(({ kind, name }) => (kind === 'pool' ? [name] : [])), ...targets])]
}

/** Rows of two cells. @param none what requests get while there is no endpoint */
export function endpointRows(pool: ShownPool, none: string, style: Style): string[][] {
  return [...nameRows(pool, style), ...budgetRows(pool), ...ownRows(pool, none, style)]
}

/** Only a running gateway knows where the name leads. */
function nameRows({ hostname, problem }: ShownPool, style: Style): string[][] {
  if (hostname === undefined) return []
  return [['  hostname', problem === undefined ? hostname : `${hostname}  ${style.red(problem)}`]]
}

function budgetRows({ retryBudget }: ShownPool): string[][] {
  if (retryBudget === undefined) return []
  const { percent, interval, minRetries } = retryBudget
  const least = `${minRetries.count} in ${seconds(minRetries.interval)}`
  return [['  retries', `at most ${percent} % of the requests of ${seconds(interval)}, or ${least}; then 503`]]
}

function ownRows({ endpoints, panic, hostname }: ShownPool, none: string, style: Style): string[][] {
  if (endpoints.length === 0 && hostname !== undefined && panic === undefined) {
    return [['  endpoint', 'what the name leads to when it runs (with --admin: now)']]
  }
  if (endpoints.length === 0) return [['  endpoint', style.red(`none: ${none}`)]]
  const othersAreReady = endpoints.some(({ state }) => state === 'ready')
  const rows = endpoints.slice(0, shownEndpoints).map((endpoint) => {
    if (endpoint.echo === true) return ['  endpoint', 'an echo backend that gatewright run starts']
    return ['  endpoint', `${endpoint.endpoint}  ${describe(endpoint, panic === true, othersAreReady, style)}`]
  })
  if (endpoints.length > shownEndpoints) rows.push(['', `and ${endpoints.length - shownEndpoints} more (all with -o json)`])
  return rows
}

function describe(endpoint: ShownEndpoint, panic: boolean, othersAreReady: boolean, style: Style): string {
  const { state, forZones = [], takesRequests, health = 'available', reason, until, left = 0 } = endpoint
  const zones = forZones.length === 0 ? '' : `, for zone ${forZones.join(', ')}`
  switch (health) {
    case 'ejected': {
      const asked = panic ? ', asked all the same: too few are left' : ''
      const again = left === 0 ? 'looked at again now' : `looked at again in ${seconds(left)} (${until})`
      return style.red(`ejected: ${reason}`) + `, ${again}${asked}${zones}`
    }
    case 'trial':
      return style.yellow(`on trial after ${reason}`) + `: gets a single request${zones}`
    case 'available':
      if (state === 'serving')
        return style.yellow('terminating') + (othersAreReady ? ': gets no new request' : ', and none is ready') + zones
      return takesRequests === false ? style.yellow('ready') + `${zones}: gets no request here` : `ready${zones}`
  }
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`
}
