/**
 * What makes a pass cost what changed: results by name, each with the list of everything that it looked at.
 *
 * A result is taken over from the pass before when its input is the same object and every read (absences included)
 * gives the same object as it did then. `make` gets the last result too, so that it can keep the identity of parts that came out equal.
 */
import { indexedKind, type IndexName, type IndexValue } from '../cluster/indexes.ts'
import type { Kind, ObjectOf } from '../api/object.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import type { GatewaySurface } from './surface.ts'

/** The only way in which a memoised computation may look at the world. */
export interface Reader {
  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined
  bucket<I extends IndexName>(index: I, key: string): readonly IndexValue<I>[]
  /** A Gateway of ours as routes see it; undefined for one that does not exist or is not ours. */
  gateway(namespace: string, name: string): GatewaySurface | undefined
}

type Read =
  | { readonly of: 'object'; readonly kind: Kind; readonly namespace: string; readonly name: string; readonly value: unknown }
  | { readonly of: 'bucket'; readonly kind: Kind; readonly index: IndexName; readonly key: string; readonly value: unknown }
  | { readonly of: 'gateway'; readonly key: string; readonly value: unknown }

interface Entry {
  readonly input: unknown
  readonly reads: readonly Read[]
  readonly result: unknown
}

export class Memo {
  readonly #snapshot: Snapshot
  readonly #before: ReadonlyMap<string, Entry>
  readonly #snapshotBefore: Snapshot | undefined
  readonly #unchangedKinds = new Map<Kind, boolean>()
  readonly #entries = new Map<string, Entry>()
  #gateways: ReadonlyMap<string, GatewaySurface> = new Map()

  constructor(snapshot: Snapshot, previous: Memo | undefined) {
    this.#snapshot = snapshot
    this.#before = previous === undefined ? new Map() : previous.#entries
    this.#snapshotBefore = previous === undefined ? undefined : previous.#snapshot
  }

  /** From here on, what `Reader.gateway` gives. Keys: `namespace/name`. */
  publishGateways(gateways: ReadonlyMap<string, GatewaySurface>): void {
    this.#gateways = gateways
  }

  /** `key` names the result within the pass; equal keys must mean equal computations. */
  compute<T>(key: string, input: unknown, make: (read: Reader, last: T | undefined) => T): T {
    const last = this.#before.get(key)
    if (last !== undefined && last.input === input && last.reads.every((read) => this.#same(read))) {
      this.#entries.set(key, last)
      return last.result as T
    }
    const reads: Read[] = []
    const result = make(this.#recording(reads), last?.result as T | undefined)
    this.#entries.set(key, { input, reads, result })
    return result
  }

  #same(read: Read): boolean {
    switch (read.of) {
      case 'object':
        return this.#unchanged(read.kind) || this.#snapshot.get(read.kind, read.namespace, read.name) === read.value
      case 'bucket':
        return this.#unchanged(read.kind) || this.#snapshot.bucket(read.index, read.key) === read.value
      case 'gateway':
        return this.#gateways.get(read.key) === read.value
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
    const gateways = this.#gateways
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
      gateway: (namespace, name) => {
        const key = `${namespace}/${name}`
        const value = gateways.get(key)
        reads.push({ of: 'gateway', key, value })
        return value
      },
    }
  }
}
