/** What a reader of a source must do to follow it from one read to the next. */
import type { ApiObject } from '../api/object.ts'
import { changedSpan } from '../lib/list-change.ts'
import { objectKey } from './source.ts'

export interface Difference {
  readonly set: readonly ApiObject[]
  readonly deleted: readonly ApiObject[]
}

/** Compares by identity, which is what a source promises for unchanged objects. */
export function difference(previous: readonly ApiObject[], next: readonly ApiObject[]): Difference {
  if (previous === next) return { set: [], deleted: [] }
  const { begin, beforeEnd, afterEnd } = changedSpan(previous, next)
  const [left, come] = [previous.slice(begin, beforeEnd), next.slice(begin, afterEnd)]
  const before = new Set(left)
  const set = come.filter((object) => !before.has(object))
  const after = new Set(come)
  const gone = left.filter((object) => !after.has(object))
  if (gone.length === 0) return { set, deleted: [] }
  const replaced = new Set(set.map(objectKey))
  return { set, deleted: gone.filter((object) => !replaced.has(objectKey(object))) }
}
