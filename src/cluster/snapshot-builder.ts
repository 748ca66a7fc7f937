/** What sources edit: collects changes, and makes a `Snapshot` of them that shares all that did not change with the one before. */
import type { ApiObject, Kind, ObjectOf } from '../api/object.ts'
import { Buckets, type BucketEdit } from './buckets.ts'
import { indexedKind, indexKeys, type IndexName, type IndexValue } from './indexes.ts'
import type { Observations } from './observations.ts'
import type { Snapshot } from './snapshot.ts'
import { Table, type Edit } from './table.ts'

const NOTHING_OBSERVED: Observations = { gateways: new Map(), assumeProgrammed: false }
const INDEXES = Object.keys(indexedKind) as IndexName[]

export class SnapshotBuilder {
  readonly #edits = new Map<Kind, Map<string, Edit>>()
  #tables: ReadonlyMap<Kind, Table> = new Map()
  #indexes: ReadonlyMap<IndexName, Buckets> = new Map()
  #observations = NOTHING_OBSERVED
  #current: Snapshot | undefined

  /** Adds the object, or replaces the one of the same kind, namespace and name. */
  set(object: ApiObject): void {
    this.#edit(object.kind, { namespace: object.metadata.namespace, name: object.metadata.name, object })
  }

  /** Unknown objects may be deleted too. */
  delete(kind: Kind, namespace: string, name: string): void {
    this.#edit(kind, { namespace, name, object: undefined })
  }

  observe(observations: Observations): void {
    if (observations === this.#observations) return
    this.#observations = observations
    this.#current = undefined
  }

  /** The same snapshot as before when nothing was edited since. */
  snapshot(): Snapshot {
    if (this.#current === undefined) {
      this.#applyEdits()
      this.#current = new TableSnapshot(this.#tables, this.#indexes, this.#observations)
    }
    return this.#current
  }

  #edit(kind: Kind, edit: Edit): void {
    let edits = this.#edits.get(kind)
    if (edits === undefined) this.#edits.set(kind, (edits = new Map()))
    edits.set(`${edit.namespace}/${edit.name}`, edit)
    this.#current = undefined
  }

  #applyEdits(): void {
    const tables = new Map(this.#tables)
    const indexes = new Map(this.#indexes)
    for (const [kind, pending] of this.#edits) {
      const table = tables.get(kind) ?? Table.empty
      const edits = [...pending.values()].filter(({ namespace, name, object }) => table.get(namespace, name) !== object)
      if (edits.length === 0) continue
      tables.set(kind, table.edited(edits))
      for (const index of INDEXES) {
        if (indexedKind[index] !== kind) continue
        const changes = edits.flatMap((edit) => bucketEdits(index, table.get(edit.namespace, edit.name), edit.object))
        if (changes.length > 0) indexes.set(index, (indexes.get(index) ?? Buckets.empty).edited(changes))
      }
    }
    this.#edits.clear()
    this.#tables = tables
    this.#indexes = indexes
  }
}

function bucketEdits(index: IndexName, before: ApiObject | undefined, after: ApiObject | undefined): readonly BucketEdit[] {
  // The caller pairs the index with objects of its kind; the compiler cannot follow that through the map of indexes.
  const keysOf = indexKeys[index] as (object: ApiObject) => readonly string[]
  return [
    ...(before === undefined ? [] : keysOf(before).map((key) => ({ key, remove: before, add: undefined }))),
    ...(after === undefined ? [] : keysOf(after).map((key) => ({ key, remove: undefined, add: after }))),
  ]
}

class TableSnapshot implements Snapshot {
  readonly observations: Observations
  readonly #tables: ReadonlyMap<Kind, Table>
  readonly #indexes: ReadonlyMap<IndexName, Buckets>

  constructor(tables: ReadonlyMap<Kind, Table>, indexes: ReadonlyMap<IndexName, Buckets>, observations: Observations) {
    this.#tables = tables
    this.#indexes = indexes
    this.observations = observations
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined {
    return this.#tables.get(kind)?.get(namespace, name) as ObjectOf<K> | undefined
  }

  all<K extends Kind>(kind: K): readonly ObjectOf<K>[] {
    return (this.#tables.get(kind) ?? Table.empty).all() as readonly ObjectOf<K>[]
  }

  bucket<I extends IndexName>(index: I, key: string): readonly IndexValue<I>[] {
    return (this.#indexes.get(index) ?? Buckets.empty).get(key) as readonly IndexValue<I>[]
  }
}
