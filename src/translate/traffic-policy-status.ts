/**
 * The statuses of XBackendTrafficPolicies: one entry for each Gateway whose routes lead to a backend that the policy targets
 * (Gateway API v1, PolicyAncestorStatus: at most 16). A policy is judged for each Gateway by those of its targets that this one reaches.
 */
import type { Condition } from '../api/meta.ts'
import type { XBackendTrafficPolicy } from '../api/x-backend.ts'
import { isBackend } from '../cluster/indexes.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { type Ancestors, ancestorsBy, entriesOf } from './ancestors.ts'
import { policyConditions } from './conditions.ts'
import { listed } from './remedy.ts'
import type { RouteResult } from './route.ts'
import { type BackendPath, holdingTrafficPolicy, trafficPolicyProblem } from './traffic-policy.ts'
import type { StatusOf } from './translation.ts'

const MOST_ANCESTORS = 16

/** Of a policy that no route of ours leads to nothing is said; what was said before is taken back by the writer. */
export function statusesOfTrafficPolicies(snapshot: Snapshot, routes: readonly RouteResult[]): readonly StatusOf[] {
  const policies = snapshot.all('XBackendTrafficPolicy')
  if (policies.length === 0) return []
  const byTarget = ancestorsBy(routes, ({ targets }) => targets)
  return policies.flatMap((policy) => statusOf(snapshot, policy, byTarget) ?? [])
}

function statusOf(snapshot: Snapshot, policy: XBackendTrafficPolicy, byTarget: ReadonlyMap<BackendPath, Ancestors>): StatusOf | undefined {
  const { apiVersion, kind, metadata } = policy
  const reached = targetsOf(policy).map((target) => ({ target, ancestors: byTarget.get(target) }))
  const ancestors: Ancestors = new Map(reached.flatMap(({ ancestors: own }) => [...(own ?? [])]))
  if (ancestors.size === 0) return undefined
  const entries = entriesOf(ancestors, MOST_ANCESTORS).map((ancestor) => {
    const { namespace = '', name } = ancestor.ancestorRef
    const targets = reached.flatMap(({ target, ancestors: own }) => (own?.has(`${namespace}/${name}`) === true ? [target] : []))
    return { ...ancestor, conditions: [acceptance(snapshot, policy, targets)] }
  })
  return { apiVersion, kind, namespace: metadata.namespace, name: metadata.name, status: { ancestors: entries } }
}

function targetsOf({ metadata, spec }: XBackendTrafficPolicy): readonly BackendPath[] {
  return spec.targetRefs.filter(isBackend).map(({ kind, name }) => `${kind}/${metadata.namespace}/${name}`)
}

function acceptance(snapshot: Snapshot, policy: XBackendTrafficPolicy, targets: readonly BackendPath[]): Condition {
  const { generation } = policy.metadata
  const lost = targets.flatMap((target) => {
    const holder = holdingTrafficPolicy(snapshot, target)
    if (holder === undefined || holder === policy) return []
    return [`${inWords(target)} is the target of XBackendTrafficPolicy ${holder.metadata.namespace}/${holder.metadata.name} already.`]
  })
  if (lost.length > 0) return policyConditions.conflicted(generation, `${lost.join(' ')} The oldest one counts.`)
  const missing = targets.filter((target) => !exists(snapshot, target))
  if (missing.length > 0) {
    const subject = missing.length === 1 ? 'does' : 'do'
    return policyConditions.targetNotFound(generation, `${listed(missing.map(inWords))} ${subject} not exist.`)
  }
  const problem = trafficPolicyProblem(policy)
  if (problem !== undefined) return policyConditions.invalid(generation, `spec.sessionPersistence: ${problem}. It has no effect.`)
  return policyConditions.accepted(
    generation,
    `The policy holds for ${listed(targets.map(inWords))}.${withoutSession(snapshot, policy, targets)}`,
  )
}

/** What of an accepted policy has no effect is said (GEP-3388 does so in the example of its status). */
function withoutSession(snapshot: Snapshot, { spec }: XBackendTrafficPolicy, targets: readonly BackendPath[]): string {
  if (spec.sessionPersistence === undefined) return ''
  const backends = targets.map((target) => ({ target, spec: xBackendAt(snapshot, target)?.spec }))
  const own = backends.filter((backend) => backend.spec?.sessionPersistence !== undefined)
  const external = backends.filter((backend) => backend.spec?.type === 'ExternalHostname')
  return [
    ...(own.length > 0 ? [` Its sessionPersistence has no effect on ${named(own)}: what an XBackend says itself comes first.`] : []),
    ...(external.length > 0
      ? [` Its sessionPersistence has no effect on ${named(external)}: there are no sessions with an ExternalHostname.`]
      : []),
  ].join('')
}

function named(backends: readonly { readonly target: BackendPath }[]): string {
  return listed(backends.map(({ target }) => inWords(target)))
}

function exists(snapshot: Snapshot, target: BackendPath): boolean {
  const [kind = '', namespace = '', name = ''] = target.split('/')
  return kind === 'Service' ? snapshot.get(kind, namespace, name) !== undefined : xBackendAt(snapshot, target) !== undefined
}

function xBackendAt(snapshot: Snapshot, target: BackendPath) {
  const [kind = '', namespace = '', name = ''] = target.split('/')
  return kind === 'XBackend' ? snapshot.get(kind, namespace, name) : undefined
}

function inWords(target: BackendPath): string {
  const [kind = '', namespace = '', name = ''] = target.split('/')
  return `${kind} ${namespace}/${name}`
}
