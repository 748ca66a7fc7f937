/** The indexes of a snapshot: for each a kind and the keys under which an object of it is found. */
import type { EndpointSlice, Service } from '../api/core.ts'
import type { ReferenceGrant } from '../api/gateway.ts'
import type { Kind, ObjectOf } from '../api/object.ts'
import type { BackendTlsPolicy } from '../api/policy.ts'
import { EXPERIMENTAL_GROUP, X_BACKEND_ANNOTATION, type XBackendTrafficPolicy } from '../api/x-backend.ts'

export interface IndexKinds {
  /** `namespace/service` by the label kubernetes.io/service-name */
  slicesByService: 'EndpointSlice'
  /** namespace of the grant */
  grantsByNamespace: 'ReferenceGrant'
  /** `namespace/service` of each Service that the policy targets */
  tlsPoliciesByService: 'BackendTLSPolicy'
  /** `Kind/namespace/name` of each Service and XBackend that the policy targets */
  trafficPoliciesByBackend: 'XBackendTrafficPolicy'
  /** `namespace/name` of the XBackend whose endpoints the Service is there for */
  servicesByXBackend: 'Service'
}

export type IndexName = keyof IndexKinds
export type IndexValue<I extends IndexName> = ObjectOf<IndexKinds[I]>

export const indexKeys: { readonly [I in IndexName]: (object: IndexValue<I>) => readonly string[] } = {
  slicesByService: (slice: EndpointSlice) => {
    const service = slice.metadata.labels['kubernetes.io/service-name']
    return service === undefined ? [] : [`${slice.metadata.namespace}/${service}`]
  },
  grantsByNamespace: (grant: ReferenceGrant) => [grant.metadata.namespace],
  tlsPoliciesByService: (policy: BackendTlsPolicy) => [
    ...new Set(
      policy.spec.targetRefs
        .filter(({ group, kind }) => group === '' && kind === 'Service')
        .map(({ name }) => `${policy.metadata.namespace}/${name}`),
    ),
  ],
  trafficPoliciesByBackend: ({ metadata, spec }: XBackendTrafficPolicy) => [
    ...new Set(spec.targetRefs.flatMap((target) => (isBackend(target) ? [`${target.kind}/${metadata.namespace}/${target.name}`] : []))),
  ],
  servicesByXBackend: ({ metadata }: Service) => {
    const name = metadata.annotations[X_BACKEND_ANNOTATION]
    return name === undefined ? [] : [`${metadata.namespace}/${name}`]
  },
}

/** What a policy for backends can be attached to: the kinds that are served as backends. */
export function isBackend({ group, kind }: { readonly group: string; readonly kind: string }): boolean {
  return (group === '' && kind === 'Service') || (group === EXPERIMENTAL_GROUP && kind === 'XBackend')
}

/** The kind whose objects an index holds. */
export const indexedKind: { readonly [I in IndexName]: IndexKinds[I] & Kind } = {
  slicesByService: 'EndpointSlice',
  grantsByNamespace: 'ReferenceGrant',
  tlsPoliciesByService: 'BackendTLSPolicy',
  trafficPoliciesByBackend: 'XBackendTrafficPolicy',
  servicesByXBackend: 'Service',
}
