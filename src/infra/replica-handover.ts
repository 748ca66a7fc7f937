/**
 * A Deployment that gets an autoscaler: the number of its replicas is not ours any more. A field that its only owner does
 * not apply any more is removed, and no number means one pod. So another owner applies what there is, and keeps it until
 * the autoscaler sets it (server-side apply, transferring ownership between managers).
 */
import type { KubeObject } from '../kube/kube-api.ts'

export const replicaKeeper = 'gatewright-replicas'

/** What is to be applied as `replicaKeeper` before `asked` is; undefined: nothing is given up. */
export function handedOver(asked: KubeObject, before: KubeObject | undefined, observed: KubeObject | undefined): KubeObject | undefined {
  if (asked.kind !== 'Deployment' || observed === undefined || replicasOf(asked) !== undefined) return undefined
  // Without `before` nobody knows here what was applied when this process was not there.
  if (before !== undefined && replicasOf(before) === undefined) return undefined
  const replicas = replicasOf(observed)
  if (replicas === undefined) return undefined
  const { apiVersion, kind, metadata } = asked
  const { namespace = '', name } = metadata
  return { apiVersion, kind, metadata: { namespace, name }, spec: { replicas } }
}

function replicasOf({ spec }: KubeObject): number | undefined {
  const replicas = typeof spec === 'object' && spec !== null && 'replicas' in spec ? spec.replicas : undefined
  return typeof replicas === 'number' ? replicas : undefined
}
