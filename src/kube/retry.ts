/** Which failed requests are sent again, and when. */
import { type Backoff, pauseAfter } from '../lib/backoff.ts'
import type { KubeError } from './kube-error.ts'

/** No connection came about: the server cannot have seen the request. */
export const UNREACHABLE = 'Unreachable'

const TRIES = 5
const BACKOFF: Backoff = { first: 100, longest: 5_000 }
/** Longer waits are the caller's decision. */
const LONGEST_WAIT_MS = 30_000

/**
 * Milliseconds before the next attempt; undefined when there is none. `isSafe`: the request may be carried out twice.
 * What the server says it did not begin (429, and 503 with a time to wait) goes again in any case.
 */
export function pauseBefore(error: KubeError, failures: number, isSafe: boolean, random: () => number): number | undefined {
  const { status, reason, retryAfter } = error
  const wasNotBegun = status === 429 || reason === UNREACHABLE || (status === 503 && retryAfter !== undefined)
  const isPassing = status === 0 || status >= 500
  if (failures >= TRIES || reason === 'NoCredentials' || !(wasNotBegun || (isSafe && isPassing))) return undefined
  if (retryAfter === undefined) return pauseAfter(failures, BACKOFF, random)
  return retryAfter > LONGEST_WAIT_MS ? undefined : retryAfter + BACKOFF.first * random()
}
