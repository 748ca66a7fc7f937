/** What a reader of a source must do to follow it from one read to the next. */
import type { ApiObject } from '../api/object.ts'
import { objectKey } from './source.ts'

export interface Difference {
  readonly set: readonly ApiObject[]
  readonly deleted: readonly ApiObject[]
}

/** Compares by identity, which is what a source promises for unchanged objects. */
export function difference(previous: readonly ApiObject[], next: readonly ApiObject[]): Difference {
  if (previous === next) return { set: [], deleted: [] }
  const before = new Set(previous)
  const set = next.filter((object) => !before.has(object))
  const after = new Set(next)
  const gone = previous.filter((object) => !after.has(object))
  if (gone.length === 0) return { set, deleted: [] }
  const replaced = new Set(set.map(objectKey))
  return { set, deleted: gone.filter((object) => !replaced.has(objectKey(object))) }
}
