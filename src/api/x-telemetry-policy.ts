/** XTelemetryPolicy, of the experimental group (apisx/v1alpha1 xtelemetrypolicy_types.go), after defaulting: what tells whether it can be followed. */
import type { ObjectMeta } from './meta.ts'
import type { LocalObjectReference } from './route.ts'
import type { AncestorsStatus } from './x-backend.ts'

export interface XTelemetryPolicy {
  readonly apiVersion: 'gateway.networking.x-k8s.io/v1alpha1'
  readonly kind: 'XTelemetryPolicy'
  readonly metadata: ObjectMeta
  readonly spec: {
    readonly targetRefs: readonly LocalObjectReference[]
    readonly tracing: { readonly mode: 'Enabled' | 'Disabled' | 'ImplementationDefault' }
  }
  readonly status?: AncestorsStatus
}
