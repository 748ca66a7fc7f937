/** Kubernetes objects as they stand in a document, before anybody looked at their fields. */
import type { Path } from '../../api/issue.ts'
import type { DocumentType } from './documents.ts'

export type Fields = Readonly<Record<string, unknown>>

export interface Manifest extends DocumentType {
  readonly value: Fields
  /** Where the object stands in its document: `[]`, or `['items', 3]`. */
  readonly within: Path
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The fields at a path of names, or an empty object: for reading what may be missing at every step. */
export function fieldsAt(value: unknown, ...path: readonly string[]): Fields {
  let at: unknown = value
  for (const step of path) at = isFields(at) ? at[step] : undefined
  return isFields(at) ? at : {}
}

export function listAt(value: unknown, name: string): readonly unknown[] {
  const list = isFields(value) ? value[name] : undefined
  return Array.isArray(list) ? list : []
}

export function textAt(value: unknown, name: string): string | undefined {
  const text = isFields(value) ? value[name] : undefined
  return typeof text === 'string' && text !== '' ? text : undefined
}

/** A `List` is its items (which may leave out what the list's own type says); everything else is itself. */
export function manifestsOf(value: unknown, within: Path = [], from?: DocumentType): Manifest[] {
  if (!isFields(value)) return []
  const kind = textAt(value, 'kind') ?? from?.kind
  if (kind === undefined) return []
  const apiVersion = textAt(value, 'apiVersion') ?? from?.apiVersion ?? ''
  if (!kind.endsWith('List') || !Array.isArray(value['items'])) {
    const complete = 'kind' in value && 'apiVersion' in value ? value : { apiVersion, kind, ...value }
    return [{ apiVersion, kind, value: from ? complete : value, within }]
  }
  const itemType = kind === 'List' ? undefined : { apiVersion, kind: kind.slice(0, -'List'.length) }
  return value['items'].flatMap((item, index) => manifestsOf(item, [...within, 'items', index], itemType))
}

export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? '' : apiVersion.slice(0, slash)
}

export function nameOf(manifest: Manifest): string {
  return textAt(manifest.value['metadata'], 'name') ?? ''
}

export function ownNamespaceOf(manifest: Manifest): string | undefined {
  return textAt(manifest.value['metadata'], 'namespace')
}
