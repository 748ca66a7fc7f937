/** BackendTLSPolicy (apis/v1 backendtlspolicy_types.go). */
import type { Condition, ObjectMeta } from './meta.ts'
import type { LocalObjectReference, ParentReference } from './route.ts'

export interface BackendTlsValidation {
  readonly caCertificateRefs: readonly LocalObjectReference[]
  readonly wellKnownCACertificates?: string
  readonly hostname: string
  readonly subjectAltNames: readonly { readonly type: 'Hostname' | 'URI'; readonly hostname?: string; readonly uri?: string }[]
}

export interface BackendTlsPolicy {
  readonly apiVersion: 'gateway.networking.k8s.io/v1'
  readonly kind: 'BackendTLSPolicy'
  readonly metadata: ObjectMeta
  readonly spec: {
    readonly targetRefs: readonly (LocalObjectReference & { readonly sectionName?: string })[]
    readonly validation: BackendTlsValidation
    readonly options: Readonly<Record<string, string>>
  }
  readonly status?: {
    readonly ancestors?: readonly {
      readonly ancestorRef: Partial<ParentReference> & { readonly name: string }
      readonly controllerName: string
      readonly conditions?: readonly Condition[]
    }[]
  }
}
