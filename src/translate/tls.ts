/** certificateRefs of listeners, and the TLS options that are ours (Gateway API v1, ListenerTLSConfig). */
import type { Gateway, Listener, SecretObjectReference } from '../api/gateway.ts'
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
  readonly reason: 'RefNotPermitted' | 'InvalidCertificateRef'
  readonly message: string
  readonly remedy?: Remedy
  /** `Secret/namespace/name` of an object that is not in the snapshot. */
  readonly wants?: string
}

export type CertificateOutcome =
  | { readonly ok: true; readonly loaded: LoadedCertificate }
  | { readonly ok: false; readonly problem: CertificateProblem }

/** Not permitted wins over everything else, so that nobody learns what another namespace holds. */
export function loadCertificate(read: Reader, gateway: Gateway, ref: SecretObjectReference): CertificateOutcome {
  const from = { kind: 'Gateway', namespace: gateway.metadata.namespace }
  const namespace = ref.namespace ?? from.namespace
  const where = `${ref.kind} ${namespace}/${ref.name}`
  const reference = { from, to: { group: ref.group, kind: ref.kind, namespace, name: ref.name } }
  if (!isPermitted(read, reference)) {
    return failed({
      reason: 'RefNotPermitted',
      message: `Gateway ${from.namespace}/${gateway.metadata.name} must not refer to ${where}: no ReferenceGrant in Namespace ${namespace} allows it.`,
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
  const secret = read.get('Secret', namespace, ref.name)
  if (secret === undefined) {
    return failed({
      reason: 'InvalidCertificateRef',
      message: `${where} does not exist. Create it with "kubectl create secret tls ${ref.name} -n ${namespace} --cert=FILE --key=FILE".`,
      wants: `Secret/${namespace}/${ref.name}`,
    })
  }
  const result = certificateOf(secret)
  if (result.kind === 'malformed') return failed({ reason: 'InvalidCertificateRef', message: `${where} ${result.problem}.` })
  return { ok: true, loaded: { certificate: result.certificate, key: result.key } }
}

function failed(problem: CertificateProblem): CertificateOutcome {
  return { ok: false, problem }
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
