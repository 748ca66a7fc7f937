/** GatewayParameters, our own kind: how the proxies of a class or of a Gateway run. What it leaves open is decided by the controller. */
import type { ObjectMeta } from './meta.ts'

export interface GatewayParameters {
  readonly apiVersion: 'gatewright.dev/v1alpha1'
  readonly kind: 'GatewayParameters'
  readonly metadata: ObjectMeta
  readonly spec: ParametersSpec
  /**
   * What is wrong with it, in words; then `spec` is empty. Set by sources that can hold an invalid object: what refers to it says so, where
   * an older version in its place would be served until the next start and be gone then.
   */
  readonly invalid?: string
}

/** Every field of its own: those of a Gateway's parameters come before those of its class. */
export interface ParametersSpec {
  readonly replicas?: number
  /** In place of `replicas`. */
  readonly autoscaling?: { readonly minReplicas: number; readonly maxReplicas: number; readonly cpuUtilization: number }
  /** Processes of each pod that carry the traffic; each can use one core. */
  readonly workers?: number
  readonly service?: ServiceParameters
  readonly pod?: PodParameters
  readonly log?: {
    readonly level?: 'debug' | 'info' | 'warn' | 'error'
    readonly format?: 'text' | 'json'
    readonly access?: 'off' | 'text' | 'json'
  }
  /** Durations of GEP-2257. */
  readonly drain?: { readonly delay?: string; readonly timeout?: string }
  /** Addresses and CIDRs whose `X-Forwarded-*` are believed. */
  readonly trustedProxies?: readonly string[]
  /** So many proxies stand before these: of `X-Forwarded-For` what they added is believed. */
  readonly trustedHops?: number
  /** Addresses and CIDRs whose connections must begin with a header of the PROXY protocol; 1 to 64. */
  readonly proxyProtocol?: { readonly acceptFrom: readonly string[] }
  /** Where clients show certificates, what backends are told of those that were verified, in `X-Forwarded-Client-Cert`. */
  readonly forwardClientCertificate?: 'Off' | 'Details' | 'WithCertificate'
  /** Bounds of the wire by their names in kebab-case; milliseconds, bytes or items. */
  readonly bounds?: Readonly<Record<string, number>>
}

export interface ServiceParameters {
  readonly type?: 'LoadBalancer' | 'NodePort' | 'ClusterIP'
  readonly annotations?: Readonly<Record<string, string>>
  readonly loadBalancerClass?: string
  readonly externalTrafficPolicy?: 'Cluster' | 'Local'
}

/** Fields of a PodSpec and of its container, taken over as they are: the API server judges them. */
export interface PodParameters {
  readonly annotations?: Readonly<Record<string, string>>
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly tolerations?: readonly unknown[]
  readonly affinity?: unknown
  readonly topologySpreadConstraints?: readonly unknown[]
  readonly priorityClassName?: string
  readonly resources?: unknown
}
