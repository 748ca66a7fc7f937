/** Pools of all workers as those of one: connections and requests are added; of an endpoint's health, which each worker finds out for itself, the worst is shown. */
import type { EndpointState, PoolState } from '../proxy/upstream/pool-state.ts'

const severity: { readonly [H in EndpointState['health']]: number } = { available: 0, trial: 1, ejected: 2 }

export function mergePools(workers: readonly (readonly PoolState[])[]): PoolState[] {
  const merged = new Map<string, PoolState>()
  for (const pools of workers) {
    for (const pool of pools) {
      const before = merged.get(pool.pool)
      merged.set(pool.pool, before === undefined ? pool : together(before, pool))
    }
  }
  return [...merged.values()]
}

function together(a: PoolState, b: PoolState): PoolState {
  const others = new Map(b.endpoints.map((endpoint) => [endpoint.endpoint, endpoint]))
  const endpoints = a.endpoints.map((endpoint) => {
    const other = others.get(endpoint.endpoint)
    others.delete(endpoint.endpoint)
    return other === undefined ? endpoint : bothOf(endpoint, other)
  })
  return { ...a, panic: a.panic || b.panic, endpoints: [...endpoints, ...others.values()] }
}

function bothOf(a: EndpointState, b: EndpointState): EndpointState {
  const worst = severity[b.health] > severity[a.health] ? b : a
  return {
    ...worst,
    takesRequests: a.takesRequests || b.takesRequests,
    activeRequests: a.activeRequests + b.activeRequests,
    connections: a.connections + b.connections,
  }
}
