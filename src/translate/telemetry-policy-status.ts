/**
 * The statuses of XTelemetryPolicies: one entry for each Gateway of ours that the policy targets (Gateway API v1, PolicyAncestorStatus).
 * No traces are made here: a policy that wants some is refused, one that wants none is what there is anyway.
 */
import type { Condition } from '../api/meta.ts'
import type { LocalObjectReference } from '../api/route.ts'
import type { XTelemetryPolicy } from '../api/x-telemetry-policy.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import type { Ancestor } from './ancestors.ts'
import { policyConditions } from './conditions.ts'
import { GATEWAY_GROUP } from './features.ts'
import type { GatewayPart } from './gateway.ts'
import { compareRank, rankOf } from './tie-break.ts'
import type { PolicyStatus, StatusOf } from './translation.ts'

export function isGateway({ group, kind }: LocalObjectReference): boolean {
  return group === GATEWAY_GROUP && kind === 'Gateway'
}

/** @param gateways those of ours */
export function statusesOfTelemetryPolicies(snapshot: Snapshot, gateways: readonly GatewayPart[]): readonly StatusOf[] {
  const policies = snapshot.all('XTelemetryPolicy')
  if (policies.length === 0) return []
  const ours = new Map(gateways.map(({ surface }) => [`${surface.namespace}/${surface.name}`, surface]))
  const holders = holdersOf(policies)
  return policies.flatMap((policy) => {
    const { apiVersion, kind, metadata } = policy
    const { namespace, name } = metadata
    const ancestors = targetsOf(policy).flatMap((gateway): PolicyStatus['ancestors'] => {
      const surface = ours.get(gateway)
      if (surface === undefined) return []
      const ancestor: Ancestor = {
        ancestorRef: { group: GATEWAY_GROUP, kind: 'Gateway', namespace: surface.namespace, name: surface.name },
        controllerName: surface.controllerName,
      }
      return [{ ...ancestor, conditions: [acceptance(policy, gateway, holders.get(gateway) ?? policy)] }]
    })
    return ancestors.length === 0 ? [] : [{ apiVersion, kind, namespace, name, status: { ancestors } }]
  })
}

/** `namespace/name` of each Gateway, once, sorted. */
function targetsOf({ metadata, spec }: XTelemetryPolicy): readonly string[] {
  return [...new Set(spec.targetRefs.filter(isGateway).map(({ name }) => `${metadata.namespace}/${name}`))].sort()
}

/** Of several policies for a Gateway the oldest one counts, then the first by `namespace/name`. */
function holdersOf(policies: readonly XTelemetryPolicy[]): ReadonlyMap<string, XTelemetryPolicy> {
  const holders = new Map<string, XTelemetryPolicy>()
  for (const policy of [...policies].sort((a, b) => compareRank(rankOf(a), rankOf(b)))) {
    for (const gateway of targetsOf(policy)) if (!holders.has(gateway)) holders.set(gateway, policy)
  }
  return holders
}

function acceptance({ metadata, spec }: XTelemetryPolicy, gateway: string, holder: XTelemetryPolicy): Condition {
  const { generation, namespace, name } = metadata
  if (holder.metadata.namespace !== namespace || holder.metadata.name !== name) {
    return policyConditions.conflicted(
      generation,
      `Gateway ${gateway} is the target of XTelemetryPolicy ${holder.metadata.namespace}/${holder.metadata.name} already. The oldest one counts.`,
    )
  }
  if (spec.tracing.mode === 'Enabled') {
    return policyConditions.invalid(
      generation,
      'spec.tracing.mode Enabled is not served: no traces are made. What is logged and measured GatewayParameters and the options of gatewright say.',
    )
  }
  return policyConditions.accepted(generation, `No traces are made of requests to Gateway ${gateway}, as the policy says or leaves open.`)
}
