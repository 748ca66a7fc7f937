/** Growing pauses between attempts, spread so that many who failed together do not come back together. Milliseconds. */
export interface Backoff {
  readonly first: number
  readonly longest: number
}

/** The pause after the `failures`th failure (from 1): doubled each time, and between half of it and all of it by chance. `random` is from 0 up to 1. */
export function pauseAfter(failures: number, { first, longest }: Backoff, random: () => number): number {
  const whole = Math.min(longest, first * 2 ** Math.min(failures - 1, 30))
  return whole / 2 + (whole / 2) * random()
}
