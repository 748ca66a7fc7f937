/** The text of one document as a plain value, or where and why it is none. */
import type { DocumentOptions, ParseOptions, ScalarTag, SchemaOptions } from 'yaml'
import { parseDocument } from 'yaml'
import { repeatedKey } from './json-keys.ts'
import { parsePlainYaml } from './plain-yaml.ts'
import { plainScalar } from './scalar.ts'

export type Value = { readonly kind: 'value'; readonly value: unknown } | SyntaxProblem

export interface SyntaxProblem {
  readonly kind: 'broken'
  readonly message: string
  /** In the document's text. */
  readonly offset: number
}

/** Every plain scalar goes through one function; explicit tags come out as the same types. */
const plainTag: ScalarTag = { tag: 'tag:yaml.org,2002:null', default: true, test: /^/, resolve: plainScalar }
const explicitTags: ScalarTag[] = ['bool', 'int', 'float', 'timestamp', 'binary'].map((name) => ({
  tag: `tag:yaml.org,2002:${name}`,
  resolve: plainScalar,
}))

/** Aliases that would expand to more nodes are refused: a page of text must not become a gigabyte. */
const MOST_ALIASES = 10_000
/** Far beyond any schema; what is deeper would exhaust the stack of whoever walks it. */
const DEEPEST = 200

export const yamlOptions: ParseOptions & DocumentOptions & SchemaOptions = {
  schema: 'failsafe',
  customTags: (tags) => [...tags, plainTag, ...explicitTags],
  merge: true,
  prettyErrors: false,
  logLevel: 'silent',
}

export function parseText(text: string): Value {
  const plain = looksLikeJson(text) ? undefined : parsePlainYaml(text)
  return plain ? { kind: 'value', value: plain.value } : parseFully(text)
}

/** Whatever the style. */
export function parseFully(text: string): Value {
  const parsed = parseAny(text)
  if (parsed.kind === 'broken' || !isDeeper(parsed.value, DEEPEST)) return parsed
  return { kind: 'broken', message: `values must be nested at most ${DEEPEST} deep`, offset: 0 }
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((item) => isDeeper(item, levels - 1))
}

function parseAny(text: string): Value {
  if (looksLikeJson(text)) {
    const value = parseJson(text)
    if (value) return value
  }
  try {
    const document = parseDocument(text, yamlOptions)
    const [error] = document.errors
    if (error) return { kind: 'broken', message: oneLine(error.message), offset: error.pos[0] }
    return { kind: 'value', value: document.toJS({ maxAliasCount: MOST_ALIASES }) }
  } catch (error) {
    // What only shows while nodes become values: too many aliases, a merge of what is no mapping, nesting beyond the stack.
    return { kind: 'broken', message: error instanceof Error ? oneLine(error.message) : String(error), offset: 0 }
  }
}

const JSON_START = /^\s*[{[]/

function looksLikeJson(text: string): boolean {
  return JSON_START.test(text)
}

/** Undefined when it is no JSON; YAML's flow style looks alike, and the YAML parser has the better message. */
function parseJson(text: string): Value | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const repeated = repeatedKey(text)
  if (repeated) return { kind: 'broken', message: `the key ${repeated.key} stands twice in one object`, offset: repeated.offset }
  return { kind: 'value', value }
}

function oneLine(message: string): string {
  const [first = message] = message.split('\n')
  return first.replace(/:$/, '')
}
