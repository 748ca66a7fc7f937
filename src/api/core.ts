/** The kinds of Kubernetes itself that the Gateway API refers to. */
import type { ObjectMeta } from './meta.ts'

export interface Namespace {
  readonly apiVersion: 'v1'
  readonly kind: 'Namespace'
  readonly metadata: ObjectMeta
}

export interface ServicePort {
  readonly name?: string
  readonly port: number
  readonly protocol: 'TCP' | 'UDP' | 'SCTP'
  readonly appProtocol?: string
  readonly targetPort?: number | string
}

export interface Service {
  readonly apiVersion: 'v1'
  readonly kind: 'Service'
  readonly metadata: ObjectMeta
  readonly spec: {
    readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
    readonly clusterIP?: string
    readonly externalName?: string
    readonly selector?: Readonly<Record<string, string>>
    readonly ports: readonly ServicePort[]
    readonly publishNotReadyAddresses?: boolean
  }
}

export interface Endpoint {
  readonly addresses: readonly string[]
  readonly conditions: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean }
  readonly hostname?: string
  readonly nodeName?: string
  readonly zone?: string
  readonly hints?: { readonly forZones?: readonly { readonly name: string }[] }
}

export interface EndpointSlice {
  readonly apiVersion: 'discovery.k8s.io/v1'
  readonly kind: 'EndpointSlice'
  readonly metadata: ObjectMeta
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN'
  readonly endpoints: readonly Endpoint[]
  readonly ports: readonly {
    readonly name?: string
    readonly port?: number
    readonly protocol?: 'TCP' | 'UDP' | 'SCTP'
    readonly appProtocol?: string
  }[]
}

/** Values are base64 as in the API; `stringData` of a file was folded in. Never print: use `Secret` of lib for key material. */
export interface KubeSecret {
  readonly apiVersion: 'v1'
  readonly kind: 'Secret'
  readonly metadata: ObjectMeta
  readonly type: string
  readonly data: Readonly<Record<string, string>>
  /** It exists, and what it holds was not read yet: type and data say nothing. */
  readonly unloaded?: true
}

export interface ConfigMap {
  readonly apiVersion: 'v1'
  readonly kind: 'ConfigMap'
  readonly metadata: ObjectMeta
  readonly data: Readonly<Record<string, string>>
  readonly binaryData?: Readonly<Record<string, string>>
  /** As a Secret's. */
  readonly unloaded?: true
}
