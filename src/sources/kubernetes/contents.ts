/**
 * What of an object has a meaning beyond the API server: its fields without its status, and the metadata that somebody
 * reads. An event that changes nothing of it leaves the object what it was.
 */
import { isRecord } from '../../api/schema/object.ts'
import type { KubeMetadata, KubeObject } from '../../kube/kube-api.ts'

/** `metadata` without what changes by itself (resourceVersion) or concerns writers alone (finalizers, owners). */
function meaningOf({ name, namespace, uid, generation, creationTimestamp, deletionTimestamp, labels, annotations }: KubeMetadata): object {
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(generation !== undefined && { generation }),
    ...(creationTimestamp !== undefined && { creationTimestamp }),
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    ...(labels !== undefined && { labels }),
    ...(annotations !== undefined && { annotations }),
  }
}

export interface Contents {
  readonly metadata: object
  /** Which controllers wrote a part of the status: theirs is to be taken back when they are not concerned any more. */
  readonly writers: readonly string[]
}

export function contentsOf({ metadata, status }: KubeObject): Contents {
  return { metadata: meaningOf(metadata), writers: [...entriesOf(status).keys()] }
}

/** The object to parse: of its status only one entry of each controller is left. */
export function meantBy({ metadata, status, ...rest }: KubeObject): object {
  const entries = entriesOf(status)
  const first = isRecord(status) && Array.isArray(status['ancestors']) ? 'ancestors' : 'parents'
  return { ...rest, metadata: meaningOf(metadata), ...(entries.size > 0 && { status: { [first]: [...entries.values()] } }) }
}

/** The first entry of each controller in `status.parents` (routes) or `status.ancestors` (policies), without its conditions. */
function entriesOf(status: unknown): ReadonlyMap<string, object> {
  if (!isRecord(status)) return new Map()
  const list = status['ancestors'] ?? status['parents']
  const entries = new Map<string, object>()
  if (!Array.isArray(list)) return entries
  for (const entry of list as readonly unknown[]) {
    if (!isRecord(entry) || typeof entry['controllerName'] !== 'string') continue
    const { conditions: _, ...rest } = entry
    if (!entries.has(entry['controllerName'])) entries.set(entry['controllerName'], rest)
  }
  return entries
}
