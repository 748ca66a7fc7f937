/** Those endpoints of a pool among which the balancer chooses: near ones that have not been ejected, as long as they are enough. */
import type { Endpoint } from './endpoint.ts'

export interface Candidates {
  readonly endpoints: readonly Endpoint[]
  /** Too few are left: ejections are ignored, since those that are left would not bear the load of all. */
  readonly panic: boolean
}

/**
 * @param usable those that the configuration lets take requests
 * @param zone the proxy's own; undefined: hints mean nothing
 * @param panicPercent of the endpoints, which must be available at the least
 */
export function candidatesOf(usable: readonly Endpoint[], zone: string | undefined, panicPercent: number): Candidates {
  const near = zone === undefined ? usable : nearTo(zone, usable)
  const nearAvailable = near.filter(isAvailable)
  if (near.length < usable.length && isEnough(nearAvailable, near, panicPercent)) return { endpoints: nearAvailable, panic: false }
  const available = usable.filter(isAvailable)
  if (isEnough(available, usable, panicPercent)) return { endpoints: available, panic: false }
  return { endpoints: usable, panic: usable.length > 0 }
}

/**
 * Endpoints whose hints name the zone; all of them when none does, and when one has no hints at all: then the controller
 * is not done with them, and those that have theirs would get everything (EndpointHints, KEP-2433).
 */
function nearTo(zone: string, endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const near = endpoints.filter(({ config }) => config.forZones?.includes(zone))
  const hinted = endpoints.every(({ config }) => config.forZones !== undefined && config.forZones.length > 0)
  return hinted && near.length > 0 ? near : endpoints
}

function isAvailable({ health }: Endpoint): boolean {
  return health.kind === 'available'
}

function isEnough(some: readonly Endpoint[], all: readonly Endpoint[], percent: number): boolean {
  return some.length > 0 && some.length * 100 >= all.length * percent
}
