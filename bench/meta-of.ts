/** The metadata of objects that measurements make. */
import type { ObjectMeta } from '../src/api/meta.ts'

export function metaOf(namespace: string, name: string, labels: ObjectMeta['labels'] = {}): ObjectMeta {
  return { namespace, name, generation: 1, labels, annotations: {} }
}
