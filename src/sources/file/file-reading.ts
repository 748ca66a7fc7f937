/**
 * One file's documents as objects: parsed where they changed, the old ones where they did not, the last good ones where
 * they broke.
 */
import type { Issue, Path } from '../../api/issue.ts'
import type { ObjectRef } from '../../api/meta.ts'
import type { ApiObject } from '../../api/object.ts'
import { parse } from '../../api/parse.ts'
import type { Location } from '../source.ts'
import { objectKey } from '../source.ts'
import { deepEqual } from '../deep-equal.ts'
import type { Manifest } from './manifest.ts'
import { manifestsOf } from './manifest.ts'
import { lineAndColumn, Positions } from './position.ts'
import { isOurs } from './role.ts'
import type { Scope } from './scope.ts'
import { holdsData } from './source-file.ts'
import type { SourceDocument, SourceFile } from './source-file.ts'
import type { NameHost, Substituted, VariableUse } from './variables.ts'
import { hasVariables, originalOffset, settleVariables, substitute } from './variables.ts'
import type { SyntaxProblem } from './yaml-value.ts'
import { parseText } from './yaml-value.ts'

export interface FileReading {
  readonly file: SourceFile
  readonly scope: Scope
  readonly namespace: string
  readonly entries: readonly Entry[]
  readonly documents: readonly DocumentReading[]
  /** Objects of all documents that this project does not serve. */
  readonly others: readonly OtherObject[]
}

export interface OtherObject {
  readonly manifest: Manifest
  readonly document: SourceDocument
}

/** An object to serve, and where it stands. */
export interface Entry {
  readonly key: string
  readonly object: ApiObject
  readonly place: Place
}

export interface Place {
  readonly file: SourceFile
  readonly document: SourceDocument
  readonly substituted: Substituted
  readonly within: Path
}

export interface DocumentReading {
  readonly document: SourceDocument
  readonly substituted: Substituted
  readonly namespace: string
  readonly objects: readonly ObjectReading[]
  /** Lists taken apart. */
  readonly others: readonly Manifest[]
  readonly problem?: SyntaxProblem
}

export interface ObjectReading {
  readonly within: Path
  readonly ref: ObjectRef
  readonly key: string
  /** Absent when the object was refused. */
  readonly object?: ApiObject
  readonly issues: readonly Issue[]
  readonly unknownVariables: readonly VariableUse[]
}

export interface ReadingContext {
  readonly scope: Scope
  readonly nameHost: NameHost | undefined
  readonly previous: FileReading | undefined
}

/** The same reading as before when nothing that it depends on has changed. */
export function readObjects(file: SourceFile, context: ReadingContext): FileReading {
  const { previous, scope } = context
  const isSame = previous?.file === file && previous.namespace === scope.namespace
  if (isSame && (!file.hasVariables || previous.scope === scope)) return previous
  const before = new Map(previous?.documents.map((reading) => [reading.substituted.text, reading]))
  const lastGood = new Map(previous?.entries.map((entry) => [entry.key, entry.object]))
  const documents = file.documents.map((document) => readDocument(document, context, before, lastGood))
  if (isSame && documents.every((document, index) => document === previous.documents[index])) return previous
  const others = documents.flatMap(({ document, others: found }) => found.map((manifest) => ({ manifest, document })))
  return { file, scope, namespace: scope.namespace, documents, others, entries: entriesOf(file, documents, previous) }
}

function readDocument(
  document: SourceDocument,
  { scope, nameHost }: ReadingContext,
  before: ReadonlyMap<string, DocumentReading>,
  lastGood: ReadonlyMap<string, ApiObject>,
): DocumentReading {
  // Data holds shell scripts and the like: `${VAR}` there is seldom for Flux.
  const isParsed = document.role === 'object' || document.role === 'mixed'
  const substituted =
    isParsed && hasVariables(document.text) && !holdsData(document)
      ? substitute(document.text, scope.lookup)
      : { text: document.text, shifts: [] }
  const known = before.get(substituted.text)
  if (known && known.namespace === scope.namespace && known.document.role === document.role) {
    return known.document === document ? known : { ...known, document, substituted }
  }
  const reading = { document, substituted, namespace: scope.namespace }
  if (!isParsed) {
    const others = document.type ? [{ ...document.type, value: {}, within: [] }] : document.manifests
    return { ...reading, objects: [], others, ...(document.problem && { problem: document.problem }) }
  }
  const parsed = parseText(substituted.text)
  if (parsed.kind === 'broken') return { ...reading, objects: [], others: [], problem: parsed }
  const objects: ObjectReading[] = []
  const others: Manifest[] = []
  for (const manifest of manifestsOf(parsed.value)) {
    const object = isOurs(manifest) ? readObject(manifest, reading, nameHost, lastGood) : undefined
    if (object) objects.push(object)
    else others.push(manifest)
  }
  return { ...reading, objects, others }
}

/** Undefined for a kind that its group does not have. */
function readObject(
  manifest: Manifest,
  { substituted, namespace, document }: Pick<DocumentReading, 'substituted' | 'namespace' | 'document'>,
  nameHost: NameHost | undefined,
  lastGood: ReadonlyMap<string, ApiObject>,
): ObjectReading | undefined {
  const { value, unknown } =
    hasVariables(substituted.text) && !holdsData(document)
      ? settleVariables(manifest.value, nameHost)
      : { value: manifest.value, unknown: [] }
  const first = parse(value, { defaultNamespace: namespace })
  if (first.kind === 'unknown') return undefined
  const reading = { within: manifest.within, unknownVariables: unknown }
  if (first.kind === 'invalid') {
    return { ...reading, ref: first.ref, key: `${first.ref.kind}/${first.ref.namespace}/${first.ref.name}`, issues: first.issues }
  }
  const { metadata, kind } = first.object
  const ref = { kind, namespace: metadata.namespace, name: metadata.name }
  const key = objectKey(first.object)
  const old = lastGood.get(key)
  if (!old) return { ...reading, ref, key, object: first.object, issues: first.issues }
  if (deepEqual(old, first.object)) return { ...reading, ref, key, object: old, issues: first.issues }
  // Rules about changes need the object that this one replaces.
  const changed = parse(value, { defaultNamespace: namespace, old })
  return {
    ...reading,
    ref,
    key,
    issues: changed.kind === 'unknown' ? [] : changed.issues,
    ...(changed.kind === 'object' && { object: changed.object }),
  }
}

/** What the file gives to serve: good objects, for refused ones the last good version, and while anything is broken all that was there. */
function entriesOf(file: SourceFile, documents: readonly DocumentReading[], previous: FileReading | undefined): Entry[] {
  const entries: Entry[] = []
  const lastGood = new Map(previous?.entries.map((entry) => [entry.key, entry]))
  const mentioned = new Set<string>()
  let isBroken = false
  for (const { document, substituted, objects, problem } of documents) {
    isBroken ||= problem !== undefined || document.role === 'template'
    for (const { key, object, within } of objects) {
      mentioned.add(key)
      const old = lastGood.get(key)
      if (object) entries.push({ key, object, place: { file, document, substituted, within } })
      else if (old) entries.push(old)
    }
  }
  if (isBroken) entries.push(...[...lastGood.values()].filter((entry) => !mentioned.has(entry.key)))
  return entries
}

/** Keeps the positions of the document that was asked about last: findings come in runs. */
export class Locator {
  #document: { readonly text: string; readonly positions: Positions } | undefined

  locate({ file, document, substituted, within }: Place, path: Path): Location {
    if (this.#document?.text !== substituted.text) this.#document = { text: substituted.text, positions: new Positions(substituted.text) }
    return locationOf(file, document, originalOffset(substituted, this.#document.positions.offset([...within, ...path])))
  }
}

/** Where a document begins, its comments aside. */
export function startOf(file: SourceFile, document: SourceDocument): Location {
  return locationOf(file, document, Math.max(0, document.text.search(/^[^\s#]/m)))
}

/** `offset` counts from the start of the document. */
export function locationOf(file: SourceFile, document: SourceDocument, offset: number): Location {
  return { file: file.path, ...lineAndColumn(file.text, document.start + offset) }
}
