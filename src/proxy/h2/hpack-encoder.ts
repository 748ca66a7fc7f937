/**
 * HPACK for what we send (RFC 7541). One for each connection. A field joins the table when it comes a second time in a row
 * with the same value: what differs each time would only drive out what does not. Texts are sent as they are, since
 * Huffman's code costs more time here than its bytes do on the way.
 */
import { entryOverhead } from './decoder-table.ts'
import { neverIndexed, seldomRepeated } from './indexing.ts'
import { staticByName, staticSize } from './static-table.ts'

const INDEXED = 0x80
const INCREMENTAL = 0x40
const SIZE_UPDATE = 0x20
const NEVER = 0x10
const PLAIN = 0
/** Bytes of an integer at most. */
const integerSize = 6
/** Names of which the last value is remembered. */
const mostNames = 128
/** Shorter texts are written faster byte by byte. */
const shortText = 24

/** A name in the table: where its values are. */
interface IndexedName {
  readonly values: Map<string, number>
  /** The newest of them. */
  last: number
}

export class HpackEncoder {
  readonly #mostSize: number
  #tableSize: number
  readonly #names = new Map<string, IndexedName>()
  /** Entries by the number of their adding, names and values by turns; the oldest is the first. */
  readonly #entries: string[] = []
  #added = 0
  #size = 0
  readonly #lastValues = new Map<string, string>()
  /** The smallest size since the last head, which the peer has to be told; undefined: it has not changed. */
  #leastSize: number | undefined

  /** @param mostSize bytes of the table, whatever the peer allows */
  constructor(mostSize: number) {
    this.#mostSize = mostSize
    // What the peer has known from the beginning.
    this.#tableSize = mostSize
  }

  /** SETTINGS_HEADER_TABLE_SIZE of the peer. */
  setPeerTableSize(size: number): void {
    const next = Math.min(size, this.#mostSize)
    if (next === this.#tableSize && this.#leastSize === undefined) return
    this.#leastSize = Math.min(this.#leastSize ?? next, next)
    this.#tableSize = next
    this.#evict(next)
  }

  /** Bytes that `encode` takes at most. */
  bound(fields: readonly string[]): number {
    let bytes = 2 * integerSize + fields.length * 2 * integerSize
    for (const text of fields) bytes += text.length
    return bytes
  }

  /**
   * Writes the head, and returns where it ends.
   * @param fields byte strings, names and values by turns
   * @param target with `bound` bytes behind `at`
   * @param sensitive names of fields that no table may hold, beside those that never are
   */
  encode(fields: readonly string[], target: Buffer, at: number, sensitive: ReadonlySet<string> | undefined): number {
    let end = this.#leastSize === undefined ? at : this.#writeSizes(target, at)
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const name = fields[i] as string
      const never = neverIndexed.has(name) || sensitive?.has(name) === true
      end = this.#field(name, fields[i + 1] as string, never, target, end)
    }
    return end
  }

  #writeSizes(target: Buffer, at: number): number {
    const least = this.#leastSize as number
    this.#leastSize = undefined
    const end = least < this.#tableSize ? writeInteger(target, at, SIZE_UPDATE, 0x1f, least) : at
    return writeInteger(target, end, SIZE_UPDATE, 0x1f, this.#tableSize)
  }

  #field(name: string, value: string, never: boolean, target: Buffer, at: number): number {
    const known = staticByName.get(name)
    if (never) return writeLiteral(target, at, NEVER, 0x0f, known?.index ?? 0, name, value)
    const whole = known?.values.get(value)
    if (whole !== undefined) return writeInteger(target, at, INDEXED, 0x7f, whole)
    const indexed = this.#names.get(name)
    const entry = indexed?.values.get(value)
    if (entry !== undefined) return writeInteger(target, at, INDEXED, 0x7f, this.#indexOf(entry))
    const index = known?.index ?? (indexed === undefined ? 0 : this.#indexOf(indexed.last))
    if (!this.#isRepeated(name, value)) return writeLiteral(target, at, PLAIN, 0x0f, index, name, value)
    const end = writeLiteral(target, at, INCREMENTAL, 0x3f, index, name, value)
    this.#add(name, value)
    return end
  }

  /** It came with this value the last time, and is worth its place. */
  #isRepeated(name: string, value: string): boolean {
    if (seldomRepeated.has(name) || name.length + value.length + entryOverhead > this.#tableSize / 4) return false
    if (this.#lastValues.get(name) === value) return true
    if (this.#lastValues.size >= mostNames) this.#lastValues.clear()
    this.#lastValues.set(name, value)
    return false
  }

  #indexOf(entry: number): number {
    return staticSize + this.#added - entry
  }

  #add(name: string, value: string): void {
    const size = name.length + value.length + entryOverhead
    this.#evict(this.#tableSize - size)
    const entry = this.#added++
    this.#entries.push(name, value)
    this.#size += size
    const indexed = this.#names.get(name)
    if (indexed === undefined) this.#names.set(name, { values: new Map([[value, entry]]), last: entry })
    else {
      indexed.values.set(value, entry)
      indexed.last = entry
    }
  }

  #evict(until: number): void {
    while (this.#size > until && this.#entries.length > 0) {
      const [name = '', value = ''] = this.#entries.splice(0, 2)
      this.#size -= name.length + value.length + entryOverhead
      const indexed = this.#names.get(name)
      indexed?.values.delete(value)
      if (indexed?.values.size === 0) this.#names.delete(name)
    }
  }
}

/** An integer behind the bits of a pattern (RFC 7541, section 5.1). */
function writeInteger(target: Buffer, from: number, pattern: number, prefix: number, value: number): number {
  let at = from
  if (value < prefix) {
    target[at++] = pattern | value
    return at
  }
  target[at++] = pattern | prefix
  let rest = value - prefix
  for (; rest >= 0x80; rest >>>= 7) target[at++] = 0x80 | (rest & 0x7f)
  target[at++] = rest
  return at
}

function writeLiteral(target: Buffer, from: number, pattern: number, prefix: number, index: number, name: string, value: string): number {
  const at = writeInteger(target, from, pattern, prefix, index)
  return writeText(target, index === 0 ? writeText(target, at, name) : at, value)
}

function writeText(target: Buffer, from: number, text: string): number {
  const at = writeInteger(target, from, 0, 0x7f, text.length)
  if (text.length > shortText) return at + target.write(text, at, 'latin1')
  for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i)
  return at + text.length
}
