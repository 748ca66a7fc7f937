/** Where a path of a document stands in its text. Parses the text once more, with positions, so it is only for findings. */
import type { Document, Node, Pair } from 'yaml'
import { isAlias, isMap, isPair, isScalar, isSeq, parseDocument } from 'yaml'
import type { Path } from '../../api/issue.ts'
import { yamlOptions } from './yaml-value.ts'

/** Finds offsets in one text; keep it as long as that text is asked about. */
export class Positions {
  readonly #document: Document

  constructor(text: string) {
    this.#document = parseDocument(text, yamlOptions)
  }

  /** The value at the path if it is a scalar, else its key; of what is not there, the nearest thing that holds it. */
  offset(path: Path): number {
    let at: Node | null = this.#document.contents
    let offset = startOf(at)
    for (const step of path) {
      const next = child(isAlias(at) ? at.resolve(this.#document) : at, step)
      if (!next) return offset
      offset = next.offset
      at = next.value
    }
    return offset
  }
}

interface Child {
  readonly value: Node | null
  readonly offset: number
}

function child(parent: unknown, step: string | number): Child | undefined {
  if (isSeq(parent) && typeof step === 'number') {
    const item = parent.items[step] as Node | undefined
    return item && { value: item, offset: startOf(item) }
  }
  if (!isMap(parent)) return undefined
  const pair: Pair | undefined = parent.items.find((item) => isPair(item) && keyText(item.key) === String(step))
  if (!pair) return undefined
  const value = pair.value as Node | null
  const isPlace = isScalar(value) && value.range && value.range[1] > value.range[0]
  return { value, offset: startOf(isPlace ? value : pair.key) }
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key)
}

function startOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0
}

/** Line and column of an offset, both from 1; columns count UTF-16 units as editors do. */
export function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1
  let from = 0
  for (let end = text.indexOf('\n'); end >= 0 && end < offset; end = text.indexOf('\n', from)) {
    line += 1
    from = end + 1
  }
  return { line, column: offset - from + 1 }
}
