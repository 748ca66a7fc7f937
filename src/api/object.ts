/** The union of all kinds that this project reads. `kind` discriminates. */
import type { ConfigMap, EndpointSlice, KubeSecret, Namespace, Service } from './core.ts'
import type { Gateway, GatewayClass, ListenerSet, ReferenceGrant } from './gateway.ts'
import type { GatewayParameters } from './parameters.ts'
import type { BackendTlsPolicy } from './policy.ts'
import type { GrpcRoute, HttpRoute, TcpRoute, TlsRoute, UdpRoute } from './route.ts'
import type { XBackend, XBackendTrafficPolicy } from './x-backend.ts'
import type { XTelemetryPolicy } from './x-telemetry-policy.ts'

export type ApiObject =
  | GatewayClass
  | Gateway
  | ListenerSet
  | ReferenceGrant
  | HttpRoute
  | GrpcRoute
  | TlsRoute
  | TcpRoute
  | UdpRoute
  | BackendTlsPolicy
  | XBackend
  | XBackendTrafficPolicy
  | XTelemetryPolicy
  | GatewayParameters
  | Service
  | EndpointSlice
  | KubeSecret
  | ConfigMap
  | Namespace

export type Kind = ApiObject['kind']
export type ObjectOf<K extends Kind> = Extract<ApiObject, { readonly kind: K }>
