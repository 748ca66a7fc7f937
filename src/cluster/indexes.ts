/** The indexes of a snapshot: for each a kind and the keys under which an object of it is found. */
import type { EndpointSlice } from '../api/core.ts'
import type { ReferenceGrant } from '../api/gateway.ts'
import type { Kind, ObjectOf } from '../api/object.ts'
import type { BackendTlsPolicy } from '../api/policy.ts'

export interface IndexKinds {
  /** `namespace/service` by the label kubernetes.io/service-name */
  slicesByService: 'EndpointSlice'
  /** namespace of the grant */
  grantsByNamespace: 'ReferenceGrant'
  /** `namespace/service` of each Service that the policy targets */
  tlsPoliciesByService: 'BackendTLSPolicy'
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
}

/** The kind whose objects an index holds. */
export const indexedKind: { readonly [I in IndexName]: IndexKinds[I] & Kind } = {
  slicesByService: 'EndpointSlice',
  grantsByNamespace: 'ReferenceGrant',
  tlsPoliciesByService: 'BackendTLSPolicy',
}
