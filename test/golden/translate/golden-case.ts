/** Reading and translating the inputs of golden cases. The document `kind: Case` sets options and observations; all others are objects. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { formatPath, parse } from '../../../src/api/parse.ts'
import type { ApiObject } from '../../../src/api/object.ts'
import type { GatewayObservation } from '../../../src/cluster/observations.ts'
import { SnapshotBuilder } from '../../../src/cluster/snapshot-builder.ts'
import { translate, type TranslateOptions } from '../../../src/translate/translate.ts'
import type { Translation } from '../../../src/translate/translation.ts'
import { keyPairs } from './key-pairs.ts'

export interface GoldenCase {
  readonly objects: readonly ApiObject[]
  readonly options: TranslateOptions
  /** Absent: everything is assumed served. `servedVersion: current` stands for the version that this very pass makes. */
  readonly observations?: Readonly<Record<string, GatewayObservation>>
}

interface CaseDocument {
  readonly kind: 'Case'
  readonly options?: Partial<TranslateOptions>
  readonly observations?: Readonly<Record<string, Partial<GatewayObservation>>>
  /** `Kind/namespace/name` of Secrets and ConfigMaps that exist and were not read yet. */
  readonly unloaded?: readonly string[]
}

export const OPTIONS: TranslateOptions = { controllerName: 'gatewright.dev/gateway-controller', anyClassIsOurs: false }

/** Paths below `folder`, sorted. */
export function goldenInputs(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.in.yaml'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

export function readGolden(path: string): GoldenCase {
  return caseOf(readFileSync(path, 'utf8'))
}

export function caseOf(text: string): GoldenCase {
  const documents = parseAllDocuments(
    text.replaceAll(/\$\{(\w+)\.(crt|key|pem)\}/g, (_, name: string, part: 'crt' | 'key' | 'pem') => filledIn(name, part)),
  )
  const values = documents.map((document): unknown => document.toJS()).filter((value) => value !== null)
  const head = values.find((value): value is CaseDocument => (value as { kind?: unknown }).kind === 'Case')
  const objects = [...values.filter((value) => value !== head).map(objectOf), ...(head?.unloaded ?? []).map(unloadedOf)]
  const observations = Object.entries(head?.observations ?? {}).map(([gateway, observation]) => [
    gateway,
    { addresses: [], failedPorts: [], ...observation } satisfies GatewayObservation,
  ])
  return {
    objects,
    options: { ...OPTIONS, ...head?.options },
    ...(head?.observations === undefined ? {} : { observations: Object.fromEntries(observations) as Record<string, GatewayObservation> }),
  }
}

export function objectOf(value: unknown): ApiObject {
  const parsed = parse(value)
  if (parsed.kind === 'object') return parsed.object
  const issues = parsed.kind === 'invalid' ? parsed.issues.map(({ path, message }) => `${formatPath(path)}: ${message}`) : ['unknown kind']
  throw new Error(`Cannot use the object ${parsed.ref.kind} ${parsed.ref.name}: ${issues.join('; ')}`)
}

function unloadedOf(key: string): ApiObject {
  const [kind, namespace, name] = key.split('/')
  const object = objectOf({ apiVersion: 'v1', kind, metadata: { namespace, name } })
  if (object.kind !== 'Secret' && object.kind !== 'ConfigMap') throw new Error(`Cannot use ${key}: it must be a Secret or a ConfigMap`)
  return { ...object, unloaded: true }
}

export function translateGolden({ objects, options, observations }: GoldenCase): Translation {
  const builder = new SnapshotBuilder()
  for (const object of objects) builder.set(object)
  if (observations === undefined) {
    builder.observe({ gateways: new Map(), assumeProgrammed: true })
    return translate(builder.snapshot(), options).translation
  }
  const unobserved = translate(builder.snapshot(), options)
  const versions = unobserved.translation.versions
  const gateways = Object.entries(observations).map(([gateway, observation]): [string, GatewayObservation] => {
    const current = versions.get(gateway)
    return [
      gateway,
      observation.servedVersion === 'current' && current !== undefined ? { ...observation, servedVersion: current } : observation,
    ]
  })
  builder.observe({ gateways: new Map(gateways), assumeProgrammed: false })
  return translate(builder.snapshot(), options, unobserved).translation
}

/** `crt` and `key` as Secrets hold them, `pem` the certificate as a ConfigMap does. */
function filledIn(name: string, part: 'crt' | 'key' | 'pem'): string {
  const pair = keyPairs[name]
  if (pair === undefined)
    throw new Error(`Cannot fill in \${${name}.${part}}: the key pair must be one of ${Object.keys(keyPairs).join(', ')}`)
  return part === 'pem' ? JSON.stringify(pair.crt) : Buffer.from(pair[part]).toString('base64')
}
