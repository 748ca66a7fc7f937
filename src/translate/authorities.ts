/** References to CA certificates, in ConfigMaps: the bundle of all that can be used, and what is wrong with the others. */
import type { LocalObjectReference } from '../api/route.ts'
import type { Reader } from './memo.ts'
import { certificatesIn } from './pem.ts'

export interface AuthorityProblem {
  readonly reason: 'InvalidCACertificateRef' | 'InvalidKind'
  /** A sentence. */
  readonly message: string
}

export interface Authorities {
  /** PEM, one certificate after the other; '' when no reference is good. */
  readonly bundle: string
  readonly problems: readonly AuthorityProblem[]
}

const ENTRY = 'ca.crt'

export function authoritiesOf(read: Pick<Reader, 'get'>, namespace: string, refs: readonly LocalObjectReference[]): Authorities {
  const results = refs.map((ref) => authorityOf(read, namespace, ref))
  return {
    bundle: results.map((result) => (typeof result === 'string' ? result : '')).join(''),
    problems: results.flatMap((result) => (typeof result === 'string' ? [] : [result])),
  }
}

function authorityOf(read: Pick<Reader, 'get'>, namespace: string, { group, kind, name }: LocalObjectReference): string | AuthorityProblem {
  const where = `${kind} ${namespace}/${name}`
  if (group !== '' || kind !== 'ConfigMap') {
    const from = group === '' ? 'the core group' : `group ${group}`
    return { reason: 'InvalidKind', message: `Kind ${kind} of ${from} is not read for CA certificates (${where}); it must be a ConfigMap.` }
  }
  const invalid = (message: string): AuthorityProblem => ({ reason: 'InvalidCACertificateRef', message })
  const map = read.get('ConfigMap', namespace, name)
  if (map === undefined) {
    return invalid(`${where} does not exist. Create it with "kubectl create configmap ${name} -n ${namespace} --from-file=${ENTRY}".`)
  }
  if (map.unloaded === true) return invalid(`${where} exists and was not read yet.`)
  const text = map.data[ENTRY]
  if (text === undefined || text === '') return invalid(`${where} must hold a PEM bundle under the key ${ENTRY}, got none.`)
  const { blocks, certificates } = certificatesIn(text)
  if (blocks.length === 0) return invalid(`${where} must hold PEM certificates under the key ${ENTRY}, got none.`)
  const bad = certificates.indexOf(undefined)
  if (bad !== -1) return invalid(`${where} holds a malformed certificate under the key ${ENTRY} (number ${bad + 1}).`)
  return `${blocks.join('\n')}\n`
}
