/**
 * Results by key, kept while their inputs are the same objects: the overlay's promise that identities are stable.
 * A key that one pass did not ask for is forgotten at the end of it.
 */
export class Memory {
  #before = new Map<string, Entry>()
  #now = new Map<string, Entry>()

  /** The result kept under `key` if `inputs` are element by element the same as then; otherwise what `make` gives. */
  keep<T>(key: string, inputs: readonly unknown[], make: () => T): T {
    const known = this.#now.get(key) ?? this.#before.get(key)
    const entry = known !== undefined && same(known.inputs, inputs) ? known : { inputs, value: make() }
    this.#now.set(key, entry)
    return entry.value as T
  }

  endPass(): void {
    this.#before = this.#now
    this.#now = new Map()
  }
}

interface Entry {
  readonly inputs: readonly unknown[]
  readonly value: unknown
}

function same(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((input, index) => input === b[index])
}
