/** An object as the API server has it, without what nobody here reads (managedFields, the last applied configuration). */
import type { KubeMetadata, KubeObject } from '../../kube/kube-api.ts'

export interface StoredObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: KubeMetadata
  readonly resourceVersion: string
  /** 0 for kinds that count none. */
  readonly generation: number
  readonly annotations: Readonly<Record<string, string>>
  readonly finalizers: readonly string[]
  /** Raw; undefined where there is none yet. */
  readonly status: unknown
}

export function storedOf({ apiVersion, kind, metadata, status }: KubeObject): StoredObject {
  const { resourceVersion = '', generation = 0, annotations = {}, finalizers = [] } = metadata
  return { apiVersion, kind, metadata, resourceVersion, generation, annotations, finalizers, status }
}
