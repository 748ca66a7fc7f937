/** Targets of policies that are no backends here: nothing comes of them, and no status can say so, since no Gateway leads to them. */
import type { Finding } from '../api/finding.ts'
import type { BackendTlsPolicy } from '../api/policy.ts'
import type { XBackendTrafficPolicy } from '../api/x-backend.ts'
import { isBackend } from '../cluster/indexes.ts'
import { isService } from './backend-tls.ts'
import { findings } from './findings.ts'

export interface JudgedTargets {
  readonly findings: readonly Finding[]
}

export function judgeTargets(policy: BackendTlsPolicy | XBackendTrafficPolicy): JudgedTargets {
  const { kind, metadata, spec } = policy
  const isServed = kind === 'BackendTLSPolicy' ? isService : isBackend
  return {
    findings: spec.targetRefs.flatMap((target, i) => {
      if (isServed(target)) return []
      const subject = { kind, namespace: metadata.namespace, name: metadata.name, path: ['spec', 'targetRefs', i] }
      // GEP-4894: "Backend resources are explicitly disallowed as targets for BackendTLSPolicy".
      return [findings.policyTargetNotServed(subject, target.kind, kind === 'BackendTLSPolicy' && isBackend(target))]
    }),
  }
}
