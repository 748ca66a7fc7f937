/**
 * A map that is never changed: an edited one is another map. What is edited lies beside the old entries, which both share, until there
 * is so much of it that copying everything costs little for each edit. So the next of thousands costs what the next of few costs.
 */

export type Patches<V> = ReadonlyMap<string, V | undefined>

/** Patches that may lie beside the entries. */
const most = 64

export class PatchedMap<V extends object | string | number> {
  readonly size: number
  readonly #base: ReadonlyMap<string, V>
  /** undefined: deleted. */
  readonly #patches: Patches<V>

  constructor(base: ReadonlyMap<string, V> = new Map<string, V>(), patches: Patches<V> = new Map<string, V>()) {
    this.#base = base
    this.#patches = patches
    let size = base.size
    for (const [key, value] of patches) size += Number(value !== undefined) - Number(base.has(key))
    this.size = size
  }

  get(key: string): V | undefined {
    if (this.#patches.size === 0) return this.#base.get(key)
    const patch = this.#patches.get(key)
    return patch !== undefined || this.#patches.has(key) ? patch : this.#base.get(key)
  }

  /** With other values for some keys; undefined: without the key. */
  edited(edits: Patches<V>): PatchedMap<V> {
    if (edits.size === 0) return this
    const patches = new Map([...this.#patches, ...edits])
    return patches.size > most ? new PatchedMap(patched(this.#base, patches)) : new PatchedMap(this.#base, patches)
  }

  /** In no order. */
  values(): Iterable<V> {
    return (this.#patches.size === 0 ? this.#base : patched(this.#base, this.#patches)).values()
  }
}

function patched<V>(base: ReadonlyMap<string, V>, patches: Patches<V>): Map<string, V> {
  const entries = new Map(base)
  for (const [key, value] of patches) {
    if (value === undefined) entries.delete(key)
    else entries.set(key, value)
  }
  return entries
}
