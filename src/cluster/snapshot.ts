/**
 * cluster: all objects at one moment, immutable and indexed.
 *
 * Sources edit a `SnapshotBuilder`; translate reads a `Snapshot`. The indexes are persistent: a bucket that no edit
 * touched keeps its identity from one snapshot to the next, so that "did what I looked at change?" is a comparison
 * of references. Knows the kinds of api and nothing of where objects come from or what they mean.
 */
import type { ObjectOf, Kind } from '../api/object.ts'
import type { IndexName, IndexValue } from './indexes.ts'
import type { Observations } from './observations.ts'

export interface Snapshot {
  /** The object, or undefined. `namespace` is '' for cluster-scoped kinds. */
  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined
  /** All objects of a kind, sorted by namespace and name; the same array as long as no object of the kind changed. */
  all<K extends Kind>(kind: K): readonly ObjectOf<K>[]
  /** What an index holds under a key, e.g. the EndpointSlices of a Service; the same empty array for every absent key. */
  bucket<I extends IndexName>(index: I, key: string): readonly IndexValue<I>[]
  readonly observations: Observations
}
