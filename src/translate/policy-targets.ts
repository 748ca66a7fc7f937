/** Targets of policies that are of another kind than those that are served: nothing comes of them, and no status can say so, since no Gateway leads to them. */
import type { Finding } from '../api/finding.ts'
import type { BackendTlsPolicy } from '../api/policy.ts'
import type { LocalObjectReference } from '../api/route.ts'
import type { XBackendTrafficPolicy } from '../api/x-backend.ts'
import type { XTelemetryPolicy } from '../api/x-telemetry-policy.ts'
import { isBackend } from '../cluster/indexes.ts'
import { isService } from './backend-tls.ts'
import { findings } from './findings.ts'
import { isGateway } from './telemetry-policy-status.ts'

export interface JudgedTargets {
  readonly findings: readonly Finding[]
}

export type TargetingPolicy = BackendTlsPolicy | XBackendTrafficPolicy | XTelemetryPolicy

const servedTargets = { BackendTLSPolicy: isService, XBackendTrafficPolicy: isBackend, XTelemetryPolicy: isGateway } as const

export function judgeTargets(policy: TargetingPolicy): JudgedTargets {
  const { kind, metadata, spec } = policy
  const isServed = servedTargets[kind]
  return {
    findings: spec.targetRefs.flatMap((target, i) => {
      if (isServed(target)) return []
      const subject = { kind, namespace: metadata.namespace, name: metadata.name, path: ['spec', 'targetRefs', i] }
      return [findings.policyTargetNotServed(subject, whyNotServed(kind, target))]
    }),
  }
}

/** A clause. */
function whyNotServed(policy: TargetingPolicy['kind'], target: LocalObjectReference): string {
  // GEP-4894: "Backend resources are explicitly disallowed as targets for BackendTLSPolicy".
  if (policy === 'BackendTLSPolicy' && isBackend(target)) return `an ${target.kind} says of TLS itself (spec.tls)`
  if (policy === 'XTelemetryPolicy') return `kind ${target.kind} is no Gateway`
  return `kind ${target.kind} is no backend that is served`
}
