/** Where something belongs in a sorted list: behind all elements that are before it, which are its beginning. */
export function sortedPlace<T>(sorted: readonly T[], isBefore: (element: T) => boolean): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    // Within the list.
    if (isBefore(sorted[middle] as T)) low = middle + 1
    else high = middle
  }
  return low
}
