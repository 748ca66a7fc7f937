/** GatewayClass (apis/v1 gatewayclass_types.go). */
import { namespacedReference } from '../fields/reference.ts'
import type { GatewayClass } from '../gateway.ts'
import { show } from '../issue.ts'
import { object, optional, required } from '../schema/object.ts'
import { text } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import type { Schema } from '../schema/schema.ts'
import { GATEWAY_V1, root, versions } from './definition.ts'
import type { KindDefinition, Transition } from './definition.ts'
import { conditionsStatus } from './status.ts'

const controllerName = text({
  min: 1,
  max: 253,
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/,
  is: 'a DNS name, "/" and a path, such as example.com/gateway-controller',
})

/** GatewayClassSpec.controllerName: "This field is not mutable and cannot be empty". */
const controllerNameStays = rule<Transition>('controller-name-immutable', ({ old, now }) =>
  old.kind === 'GatewayClass' && now.kind === 'GatewayClass' && old.spec.controllerName !== now.spec.controllerName
    ? {
        at: ['spec', 'controllerName'],
        must: `must stay ${show(old.spec.controllerName)} (create the class anew to change it)`,
        got: show(now.spec.controllerName),
      }
    : undefined,
)

const schema: Schema<GatewayClass> = object({
  ...root(GATEWAY_V1, 'GatewayClass', 'Cluster'),
  spec: required(
    object({
      controllerName: required(controllerName),
      description: optional(text({ max: 64 })),
      parametersRef: optional(namespacedReference),
    }),
  ),
  status: conditionsStatus,
})

export const gatewayClass: KindDefinition = {
  group: 'gateway.networking.k8s.io',
  kind: 'GatewayClass',
  scope: 'Cluster',
  served: versions(schema, 'v1', 'v1beta1'),
  retired: versions(schema, 'v1alpha2'),
  transitions: [controllerNameStays],
}
