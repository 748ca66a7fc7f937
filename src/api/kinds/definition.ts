/** What parse must know of a kind: its group, its versions, how to read it. */
import { metadata, subdomainName } from '../metadata.ts'
import type { Scope } from '../metadata.ts'
import type { ApiObject } from '../object.ts'
import { required } from '../schema/object.ts'
import { constant } from '../schema/scalar.ts'
import type { Rule, Schema } from '../schema/schema.ts'

export interface KindDefinition {
  readonly group: string
  readonly kind: ApiObject['kind']
  readonly scope: Scope
  /** Versions that a cluster with the CRDs of v1.7.0 (or of a current Kubernetes) serves, the one we convert to first. */
  readonly served: ReadonlyMap<string, Schema<ApiObject>>
  /** Versions that only older clusters served. */
  readonly retired?: ReadonlyMap<string, Schema<ApiObject>>
  /** Rules over an object and the one it replaces. */
  readonly transitions?: readonly Rule<Transition>[]
}

export interface Transition {
  readonly old: ApiObject
  readonly now: ApiObject
}

/** The fields that every root object begins with. apiVersion was looked at to find the schema, and is now the one we convert to. */
export function root<const V extends string, const K extends string>(
  apiVersion: V,
  kind: K,
  scope: Scope,
  name: Schema<string> = subdomainName,
) {
  return {
    apiVersion: required(constant(apiVersion)),
    kind: required(constant(kind)),
    metadata: required(metadata(name, scope)),
  }
}

export const GATEWAY_V1 = 'gateway.networking.k8s.io/v1'
export const EXPERIMENTAL_V1ALPHA1 = 'gateway.networking.x-k8s.io/v1alpha1'

/** The same schema for several versions. */
export function versions(schema: Schema<ApiObject>, ...names: readonly string[]): ReadonlyMap<string, Schema<ApiObject>> {
  return new Map(names.map((name) => [name, schema]))
}
