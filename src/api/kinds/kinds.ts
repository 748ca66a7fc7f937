/** All kinds that parse reads. */
import { backendTlsPolicy } from './backend-tls-policy.ts'
import { configMap } from './config-map.ts'
import type { KindDefinition } from './definition.ts'
import { endpointSlice } from './endpoint-slice.ts'
import { gatewayClass } from './gateway-class.ts'
import { gatewayParameters } from './gateway-parameters.ts'
import { gateway } from './gateway.ts'
import { grpcRoute } from './grpc-route.ts'
import { httpRoute } from './http-route.ts'
import { listenerSet } from './listener-set.ts'
import { namespace } from './namespace.ts'
import { referenceGrant } from './reference-grant.ts'
import { secret } from './secret.ts'
import { service } from './service.ts'
import { tcpRoute, tlsRoute, udpRoute } from './stream-route.ts'
import { xBackend } from './x-backend.ts'
import { xBackendTrafficPolicy } from './x-backend-traffic-policy.ts'
import { xTelemetryPolicy } from './x-telemetry-policy.ts'

export const KINDS: readonly KindDefinition[] = [
  gatewayClass,
  gateway,
  listenerSet,
  httpRoute,
  grpcRoute,
  tlsRoute,
  tcpRoute,
  udpRoute,
  backendTlsPolicy,
  xBackend,
  xBackendTrafficPolicy,
  xTelemetryPolicy,
  referenceGrant,
  gatewayParameters,
  service,
  endpointSlice,
  secret,
  configMap,
  namespace,
]
