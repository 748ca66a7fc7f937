/** ReferenceGrant (apis/v1 referencegrant_types.go). */
import { group, kind, namespace, objectName } from '../fields/text.ts'
import type { ReferenceGrant } from '../gateway.ts'
import { list } from '../schema/collection.ts'
import { object, optional, required } from '../schema/object.ts'
import type { Schema } from '../schema/schema.ts'
import { GATEWAY_V1, root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'

const from = object({ group: required(group), kind: required(kind), namespace: required(namespace) })
const to = object({ group: required(group), kind: required(kind), name: optional(objectName) })

const schema: Schema<ReferenceGrant> = object({
  ...root(GATEWAY_V1, 'ReferenceGrant', 'Namespaced'),
  spec: required(object({ from: required(list(from, { min: 1, max: 16 })), to: required(list(to, { min: 1, max: 16 })) })),
})

export const referenceGrant: KindDefinition = {
  group: 'gateway.networking.k8s.io',
  kind: 'ReferenceGrant',
  scope: 'Namespaced',
  served: versions(schema, 'v1', 'v1beta1'),
  retired: versions(schema, 'v1alpha2'),
}
