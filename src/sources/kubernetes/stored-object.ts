/** An object as the API server has it, without what nobody here reads (managedFields, the last applied configuration). */
import { isRecord } from '../../api/schema/object.ts'
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
  readonly status: Readonly<Record<string, unknown>> | undefined
}

/** All of them, at any time: as the last events left them. */
export interface StoredObjects {
  /** undefined: there is none, or none that is followed. */
  get(kind: string, namespace: string, name: string): StoredObject | undefined
  /** The same by `namespace/name`. */
  at(kind: string, path: string): StoredObject | undefined
  /** What has changed since the last call, by kind, as `namespace/name`; undefined on the first one: anything may have. */
  changes(): ReadonlyMap<string, ReadonlySet<string>> | undefined
  all(kind: string): Iterable<{ readonly namespace: string; readonly name: string; readonly stored: StoredObject }>
}

export function storedOf({ apiVersion, kind, metadata, status }: KubeObject): StoredObject {
  const { resourceVersion = '', generation = 0, annotations = {}, finalizers = [] } = metadata
  return { apiVersion, kind, metadata, resourceVersion, generation, annotations, finalizers, status: isRecord(status) ? status : undefined }
}
