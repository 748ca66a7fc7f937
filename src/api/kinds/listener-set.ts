/** ListenerSet (apis/v1 listenerset_types.go, GEP-1713). */
import { parentGatewayReference } from '../fields/reference.ts'
import type { ListenerSet } from '../gateway.ts'
import { object, required } from '../schema/object.ts'
import type { Schema } from '../schema/schema.ts'
import { GATEWAY_V1, root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'
import { listeners } from './listener.ts'
import { conditionsStatus } from './status.ts'

const schema: Schema<ListenerSet> = object({
  ...root(GATEWAY_V1, 'ListenerSet', 'Namespaced'),
  spec: required(object({ parentRef: required(parentGatewayReference), listeners: required(listeners) })),
  status: conditionsStatus,
})

export const listenerSet: KindDefinition = {
  group: 'gateway.networking.k8s.io',
  kind: 'ListenerSet',
  scope: 'Namespaced',
  served: versions(schema, 'v1'),
}
