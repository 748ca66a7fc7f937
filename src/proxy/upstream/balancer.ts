/**
 * Chooses an endpoint: the less loaded of two that chance picks. Endpoints in `tried` (those that refused this request)
 * are left out. Terminating endpoints that still serve are used only while none is ready.
 */
import type { Endpoint } from './endpoint.ts'

/** @param random numbers in [0, 1) */
export function chooseEndpoint(
  endpoints: readonly Endpoint[],
  tried: readonly Endpoint[] | undefined,
  now: number,
  random: () => number,
): Endpoint | undefined {
  const candidates = tried === undefined ? endpoints : endpoints.filter((endpoint) => !tried.includes(endpoint))
  if (candidates.length < 2) return candidates[0]
  const first = Math.floor(random() * candidates.length)
  const second = (first + 1 + Math.floor(random() * (candidates.length - 1))) % candidates.length
  const a = candidates[first] as Endpoint
  const b = candidates[second] as Endpoint
  return b.load(now) < a.load(now) ? b : a
}
