/** XBackend and XBackendTrafficPolicy, of the experimental group (apisx/v1alpha1 xbackend_types.go, xbackendtrafficpolicy_types.go), after defaulting. */
import type { SecretObjectReference } from './gateway.ts'
import type { Condition, ObjectMeta } from './meta.ts'
import type { BackendTlsValidation } from './policy.ts'
import type { LocalObjectReference, ParentReference, SessionPersistence } from './route.ts'

export const EXPERIMENTAL_GROUP = 'gateway.networking.x-k8s.io'

/** On a Service that was made for the endpoints of an XBackend: the name of that. */
export const X_BACKEND_ANNOTATION = 'gatewright.dev/x-backend'

export type XBackendProtocol = 'TCP' | 'HTTP' | 'HTTP2' | 'HTTP11' | 'H2C' | 'MCP' | 'GRPC' | 'WSS'

interface AncestorStatus {
  readonly ancestorRef: Partial<ParentReference> & { readonly name: string }
  readonly controllerName: string
  readonly conditions?: readonly Condition[]
}

export interface AncestorsStatus {
  readonly ancestors?: readonly AncestorStatus[]
}

export interface XBackend {
  readonly apiVersion: 'gateway.networking.x-k8s.io/v1alpha1'
  readonly kind: 'XBackend'
  readonly metadata: ObjectMeta
  readonly spec: {
    readonly type: 'ExternalHostname' | 'EndpointSelector'
    /** "At least one property", and the number is the only one. */
    readonly port: { readonly number: number }
    readonly externalHostname?: { readonly hostname: string }
    readonly endpointSelector?: { readonly matchLabels: Readonly<Record<string, string>> }
    readonly sessionPersistence?: SessionPersistence
    readonly protocol?: XBackendProtocol
    readonly tls: {
      readonly mode: 'None' | 'ServerOnly' | 'ClientAndServer'
      readonly clientCertificateRef?: SecretObjectReference
      readonly validation?: BackendTlsValidation
    }
  }
  readonly status?: AncestorsStatus
}

export interface XBackendTrafficPolicy {
  readonly apiVersion: 'gateway.networking.x-k8s.io/v1alpha1'
  readonly kind: 'XBackendTrafficPolicy'
  readonly metadata: ObjectMeta
  readonly spec: {
    readonly targetRefs: readonly LocalObjectReference[]
    readonly retryConstraint?: {
      readonly budget: { readonly percent: number; readonly interval: string }
      readonly minRetryRate: { readonly count?: number; readonly interval?: string }
    }
    readonly sessionPersistence?: SessionPersistence
  }
  readonly status?: AncestorsStatus
}
