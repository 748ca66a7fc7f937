/** Keeps a snapshot in step with what a source reads. */
import { SnapshotBuilder } from '../cluster/snapshot-builder.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import type { ApiObject } from '../api/object.ts'
import { difference } from '../sources/difference.ts'

export class SnapshotFeed {
  readonly #builder = new SnapshotBuilder()
  #objects: readonly ApiObject[] = []

  /** The same snapshot as before when `objects` are the same. */
  follow(objects: readonly ApiObject[]): Snapshot {
    const { set, deleted } = difference(this.#objects, objects)
    for (const object of deleted) this.#builder.delete(object.kind, object.metadata.namespace, object.metadata.name)
    for (const object of set) this.#builder.set(object)
    this.#objects = objects
    return this.#builder.snapshot()
  }
}
