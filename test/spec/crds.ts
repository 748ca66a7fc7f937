/** The CRDs of the Gateway API, as far as parse mirrors them. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { EXPERIMENTAL_GROUP } from '../../src/api/x-backend.ts'
import { readManifests } from './gateway-api.ts'

export interface JsonSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
  readonly additionalProperties?: JsonSchema
  readonly required?: readonly string[]
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map' | 'set'
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string }[]
}

interface Crd {
  readonly kind: string
  readonly spec: {
    readonly group: string
    readonly names: { readonly kind: string }
    readonly versions: readonly {
      readonly name: string
      readonly served: boolean
      readonly schema: { readonly openAPIV3Schema: JsonSchema }
    }[]
  }
}

export interface ServedVersion {
  readonly kind: string
  readonly version: string
  readonly schema: JsonSchema
}

const GROUPS: readonly string[] = ['gateway.networking.k8s.io', EXPERIMENTAL_GROUP]
/** Of the experimental group there are kinds that parse does not read. */
const UNREAD: readonly string[] = ['XMesh']

/** Every served version of every kind that parse reads, experimental channel. */
export function servedVersions(gatewayApi: string): ServedVersion[] {
  return readManifests(join(gatewayApi, 'config/crd/experimental'))
    .flatMap(({ documents }) => documents as readonly Crd[])
    .filter(({ kind, spec }) => kind === 'CustomResourceDefinition' && GROUPS.includes(spec.group) && !UNREAD.includes(spec.names.kind))
    .flatMap(({ spec }) =>
      spec.versions
        .filter(({ served }) => served)
        .map(({ name, schema }) => ({ kind: spec.names.kind, version: name, schema: schema.openAPIV3Schema })),
    )
}

/** Calls for each place of a schema, outermost first. */
export function walk(schema: JsonSchema, path: string, visit: (schema: JsonSchema, path: string) => void): void {
  visit(schema, path)
  for (const [name, inner] of Object.entries(schema.properties ?? {})) walk(inner, path === '' ? name : `${path}.${name}`, visit)
  if (schema.items) walk(schema.items, `${path}[]`, visit)
  if (schema.additionalProperties) walk(schema.additionalProperties, `${path}{}`, visit)
}

/** One CEL rule at one place: which, not what; the text itself stays where it is. */
export interface RuleSite {
  readonly kind: string
  readonly path: string
  readonly versions: readonly string[]
  readonly sha256: string
}

export function ruleSites(served: readonly ServedVersion[]): RuleSite[] {
  const sites = new Map<string, RuleSite>()
  for (const { kind, version, schema } of served) {
    walk(schema, '', ({ 'x-kubernetes-validations': rules = [] }, path) => {
      for (const { rule } of rules) {
        const sha256 = createHash('sha256').update(rule).digest('hex')
        const id = JSON.stringify([kind, path, sha256])
        sites.set(id, { kind, path, versions: [...(sites.get(id)?.versions ?? []), version], sha256 })
      }
    })
  }
  return [...sites.values()]
}
