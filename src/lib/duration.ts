/**
 * Durations of the Gateway API (GEP-2257): one to four numbers of at most five digits, each with its unit, as in
 * `1h30m`, `10s`, `500ms`. Units may repeat and come in any order, as Go reads them.
 */

const DURATION = /^(?:[0-9]{1,5}(?:h|m|s|ms)){1,4}$/
const PART = /([0-9]+)(h|ms|m|s)/g
const MILLISECONDS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const
const LARGEST = 99_999

/** Milliseconds; undefined for what GEP-2257 does not allow. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined
  let sum = 0
  for (const [, digits, unit] of text.matchAll(PART)) sum += Number(digits) * MILLISECONDS[unit as keyof typeof MILLISECONDS]
  return sum
}

/**
 * The text that GEP-2257 would have for so many milliseconds: the largest units first, none that is zero, `0s` for
 * none. Throws a RangeError for what it cannot say: a fraction of a millisecond, a negative number, 100,000 hours.
 */
export function formatDuration(milliseconds: number): string {
  const hours = Math.floor(milliseconds / MILLISECONDS.h)
  if (!Number.isInteger(milliseconds) || milliseconds < 0 || hours > LARGEST) {
    throw new RangeError(`Cannot write a duration: it must be whole milliseconds below 100,000 hours, got ${milliseconds}`)
  }
  const parts = [
    [hours, 'h'],
    [Math.floor(milliseconds / MILLISECONDS.m) % 60, 'm'],
    [Math.floor(milliseconds / MILLISECONDS.s) % 60, 's'],
    [milliseconds % 1000, 'ms'],
  ] as const
  return parts.map(([count, unit]) => (count === 0 ? '' : `${count}${unit}`)).join('') || '0s'
}
