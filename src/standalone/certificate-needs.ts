/** Which listeners terminate TLS without a usable certificate, and the names that development certificates must cover to mend that. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { KubeSecret } from '../api/core.ts'
import type { Gateway, Listener, ListenerSet, SecretObjectReference } from '../api/gateway.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { intersection, isWildcard } from '../lib/hostname.ts'
import type { Translation } from '../translate/translation.ts'
import type { Memory } from './memory.ts'
import { mayRefer } from './reference-grant.ts'
import { namedRoutes } from './routes.ts'

export type ListenerOwner = Gateway | ListenerSet

export interface CertificateNeed {
  readonly owner: ListenerOwner
  readonly listener: string
  /** Exact or wildcard hostnames in lower case, `localhost` for a listener that nothing names a host for. Never empty. */
  readonly hostnames: readonly string[]
  /** What is wrong with the listener's own certificates. */
  readonly problem: string
  /** References that are good and stay. */
  readonly usable: readonly SecretObjectReference[]
}

/** `strict` is what translate says of the files alone: a certificate that it refuses for a reason not known here is replaced too. */
export function certificateNeeds(snapshot: Snapshot, strict: Translation, memory: Memory): readonly CertificateNeed[] {
  const refused = refusedListeners(strict)
  const needs: CertificateNeed[] = []
  for (const owner of [...snapshot.all('Gateway'), ...snapshot.all('ListenerSet')]) {
    for (const listener of owner.spec.listeners) {
      if (!terminates(listener)) continue
      const refs = listener.tls?.certificateRefs ?? []
      const problems = refs.map((ref) => problemOf(snapshot, owner, ref, memory))
      const own = refs.length === 0 ? 'it has no certificateRefs' : problems.find((problem) => problem !== undefined)
      const problem = own ?? refused.get(listenerKey(owner, listener.name))
      if (problem === undefined) continue
      const usable = own === undefined ? [] : refs.filter((_, index) => problems[index] === undefined)
      needs.push({ owner, listener: listener.name, hostnames: hostnamesOf(snapshot, owner, listener), problem, usable })
    }
  }
  return needs
}

function terminates(listener: Listener): boolean {
  return listener.protocol === 'HTTPS' || (listener.protocol === 'TLS' && listener.tls?.mode === 'Terminate')
}

/** Listeners whose certificates translate refuses, with its message. */
function refusedListeners(strict: Translation): ReadonlyMap<string, string> {
  const refused = new Map<string, string>()
  for (const { kind, namespace, name, status } of strict.statuses) {
    if (!('listeners' in status)) continue
    for (const listener of status.listeners) {
      const condition = listener.conditions.find(({ type, reason }) => type === 'ResolvedRefs' && reason === 'InvalidCertificateRef')
      if (condition !== undefined) refused.set(`${kind}/${namespace}/${name}/${listener.name}`, condition.message)
    }
  }
  return refused
}

function listenerKey(owner: ListenerOwner, listener: string): string {
  return `${owner.kind}/${owner.metadata.namespace}/${owner.metadata.name}/${listener}`
}

function problemOf(snapshot: Snapshot, owner: ListenerOwner, ref: SecretObjectReference, memory: Memory): string | undefined {
  if (ref.group !== '' || ref.kind !== 'Secret') return `${ref.kind} ${ref.name} is not a Secret`
  const namespace = ref.namespace ?? owner.metadata.namespace
  const from = { kind: owner.kind, namespace: owner.metadata.namespace }
  if (!mayRefer(snapshot, from, { kind: 'Secret', namespace, name: ref.name }))
    return `no ReferenceGrant lets it use Secret ${namespace}/${ref.name}`
  const secret = snapshot.get('Secret', namespace, ref.name)
  if (secret === undefined) return `Secret ${namespace}/${ref.name} is in no file`
  return memory.keep(`usable ${namespace}/${ref.name}`, [secret], () => malformed(secret))
}

function malformed(secret: KubeSecret): string | undefined {
  const where = `Secret ${secret.metadata.namespace}/${secret.metadata.name}`
  if (secret.type !== 'kubernetes.io/tls') return `${where} is of type ${secret.type}, not kubernetes.io/tls`
  const chain = secret.data['tls.crt']
  const key = secret.data['tls.key']
  if (chain === undefined || key === undefined) return `${where} has no ${chain === undefined ? 'tls.crt' : 'tls.key'}`
  try {
    const leaf = new X509Certificate(Buffer.from(chain, 'base64'))
    if (!leaf.checkPrivateKey(createPrivateKey(Buffer.from(key, 'base64')))) return `the tls.key of ${where} does not belong to its tls.crt`
    return undefined
  } catch {
    return `${where} holds no certificate and key in PEM`
  }
}

/**
 * The listener's hostname, and those of the routes that name its Gateway: a client verifies the name that it asks for, which under a
 * listener for any host, or deeper than one label under a wildcard (RFC 6125 section 6.4.3), only the routes know.
 */
function hostnamesOf(snapshot: Snapshot, owner: ListenerOwner, listener: Listener): readonly string[] {
  const own = (listener.hostname ?? '').toLowerCase()
  const names = new Set([own === '' ? 'localhost' : own])
  if (own !== '' && !isWildcard(own)) return [...names]
  for (const route of namedRoutes(snapshot)) {
    const attaches = route.spec.parentRefs.some(
      (ref) =>
        ref.kind === owner.kind &&
        ref.name === owner.metadata.name &&
        (ref.namespace ?? route.metadata.namespace) === owner.metadata.namespace &&
        (ref.sectionName ?? listener.name) === listener.name &&
        (ref.port ?? listener.port) === listener.port,
    )
    if (!attaches) continue
    for (const hostname of route.spec.hostnames) {
      const served = intersection(own, hostname.toLowerCase())
      if (served !== undefined && served !== '') names.add(served)
    }
  }
  return [...names].filter((name) => isWildcard(name) || !names.has(`*${name.slice(name.indexOf('.'))}`)).sort()
}
