/** The objects of one kind, by namespace and name. Persistent: `edited` shares everything that the edits leave alone. */
import type { ApiObject } from '../api/object.ts'
import { PatchedMap } from '../lib/patched-map.ts'
import { sortedPlace } from '../lib/sorted-place.ts'
import { compareObjects, compareText } from './order.ts'

type Names = PatchedMap<ApiObject>

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
    const own = new Map<string, Map<string, ApiObject | undefined>>()
    for (const { namespace, name, object } of edits) {
      const known = own.get(namespace)
      if (known === undefined) own.set(namespace, new Map([[name, object]]))
      else known.set(name, object)
    }
    for (const [namespace, patches] of own) {
      const names = (namespaces.get(namespace) ?? new PatchedMap<ApiObject>()).edited(patches)
      if (names.size === 0) namespaces.delete(namespace)
      else namespaces.set(namespace, names)
    }
    return new Table(namespaces, this.#sorted, edits)
  }

  #sortAll(): readonly ApiObject[] {
    return [...this.#namespaces.values()].flatMap((names) => [...names.values()]).toSorted(compareObjects)
  }

  #sortEdited(base: readonly ApiObject[]): readonly ApiObject[] {
    if (this.#edits.length > FEW) return this.#sortAll()
    const sorted = [...base]
    for (const { namespace, name, object } of this.#edits) {
      const isBefore = ({ metadata }: ApiObject): boolean =>
        (compareText(metadata.namespace, namespace) || compareText(metadata.name, name)) < 0
      const at = sortedPlace(sorted, isBefore)
      const there = sorted[at]?.metadata
      const replaced = there?.namespace === namespace && there.name === name ? 1 : 0
      sorted.splice(at, replaced, ...(object === undefined ? [] : [object]))
    }
    return sorted
  }
}

/** Up to so many edits are made in place; after more, sorting everything is as good. */
const FEW = 64
