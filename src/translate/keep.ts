/** Identity for what is equal: the configuration, statuses and pools that come out as before stay the same objects. */
import { sameItems } from '../lib/list-change.ts'

/** `last` where it equals `next` (plain data, deeply; property order aside), else `next`. */
export function keep<T>(last: T | undefined, next: T): T {
  return last !== undefined && equal(last, next) ? last : next
}

/** `last` where it holds the very same elements, else `next`. */
export function keepArray<T>(last: readonly T[] | undefined, next: readonly T[]): readonly T[] {
  return last !== undefined && sameItems(last, next) ? last : next
}

export function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((element, i) => equal(element, b[i]))
  if (Array.isArray(b)) return false
  const entries = Object.entries(a)
  const other = b as Readonly<Record<string, unknown>>
  return entries.length === Object.keys(b).length && entries.every(([key, value]) => Object.hasOwn(other, key) && equal(value, other[key]))
}
