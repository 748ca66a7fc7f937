/** Options of BackendTLSPolicies (BackendTLSPolicySpec.options): there are none that is ours. */
import type { Finding } from '../api/finding.ts'
import { findings } from './findings.ts'
import type { TargetingPolicy } from './policy-targets.ts'

export function optionFindings(policy: TargetingPolicy): readonly Finding[] {
  if (policy.kind !== 'BackendTLSPolicy') return []
  return Object.keys(policy.spec.options).map((option) => findings.backendTlsOptionUnknown(policy, option))
}
