/**
 * What the targets of policies come to: those of a kind that is not served, those that do not exist, those of which the section does not exist.
 * Nothing comes of them, and where no Gateway leads to them no status can say so.
 */
import type { Finding } from '../api/finding.ts'
import type { BackendTlsPolicy } from '../api/policy.ts'
import type { LocalObjectReference } from '../api/route.ts'
import type { XBackendTrafficPolicy } from '../api/x-backend.ts'
import type { XTelemetryPolicy } from '../api/x-telemetry-policy.ts'
import { isBackend } from '../cluster/indexes.ts'
import { portsInWords } from './backend.ts'
import { isService } from './backend-tls.ts'
import { findings } from './findings.ts'
import type { Reader } from './memo.ts'
import { isGateway } from './telemetry-policy-status.ts'

export type TargetingPolicy = BackendTlsPolicy | XBackendTrafficPolicy | XTelemetryPolicy

type Target = BackendTlsPolicy['spec']['targetRefs'][number]

export interface MissingTarget {
  readonly target: Target
  /** Sentence. */
  readonly message: string
  /** Absent: the object itself is not there. Else the names of the sections that it has. */
  readonly sections?: readonly string[]
}

const servedTargets = { BackendTLSPolicy: isService, XBackendTrafficPolicy: isBackend, XTelemetryPolicy: isGateway } as const

export function targetFindings(read: Pick<Reader, 'get'>, policy: TargetingPolicy): readonly Finding[] {
  const { kind, metadata, spec } = policy
  const isServed = servedTargets[kind]
  return spec.targetRefs.flatMap((target: Target, i) => {
    const subject = { kind, namespace: metadata.namespace, name: metadata.name, path: ['spec', 'targetRefs', i] }
    if (!isServed(target)) return [findings.policyTargetNotServed(subject, whyNotServed(kind, target))]
    const missing = missingTarget(read, metadata.namespace, target)
    if (missing === undefined) return []
    const { message, sections } = missing
    return sections === undefined
      ? [findings.policyTargetNotDefined(subject, target.kind, target.name)]
      : [findings.policySectionNotFound(subject, message, target.sectionName ?? '', sections)]
  })
}

/** undefined: it is there. Of the kinds that are served, a section is a port of a Service (LocalPolicyTargetReferenceWithSectionName). */
export function missingTarget(read: Pick<Reader, 'get'>, namespace: string, target: Target): MissingTarget | undefined {
  const { kind, name, sectionName } = target
  if (kind !== 'Service') {
    const isThere = (kind !== 'XBackend' && kind !== 'Gateway') || read.get(kind, namespace, name) !== undefined
    return isThere ? undefined : { target, message: `${kind} ${namespace}/${name} does not exist.` }
  }
  const service = read.get('Service', namespace, name)
  if (service === undefined) return { target, message: `Service ${namespace}/${name} does not exist.` }
  const sections = service.spec.ports.flatMap((port) => port.name ?? [])
  if (sectionName === undefined || sections.includes(sectionName)) return undefined
  return { target, message: `Service ${namespace}/${name} has no port "${sectionName}"; ${portsInWords(service)}.`, sections }
}

/** A clause. */
function whyNotServed(policy: TargetingPolicy['kind'], target: LocalObjectReference): string {
  // GEP-4894: "Backend resources are explicitly disallowed as targets for BackendTLSPolicy".
  if (policy === 'BackendTLSPolicy' && isBackend(target)) return `an ${target.kind} says of TLS itself (spec.tls)`
  if (policy === 'XTelemetryPolicy') return `kind ${target.kind} is no Gateway`
  return `kind ${target.kind} is no backend that is served`
}
