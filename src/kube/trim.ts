/** An object without what nobody here reads and much memory would hold. */
import type { KubeObject } from './kube-api.ts'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

export function trimmed(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata
  if (metadata.annotations?.[LAST_APPLIED] === undefined) return { ...object, metadata }
  const { [LAST_APPLIED]: _applied, ...annotations } = metadata.annotations
  return { ...object, metadata: { ...metadata, annotations } }
}
