/**
 * Chooses an endpoint: the less loaded of two that chance picks. Endpoints in `tried` (those that failed this request)
 * are left out. One that starts slowly gives a part of its turns to the other.
 */
import type { Endpoint } from './endpoint.ts'

/**
 * @param random numbers in [0, 1)
 * @param slowStart milliseconds over which an endpoint that is new, or back, comes to its full share; 0: at once
 */
export function chooseEndpoint(
  endpoints: readonly Endpoint[],
  tried: readonly Endpoint[] | undefined,
  now: number,
  random: () => number,
  slowStart = 0,
): Endpoint | undefined {
  const candidates = tried === undefined ? endpoints : endpoints.filter((endpoint) => !tried.includes(endpoint))
  if (candidates.length < 2) return candidates[0]
  const first = Math.floor(random() * candidates.length)
  const second = (first + 1 + Math.floor(random() * (candidates.length - 1))) % candidates.length
  const a = candidates[first] as Endpoint
  const b = candidates[second] as Endpoint
  const [chosen, other] = b.load(now) < a.load(now) ? [b, a] : [a, b]
  if (slowStart === 0) return chosen
  const share = chosen.share(now, slowStart)
  return share < other.share(now, slowStart) && random() >= share ? other : chosen
}
