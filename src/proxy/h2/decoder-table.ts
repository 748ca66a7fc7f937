/** HPACK's dynamic table as the decoder keeps it: the newest entry first, the oldest ones leave when the size is reached (RFC 7541, section 4). */
import { staticNames, staticSize, staticValues } from './static-table.ts'

/** What an entry counts beside its text. */
export const entryOverhead = 32

export class DecoderTable {
  /** Rings of the same length, a power of two. */
  #names: string[] = Array.from({ length: 64 }, () => '')
  #values: string[] = Array.from({ length: 64 }, () => '')
  /** Entries that were ever added. */
  #added = 0
  #count = 0
  #size = 0
  #most: number

  /** @param most bytes */
  constructor(most: number) {
    this.#most = most
  }

  /** Static and dynamic entries are numbered as one (RFC 7541, section 2.3.3). */
  has(index: number): boolean {
    return index > 0 && index <= staticSize + this.#count
  }

  name(index: number): string {
    return (index <= staticSize ? staticNames[index] : this.#names[this.#place(index)]) as string
  }

  value(index: number): string {
    return (index <= staticSize ? staticValues[index] : this.#values[this.#place(index)]) as string
  }

  add(name: string, value: string): void {
    const size = name.length + value.length + entryOverhead
    this.#evict(this.#most - size)
    // One that is larger than the table empties it, and is not kept.
    if (size > this.#most) return
    if (this.#count === this.#names.length) this.#grow()
    const place = this.#added & (this.#names.length - 1)
    this.#names[place] = name
    this.#values[place] = value
    this.#added += 1
    this.#count += 1
    this.#size += size
  }

  resize(most: number): void {
    this.#most = most
    this.#evict(most)
  }

  #place(index: number): number {
    return (this.#added - (index - staticSize)) & (this.#names.length - 1)
  }

  #evict(until: number): void {
    while (this.#size > until && this.#count > 0) {
      const oldest = (this.#added - this.#count) & (this.#names.length - 1)
      this.#size -= (this.#names[oldest] as string).length + (this.#values[oldest] as string).length + entryOverhead
      this.#names[oldest] = ''
      this.#values[oldest] = ''
      this.#count -= 1
    }
  }

  /** Entries keep their order; their places begin anew. */
  #grow(): void {
    const { length } = this.#names
    const from = this.#added - this.#count
    const ring = (texts: string[]): string[] =>
      Array.from({ length: 2 * length }, (_, i) => (i < this.#count ? (texts[(from + i) & (length - 1)] as string) : ''))
    this.#names = ring(this.#names)
    this.#values = ring(this.#values)
    this.#added = this.#count
  }
}
