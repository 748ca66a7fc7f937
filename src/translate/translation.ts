/**
 * What one pass of translate gives: statuses to write, configurations to serve, infrastructure to create,
 * findings to show, objects wanted from the source.
 */
import type { Condition } from '../api/meta.ts'
import type { ParametersSpec } from '../api/parameters.ts'
import type { RouteParentStatus } from '../api/route.ts'
import type { GatewayConfig } from '../config/config.ts'
import type { KeyMaterial } from '../config/key-material.ts'
import type { Finding } from '../api/finding.ts'

export interface Translation {
  /** Sorted by kind, namespace, name. An unchanged status stays the same object from pass to pass. */
  readonly statuses: readonly StatusOf[]
  /** One for each Gateway of ours that has a listener to serve, sorted. */
  readonly configs: readonly GatewayConfig[]
  /** By `namespace/name` of the Gateway: the version (content hash) of its configuration, which delivery acknowledges. */
  readonly versions: ReadonlyMap<string, string>
  readonly keys: KeyMaterial
  readonly infra: readonly InfraPlan[]
  /** Sorted by namespace and name. */
  readonly endpointServices: readonly EndpointServicePlan[]
  readonly findings: readonly Finding[]
  /** Secrets and ConfigMaps that may be referred to and are, in the snapshot or not: `Kind/namespace/name`, sorted. */
  readonly wants: readonly string[]
}

export interface StatusOf {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly status: GatewayClassStatus | GatewayStatus | ListenerSetStatus | RouteStatus | PolicyStatus
}

export interface GatewayClassStatus {
  readonly conditions: readonly Condition[]
  readonly supportedFeatures: readonly { readonly name: string }[]
}

export interface ListenerStatus {
  readonly name: string
  readonly supportedKinds: readonly { readonly group: string; readonly kind: string }[]
  readonly attachedRoutes: number
  readonly conditions: readonly Condition[]
}

export interface GatewayStatus {
  readonly addresses: readonly { readonly type: string; readonly value: string }[]
  readonly conditions: readonly Condition[]
  readonly listeners: readonly ListenerStatus[]
  /** Those with Accepted True. */
  readonly attachedListenerSets: number
}

export interface ListenerSetStatus {
  readonly conditions: readonly Condition[]
  readonly listeners: readonly ListenerStatus[]
}

export interface RouteStatus {
  readonly parents: readonly RouteParentStatus[]
}

export interface PolicyStatus {
  readonly ancestors: readonly {
    readonly ancestorRef: RouteParentStatus['parentRef']
    readonly controllerName: string
    readonly conditions: readonly Condition[]
  }[]
}

/** What a cluster needs to find the pods of an XBackend: a Service of this selector, with its `port` for TCP and for UDP. */
export interface EndpointServicePlan {
  readonly namespace: string
  /** Name of the XBackend. */
  readonly backend: string
  readonly selector: Readonly<Record<string, string>>
  readonly port: number
}

/** What a cluster needs for a Gateway: names by GEP-1762, ports of the Service, requested addresses, labels and annotations. */
export interface InfraPlan {
  readonly gateway: string
  readonly namespace: string
  /** Name of Deployment, Service and ServiceAccount. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: 'TCP' | 'UDP' }[]
  /** What is asked for, and the name of the Service that asks for it. None: the Service `name` takes what it gets. */
  readonly addresses: readonly { readonly type: string; readonly value?: string; readonly service: string }[]
  /** Of the class and of the Gateway together; absent when neither says anything. */
  readonly parameters?: ParametersSpec
}
