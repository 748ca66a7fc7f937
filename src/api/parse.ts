/**
 * The border: a JSON value of unknown make becomes an object of src/api, or the list of everything that is wrong with it.
 *
 * Judges as the API server with the CRDs of Gateway API v1.7.0 (experimental channel) would: types, limits, defaults,
 * CEL rules. Nothing behind this border validates again. Knows neither files nor YAML (the sources map a path to line
 * and column) nor other objects (translate judges references). Called by the sources.
 */
import { show } from './issue.ts'
import type { Issue } from './issue.ts'
import type { KindDefinition } from './kinds/definition.ts'
import { KINDS } from './kinds/kinds.ts'
import type { TypeMeta } from './meta.ts'
import type { ApiObject } from './object.ts'
import { nearest } from '../lib/nearest.ts'
import { isRecord } from './schema/object.ts'
import { EXPERIMENTAL_GROUP } from './x-backend.ts'
import { Reader } from './schema/schema.ts'

export { formatPath } from './issue.ts'
export type { Issue } from './issue.ts'

export interface ParseOptions {
  /** For objects of namespaced kinds that name none; 'default' unless given. */
  readonly defaultNamespace?: string
  /** The valid object that this one would replace, for rules about changes. */
  readonly old?: ApiObject
}

/** What an object calls itself, '' for what it does not say. */
export interface Claim extends TypeMeta {
  readonly namespace: string
  readonly name: string
}

export type Parsed =
  | { readonly kind: 'object'; readonly object: ApiObject; /** Warnings only. */ readonly issues: readonly Issue[] }
  | { readonly kind: 'invalid'; readonly ref: Claim; readonly issues: readonly Issue[] }
  /** A kind that this project does not read; a foreign group's Gateway is one too. */
  | { readonly kind: 'unknown'; readonly ref: Claim }

export function parse(value: unknown, options: ParseOptions = {}): Parsed {
  const { defaultNamespace = 'default', old } = options
  const ref = claimOf(value)
  const reader = new Reader(ref.kind === '' ? 'the object' : ref.kind, defaultNamespace)
  const invalid = (): Parsed => ({ kind: 'invalid', ref, issues: reader.issues })

  if (!isRecord(value)) {
    reader.error('type', 'must be an object', show(value))
    return invalid()
  }
  if (ref.apiVersion === '') reader.error('required', 'must be set', show(value['apiVersion']), ['apiVersion'])
  if (ref.kind === '') reader.error('required', 'must be set', show(value['kind']), ['kind'])
  if (reader.errors > 0) return invalid()

  if (DEFINED_GROUPS.has(ref.apiVersion)) {
    reader.error('version', `must end in a version, such as ${ref.apiVersion}/v1`, show(ref.apiVersion), ['apiVersion'])
    return invalid()
  }
  const { group, version } = splitVersion(ref.apiVersion)
  const ofGroup = KINDS.filter((candidate) => candidate.group === group)
  const definition = ofGroup.find((candidate) => candidate.kind === ref.kind)
  if (!definition) {
    const meant = meantBy(ref.kind, group, ofGroup)
    if (meant === undefined) return { kind: 'unknown', ref }
    reader.error('kind', `must be ${meant}`, show(ref.kind), ['kind'])
    return invalid()
  }

  const placed = definition.scope === 'Cluster' ? { ...ref, namespace: '' } : { ...ref, namespace: ref.namespace || defaultNamespace }
  const schema = schemaFor(definition, version, reader)
  const object = schema?.read(value, reader)
  if (object && old?.kind === object.kind) reader.check(definition.transitions ?? [], { old, now: object })
  return object && reader.errors === 0
    ? { kind: 'object', object, issues: reader.issues }
    : { kind: 'invalid', ref: placed, issues: reader.issues }
}

/**
 * The objects of a `List` (or `HTTPRouteList` ..., whose items may leave out what the list says already), in place:
 * item i lies at `items[i]`. Undefined for what is no list.
 */
export function listItems(value: unknown): readonly unknown[] | undefined {
  if (!isRecord(value)) return undefined
  const { apiVersion, kind, items } = value
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return undefined
  const itemKind = kind.slice(0, -'List'.length)
  if (itemKind === '') return items
  return items.map((item: unknown) => (isRecord(item) ? { apiVersion, kind: itemKind, ...item } : item))
}

/** Groups that have no kinds but these. Of the core group there are many more, some of them with similar names. */
const DEFINED_GROUPS: ReadonlySet<string> = new Set(['gateway.networking.k8s.io', EXPERIMENTAL_GROUP])

function meantBy(kind: string, group: string, ofGroup: readonly KindDefinition[]): string | undefined {
  const same = ofGroup.find((candidate) => candidate.kind.toLowerCase() === kind.toLowerCase())
  if (same !== undefined || !DEFINED_GROUPS.has(group)) return same?.kind
  return nearest(
    kind,
    ofGroup.map((candidate) => candidate.kind),
  )
}

function schemaFor(definition: KindDefinition, version: string, reader: Reader) {
  const served = definition.served.get(version)
  if (served) return served
  const versions = [...definition.served.keys()].join(' or ')
  const retired = definition.retired?.get(version)
  const got = `${show(version)}, which ${retired ? 'clusters no longer serve' : 'is no version of it'}`
  if (retired) reader.warn('version-retired', `must have version ${versions} or a cluster refuses it`, got, ['apiVersion'])
  else reader.error('version', `must have version ${versions}`, got, ['apiVersion'])
  return retired
}

function splitVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

function claimOf(value: unknown): Claim {
  const object = isRecord(value) ? value : {}
  const metadata = isRecord(object['metadata']) ? object['metadata'] : {}
  const text = (given: unknown): string => (typeof given === 'string' ? given : '')
  return {
    apiVersion: text(object['apiVersion']),
    kind: text(object['kind']),
    namespace: text(metadata['namespace']),
    name: text(metadata['name']),
  }
}
