/** Namespace (Kubernetes core/v1). */
import type { Namespace } from '../core.ts'
import { labelName } from '../metadata.ts'
import { object } from '../schema/object.ts'
import type { Schema } from '../schema/schema.ts'
import { root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'

const fields = object(root('v1', 'Namespace', 'Cluster', labelName), { unread: ['spec', 'status'] })

const schema: Schema<Namespace> = {
  read(value, at) {
    const read = fields.read(value, at)
    if (!read) return undefined
    // The API server sets this label itself, whatever a manifest says (KEP-2161).
    const labels = { ...read.metadata.labels, 'kubernetes.io/metadata.name': read.metadata.name }
    return { ...read, metadata: { ...read.metadata, labels } }
  },
}

export const namespace: KindDefinition = { group: '', kind: 'Namespace', scope: 'Cluster', served: versions(schema, 'v1') }
