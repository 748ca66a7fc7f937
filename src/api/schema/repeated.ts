/** The index of the first item whose identity an earlier item has, -1 for none; an item without identity repeats nobody. */
export function firstRepeated<T>(items: readonly T[], identityOf: (item: T) => string | number | undefined): number {
  const seen = new Set<string | number>()
  return items.findIndex((item) => {
    const identity = identityOf(item)
    if (identity === undefined) return false
    if (seen.has(identity)) return true
    seen.add(identity)
    return false
  })
}
