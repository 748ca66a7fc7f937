/** The objects of one kind, by namespace and name. Persistent: `edited` shares everything that the edits leave alone. */
import type { ApiObject } from '../api/object.ts'
import { compareObjects } from './order.ts'

type Names = ReadonlyMap<string, ApiObject>

export interface Edit {
  readonly namespace: string
  readonly name: string
  /** undefined: the object is gone. */
  readonly object: ApiObject | undefined
}

export class Table {
  static readonly empty = new Table(new Map(), undefined, [])

  readonly #namespaces: ReadonlyMap<string, Names>
  readonly #base: readonly ApiObject[] | undefined
  readonly #edits: readonly Edit[]
  #sorted: readonly ApiObject[] | undefined

  /** `base`: the sorted objects before `edits`, where they are known; sorting what is nearly sorted costs little. */
  private constructor(namespaces: ReadonlyMap<string, Names>, base: readonly ApiObject[] | undefined, edits: readonly Edit[]) {
    this.#namespaces = namespaces
    this.#base = base
    this.#edits = edits
  }

  get(namespace: string, name: string): ApiObject | undefined {
    return this.#namespaces.get(namespace)?.get(name)
  }

  /** Sorted by namespace and name; the same array at each call. */
  all(): readonly ApiObject[] {
    return (this.#sorted ??= this.#base === undefined ? this.#sortAll() : this.#sortEdited(this.#base))
  }

  /** At most one edit for each object. */
  edited(edits: readonly Edit[]): Table {
    const namespaces = new Map(this.#namespaces)
    const own = new Map<string, Map<string, ApiObject>>()
    for (const { namespace, name, object } of edits) {
      let names = own.get(namespace)
      if (names === undefined) {
        names = new Map(namespaces.get(namespace))
        own.set(namespace, names)
        namespaces.set(namespace, names)
      }
      if (object === undefined) names.delete(name)
      else names.set(name, object)
    }
    for (const [namespace, names] of own) if (names.size === 0) namespaces.delete(namespace)
    return new Table(namespaces, this.#sorted, edits)
  }

  #sortAll(): readonly ApiObject[] {
    return [...this.#namespaces.values()].flatMap((names) => [...names.values()]).toSorted(compareObjects)
  }

  #sortEdited(base: readonly ApiObject[]): readonly ApiObject[] {
    const touched = new Map<string, Set<string>>()
    for (const { namespace, name } of this.#edits) {
      const names = touched.get(namespace)
      if (names === undefined) touched.set(namespace, new Set([name]))
      else names.add(name)
    }
    const kept = base.filter(({ metadata }) => touched.get(metadata.namespace)?.has(metadata.name) !== true)
    for (const { object } of this.#edits) if (object !== undefined) kept.push(object)
    return kept.sort(compareObjects)
  }
}
