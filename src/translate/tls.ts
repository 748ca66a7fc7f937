/** certificateRefs of listeners, and the TLS options that are ours (Gateway API v1, ListenerTLSConfig). */
import type { Listener, SecretObjectReference } from '../api/gateway.ts'
import type { ObjectMeta } from '../api/meta.ts'
import type { CertificateConfig, ListenerTlsConfig } from '../config/listener.ts'
import type { Secret } from '../lib/secret.ts'
import { certificateOf } from './certificate.ts'
import type { Reader } from './memo.ts'
import { isPermitted, missingGrant } from './reference-grant.ts'
import type { Remedy } from './remedy.ts'

/** `1.2` (the default) or `1.3`. */
export const MIN_VERSION_OPTION = 'gatewright.dev/min-tls-version'

export interface LoadedCertificate {
  readonly certificate: CertificateConfig
  readonly key: Secret
}

export interface CertificateProblem {
  /** Pending: the object exists, and what it holds is not known yet. */
  readonly reason: 'RefNotPermitted' | 'InvalidCertificateRef' | 'Pending'
  readonly message: string
  readonly remedy?: Remedy
}

/** `wants`: `Secret/namespace/name` of the object that the reference leads to, present or not. */
export type CertificateOutcome =
  | { readonly ok: true; readonly loaded: LoadedCertificate; readonly wants: string }
  | { readonly ok: false; readonly problem: CertificateProblem; readonly wants?: string }

/** Who refers: a Gateway, a ListenerSet or an XBackend. */
interface Owner {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

/** Not permitted wins over everything else, so that nobody learns what another namespace holds. */
export function loadCertificate(read: Pick<Reader, 'get' | 'bucket'>, owner: Owner, ref: SecretObjectReference): CertificateOutcome {
  const [group = ''] = owner.apiVersion.split('/')
  const from = { group, kind: owner.kind, namespace: owner.metadata.namespace }
  const namespace = ref.namespace ?? from.namespace
  const where = `${ref.kind} ${namespace}/${ref.name}`
  const reference = { from, to: { group: ref.group, kind: ref.kind, namespace, name: ref.name } }
  if (!isPermitted(read, reference)) {
    return failed({
      reason: 'RefNotPermitted',
      message: `${from.kind} ${from.namespace}/${owner.metadata.name} must not refer to ${where}: no ReferenceGrant in Namespace ${namespace} allows it.`,
      remedy: { what: 'allow it', yaml: missingGrant(reference) },
    })
  }
  if (ref.group !== '' || ref.kind !== 'Secret') {
    const group = ref.group === '' ? 'the core group' : `group ${ref.group}`
    return failed({
      reason: 'InvalidCertificateRef',
      message: `Kind ${ref.kind} of ${group} holds no certificates (${where}); it must be a Secret.`,
    })
  }
  const wants = `Secret/${namespace}/${ref.name}`
  const secret = read.get('Secret', namespace, ref.name)
  if (secret === undefined) {
    return failed(
      {
        reason: 'InvalidCertificateRef',
        message: `${where} does not exist. Create it with "kubectl create secret tls ${ref.name} -n ${namespace} --cert=FILE --key=FILE".`,
      },
      wants,
    )
  }
  if (secret.unloaded === true) return failed({ reason: 'Pending', message: `${where} exists and was not read yet.` }, wants)
  const result = certificateOf(secret)
  if (result.kind === 'malformed') return failed({ reason: 'InvalidCertificateRef', message: `${where} ${result.problem}.` }, wants)
  return { ok: true, loaded: { certificate: result.certificate, key: result.key }, wants }
}

function failed(problem: CertificateProblem, wants?: string): CertificateOutcome {
  return { ok: false, problem, ...(wants !== undefined && { wants }) }
}

type MinVersion = Extract<ListenerTlsConfig, { kind: 'terminate' }>['minVersion']

/** undefined: the option has a value that it cannot have. */
export function minVersionOf({ tls }: Listener): MinVersion | undefined {
  switch (tls?.options[MIN_VERSION_OPTION] ?? '1.2') {
    case '1.2':
      return 'TLSv1.2'
    case '1.3':
      return 'TLSv1.3'
    default:
      return undefined
  }
}
