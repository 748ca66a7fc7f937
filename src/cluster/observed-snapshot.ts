/** A snapshot's objects with other observations: what is served here is observed, what a cluster would serve is concluded from it. */
import type { Kind, ObjectOf } from '../api/object.ts'
import type { IndexName, IndexValue } from './indexes.ts'
import type { Observations } from './observations.ts'
import type { Snapshot } from './snapshot.ts'

export class ObservedSnapshot implements Snapshot {
  readonly observations: Observations
  readonly #objects: Snapshot

  constructor(objects: Snapshot, observations: Observations) {
    this.#objects = objects
    this.observations = observations
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined {
    return this.#objects.get(kind, namespace, name)
  }

  all<K extends Kind>(kind: K): readonly ObjectOf<K>[] {
    return this.#objects.all(kind)
  }

  bucket<I extends IndexName>(index: I, key: string): readonly IndexValue<I>[] {
    return this.#objects.bucket(index, key)
  }
}
