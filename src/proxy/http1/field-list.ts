/**
 * The fields of one message: the head as one latin1 string, offsets of its lines, and what edits added.
 *
 * While nothing is edited no line is copied and no name is sliced: `lines` gives back runs of the head as they came,
 * spelling, order and white space included. An edit marks lines as dropped and appends new ones. Names are compared
 * in lower case; there is no map, so `__proto__` is a name like any other.
 */
import { LOWER } from './byte-class.ts'
import { CONTENT_LENGTH, DROPPED, EXPECT, FRAMING_KINDS, HOST, kindOfName, OTHER } from './field-kind.ts'
import { STRIDE } from './field-scanner.ts'

/** A line to append: byte strings, checked by whoever made it. */
export interface AddedField {
  readonly name: string
  readonly lower: string
  readonly value: string
}

export class FieldList {
  readonly #text: string
  readonly #marks: number[]
  /** Where the lines end: the offset of the empty line. */
  readonly #end: number
  /** Kinds among the lines, dropped ones included. */
  readonly #seen: number
  /** Names in lower case of lines that no table of HPACK may hold (RFC 7541, section 6.2.3). */
  sensitive: ReadonlySet<string> | undefined
  #dropped = false
  #added: AddedField[] | undefined

  /** `marks` as FieldScanner makes them, relative to the start of `text`; `end` is the offset of the empty line. */
  constructor(text: string, marks: number[], seen: number, end: number) {
    this.#text = text
    this.#marks = marks
    this.#seen = seen
    this.#end = end
  }

  static empty(): FieldList {
    return new FieldList('', [], 0, 0)
  }

  /** Characters that it holds on to, what was dropped included. */
  get size(): number {
    let size = this.#text.length
    for (const { name, value } of this.#added ?? []) size += name.length + value.length
    return size
  }

  /** The value of a field, several lines joined with `, ` (cookie crumbs with `; `); undefined when absent. */
  get(lower: string): string | undefined {
    let value: string | undefined
    const marks = this.#marks
    for (let m = 0; m < marks.length; m += STRIDE) {
      if (!this.#isNamed(m, lower)) continue
      value = join(lower, value, this.#text.slice(marks[m + 3], marks[m + 4]))
    }
    if (this.#added !== undefined) {
      for (const field of this.#added) if (field.lower === lower) value = join(lower, value, field.value)
    }
    return value
  }

  has(lower: string): boolean {
    for (let m = 0; m < this.#marks.length; m += STRIDE) if (this.#isNamed(m, lower)) return true
    return this.#added !== undefined && this.#added.some((field) => field.lower === lower)
  }

  /** The value of the first line of a kind other than OTHER; undefined when there is none. */
  ofKind(kind: number): string | undefined {
    if ((this.#seen & (1 << kind)) !== 0) {
      const marks = this.#marks
      for (let m = 0; m < marks.length; m += STRIDE) if (marks[m] === kind) return this.#text.slice(marks[m + 3], marks[m + 4])
    }
    return this.#added?.find((field) => kindOfName(field.lower) === kind)?.value
  }

  /** Appends a line. Framing fields are the codec's: they are left alone. */
  add(name: string, lower: string, value: string): void {
    this.append({ name, lower, value })
  }

  /** Replaces every line of that name by one at the end. */
  set(name: string, lower: string, value: string): void {
    this.replace({ name, lower, value })
  }

  /** As `add`. */
  append(field: AddedField): void {
    const kind = kindOfName(field.lower)
    if (isFraming(kind)) return
    if (kind === HOST) this.#drop(field.lower)
    this.#append(field)
  }

  /** As `set`. */
  replace(field: AddedField): void {
    if (isFraming(kindOfName(field.lower))) return
    this.#drop(field.lower)
    this.#append(field)
  }

  /** Removes every line of that name. Host and framing fields stay: a head without them cannot be sent. */
  remove(lower: string): void {
    const kind = kindOfName(lower)
    if (kind !== HOST && !isFraming(kind)) this.#drop(lower)
  }

  /** Removes every line of a kind; costs nothing when there is none. */
  removeKind(kind: number): void {
    if ((this.#seen & (1 << kind)) !== 0) {
      for (let m = 0; m < this.#marks.length; m += STRIDE) if (this.#marks[m] === kind) this.#dropLine(m)
    }
    if (this.#added !== undefined) this.#added = this.#added.filter((field) => kindOfName(field.lower) !== kind)
  }

  /** Drops the lines that Connection names. Only fields without a meaning for the codec or the gateway can be dropped so. */
  dropNamed(names: ReadonlySet<string>): void {
    const marks = this.#marks
    for (let m = 0; m < marks.length; m += STRIDE) {
      if (marks[m] === OTHER && names.has(this.#text.slice(marks[m + 1], marks[m + 2]).toLowerCase())) this.#dropLine(m)
    }
  }

  /** True when every line of a kind has exactly this value. */
  allOfKind(kind: number, value: string): boolean {
    const marks = this.#marks
    for (let m = 0; m < marks.length; m += STRIDE) {
      if (marks[m] === kind && this.#text.slice(marks[m + 3], marks[m + 4]) !== value) return false
    }
    return true
  }

  /** The first line of a kind stays, later ones go. */
  keepFirst(kind: number): void {
    let found = false
    for (let m = 0; m < this.#marks.length; m += STRIDE) {
      if (this.#marks[m] !== kind) continue
      if (found) this.#dropLine(m)
      found = true
    }
  }

  /** Every line as [name, value], dropped ones left out: for copies of the message, logs and tests. */
  entries(): [name: string, value: string][] {
    const entries: [string, string][] = []
    const marks = this.#marks
    for (let m = 0; m < marks.length; m += STRIDE) {
      if (marks[m] === DROPPED) continue
      entries.push([this.#text.slice(marks[m + 1], marks[m + 2]), this.#text.slice(marks[m + 3], marks[m + 4])])
    }
    for (const field of this.#added ?? []) entries.push([field.name, field.value])
    return entries
  }

  /**
   * The lines to forward, each with its CRLF. Hop-by-hop and framing fields are left out, but for Content-Length and
   * Expect, which stay in their place when asked for.
   */
  lines(withLength: boolean, withExpect: boolean): string {
    let skip = FRAMING_KINDS
    if (withLength) skip &= ~(1 << CONTENT_LENGTH)
    if (withExpect) skip &= ~(1 << EXPECT)
    const marks = this.#marks
    let out = ''
    if (!this.#dropped && (this.#seen & skip) === 0) {
      if (marks.length > 0) out = this.#text.slice(marks[1], this.#end)
    } else {
      // Neighbouring lines that stay are copied as one run.
      let run = -1
      for (let m = 0; m < marks.length; m += STRIDE) {
        const kind = marks[m] as number
        if (kind === DROPPED || (skip & (1 << kind)) !== 0) {
          if (run >= 0) out += this.#text.slice(run, marks[m + 1])
          run = -1
        } else if (run < 0) run = marks[m + 1] as number
      }
      if (run >= 0) out += this.#text.slice(run, this.#end)
    }
    if (this.#added !== undefined) for (const field of this.#added) out += field.name + ': ' + field.value + '\r\n'
    return out
  }

  /**
   * The lines as HTTP/2 has them, names in lower case and values by turns, onto the end of `into`. Hop-by-hop and framing
   * fields are left out, but for Content-Length when it is asked for; Host too, which is `:authority` there.
   */
  flatten(into: string[], withLength: boolean): void {
    let skip = FRAMING_KINDS | (1 << HOST) | (1 << DROPPED)
    if (withLength) skip &= ~(1 << CONTENT_LENGTH)
    const marks = this.#marks
    for (let m = 0; m < marks.length; m += STRIDE) {
      if ((skip & (1 << (marks[m] as number))) !== 0) continue
      into.push(this.#text.slice(marks[m + 1], marks[m + 2]).toLowerCase(), this.#text.slice(marks[m + 3], marks[m + 4]))
    }
    for (const { lower, value } of this.#added ?? []) if (kindOfName(lower) !== HOST) into.push(lower, value)
  }

  #isNamed(m: number, lower: string): boolean {
    const start = this.#marks[m + 1] as number
    if ((this.#marks[m + 2] as number) - start !== lower.length || this.#marks[m] === DROPPED) return false
    for (let i = 0; i < lower.length; i++) if (LOWER[this.#text.charCodeAt(start + i)] !== lower.charCodeAt(i)) return false
    return true
  }

  #drop(lower: string): void {
    for (let m = 0; m < this.#marks.length; m += STRIDE) if (this.#isNamed(m, lower)) this.#dropLine(m)
    if (this.#added === undefined) return
    for (const field of this.#added) {
      if (field.lower !== lower) continue
      this.#added = this.#added.filter((other) => other.lower !== lower)
      return
    }
  }

  #append(field: AddedField): void {
    if (this.#added === undefined) this.#added = [field]
    else this.#added.push(field)
  }

  #dropLine(m: number): void {
    this.#marks[m] = DROPPED
    this.#dropped = true
  }
}

function isFraming(kind: number): boolean {
  return kind !== OTHER && (FRAMING_KINDS & (1 << kind)) !== 0
}

function join(lower: string, before: string | undefined, value: string): string {
  if (before === undefined) return value
  return before + (lower === 'cookie' ? '; ' : ', ') + value
}
