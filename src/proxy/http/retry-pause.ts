/** How long a request waits before it is sent again. */

/** The pause grows to this many times its base (HTTPRouteRetry.backoff: a cap is ours to choose, not below the base). */
const mostGrowth = 10
const jitter = 0.25

/**
 * @param base milliseconds
 * @param retry 1 for the first one
 * @param chance in [0, 1): a quarter more or less, so that requests that failed together do not come back together
 */
export function retryPause(base: number, retry: number, chance: number): number {
  return base * Math.min(2 ** (retry - 1), mostGrowth) * (1 - jitter + 2 * jitter * chance)
}
