/** HPACK for what a peer sends (RFC 7541). One for each connection: heads mean what those before them have left in its table. */
import { DecoderTable, entryOverhead } from './decoder-table.ts'
import { huffmanText } from './huffman.ts'

export interface ListLimits {
  /** Names and values, and 32 for each field (RFC 9113, section 6.5.2). */
  readonly bytes: number
  readonly fields: number
}

export interface DecodedFields {
  readonly kind: 'fields'
  /** Byte strings, names and values by turns. */
  readonly fields: string[]
  /** Names of those that no table may ever hold, on the way on neither (RFC 7541, section 6.2.3). */
  readonly sensitive: ReadonlySet<string> | undefined
}

export type Decoded =
  | DecodedFields
  /** The table is what it must be, but this head is more than one may be. */
  | { readonly kind: 'too-large' }
  /** Nothing that follows on this connection can be read. */
  | { readonly kind: 'broken' }

const tooLarge: Decoded = { kind: 'too-large' }
const broken: Decoded = { kind: 'broken' }

const INDEXED = 0x80
const INCREMENTAL = 0x40
const SIZE_UPDATE = 0x20
const NEVER = 0x10
const HUFFMAN = 0x80
/** More means nothing that HPACK numbers. */
const largest = 2 ** 28

export class HpackDecoder {
  readonly #table: DecoderTable
  readonly #tableSize: number
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #end = 0
  #isBroken = false
  #sensitive: Set<string> | undefined

  /** @param tableSize bytes that the peer was told of, or has known from the beginning */
  constructor(tableSize: number) {
    this.#tableSize = tableSize
    this.#table = new DecoderTable(tableSize)
  }

  /** The head in bytes[from, to). */
  decode(bytes: Buffer, from: number, to: number, limits: ListLimits): Decoded {
    this.#bytes = bytes
    this.#at = from
    this.#end = to
    this.#sensitive = undefined
    this.#readSizes()
    const fields: string[] = []
    let size = 0
    let isTooLarge = false
    while (this.#at < this.#end && !this.#isBroken) {
      if (this.#readField(fields)) continue
      const { length } = fields
      size += (fields[length - 2] as string).length + (fields[length - 1] as string).length + entryOverhead
      if (size <= limits.bytes && length <= 2 * limits.fields) continue
      // Counted on, kept no more.
      isTooLarge = true
      fields.length = 0
    }
    if (this.#isBroken) return broken
    return isTooLarge ? tooLarge : { kind: 'fields', fields, sensitive: this.#sensitive }
  }

  /** The size of the table may change before the first field only (RFC 7541, section 4.2). */
  #readSizes(): void {
    while (this.#at < this.#end && ((this.#bytes[this.#at] as number) & 0xe0) === SIZE_UPDATE) {
      const size = this.#readInteger(0x1f)
      if (size > this.#tableSize) this.#isBroken = true
      else this.#table.resize(size)
    }
  }

  /** Adds name and value. Returns true when that is not possible. */
  #readField(fields: string[]): boolean {
    const first = this.#bytes[this.#at] as number
    if ((first & INDEXED) !== 0) {
      const index = this.#readInteger(0x7f)
      if (!this.#table.has(index)) return this.#break()
      fields.push(this.#table.name(index), this.#table.value(index))
      return false
    }
    const isAdded = (first & INCREMENTAL) !== 0
    if (!isAdded && (first & SIZE_UPDATE) !== 0) return this.#break()
    const index = this.#readInteger(isAdded ? 0x3f : 0x0f)
    if (index !== 0 && !this.#table.has(index)) return this.#break()
    const name = index === 0 ? this.#readText() : this.#table.name(index)
    const value = this.#readText()
    if (this.#isBroken) return true
    if (isAdded) this.#table.add(name, value)
    else if ((first & NEVER) !== 0) (this.#sensitive ??= new Set()).add(name)
    fields.push(name, value)
    return false
  }

  /** A string literal (RFC 7541, section 5.2). */
  #readText(): string {
    if (this.#at >= this.#end) return this.#noText()
    const isHuffman = ((this.#bytes[this.#at] as number) & HUFFMAN) !== 0
    const length = this.#readInteger(0x7f)
    const from = this.#at
    const to = from + length
    if (this.#isBroken || to > this.#end) return this.#noText()
    this.#at = to
    return isHuffman ? (huffmanText(this.#bytes, from, to) ?? this.#noText()) : this.#bytes.toString('latin1', from, to)
  }

  /** An integer (RFC 7541, section 5.1). @param prefix the bits of the first byte that belong to it */
  #readInteger(prefix: number): number {
    let value = (this.#bytes[this.#at++] as number) & prefix
    if (value < prefix) return value
    for (let factor = 1; this.#at < this.#end && value <= largest; factor *= 128) {
      const byte = this.#bytes[this.#at++] as number
      value += (byte & 0x7f) * factor
      if (byte < 0x80 && value <= largest) return value
      // Zeroes without an end.
      if (factor > largest) break
    }
    this.#isBroken = true
    return 0
  }

  #noText(): string {
    this.#isBroken = true
    return ''
  }

  #break(): true {
    this.#isBroken = true
    return true
  }
}
