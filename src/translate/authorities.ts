/** References to CA certificates, in ConfigMaps: the bundle of all that can be used, and what is wrong with the others. */
import type { Reader } from './memo.ts'
import { certificatesIn } from './pem.ts'
import { isPermitted, missingGrant } from './reference-grant.ts'
import type { Remedy } from './remedy.ts'

export interface AuthorityRef {
  readonly group: string
  readonly kind: string
  /** Absent: that of the object that refers. */
  readonly namespace?: string
  readonly name: string
}

export interface AuthorityProblem {
  /** Pending: the object exists, and what it holds is not known yet. */
  readonly reason: 'RefNotPermitted' | 'InvalidCACertificateRef' | 'InvalidKind' | 'Pending'
  /** A sentence. */
  readonly message: string
  readonly remedy?: Remedy
}

export interface Authorities {
  /** PEM, one certificate after the other; '' when no reference is good. */
  readonly bundle: string
  readonly problems: readonly AuthorityProblem[]
  /** `ConfigMap/namespace/name` of those that may be referred to, present or not. */
  readonly wants: readonly string[]
}

const ENTRY = 'ca.crt'

interface Referrer {
  readonly kind: string
  readonly namespace: string
}

interface Outcome {
  readonly pem?: string
  readonly problem?: AuthorityProblem
  readonly wants?: string
}

export function authoritiesOf(read: Pick<Reader, 'get' | 'bucket'>, from: Referrer, refs: readonly AuthorityRef[]): Authorities {
  const outcomes = refs.map((ref) => authorityOf(read, from, ref))
  return {
    bundle: outcomes.map(({ pem = '' }) => pem).join(''),
    problems: outcomes.flatMap(({ problem }) => problem ?? []),
    wants: outcomes.flatMap(({ wants }) => wants ?? []),
  }
}

/** Not permitted wins over everything else, so that nobody learns what another namespace holds. */
function authorityOf(read: Pick<Reader, 'get' | 'bucket'>, from: Referrer, ref: AuthorityRef): Outcome {
  const { group, kind, name } = ref
  const namespace = ref.namespace ?? from.namespace
  const where = `${kind} ${namespace}/${name}`
  const reference = { from, to: { group, kind, namespace, name } }
  if (!isPermitted(read, reference)) {
    const message = `${from.kind}s of Namespace ${from.namespace} must not refer to ${where}: no ReferenceGrant in Namespace ${namespace} allows it.`
    return { problem: { reason: 'RefNotPermitted', message, remedy: { what: 'allow it', yaml: missingGrant(reference) } } }
  }
  if (group !== '' || kind !== 'ConfigMap') {
    const origin = group === '' ? 'the core group' : `group ${group}`
    const message = `Kind ${kind} of ${origin} is not read for CA certificates (${where}); it must be a ConfigMap.`
    return { problem: { reason: 'InvalidKind', message } }
  }
  const found = bundleOf(read, namespace, name)
  return { ...(typeof found === 'string' ? { pem: found } : { problem: found }), wants: `ConfigMap/${namespace}/${name}` }
}

function bundleOf(read: Pick<Reader, 'get'>, namespace: string, name: string): string | AuthorityProblem {
  const where = `ConfigMap ${namespace}/${name}`
  const invalid = (message: string): AuthorityProblem => ({ reason: 'InvalidCACertificateRef', message })
  const map = read.get('ConfigMap', namespace, name)
  if (map === undefined) {
    return invalid(`${where} does not exist. Create it with "kubectl create configmap ${name} -n ${namespace} --from-file=${ENTRY}".`)
  }
  if (map.unloaded === true) return { reason: 'Pending', message: `${where} exists and was not read yet.` }
  const text = map.data[ENTRY]
  if (text === undefined || text === '') return invalid(`${where} must hold a PEM bundle under the key ${ENTRY}, got none.`)
  const { blocks, certificates } = certificatesIn(text)
  if (blocks.length === 0) return invalid(`${where} must hold PEM certificates under the key ${ENTRY}, got none.`)
  const bad = certificates.indexOf(undefined)
  if (bad !== -1) return invalid(`${where} holds a malformed certificate under the key ${ENTRY} (number ${bad + 1}).`)
  return `${blocks.join('\n')}\n`
}
