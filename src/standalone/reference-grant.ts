/** Whether a reference may cross namespaces (ReferenceGrant): the overlay mends what is missing, never what is forbidden. */
import type { ObjectRef } from '../api/meta.ts'
import type { Snapshot } from '../cluster/snapshot.ts'

const gatewayGroup = 'gateway.networking.k8s.io'

/** `from` is a route, Gateway or ListenerSet, `to` an object of the core group unless `group` is another. Source: ReferenceGrantSpec. */
export function mayRefer(snapshot: Snapshot, from: Omit<ObjectRef, 'name'>, to: ObjectRef, group = ''): boolean {
  if (from.namespace === to.namespace) return true
  return snapshot
    .bucket('grantsByNamespace', to.namespace)
    .some(
      (grant) =>
        grant.spec.from.some((peer) => peer.group === gatewayGroup && peer.kind === from.kind && peer.namespace === from.namespace) &&
        grant.spec.to.some((target) => target.group === group && target.kind === to.kind && (target.name ?? to.name) === to.name),
    )
}
