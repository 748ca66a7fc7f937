/**
 * Conditions of ours among those of others (KEP-1623; Gateway API, "conditions" of every status): ours are replaced by type,
 * those of types that are not ours stay as they are, in their place.
 */

export interface StoredCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly observedGeneration?: number
  readonly lastTransitionTime?: string
}

/** `ours`: types that are taken out when they are not wanted (those that exist only while True, for one). `now` in RFC 3339. */
export function mergeConditions(
  stored: readonly StoredCondition[],
  wanted: readonly StoredCondition[],
  ours: ReadonlySet<string>,
  now: string,
): readonly StoredCondition[] {
  const missing = new Map(wanted.map((condition) => [condition.type, condition]))
  const kept = stored.flatMap((condition) => {
    const next = missing.get(condition.type)
    missing.delete(condition.type)
    if (next !== undefined) return [timed(condition, next, now)]
    return ours.has(condition.type) ? [] : [condition]
  })
  return [...kept, ...[...missing.values()].map((condition) => ({ ...condition, lastTransitionTime: now }))]
}

/** The time says when the status changed, not when it was written. */
function timed(stored: StoredCondition, wanted: StoredCondition, now: string): StoredCondition {
  const time = stored.status === wanted.status ? stored.lastTransitionTime : undefined
  return { ...wanted, lastTransitionTime: time ?? now }
}

/** True when a condition of ours was written for a newer generation than these are. */
export function isOutdated(stored: readonly StoredCondition[], wanted: readonly StoredCondition[]): boolean {
  return wanted.some(({ type, observedGeneration = 0 }) =>
    stored.some((condition) => condition.type === type && (condition.observedGeneration ?? 0) > observedGeneration),
  )
}
