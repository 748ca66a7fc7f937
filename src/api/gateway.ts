/** GatewayClass, Gateway, ListenerSet, ReferenceGrant: the landlord's side (apis/v1 gatewayclass_types.go, gateway_types.go, listenerset_types.go, referencegrant_types.go). */
import type { Condition, LabelSelector, ObjectMeta } from './meta.ts'
import type { ExternalAuthFilter, ParentGatewayReference } from './route.ts'

export interface GatewayClass {
  readonly apiVersion: 'gateway.networking.k8s.io/v1'
  readonly kind: 'GatewayClass'
  readonly metadata: ObjectMeta
  readonly spec: {
    readonly controllerName: string
    readonly description?: string
    readonly parametersRef?: { readonly group: string; readonly kind: string; readonly name: string; readonly namespace?: string }
  }
  readonly status?: { readonly conditions?: readonly Condition[] }
}

export interface SecretObjectReference {
  readonly group: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

export interface ListenerTls {
  readonly mode: 'Terminate' | 'Passthrough'
  readonly certificateRefs: readonly SecretObjectReference[]
  readonly options: Readonly<Record<string, string>>
}

export type FromNamespaces = 'All' | 'Selector' | 'Same' | 'None'

export interface AllowedRoutes {
  readonly namespaces: { readonly from: FromNamespaces; readonly selector?: LabelSelector }
  readonly kinds: readonly { readonly group: string; readonly kind: string }[]
}

/** The listener of a Gateway and the entry of a ListenerSet have one shape. `protocol` may be a vendor's own string. */
export interface Listener {
  readonly name: string
  readonly hostname?: string
  readonly port: number
  readonly protocol: string
  readonly tls?: ListenerTls
  readonly allowedRoutes: AllowedRoutes
  readonly filters?: {
    readonly requests: readonly {
      readonly type: string
      readonly externalAuth?: ExternalAuthFilter
      readonly extensionRef?: { readonly group: string; readonly kind: string; readonly name: string }
    }[]
  }
}

export interface FrontendTlsValidation {
  readonly caCertificateRefs: readonly {
    readonly group: string
    readonly kind: string
    readonly name: string
    readonly namespace?: string
  }[]
  readonly mode: 'AllowValidOnly' | 'AllowInsecureFallback'
}

export interface Gateway {
  readonly apiVersion: 'gateway.networking.k8s.io/v1'
  readonly kind: 'Gateway'
  readonly metadata: ObjectMeta
  readonly spec: {
    readonly gatewayClassName: string
    readonly listeners: readonly Listener[]
    readonly addresses: readonly { readonly type: string; readonly value?: string; readonly routability?: string }[]
    readonly infrastructure?: {
      readonly labels: Readonly<Record<string, string>>
      readonly annotations: Readonly<Record<string, string>>
      readonly parametersRef?: { readonly group: string; readonly kind: string; readonly name: string }
    }
    readonly allowedListeners?: { readonly namespaces: { readonly from: FromNamespaces; readonly selector?: LabelSelector } }
    readonly tls?: {
      readonly backend?: { readonly clientCertificateRef?: SecretObjectReference }
      readonly frontend?: {
        readonly default: { readonly validation?: FrontendTlsValidation }
        readonly perPort: readonly { readonly port: number; readonly tls: { readonly validation?: FrontendTlsValidation } }[]
      }
    }
    readonly defaultScope?: 'All' | 'None'
  }
  readonly status?: {
    readonly conditions?: readonly Condition[]
    readonly addresses?: readonly { readonly type?: string; readonly value: string }[]
  }
}

export interface ListenerSet {
  readonly apiVersion: 'gateway.networking.k8s.io/v1'
  readonly kind: 'ListenerSet'
  readonly metadata: ObjectMeta
  readonly spec: { readonly parentRef: ParentGatewayReference; readonly listeners: readonly Listener[] }
  readonly status?: { readonly conditions?: readonly Condition[] }
}

export interface ReferenceGrant {
  readonly apiVersion: 'gateway.networking.k8s.io/v1'
  readonly kind: 'ReferenceGrant'
  readonly metadata: ObjectMeta
  readonly spec: {
    readonly from: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[]
    readonly to: readonly { readonly group: string; readonly kind: string; readonly name?: string }[]
  }
}
