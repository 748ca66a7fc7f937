/** The kinds that a scripted API server may serve. */
import type { Resource } from '../../../src/kube/kube-api.ts'

export interface ServedResource extends Resource {
  /** A custom resource has a CustomResourceDefinition that can be watched. */
  readonly custom: boolean
}

function kind(group: string, version: string, name: string, plural: string, namespaced = true): ServedResource {
  return {
    group,
    version,
    kind: name,
    plural,
    namespaced,
    custom: group === GATEWAY_API || group === EXPERIMENTAL || group === 'gatewright.dev',
  }
}

const GATEWAY_API = 'gateway.networking.k8s.io'
const EXPERIMENTAL = 'gateway.networking.x-k8s.io'

/** Of a current Kubernetes. */
export const BUILT_IN: readonly ServedResource[] = [
  kind('', 'v1', 'Namespace', 'namespaces', false),
  kind('', 'v1', 'Service', 'services'),
  kind('', 'v1', 'Secret', 'secrets'),
  kind('', 'v1', 'ConfigMap', 'configmaps'),
  kind('', 'v1', 'Pod', 'pods'),
  kind('', 'v1', 'ServiceAccount', 'serviceaccounts'),
  kind('', 'v1', 'Event', 'events'),
  kind('events.k8s.io', 'v1', 'Event', 'events'),
  kind('apps', 'v1', 'Deployment', 'deployments'),
  kind('policy', 'v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  kind('autoscaling', 'v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
  kind('discovery.k8s.io', 'v1', 'EndpointSlice', 'endpointslices'),
  kind('coordination.k8s.io', 'v1', 'Lease', 'leases'),
  kind('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition', 'customresourcedefinitions', false),
]

/** Of the experimental channel of Gateway API v1.7.0. */
export const GATEWAY_KINDS: readonly ServedResource[] = [
  kind(GATEWAY_API, 'v1', 'GatewayClass', 'gatewayclasses', false),
  kind(GATEWAY_API, 'v1', 'Gateway', 'gateways'),
  kind(GATEWAY_API, 'v1', 'ListenerSet', 'listenersets'),
  kind(GATEWAY_API, 'v1', 'HTTPRoute', 'httproutes'),
  kind(GATEWAY_API, 'v1', 'GRPCRoute', 'grpcroutes'),
  kind(GATEWAY_API, 'v1', 'TLSRoute', 'tlsroutes'),
  kind(GATEWAY_API, 'v1', 'TCPRoute', 'tcproutes'),
  kind(GATEWAY_API, 'v1', 'UDPRoute', 'udproutes'),
  kind(GATEWAY_API, 'v1', 'BackendTLSPolicy', 'backendtlspolicies'),
  kind(GATEWAY_API, 'v1', 'ReferenceGrant', 'referencegrants'),
  kind(EXPERIMENTAL, 'v1alpha1', 'XBackend', 'xbackends'),
  kind(EXPERIMENTAL, 'v1alpha1', 'XBackendTrafficPolicy', 'xbackendtrafficpolicies'),
  kind(EXPERIMENTAL, 'v1alpha1', 'XTelemetryPolicy', 'xtelemetrypolicies'),
]

export const STANDARD: readonly ServedResource[] = [...BUILT_IN, ...GATEWAY_KINDS]
