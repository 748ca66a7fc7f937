/** One file as it was read: its documents, what each is, and what could not be read. */
import { readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { bareDocument, bareManifest } from './bare.ts'
import type { Bare } from './bare.ts'
import { isFlow, scanType, splitDocuments } from './documents.ts'
import type { DocumentType } from './documents.ts'
import type { FileError } from './file-error.ts'
import { FileError as Failure, fileErrorOf } from './file-error.ts'
import { isTemplate } from './helm-template.ts'
import type { Manifest } from './manifest.ts'
import { manifestsOf } from './manifest.ts'
import { isOurs, roleOf } from './role.ts'
import type { Role } from './role.ts'
import { hasVariables } from './variables.ts'
import type { SyntaxProblem, Value } from './yaml-value.ts'
import { parseText } from './yaml-value.ts'

export interface SourceFile {
  /** As a person would name it; `-` for standard input. */
  readonly path: string
  readonly absolute: string
  /** Where its bytes are, every symbolic link followed: the same for all ways that lead to one file. */
  readonly real: string
  /** Absolute folder that holds the file, and the absolute folder above which nothing is looked at. */
  readonly folder: string
  readonly root: string
  readonly name: string
  /** '' when nothing in it can be pointed at. */
  readonly text: string
  readonly hasVariables: boolean
  readonly isTemplate: boolean
  /** Holds a ConfigMap or Secret, whose values may be those of variables. */
  readonly hasData: boolean
  /** What may be the values of a chart. */
  readonly values: readonly unknown[]
  /** What its documents say about other objects. */
  readonly context: readonly Manifest[]
  readonly documents: readonly SourceDocument[]
}

export interface SourceDocument {
  readonly text: string
  /** Offset in the file's text. */
  readonly start: number
  readonly role: Role | 'template' | 'encrypted' | 'broken' | 'other'
  /** Of what was told without parsing; only for `foreign`. */
  readonly type?: DocumentType
  /** What a parse without variables gave: the objects of `context` and `mixed`, the value of `other` that may be a chart's. */
  readonly manifests: readonly Manifest[]
  readonly value?: unknown
  readonly problem?: SyntaxProblem
  /** Set for a document of no manifest that is not even a mapping. */
  readonly bare?: Bare
}

/** More than any API server takes in one request; a dump beyond it is not a manifest. */
const LARGEST_FILE = 64 * 1024 * 1024

export function readText(path: string): string | FileError {
  try {
    const bytes = readFileSync(path)
    if (bytes.length <= LARGEST_FILE) return bytes.toString('utf8')
    return new Failure('not-readable', `Cannot read ${path}: a file must have at most ${LARGEST_FILE} bytes, got ${bytes.length}`)
  } catch (error) {
    return fileErrorOf(error, `read ${path}`)
  }
}

/** While a file is broken, what it said about others before (`previous`) still holds. */
export function sourceFile(path: string, root: string, text: string, previous?: SourceFile, real = resolve(path)): SourceFile {
  const name = basename(path)
  const documents = splitDocuments(text).map(({ text: part, start }) => readDocument(part, start, name))
  // Megabytes of foreign kinds are of no more use once they are counted.
  const isSpent = documents.length > 0 && documents.every(({ role, bare }) => !bare && (role === 'foreign' || role === 'other'))
  return {
    path,
    absolute: resolve(path),
    real,
    folder: resolve(dirname(path)),
    root: resolve(root),
    name,
    text: isSpent ? '' : text,
    hasVariables: hasVariables(text),
    hasData: documents.some(holdsData),
    isTemplate: documents.some(({ role }) => role === 'template'),
    values: documents.map(({ value }) => value).filter((value) => value !== undefined),
    context:
      previous && documents.some(({ role }) => role === 'broken') ? previous.context : documents.flatMap(({ manifests }) => manifests),
    documents,
  }
}

const KIND_OF_DATA = /^kind:[ \t]*["']?(?:ConfigMap|Secret)\b/m

/** Whether a document is a ConfigMap or a Secret. */
export function holdsData({ role, text }: SourceDocument): boolean {
  return role === 'object' && KIND_OF_DATA.test(text)
}

/** SOPS writes how it encrypted a document into the document. */
const ENCRYPTED = /^sops:[ \t]*$/m

export function isKustomization(name: string): boolean {
  return name === 'kustomization.yaml' || name === 'kustomization.yml' || name === 'Kustomization'
}

const API_VERSION_SOMEWHERE = /["']?apiVersion["']?[ \t]*:/
const KIND_SOMEWHERE = /["']?kind["']?[ \t]*:/
/** Values of a chart that describe a route. */
const LIKE_ROUTE_VALUES = /^[ \t]*["']?(?:parentRefs|hostnames)["']?[ \t]*:/m

function readDocument(text: string, start: number, name: string): SourceDocument {
  if (isKustomization(name)) {
    const parsed = parseText(text)
    if (parsed.kind === 'broken') return { text, start, role: 'broken', manifests: [], problem: parsed }
    const type = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' }
    return { text, start, role: 'context', manifests: manifestsOf(parsed.value, [], type) }
  }
  const scanned = scanType(text)
  const { apiVersion, kind } = scanned
  if (isTemplate(text, kind)) return { text, start, role: 'template', manifests: [] }
  if (apiVersion !== undefined && kind !== undefined) {
    const type = { apiVersion, kind }
    const role = roleOf(type)
    if (role === 'object') return { text, start, role: ENCRYPTED.test(text) ? 'encrypted' : role, manifests: [] }
    if (role === 'foreign') return { text: '', start, role, type, manifests: [] }
    return fromValue(text, start, role, parseText(text))
  }
  if (isLikeAManifest(text, scanned)) return fromValue(text, start, 'mixed', parseText(text))
  const bare = bareDocument(text)
  const problem = bare && bareManifest(text, bare)
  if (problem) return { text, start, role: 'broken', manifests: [], problem }
  if (bare) return { text: '', start, role: 'other', manifests: [], bare }
  if (!LIKE_ROUTE_VALUES.test(text)) return { text: '', start, role: 'other', manifests: [] }
  const parsed = parseText(text)
  return { text: '', start, role: 'other', manifests: [], ...(parsed.kind === 'value' && { value: parsed.value }) }
}

/** Half of what makes a manifest of ours, or all of it in JSON or flow style. */
function isLikeAManifest(text: string, { apiVersion = '', kind = '' }: Partial<DocumentType>): boolean {
  if (apiVersion !== '' || kind !== '') return isOurs({ apiVersion, kind: kind === '' ? 'Gateway' : kind })
  return isFlow(text) && API_VERSION_SOMEWHERE.test(text) && KIND_SOMEWHERE.test(text)
}

function fromValue(text: string, start: number, role: Role, parsed: Value): SourceDocument {
  if (parsed.kind === 'broken') {
    // A list may be YAML only once its variables are filled.
    return role === 'mixed' ? { text, start, role, manifests: [] } : { text, start, role: 'broken', manifests: [], problem: parsed }
  }
  const manifests = manifestsOf(parsed.value)
  if (manifests.length === 0) {
    const bare = bareDocument(text)
    const problem: SyntaxProblem = { kind: 'broken', message: 'a manifest must have an apiVersion and a kind', offset: 0 }
    return { text, start, role: 'broken', manifests, problem: (bare && bareManifest(text, bare)) ?? problem }
  }
  return { text, start, role, manifests }
}
