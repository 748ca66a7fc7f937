/** One index of a snapshot: the objects found under each key. Persistent: a bucket that no edit touched keeps its identity. */
import type { ApiObject } from '../api/object.ts'
import { PatchedMap } from '../lib/patched-map.ts'
import { compareObjects } from './order.ts'

/** What every absent key holds. */
const NOTHING: readonly ApiObject[] = []

export interface BucketEdit {
  readonly key: string
  readonly remove: ApiObject | undefined
  readonly add: ApiObject | undefined
}

export class Buckets {
  static readonly empty = new Buckets(new PatchedMap())

  readonly #byKey: PatchedMap<readonly ApiObject[]>

  private constructor(byKey: PatchedMap<readonly ApiObject[]>) {
    this.#byKey = byKey
  }

  get(key: string): readonly ApiObject[] {
    return this.#byKey.get(key) ?? NOTHING
  }

  edited(edits: readonly BucketEdit[]): Buckets {
    const changes = new Map<string, Set<ApiObject>>()
    for (const { key, remove, add } of edits) {
      let objects = changes.get(key)
      if (objects === undefined) changes.set(key, (objects = new Set(this.get(key))))
      if (remove !== undefined) objects.delete(remove)
      if (add !== undefined) objects.add(add)
    }
    const patches = new Map<string, readonly ApiObject[] | undefined>()
    for (const [key, objects] of changes) patches.set(key, objects.size === 0 ? undefined : [...objects].sort(compareObjects))
    return new Buckets(this.#byKey.edited(patches))
  }
}
