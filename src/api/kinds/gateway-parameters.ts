/** GatewayParameters (gatewright.dev/v1alpha1); deploy/crds holds the same for the API server. */
import { parseCidr } from '../../lib/cidr.ts'
import { parseDuration } from '../../lib/duration.ts'
import { duration } from '../fields/text.ts'
import { show } from '../issue.ts'
import type { GatewayParameters, ParametersSpec } from '../parameters.ts'
import { list, map } from '../schema/collection.ts'
import { defaulted, isRecord, object, optional, required } from '../schema/object.ts'
import { integer, oneOf, text } from '../schema/scalar.ts'
import { rule, ruled, type Schema } from '../schema/schema.ts'
import { root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'

export const PARAMETERS_GROUP = 'gatewright.dev'

/** A value of Kubernetes' own that is taken over as it is. */
const asItIs: Schema<unknown> = { read: (value) => value }
const mapAsItIs: Schema<unknown> = {
  read(value, at) {
    if (isRecord(value)) return value
    at.error('type', 'must be an object', show(value))
    return undefined
  },
}
const texts = map(text())

const autoscaling = object(
  {
    minReplicas: defaulted(integer({ min: 1, max: 1_000 }), 2),
    maxReplicas: required(integer({ min: 1, max: 1_000 })),
    cpuUtilization: defaulted(integer({ min: 1, max: 100 }), 70),
  },
  {
    rules: [
      rule<{ readonly minReplicas: number; readonly maxReplicas: number }>('replicas-order', ({ minReplicas, maxReplicas }) =>
        minReplicas <= maxReplicas
          ? undefined
          : { at: ['maxReplicas'], must: `must be at least minReplicas (${minReplicas})`, got: show(maxReplicas) },
      ),
    ],
  },
)

const addressOrRange = ruled(text({ min: 1, max: 64 }), [
  rule<string>('cidr', (self) =>
    parseCidr(self) !== undefined ? undefined : { must: 'must be an IP address or a CIDR such as 10.0.0.0/8', got: show(self) },
  ),
])

/** A pod that ends can be told to wait for a week: longer than that no proxy starts with. */
const longestDrain = 7 * 24 * 3_600_000
const drainDuration = ruled(duration, [
  rule<string>('drain-time', (self) =>
    (parseDuration(self) ?? 0) <= longestDrain ? undefined : { must: 'must be at most 168h', got: show(self) },
  ),
])

const spec: Schema<ParametersSpec> = object(
  {
    replicas: optional(integer({ min: 0, max: 1_000 })),
    autoscaling: optional(autoscaling),
    workers: optional(integer({ min: 1, max: 64 })),
    service: optional(
      object({
        type: optional(oneOf('LoadBalancer', 'NodePort', 'ClusterIP')),
        annotations: optional(texts),
        loadBalancerClass: optional(text({ min: 1, max: 253 })),
        externalTrafficPolicy: optional(oneOf('Cluster', 'Local')),
      }),
    ),
    pod: optional(
      object({
        annotations: optional(texts),
        nodeSelector: optional(texts),
        tolerations: optional(list(asItIs, { max: 32 })),
        affinity: optional(mapAsItIs),
        topologySpreadConstraints: optional(list(asItIs, { max: 32 })),
        priorityClassName: optional(text({ min: 1, max: 253 })),
        resources: optional(mapAsItIs),
      }),
    ),
    log: optional(
      object({
        level: optional(oneOf('debug', 'info', 'warn', 'error')),
        format: optional(oneOf('text', 'json')),
        access: optional(oneOf('off', 'text', 'json')),
      }),
    ),
    drain: optional(object({ delay: optional(drainDuration), timeout: optional(drainDuration) })),
    trustedProxies: optional(list(addressOrRange, { max: 64 })),
    trustedHops: optional(integer({ min: 0, max: 16 })),
    proxyProtocol: optional(object({ acceptFrom: required(list(addressOrRange, { min: 1, max: 64 })) })),
    forwardClientCertificate: optional(oneOf('Off', 'Details', 'WithCertificate')),
    bounds: optional(map(integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), { max: 128 })),
  },
  {
    rules: [
      rule<ParametersSpec>('replicas-or-autoscaling', ({ replicas, autoscaling: scaled }) =>
        replicas === undefined || scaled === undefined
          ? undefined
          : { at: ['replicas'], must: 'must be absent beside autoscaling', got: show(replicas) },
      ),
    ],
  },
)

const schema: Schema<GatewayParameters> = object({
  ...root(`${PARAMETERS_GROUP}/v1alpha1`, 'GatewayParameters', 'Namespaced'),
  spec: defaulted(spec, {}),
})

export const gatewayParameters: KindDefinition = {
  group: PARAMETERS_GROUP,
  kind: 'GatewayParameters',
  scope: 'Namespaced',
  served: versions(schema, 'v1alpha1'),
}
