/** A file's text as YAML documents, and what each one says it is, without parsing it. */

export interface DocumentText {
  readonly text: string
  /** Offset of the document's text in the file. */
  readonly start: number
}

/** Only at the start of a line, as in YAML: even a block scalar cannot hold such a line. */
const SEPARATOR = /^(?:---|\.\.\.)(?=[ \t\r\n]|$)/gm
const SOMETHING = /^[ \t]*[^\s#%]/m

/** Splits as kubectl does, so that a broken document does not take the others of its file with it. */
export function splitDocuments(text: string): DocumentText[] {
  const documents: DocumentText[] = []
  const add = (from: number, to: number): void => {
    const part = text.slice(from, to)
    if (SOMETHING.test(part)) documents.push({ text: part, start: from })
  }
  let from = text.startsWith('\uFEFF') ? 1 : 0
  if (text.includes('\n---') || text.includes('\n...') || text.startsWith('---', from)) {
    const body = from === 0 ? text : ` ${text.slice(1)}`
    for (const match of body.matchAll(SEPARATOR)) {
      add(from, match.index)
      from = match.index + 3
    }
  }
  add(from, text.length)
  return documents
}

export interface DocumentType {
  readonly apiVersion: string
  readonly kind: string
}

const API_VERSION = /^(?:apiVersion|"apiVersion")[ \t]*:[ \t]+(["']?)([\w.\-/]+)\1[ \t]*(?:#.*)?\r?$/m
const KIND = /^(?:kind|"kind")[ \t]*:[ \t]+(["']?)(\w+)\1[ \t]*(?:#.*)?\r?$/m

/** What the lines `apiVersion:` and `kind:` at the left margin say; undefined where they say nothing plain. */
export function scanType(text: string): Partial<DocumentType> {
  const apiVersion = API_VERSION.exec(text)?.[2]
  const kind = KIND.exec(text)?.[2]
  return { ...(apiVersion !== undefined && { apiVersion }), ...(kind !== undefined && { kind }) }
}

const FIRST_CHARACTER = /^(?:\s|#.*$)*([^\s#])/m

/** JSON, or YAML in flow style: nothing stands at the left margin. */
export function isFlow(text: string): boolean {
  const first = FIRST_CHARACTER.exec(text)?.[1]
  return first === '{' || first === '['
}
