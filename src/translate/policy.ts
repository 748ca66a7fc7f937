/**
 * The statuses of BackendTLSPolicies: one entry for each Gateway whose routes lead to a Service that the policy targets
 * (Gateway API v1, PolicyAncestorStatus: at most 16, and none is added to a full list).
 */
import type { Condition } from '../api/meta.ts'
import type { BackendTlsPolicy } from '../api/policy.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { authoritiesOf } from './authorities.ts'
import { holdingPolicy, isService, judgePolicy } from './backend-tls.ts'
import { type Ancestors, ancestorsBy, entriesOf } from './ancestors.ts'
import { policyConditions } from './conditions.ts'
import { PORT_UNSECURED } from './findings.ts'
import { missingTarget } from './policy-targets.ts'
import type { RouteResult } from './route.ts'
import type { StatusOf } from './translation.ts'

const MOST_ANCESTORS = 16

/** Of a policy that no route of ours leads to nothing is said; what was said before is taken back by the writer. */
export function statusesOfPolicies(snapshot: Snapshot, routes: readonly RouteResult[]): readonly StatusOf[] {
  const policies = snapshot.all('BackendTLSPolicy')
  if (policies.length === 0) return []
  const byService = ancestorsBy(routes, ({ services }) => services)
  let byTarget: ReturnType<typeof ancestorsBy> | undefined
  const namedBy = (target: string) => (byTarget ??= ancestorsBy(routes, ({ targets }) => targets)).get(target)
  return policies.flatMap((policy) => {
    const ancestors = new Map(
      servicesOf(policy).flatMap(({ namespace, name }) => {
        const path = `${namespace}/${name}`
        // No request reaches what is not there; the routes that name it are those whose Gateways are concerned.
        const isThere = snapshot.get('Service', namespace, name) !== undefined
        return [...((isThere ? byService.get(path) : namedBy(`Service/${path}`)) ?? [])]
      }),
    )
    return ancestors.size === 0 ? [] : [statusOf(snapshot, policy, ancestors)]
  })
}

/** `ConfigMap/namespace/name` of all that policies refer to. */
export function wantsOfPolicies(snapshot: Snapshot): readonly string[] {
  return snapshot.all('BackendTLSPolicy').flatMap(({ kind, metadata, spec }) => {
    return authoritiesOf(snapshot, { kind, namespace: metadata.namespace }, spec.validation.caCertificateRefs).wants
  })
}

function servicesOf({ metadata, spec }: BackendTlsPolicy): readonly { readonly namespace: string; readonly name: string }[] {
  return spec.targetRefs.filter(isService).map(({ name }) => ({ namespace: metadata.namespace, name }))
}

function statusOf(snapshot: Snapshot, policy: BackendTlsPolicy, ancestors: Ancestors): StatusOf {
  const { namespace, name } = policy.metadata
  const conditions = conditionsOf(snapshot, policy)
  return {
    apiVersion: policy.apiVersion,
    kind: policy.kind,
    namespace,
    name,
    status: {
      ancestors: entriesOf(ancestors, MOST_ANCESTORS).map((ancestor) => ({ ...ancestor, conditions })),
    },
  }
}

function conditionsOf(snapshot: Snapshot, policy: BackendTlsPolicy): readonly Condition[] {
  const { generation } = policy.metadata
  const judged = judgePolicy(snapshot, policy)
  const [problem] = judged.problems
  const resolved =
    problem === undefined
      ? policyConditions.resolvedRefs(generation, 'All references are resolved.')
      : (problem.reason === 'InvalidKind' ? policyConditions.invalidKind : policyConditions.invalidCaCertificateRef)(
          generation,
          judged.problems.map(({ message }) => message).join(' '),
        )
  return [acceptance(snapshot, policy, judged), resolved]
}

function acceptance(snapshot: Snapshot, policy: BackendTlsPolicy, judged: ReturnType<typeof judgePolicy>): Condition {
  const { generation } = policy.metadata
  const lost = lostTargets(snapshot, policy)
  if (lost.length > 0) return policyConditions.conflicted(generation, `${lost.join(' ')} The oldest one counts.`)
  if (judged.ok) {
    const missing = missingTargets(snapshot, policy)
    return missing === undefined
      ? policyConditions.accepted(generation, 'TLS is spoken to the backends as the policy says.')
      : policyConditions.targetNotFound(generation, missing)
  }
  const message = `${judged.message} Requests to its backends fail rather than being sent unverified.`
  return judged.reason === 'Invalid'
    ? policyConditions.invalid(generation, message)
    : policyConditions.noValidCaCertificate(generation, message)
}

/**
 * Sentences on the targets that are not there. To these the policy is not attached; it holds for the others all the same, since
 * requests to them would go in clear text otherwise.
 */
function missingTargets(snapshot: Snapshot, { metadata, spec }: BackendTlsPolicy): string | undefined {
  const services = spec.targetRefs.filter(isService)
  const missing = services.flatMap((target) => missingTarget(snapshot, metadata.namespace, target) ?? [])
  if (missing.length === 0) return undefined
  const isSectionMissing = missing.some(({ sections }) => sections !== undefined)
  return [
    ...missing.map(({ message }) => message),
    ...(isSectionMissing ? [PORT_UNSECURED] : []),
    ...(missing.length < services.length ? ['The policy holds for its other targets.'] : []),
  ].join(' ')
}

/** Sentences, one for each target that an older policy has. */
function lostTargets(snapshot: Snapshot, policy: BackendTlsPolicy): readonly string[] {
  const { namespace } = policy.metadata
  return policy.spec.targetRefs.filter(isService).flatMap((target) => {
    const { name, sectionName } = target
    const holder = holdingPolicy(snapshot, namespace, name, sectionName)
    if (holder === undefined || holder === policy || missingTarget(snapshot, namespace, target) !== undefined) return []
    const where = `Service ${namespace}/${name}${sectionName === undefined ? '' : ` port ${sectionName}`}`
    return [`${where} is the target of BackendTLSPolicy ${holder.metadata.namespace}/${holder.metadata.name} already.`]
  })
}
