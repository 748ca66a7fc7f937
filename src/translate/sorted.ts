/** Sorting what is nearly sorted: a list made again after few changes costs a walk, not a sort. */
import { changedSpan } from '../lib/list-change.ts'
import { sortedPlace } from '../lib/sorted-place.ts'

/** How a list came about, to make the next one from it. */
export interface Sorted<T> {
  readonly source: readonly T[]
  readonly sorted: readonly T[]
  /** What `source` had in the place of `added` before; both empty in a list without history. */
  readonly removed: readonly T[]
  readonly added: readonly T[]
}

/** Up to so many new elements are put into their places one by one. */
const FEW = 32

/** `source` sorted; elements are compared with those of `last` by identity. `compare` must not call two different elements equal. */
export function sortedFrom<T>(last: Sorted<T> | undefined, source: readonly T[], compare: (a: T, b: T) => number): Sorted<T> {
  if (last === undefined) return { source, sorted: source.toSorted(compare), removed: [], added: [] }
  if (last.source === source) return last
  const { begin, beforeEnd, afterEnd } = changedSpan(last.source, source)
  const removed = last.source.slice(begin, beforeEnd)
  const added = source.slice(begin, afterEnd)
  const kept = without(last.sorted, removed)
  if (added.length > FEW) return { source, sorted: kept.concat(added).sort(compare), removed, added }
  for (const element of added)
    kept.splice(
      sortedPlace(kept, (other) => compare(other, element) < 0),
      0,
      element,
    )
  return { source, sorted: kept, removed, added }
}

function without<T>(sorted: readonly T[], removed: readonly T[]): T[] {
  if (removed.length > FEW) {
    const gone = new Set(removed)
    return sorted.filter((element) => !gone.has(element))
  }
  const kept = sorted.slice()
  for (const element of removed) kept.splice(kept.indexOf(element), 1)
  return kept
}
