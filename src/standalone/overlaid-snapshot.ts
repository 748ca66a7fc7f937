/**
 * A snapshot seen through edits: objects put in place or hidden, everything else as it is below.
 *
 * Nothing is copied that no edit touches: a kind without edits gives the very array of the snapshot below. A merged array or
 * bucket with the same elements as the previous view's is the previous view's, so that identities hold from pass to pass.
 */
import type { ApiObject, Kind, ObjectOf } from '../api/object.ts'
import { indexedKind, indexKeys } from '../cluster/indexes.ts'
import type { IndexName, IndexValue } from '../cluster/indexes.ts'
import type { Observations } from '../cluster/observations.ts'
import { compareObjects } from '../cluster/order.ts'
import type { Snapshot } from '../cluster/snapshot.ts'

/** What to change, by kind and then by `namespace/name`. `undefined` hides the object. */
export class Edits {
  readonly #byKind = new Map<Kind, Map<string, ApiObject | undefined>>()

  put(object: ApiObject): void {
    this.#of(object.kind).set(pathOf(object), object)
  }

  hide(object: ApiObject): void {
    this.#of(object.kind).set(pathOf(object), undefined)
  }

  of<K extends Kind>(kind: K): ReadonlyMap<string, ObjectOf<K> | undefined> | undefined {
    return this.#byKind.get(kind) as ReadonlyMap<string, ObjectOf<K> | undefined> | undefined
  }

  /** The object as the edits leave it. */
  get<K extends Kind>(below: Snapshot, kind: K, namespace: string, name: string): ObjectOf<K> | undefined {
    const edits = this.of(kind)
    const path = `${namespace}/${name}`
    return edits?.has(path) === true ? edits.get(path) : below.get(kind, namespace, name)
  }

  /** All objects of a kind as the edits leave them, sorted by namespace and name. */
  all<K extends Kind>(below: Snapshot, kind: K): readonly ObjectOf<K>[] {
    const edits = this.of(kind)
    return edits === undefined ? below.all(kind) : merge(below.all(kind), edits.values(), edits)
  }

  #of(kind: Kind): Map<string, ApiObject | undefined> {
    const known = this.#byKind.get(kind)
    if (known !== undefined) return known
    const made = new Map<string, ApiObject | undefined>()
    this.#byKind.set(kind, made)
    return made
  }
}

export class OverlaidSnapshot implements Snapshot {
  readonly #below: Snapshot
  readonly #edits: Edits
  readonly #added = new Map<IndexName, ReadonlyMap<string, readonly ApiObject[]>>()
  readonly #arrays = new Map<string, readonly ApiObject[]>()
  readonly #before: ReadonlyMap<string, readonly ApiObject[]>

  /** `previous` is the view of the pass before: this one takes equal arrays from it and does not keep it. */
  constructor(below: Snapshot, edits: Edits, previous?: OverlaidSnapshot) {
    this.#below = below
    this.#edits = edits
    this.#before = previous === undefined ? new Map() : previous.#arrays
  }

  get observations(): Observations {
    return this.#below.observations
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined {
    return this.#edits.get(this.#below, kind, namespace, name)
  }

  all<K extends Kind>(kind: K): readonly ObjectOf<K>[] {
    if (this.#edits.of(kind) === undefined) return this.#below.all(kind)
    return this.#kept(kind, () => this.#edits.all(this.#below, kind))
  }

  bucket<I extends IndexName>(index: I, key: string): readonly IndexValue<I>[] {
    const below = this.#below.bucket(index, key)
    const edits = this.#edits.of(indexedKind[index])
    if (edits === undefined) return below
    const added = this.#addedTo(index).get(key)
    if (added === undefined && !below.some((object) => edits.has(pathOf(object)))) return below
    return this.#kept(`${index} ${key}`, () => merge(below, added ?? [], edits))
  }

  /** What the edits put into an index, by its keys. */
  #addedTo<I extends IndexName>(index: I): ReadonlyMap<string, readonly IndexValue<I>[]> {
    const known = this.#added.get(index) as ReadonlyMap<string, readonly IndexValue<I>[]> | undefined
    if (known !== undefined) return known
    const keysOf: (object: IndexValue<I>) => readonly string[] = indexKeys[index]
    const made = new Map<string, IndexValue<I>[]>()
    for (const object of this.#edits.of(indexedKind[index])?.values() ?? []) {
      if (object === undefined) continue
      for (const key of keysOf(object)) made.set(key, [...(made.get(key) ?? []), object])
    }
    this.#added.set(index, made)
    return made
  }

  #kept<T extends ApiObject>(name: string, make: () => readonly T[]): readonly T[] {
    const known = this.#arrays.get(name) as readonly T[] | undefined
    if (known !== undefined) return known
    const made = make()
    const before = this.#before.get(name) as readonly T[] | undefined
    const kept = before !== undefined && sameElements(before, made) ? before : made
    this.#arrays.set(name, kept)
    return kept
  }
}

function merge<T extends ApiObject>(
  below: readonly T[],
  added: Iterable<T | undefined>,
  edits: ReadonlyMap<string, unknown>,
): readonly T[] {
  const kept = below.filter((object) => !edits.has(pathOf(object)))
  const put = [...added].filter((object) => object !== undefined)
  return [...kept, ...put].sort(compareObjects)
}

function sameElements(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((element, index) => element === b[index])
}

function pathOf(object: ApiObject): string {
  return `${object.metadata.namespace}/${object.metadata.name}`
}
