/** A GatewayClass that no file defines: the normal case for an app developer, since cluster operators own classes. */
import type { Gateway, GatewayClass } from '../api/gateway.ts'
import type { Snapshot } from '../cluster/snapshot.ts'

/** Names of the classes that Gateways ask for and nobody defines, each with its Gateways. */
export function missingClasses(snapshot: Snapshot, gateways: readonly Gateway[]): ReadonlyMap<string, readonly Gateway[]> {
  const missing = new Map<string, Gateway[]>()
  for (const gateway of gateways) {
    const name = gateway.spec.gatewayClassName
    if (snapshot.get('GatewayClass', '', name) !== undefined) continue
    const users = missing.get(name)
    if (users === undefined) missing.set(name, [gateway])
    else users.push(gateway)
  }
  return missing
}

export function developmentClass(name: string, controllerName: string): GatewayClass {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name, namespace: '', generation: 1, labels: {}, annotations: {} },
    spec: { controllerName },
  }
}
