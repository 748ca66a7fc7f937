/**
 * ListenerSets are not served yet. One that names a Gateway of ours is told so: the Gateway does not allow it, or it does and
 * nothing comes of it (Gateway API v1, ListenerSet conditions).
 */
import type { ListenerSet } from '../api/gateway.ts'
import { listenerSetConditions } from './conditions.ts'
import type { Reader } from './memo.ts'
import { GATEWAY_GROUP } from './features.ts'
import { labelsOf, selects } from './namespace-selector.ts'
import type { StatusOf } from './translation.ts'

/** undefined: the Gateway is not ours. */
export function listenerSetStatus(read: Reader, set: ListenerSet): StatusOf | undefined {
  const { namespace, name, generation } = set.metadata
  const { group, kind, namespace: gatewayNamespace = namespace, name: gatewayName } = set.spec.parentRef
  if (group !== GATEWAY_GROUP || kind !== 'Gateway' || read.gateway(gatewayNamespace, gatewayName) === undefined) return undefined
  const conditions = isAllowed(read, set, gatewayNamespace, gatewayName)
    ? [
        listenerSetConditions.invalid(generation, 'ListenerSets are not supported yet: put the listeners into the Gateway.'),
        listenerSetConditions.notProgrammedInvalid(generation, 'ListenerSets are not supported yet.'),
      ]
    : [
        listenerSetConditions.notAllowed(
          generation,
          `Gateway ${gatewayNamespace}/${gatewayName} does not allow ListenerSets of Namespace ${namespace} (spec.allowedListeners).`,
        ),
        listenerSetConditions.notProgrammedNotAllowed(generation, 'The ListenerSet is not allowed.'),
      ]
  return { apiVersion: set.apiVersion, kind: set.kind, namespace, name, status: { conditions, listeners: [] } }
}

/** None are allowed unless the Gateway says so (GatewaySpec.allowedListeners). */
function isAllowed(read: Reader, set: ListenerSet, gatewayNamespace: string, gatewayName: string): boolean {
  const namespaces = read.get('Gateway', gatewayNamespace, gatewayName)?.spec.allowedListeners?.namespaces
  switch (namespaces?.from) {
    case undefined:
    case 'None':
      return false
    case 'All':
      return true
    case 'Same':
      return set.metadata.namespace === gatewayNamespace
    case 'Selector':
      return namespaces.selector !== undefined && selects(namespaces.selector, labelsOf(read, set.metadata.namespace))
  }
}
