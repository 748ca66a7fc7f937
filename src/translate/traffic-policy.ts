/**
 * XBackendTrafficPolicy: which one holds for a backend, and what it comes to (apisx/v1alpha1, BackendTrafficPolicySpec; GEP-3388).
 *
 * It is attached to whole backends, whatever the port. Among those for the same backend the oldest wins, then the first in
 * the order of `namespace/name`.
 */
import type { SessionPersistence } from '../api/route.ts'
import type { XBackendTrafficPolicy } from '../api/x-backend.ts'
import type { PoolConfig, RetryBudgetConfig } from '../config/pool.ts'
import type { SessionConfig } from '../config/route.ts'
import { parseDuration } from '../lib/duration.ts'
import type { Reader } from './memo.ts'
import { sessionOf } from './session.ts'
import { compareRank, rankOf } from './tie-break.ts'

/** `Kind/namespace/name` of a Service or an XBackend. */
export type BackendPath = string

export function holdingTrafficPolicy(read: Pick<Reader, 'bucket'>, backend: BackendPath): XBackendTrafficPolicy | undefined {
  const all = read.bucket('trafficPoliciesByBackend', backend)
  return all.length < 2 ? all[0] : all.toSorted((a, b) => compareRank(rankOf(a), rankOf(b)))[0]
}

/** Undefined: no policy constrains retries, the data plane's own bound holds. */
export function retryBudgetOf(read: Pick<Reader, 'bucket'>, backend: BackendPath): RetryBudgetConfig | undefined {
  const policy = holdingTrafficPolicy(read, backend)
  const constraint = policy?.spec.retryConstraint
  if (policy === undefined || constraint === undefined || trafficPolicyProblem(policy) !== undefined) return undefined
  const { budget, minRetryRate } = constraint
  // What one of both leaves out is as if both were absent: 10 in 1s.
  const { count = 10, interval = '1s' } = minRetryRate
  return {
    percent: budget.percent,
    interval: parseDuration(budget.interval) ?? 0,
    minRetries: { count, interval: parseDuration(interval) ?? 0 },
  }
}

/** A clause: why the policy cannot be followed. */
export function trafficPolicyProblem({ spec, metadata }: XBackendTrafficPolicy): string | undefined {
  const session = spec.sessionPersistence && sessionOf(spec.sessionPersistence, `${metadata.namespace}/${metadata.name}`, {})
  return session !== undefined && 'problem' in session ? session.problem : undefined
}

/**
 * The session of a backend itself, for rules that have none of their own: what an XBackend says before that of the policy, which is
 * "for the backend" too (BackendTrafficPolicySpec.sessionPersistence) and deprecated in favour of it (GEP-1619). A policy's is not for an
 * XBackend of type ExternalHostname, whose sessions the API does not allow.
 */
export function backendSessionOf(
  read: Pick<Reader, 'get' | 'bucket'>,
  { kind, namespace, name }: PoolConfig['backend'],
): SessionConfig | undefined {
  const path = `${kind}/${namespace}/${name}`
  const backend = kind === 'XBackend' ? read.get('XBackend', namespace, name) : undefined
  if (backend?.spec.type === 'ExternalHostname') return undefined
  const said: SessionPersistence | undefined = backend?.spec.sessionPersistence ?? holdingTrafficPolicy(read, path)?.spec.sessionPersistence
  const session = said && sessionOf(said, path, {})
  return session === undefined || 'problem' in session ? undefined : session
}
