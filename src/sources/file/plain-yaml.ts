/**
 * A fast reader for the YAML that manifests are mostly written in: block mappings and sequences of one-line scalars.
 *
 * Everything else (flow style, block scalars, anchors, tags, escapes, text of several lines, mistakes) is undefined here
 * and left to the full parser, which is some twenty times slower. What this one reads, the full one reads as the same
 * value; a property test holds them together.
 */
import { plainScalar } from './scalar.ts'

interface Line {
  readonly indent: number
  readonly text: string
}

/** Something that this reader leaves to the full parser. */
const OTHER = Symbol('other')
type Other = typeof OTHER

const DEEPEST = 60
/** Tabs and carriage returns have rules of their own. */
const UNUSUAL = /[\t\r\u0085\u2028\u2029\uFEFF]|^(?:---|\.\.\.|%)/m

export function parsePlainYaml(text: string): { readonly value: unknown } | undefined {
  if (UNUSUAL.test(text)) return undefined
  const lines = linesOf(text)
  const first = lines[0]
  if (!first) return undefined
  const reader = new Reader(lines)
  const value = reader.block(first.indent, 0)
  return value === OTHER || !reader.isAtEnd ? undefined : { value }
}

/** Without empty lines and comments. */
function linesOf(text: string): Line[] {
  const lines: Line[] = []
  for (const line of text.split('\n')) {
    let indent = 0
    while (line.charCodeAt(indent) === 0x20) indent++
    if (indent < line.length && line.charCodeAt(indent) !== 0x23) lines.push({ indent, text: line.slice(indent) })
  }
  return lines
}

/** A key that is a string whatever the rules for scalars, and what follows its colon. */
const ENTRY = /^([A-Za-z_][\w./-]*|"[^"\\]*"|'[^']*'):(?: +(.*))?$/

class Reader {
  readonly #lines: Line[]
  #at = 0

  constructor(lines: Line[]) {
    this.#lines = lines
  }

  get isAtEnd(): boolean {
    return this.#at === this.#lines.length
  }

  block(indent: number, depth: number): unknown {
    const line = this.#lines[this.#at]
    if (!line || depth > DEEPEST) return OTHER
    return isItem(line) ? this.#sequence(indent, depth) : this.#mapping(indent, depth)
  }

  #mapping(indent: number, depth: number): Record<string, unknown> | Other {
    const mapping: Record<string, unknown> = {}
    for (let line = this.#lines[this.#at]; line && line.indent >= indent; line = this.#lines[this.#at]) {
      const entry = line.indent === indent ? ENTRY.exec(line.text) : null
      const key = entry?.[1] === undefined ? OTHER : keyOf(entry[1])
      if (!entry || key === OTHER || Object.hasOwn(mapping, key)) return OTHER
      this.#at += 1
      const value = this.#value(entry[2] ?? '', indent, depth, true)
      if (value === OTHER) return OTHER
      mapping[key] = value
    }
    return mapping
  }

  #sequence(indent: number, depth: number): unknown[] | Other {
    const sequence: unknown[] = []
    for (let line = this.#lines[this.#at]; line && line.indent >= indent; line = this.#lines[this.#at]) {
      if (line.indent > indent) return OTHER
      if (!isItem(line)) break
      const item = this.#item(line, indent, depth)
      if (item === OTHER) return OTHER
      sequence.push(item)
    }
    return sequence
  }

  #item(line: Line, indent: number, depth: number): unknown {
    const rest = line.text.slice(1).trimStart()
    if (ENTRY.test(rest)) {
      // A mapping that begins on the line of its dash: read the line again as its first entry.
      const inner = indent + line.text.length - rest.length
      this.#lines[this.#at] = { indent: inner, text: rest }
      return this.#mapping(inner, depth + 1)
    }
    this.#at += 1
    return this.#value(rest, indent, depth, false)
  }

  /** What follows a colon or a dash: a scalar on the line, or a block on the lines below. */
  #value(text: string, indent: number, depth: number, isOfKey: boolean): unknown {
    const next = this.#lines[this.#at]
    if (text === '' || text.startsWith('#')) {
      if (next && next.indent > indent) return this.block(next.indent, depth + 1)
      // The dashes of a sequence may stand right below its key.
      if (next && isOfKey && next.indent === indent && isItem(next)) return this.#sequence(indent, depth + 1)
      return null
    }
    // A line further in goes on with this scalar.
    return next && next.indent > indent ? OTHER : scalarOf(text)
  }
}

function isItem({ text }: Line): boolean {
  return text === '-' || text.startsWith('- ')
}

function keyOf(text: string): string | Other {
  const first = text.charCodeAt(0)
  const key = first === 0x22 || first === 0x27 ? text.slice(1, -1) : text
  if (key === '__proto__') return OTHER
  return key === text && plainScalar(text) !== text ? OTHER : key
}

const QUOTED = /^(?:"([^"\\]*)"|'([^']*)') *(?: #.*)?$/
/** Characters that begin something other than a plain scalar. */
const INDICATORS = '[]{},#&*!|>\'"%@`?:'

function scalarOf(text: string): unknown {
  const first = text.charAt(0)
  if (first === '"' || first === "'") {
    const quoted = QUOTED.exec(text)
    return quoted ? (quoted[1] ?? quoted[2]) : OTHER
  }
  if (text === '{}') return {}
  if (text === '[]') return []
  if (INDICATORS.includes(first) || text === '-' || text.startsWith('- ')) return OTHER
  const comment = text.indexOf(' #')
  const plain = (comment < 0 ? text : text.slice(0, comment)).trimEnd()
  return plain.includes(': ') || plain.endsWith(':') ? OTHER : plainScalar(plain)
}
