/**
 * BackendTLSPolicies are not served yet: backends that come under one are refused (see backend.ts), and the policy is told so
 * for each Gateway whose routes lead there (Gateway API v1, PolicyAncestorStatus; at most 16 ancestors).
 */
import type { BackendTlsPolicy } from '../api/policy.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { policyConditions } from './conditions.ts'
import { GATEWAY_GROUP } from './features.ts'
import type { RouteResult } from './route.ts'
import type { PolicyStatus, StatusOf } from './translation.ts'

const MOST_ANCESTORS = 16

export function statusesOfPolicies(snapshot: Snapshot, routes: readonly RouteResult[]): readonly StatusOf[] {
  const gateways = new Map<string, Map<string, PolicyStatus['ancestors'][number]['ancestorRef'] & { readonly controllerName: string }>>()
  for (const { policies, parents } of routes) {
    for (const policy of policies) {
      let own = gateways.get(policy)
      if (own === undefined) gateways.set(policy, (own = new Map()))
      for (const { namespace, name, controllerName } of parents) {
        own.set(`${namespace}/${name}`, { group: GATEWAY_GROUP, kind: 'Gateway', namespace, name, controllerName })
      }
    }
  }
  return snapshot.all('BackendTLSPolicy').flatMap((policy) => {
    const own = gateways.get(`${policy.metadata.namespace}/${policy.metadata.name}`)
    return own === undefined || own.size === 0
      ? []
      : [
          statusOf(
            policy,
            [...own].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, ancestor]) => ancestor),
          ),
        ]
  })
}

function statusOf(
  policy: BackendTlsPolicy,
  ancestors: readonly (PolicyStatus['ancestors'][number]['ancestorRef'] & { readonly controllerName: string })[],
): StatusOf {
  const { namespace, name, generation } = policy.metadata
  const condition = policyConditions.invalid(
    generation,
    'BackendTLSPolicy is not supported yet: requests to its backends are refused rather than sent in clear text.',
  )
  return {
    apiVersion: policy.apiVersion,
    kind: policy.kind,
    namespace,
    name,
    status: {
      ancestors: ancestors
        .slice(0, MOST_ANCESTORS)
        .map(({ controllerName, ...ancestorRef }) => ({ ancestorRef, controllerName, conditions: [condition] })),
    },
  }
}
