/**
 * BackendTLSPolicy: which one holds for a port of a Service, and what it comes to (Gateway API v1, BackendTLSPolicySpec).
 *
 * One that names the port (`sectionName`) comes before one for the whole Service; among those for the same target the oldest
 * wins, then the first in the order of `namespace/name`, whether it is valid or not: an invalid one must not open a way past it.
 */
import type { ServicePort } from '../api/core.ts'
import type { BackendTlsPolicy, BackendTlsValidation } from '../api/policy.ts'
import type { BackendTlsConfig } from '../config/backend-tls.ts'
import { type AuthorityProblem, authoritiesOf } from './authorities.ts'
import type { Reader } from './memo.ts'
import { compareRank, rankOf } from './tie-break.ts'

type PolicyReader = Pick<Reader, 'get' | 'bucket'>
type Target = BackendTlsPolicy['spec']['targetRefs'][number]

export type JudgedPolicy =
  | { readonly ok: true; readonly tls: BackendTlsConfig; readonly problems: readonly AuthorityProblem[] }
  | {
      readonly ok: false
      readonly reason: 'Invalid' | 'NoValidCACertificate'
      /** Sentences. */
      readonly message: string
      readonly problems: readonly AuthorityProblem[]
    }

export type BackendTls =
  | { readonly kind: 'tls'; readonly tls: BackendTlsConfig }
  /** Nothing may be sent. */
  | { readonly kind: 'invalid'; readonly policy: string; readonly message: string }

/** undefined: no policy says anything of the port. */
export function backendTlsOf(read: PolicyReader, namespace: string, service: string, port: ServicePort): BackendTls | undefined {
  const policy = holdingPolicy(read, namespace, service, port.name) ?? holdingPolicy(read, namespace, service, undefined)
  if (policy === undefined) return undefined
  const judged = judgePolicy(read, policy)
  const name = `${policy.metadata.namespace}/${policy.metadata.name}`
  return judged.ok ? { kind: 'tls', tls: judged.tls } : { kind: 'invalid', policy: name, message: judged.message }
}

/** The one that wins among all that have this target. */
export function holdingPolicy(
  read: PolicyReader,
  namespace: string,
  service: string,
  section: string | undefined,
): BackendTlsPolicy | undefined {
  const all = read
    .bucket('tlsPoliciesByService', `${namespace}/${service}`)
    .filter(({ spec }) => spec.targetRefs.some((target) => isService(target) && target.name === service && target.sectionName === section))
  return all.toSorted((a, b) => compareRank(rankOf(a), rankOf(b)))[0]
}

export function isService({ group, kind }: Pick<Target, 'group' | 'kind'>): boolean {
  return group === '' && kind === 'Service'
}

export function judgePolicy(read: PolicyReader, { kind, metadata, spec }: BackendTlsPolicy): JudgedPolicy {
  return judgeValidation(read, { kind, namespace: metadata.namespace }, spec.validation).judged
}

/** `wants`: `ConfigMap/namespace/name` of what it may refer to. */
export function judgeValidation(
  read: PolicyReader,
  from: { readonly kind: string; readonly namespace: string },
  validation: BackendTlsValidation,
): { readonly judged: JudgedPolicy; readonly wants: readonly string[] } {
  const { caCertificateRefs, wellKnownCACertificates = '', hostname, subjectAltNames } = validation
  const names = subjectAltNames.map(({ type, hostname: dns = '', uri = '' }) =>
    type === 'URI' ? ({ kind: 'uri', value: uri } as const) : ({ kind: 'dns', value: dns.toLowerCase() } as const),
  )
  const asked = { serverName: hostname.toLowerCase(), names }
  if (caCertificateRefs.length === 0) {
    if (wellKnownCACertificates === 'System') {
      return { judged: { ok: true, tls: { ...asked, authorities: { kind: 'system' } }, problems: [] }, wants: [] }
    }
    const message = `wellKnownCACertificates must be System, got ${wellKnownCACertificates === '' ? 'nothing' : wellKnownCACertificates}.`
    return { judged: { ok: false, reason: 'Invalid', message, problems: [] }, wants: [] }
  }
  const { bundle, problems, wants } = authoritiesOf(read, from, caCertificateRefs)
  if (bundle === '') {
    const message = problems.map((problem) => problem.message).join(' ')
    return { judged: { ok: false, reason: 'NoValidCACertificate', message, problems }, wants }
  }
  return { judged: { ok: true, tls: { ...asked, authorities: { kind: 'bundle', pem: bundle } }, problems }, wants }
}
