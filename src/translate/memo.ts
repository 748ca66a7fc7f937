/**
 * What makes a pass cost what changed: results, each with the list of everything that it looked at.
 *
 * A result is taken over from the pass before when its input is the same object and every read (absences included)
 * gives the same object as it did then. `make` gets the last result too, so that it can keep the identity of parts that came out equal.
 * Results of one family are kept in the order of their inputs, so that finding the last one is a walk along two sorted lists.
 */
import { indexedKind, type IndexName, type IndexValue } from '../cluster/indexes.ts'
import type { Kind, ObjectOf } from '../api/object.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { sameItems } from '../lib/list-change.ts'
import type { GatewaySurface } from './surface.ts'

/** The only way in which a memoised computation may look at the world. */
export interface Reader {
  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined
  bucket<I extends IndexName>(index: I, key: string): readonly IndexValue<I>[]
  /** A Gateway or ListenerSet of ours as routes see it; undefined for one that does not exist or is not ours. */
  surface(kind: SurfaceKind, namespace: string, name: string): GatewaySurface | undefined
}

export type SurfaceKind = GatewaySurface['kind']

/** By `namespace/name`. */
type Surfaces = ReadonlyMap<string, GatewaySurface>

const NO_SURFACES: Readonly<Record<SurfaceKind, Surfaces>> = { Gateway: new Map(), ListenerSet: new Map() }

type Read =
  | { readonly of: 'object'; readonly kind: Kind; readonly namespace: string; readonly name: string; readonly value: unknown }
  | { readonly of: 'bucket'; readonly kind: Kind; readonly index: IndexName; readonly key: string; readonly value: unknown }
  | { readonly of: 'surface'; readonly kind: SurfaceKind; readonly key: string; readonly value: unknown }

interface Entry {
  readonly input: unknown
  readonly reads: readonly Read[]
  readonly result: unknown
}

interface Family {
  readonly sorted: readonly unknown[]
  /** Kinds that at least one entry looked at, or did once. */
  readonly kinds: ReadonlySet<Kind>
  readonly surfaces: ReadonlySet<SurfaceKind>
  readonly entries: readonly Entry[]
  readonly results: readonly unknown[]
}

export interface Inputs<I> {
  /** Sorted by `compare`, no two equal. */
  readonly sorted: readonly I[]
  readonly compare: (a: I, b: I) => number
  /** The computation depends on the place of the input in the order alone (its key), not on the object itself. */
  readonly byKey?: boolean
}

export class Memo {
  readonly #snapshot: Snapshot
  readonly #before: ReadonlyMap<string, Family>
  readonly #snapshotBefore: Snapshot | undefined
  readonly #unchangedKinds = new Map<Kind, boolean>()
  readonly #families = new Map<string, Family>()
  #surfaces = NO_SURFACES
  readonly #surfacesBefore: Readonly<Record<SurfaceKind, Surfaces>>

  constructor(snapshot: Snapshot, previous: Memo | undefined) {
    this.#snapshot = snapshot
    this.#before = previous === undefined ? new Map() : previous.#families
    this.#snapshotBefore = previous === undefined ? undefined : previous.#snapshot
    this.#surfacesBefore = previous === undefined ? NO_SURFACES : previous.#surfaces
  }

  /** From here on, what `Reader.surface` gives of a kind. */
  publish(kind: SurfaceKind, surfaces: readonly GatewaySurface[]): void {
    const before = this.#surfacesBefore[kind]
    const isSame = sameItems([...before.values()], surfaces)
    const published = isSame ? before : new Map(surfaces.map((surface) => [`${surface.namespace}/${surface.name}`, surface]))
    this.#surfaces = { ...this.#surfaces, [kind]: published }
  }

  /** A result for each input, in their order; the very array of the pass before when nothing changed. `family` is used once in a pass. */
  each<I, T>(
    family: string,
    { sorted, compare, byKey = false }: Inputs<I>,
    make: (input: I, read: Reader, last: T | undefined) => T,
  ): readonly T[] {
    const before = this.#before.get(family)
    // Whatever the entries looked at is as it was: then none of them needs a look, only the inputs.
    const isSteady =
      before !== undefined &&
      [...before.surfaces].every((kind) => this.#sameSurfaces(kind)) &&
      [...before.kinds].every((kind) => this.#unchanged(kind))
    if (isSteady && before.sorted === sorted) {
      this.#families.set(family, before)
      return before.results as readonly T[]
    }
    const kinds = new Set(before?.kinds)
    const surfaces = new Set(before?.surfaces)
    const entries: Entry[] = []
    let allKept = before !== undefined && before.entries.length === sorted.length
    let i = 0
    for (const input of sorted) {
      let last = before?.entries[i]
      while (last !== undefined && last.input !== input && compare(last.input as I, input) < 0) last = before?.entries[(i += 1)]
      if (last !== undefined && last.input !== input && compare(last.input as I, input) > 0) last = undefined
      if (last !== undefined) i += 1
      if (last !== undefined && (byKey || last.input === input) && (isSteady || last.reads.every((read) => this.#same(read)))) {
        entries.push(last)
      } else {
        const reads: Read[] = []
        entries.push({ input, reads, result: make(input, this.#recording(reads), last?.result as T | undefined) })
        for (const read of reads) {
          if (read.of === 'surface') surfaces.add(read.kind)
          else kinds.add(read.kind)
        }
        allKept = false
      }
    }
    const kept: Family =
      before !== undefined && allKept
        ? { ...before, sorted }
        : { sorted, kinds, surfaces, entries, results: entries.map(({ result }) => result) }
    this.#families.set(family, kept)
    return kept.results as readonly T[]
  }

  #sameSurfaces(kind: SurfaceKind): boolean {
    return this.#surfaces[kind] === this.#surfacesBefore[kind]
  }

  #same(read: Read): boolean {
    switch (read.of) {
      case 'object':
        return this.#unchanged(read.kind) || this.#snapshot.get(read.kind, read.namespace, read.name) === read.value
      case 'bucket':
        return this.#unchanged(read.kind) || this.#snapshot.bucket(read.index, read.key) === read.value
      case 'surface':
        return this.#surfaces[read.kind].get(read.key) === read.value
    }
  }

  /** True when no object of the kind changed since the pass before: then none of its reads needs a look. */
  #unchanged(kind: Kind): boolean {
    let unchanged = this.#unchangedKinds.get(kind)
    if (unchanged === undefined) {
      unchanged = this.#snapshotBefore !== undefined && this.#snapshot.all(kind) === this.#snapshotBefore.all(kind)
      this.#unchangedKinds.set(kind, unchanged)
    }
    return unchanged
  }

  #recording(reads: Read[]): Reader {
    const snapshot = this.#snapshot
    const surfaces = this.#surfaces
    return {
      get: (kind, namespace, name) => {
        const value = snapshot.get(kind, namespace, name)
        reads.push({ of: 'object', kind, namespace, name, value })
        return value
      },
      bucket: (index, key) => {
        const value = snapshot.bucket(index, key)
        reads.push({ of: 'bucket', kind: indexedKind[index], index, key, value })
        return value
      },
      surface: (kind, namespace, name) => {
        const key = `${namespace}/${name}`
        const value = surfaces[kind].get(key)
        reads.push({ of: 'surface', kind, key, value })
        return value
      },
    }
  }
}
