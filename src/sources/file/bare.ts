/** A document that is no mapping: a list or a plain value, which no manifest is. */
import { isFields } from './manifest.ts'
import type { SyntaxProblem } from './yaml-value.ts'
import { parseText } from './yaml-value.ts'

export interface Bare {
  readonly what: 'a list' | 'a plain value'
  /** Of its first character, in the document's text. */
  readonly offset: number
}

const FIRST_LINE = /^[ \t]*([^\s#%][^\n]*)/m
const LIST_START = /^(?:-(?:\s|$)|\[)/
/** Flow style, a key of several lines, or a key with its colon. */
const MAPPING_START = /^[{?]|:(?:\s|$)/

/** Undefined for a mapping, and for what is no YAML at all. Parses only where the first line does not tell. */
export function bareDocument(text: string): Bare | undefined {
  const line = FIRST_LINE.exec(text)
  const [whole = '', first = ''] = line ?? []
  const offset = (line?.index ?? 0) + whole.length - first.length
  if (LIST_START.test(first)) return { what: 'a list', offset }
  if (first === '' || MAPPING_START.test(first)) return undefined
  const parsed = parseText(text)
  if (parsed.kind === 'broken' || parsed.value === null || isFields(parsed.value)) return undefined
  return { what: Array.isArray(parsed.value) ? 'a list' : 'a plain value', offset }
}

/** Both names of what makes a manifest, though nothing stands where it should. */
const MANIFEST_WORDS = [/\bapiVersion\b/, /\bkind\b/]

/** Set when somebody seems to have meant manifests: kubectl would refuse the file too. */
export function bareManifest(text: string, { what, offset }: Bare): SyntaxProblem | undefined {
  if (!MANIFEST_WORDS.every((word) => word.test(text))) return undefined
  const remedy =
    what === 'a list'
      ? 'write each item as a document of its own, with --- between them, or all of them as the items of a List'
      : 'write a colon and a space behind the name of each field'
  return { kind: 'broken', message: `a manifest must be a mapping, got ${what}; ${remedy}`, offset }
}
