/** One listener of a Gateway or of a ListenerSet, judged by itself: protocol, kinds of routes, TLS (Gateway API v1, Listener and ListenerEntry). */
import type { Finding } from '../api/finding.ts'
import type { Gateway, Listener, ListenerSet } from '../api/gateway.ts'
import type { ListenerConfig } from '../config/listener.ts'
import { intersection } from '../lib/hostname.ts'
import { GATEWAY_GROUP, isServed, ROUTE_KINDS } from './features.ts'
import { findings } from './findings.ts'
import type { Reader } from './memo.ts'
import { listed, quoted, type Remedy } from './remedy.ts'
import { loadCertificate, minVersionOf, MIN_VERSION_OPTION, type CertificateProblem, type LoadedCertificate } from './tls.ts'

export interface JudgedListener {
  readonly listener: Listener
  readonly key: string
  /** Lower case; '' for any host. */
  readonly hostname: string
  readonly routeKinds: readonly string[]
  /** Why the listener is not accepted. */
  readonly problem?: { readonly reason: 'UnsupportedProtocol' | 'UnsupportedValue'; readonly message: string }
  /** Why its references are not resolved. */
  readonly refProblem?: {
    readonly reason: CertificateProblem['reason'] | 'InvalidRouteKinds'
    readonly message: string
    readonly remedies: readonly Remedy[]
  }
  readonly certificates: readonly LoadedCertificate[]
  readonly wants: readonly string[]
  readonly findings: readonly Finding[]
}

/** `owner`: the ListenerSet of `gateway` that has the listener; its references are its own, grants of the Gateway are not inherited. */
export function judgeListener(read: Reader, gateway: Gateway, listener: Listener, owner: Gateway | ListenerSet = gateway): JudgedListener {
  const served = isServed(listener.protocol) ? ROUTE_KINDS[listener.protocol] : []
  const { routeKinds, unknown } = kindsOf(listener, served)
  const base = {
    listener,
    key: `${owner.kind}/${owner.metadata.namespace}/${owner.metadata.name}/${listener.name}`,
    hostname: listener.hostname?.toLowerCase() ?? '',
    routeKinds,
  }
  const kindsProblem =
    unknown.length === 0
      ? undefined
      : {
          reason: 'InvalidRouteKinds' as const,
          message: `${listed(unknown)} cannot attach to a listener of protocol ${listener.protocol}${served.length === 0 ? '' : `, which takes ${listed(served)}`}.`,
          remedies: [],
        }
  const problem = problemOf(gateway, listener)
  const refs = listener.protocol === 'HTTPS' ? (listener.tls?.certificateRefs ?? []) : []
  const outcomes = refs.map((ref) => loadCertificate(read, owner, ref))
  const certificates = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.loaded] : []))
  const certificateProblems = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.problem]))
  const known = certificateProblems.filter(({ reason }) => reason !== 'Pending')
  // What is wrong is said before what is not known yet.
  const refProblem =
    known.length > 0 ? certificateProblem(known, kindsProblem?.message) : (kindsProblem ?? pendingProblem(certificateProblems))
  return {
    ...base,
    ...(problem === undefined ? {} : { problem }),
    ...(refProblem === undefined ? {} : { refProblem }),
    certificates,
    wants: outcomes.flatMap(({ wants }) => (wants === undefined ? [] : [wants])),
    findings: findingsOf(owner, listener, base.hostname, certificates),
  }
}

/** The configuration of a listener that is good; undefined while it lacks what it needs to serve. */
export function listenerConfig({ listener, key, hostname, problem, certificates }: JudgedListener): ListenerConfig | undefined {
  const { name, port, protocol } = listener
  if (problem !== undefined) return undefined
  if (protocol === 'HTTP') return { key, name, port, protocol, hostname }
  const minVersion = minVersionOf(listener)
  if (protocol !== 'HTTPS' || certificates.length === 0 || minVersion === undefined) return undefined
  const fingerprints = [...new Set(certificates.map(({ certificate }) => certificate.fingerprint))]
  return { key, name, port, protocol, hostname, tls: { kind: 'terminate', certificates: fingerprints, minVersion } }
}

/** What `allowedRoutes.kinds` leaves of the protocol's kinds, and what it names beyond them (AllowedRoutes.kinds). */
function kindsOf(
  { allowedRoutes }: Listener,
  served: readonly string[],
): { readonly routeKinds: readonly string[]; readonly unknown: readonly string[] } {
  if (allowedRoutes.kinds.length === 0) return { routeKinds: served, unknown: [] }
  const isKnown = ({ group, kind }: { readonly group: string; readonly kind: string }) => group === GATEWAY_GROUP && served.includes(kind)
  return {
    routeKinds: served.filter((kind) => allowedRoutes.kinds.some((allowed) => allowed.group === GATEWAY_GROUP && allowed.kind === kind)),
    unknown: allowedRoutes.kinds
      .filter((allowed) => !isKnown(allowed))
      .map(({ group, kind }) => (group === GATEWAY_GROUP ? kind : `${kind} (group ${group})`)),
  }
}

function problemOf(gateway: Gateway, listener: Listener): JudgedListener['problem'] {
  const { protocol, port, tls, filters } = listener
  const unsupported = (message: string) => ({ reason: 'UnsupportedValue' as const, message })
  if (!isServed(protocol))
    return { reason: 'UnsupportedProtocol', message: `Protocol ${protocol} is not served; it must be HTTP or HTTPS.` }
  if (filters !== undefined && filters.requests.length > 0) return unsupported('Filters of listeners (filters.requests) are not served.')
  if (protocol === 'HTTP') return undefined
  if (tls === undefined || tls.certificateRefs.length === 0) {
    return unsupported(
      'A listener of protocol HTTPS needs a certificate: tls.certificateRefs must name at least one Secret of type kubernetes.io/tls.',
    )
  }
  if (minVersionOf(listener) === undefined)
    return unsupported(`The TLS option ${MIN_VERSION_OPTION} must be 1.2 or 1.3, got ${tls.options[MIN_VERSION_OPTION]}.`)
  const frontend = gateway.spec.tls?.frontend
  const validation = (frontend?.perPort.find((entry) => entry.port === port)?.tls ?? frontend?.default)?.validation
  // Without the check that was asked for, the listener would let in everybody.
  if (validation !== undefined)
    return unsupported(
      `Clients of port ${port} must show a certificate (spec.tls.frontend), and validation of client certificates is not served.`,
    )
  return undefined
}

/** A reference that is not permitted outranks one that is missing or malformed (listener reason InvalidCertificateRef). */
function certificateProblem(problems: readonly CertificateProblem[], kinds: string | undefined): NonNullable<JudgedListener['refProblem']> {
  return {
    reason: problems.some(({ reason }) => reason === 'RefNotPermitted') ? 'RefNotPermitted' : 'InvalidCertificateRef',
    message: [...problems.map(({ message }) => message), ...(kinds === undefined ? [] : [kinds])].join(' '),
    remedies: problems.flatMap(({ remedy }) => (remedy === undefined ? [] : [remedy])),
  }
}

function pendingProblem(problems: readonly CertificateProblem[]): JudgedListener['refProblem'] {
  if (problems.length === 0) return undefined
  return { reason: 'Pending', message: problems.map(({ message }) => message).join(' '), remedies: [] }
}

function findingsOf(
  owner: Gateway | ListenerSet,
  listener: Listener,
  hostname: string,
  certificates: readonly LoadedCertificate[],
): readonly Finding[] {
  const options = Object.keys(listener.tls?.options ?? {}).filter((option) => option !== MIN_VERSION_OPTION)
  const names = certificates.flatMap(({ certificate }) => certificate.names)
  const covered = certificates.length === 0 || hostname === '' || names.some((name) => intersection(name, hostname) !== undefined)
  return [
    ...options.map((option) => findings.tlsOptionUnknown(owner, listener, option)),
    ...(covered ? [] : [findings.certificateHostname(owner, listener, names)]),
  ]
}

/** For messages: `"https" and "web"`. */
export function namesInWords(names: readonly string[]): string {
  return listed(names.map(quoted))
}
