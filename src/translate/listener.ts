/** One listener of a Gateway or of a ListenerSet, judged by itself: protocol, kinds of routes, TLS (Gateway API v1, Listener and ListenerEntry). */
import type { Finding } from '../api/finding.ts'
import type { Gateway, Listener, ListenerSet } from '../api/gateway.ts'
import type { ClientValidationConfig, ListenerConfig } from '../config/listener.ts'
import { intersection } from '../lib/hostname.ts'
import type { AuthorityProblem } from './authorities.ts'
import { endsTls, GATEWAY_GROUP, isPassthrough, isServed, routeKindsOf } from './features.ts'
import { findings } from './findings.ts'
import { type FrontendValidation, frontendValidationOf } from './frontend-validation.ts'
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
  readonly problem?: { readonly reason: 'UnsupportedProtocol' | 'UnsupportedValue' | 'NoValidCACertificate'; readonly message: string }
  /** Why its references are not resolved. */
  readonly refProblem?: {
    readonly reason: ListenerRefProblem['reason'] | 'InvalidRouteKinds'
    readonly message: string
    readonly remedies: readonly Remedy[]
  }
  readonly certificates: readonly LoadedCertificate[]
  /** Absent: clients are asked for no certificate. 'unchecked': they must show one, and nobody's can be checked, or not yet. */
  readonly clients?: ClientValidationConfig | 'unchecked'
  readonly wants: readonly string[]
  readonly findings: readonly Finding[]
}

interface ListenerRefProblem {
  readonly reason: CertificateProblem['reason'] | 'InvalidCACertificateRef' | 'InvalidCACertificateKind'
  readonly message: string
  readonly remedy?: Remedy
}

/** `owner`: the ListenerSet of `gateway` that has the listener; its references are its own, grants of the Gateway are not inherited. */
export function judgeListener(read: Reader, gateway: Gateway, listener: Listener, owner: Gateway | ListenerSet = gateway): JudgedListener {
  const served = routeKindsOf(listener.protocol, isPassthrough(listener))
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
  const validation = frontendValidationOf(read, gateway, listener)
  const problem = problemOf(listener) ?? authoritiesProblem(validation)
  const refs = endsTls(listener) ? (listener.tls?.certificateRefs ?? []) : []
  const outcomes = refs.map((ref) => loadCertificate(read, owner, ref))
  const certificates = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.loaded] : []))
  const problems = [
    ...outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.problem])),
    ...(validation?.problems ?? []).map(ofListener),
  ]
  const known = problems.filter(({ reason }) => reason !== 'Pending')
  // What is wrong is said before what is not known yet.
  const refProblem = known.length > 0 ? refProblemOf(known, kindsProblem?.message) : (kindsProblem ?? pendingProblem(problems))
  return {
    ...base,
    ...(problem === undefined ? {} : { problem }),
    ...(refProblem === undefined ? {} : { refProblem }),
    certificates,
    ...(validation !== undefined && { clients: validation.config ?? 'unchecked' }),
    wants: [...outcomes.flatMap(({ wants }) => wants ?? []), ...(validation?.wants ?? [])],
    findings: findingsOf(owner, listener, base.hostname, certificates),
  }
}

/** The configuration of a listener that is good; undefined while it lacks what it needs to serve. */
export function listenerConfig({ listener, key, hostname, problem, certificates, clients }: JudgedListener): ListenerConfig | undefined {
  const { name, port, protocol } = listener
  if (problem !== undefined || !isServed(protocol)) return undefined
  const base = { key, name, port, protocol, hostname }
  if (isPassthrough(listener)) return { ...base, tls: { kind: 'passthrough' } }
  if (!endsTls(listener)) return base
  const minVersion = minVersionOf(listener)
  if (certificates.length === 0 || minVersion === undefined || clients === 'unchecked') return undefined
  const fingerprints = [...new Set(certificates.map(({ certificate }) => certificate.fingerprint))]
  return { ...base, tls: { kind: 'terminate', certificates: fingerprints, minVersion, ...(clients !== undefined && { clients }) } }
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

function problemOf(listener: Listener): JudgedListener['problem'] {
  const { protocol, tls, filters } = listener
  const unsupported = (message: string) => ({ reason: 'UnsupportedValue' as const, message })
  if (!isServed(protocol))
    return { reason: 'UnsupportedProtocol', message: `Protocol ${protocol} is not served; it must be HTTP, HTTPS, TLS, TCP or UDP.` }
  if (filters !== undefined && filters.requests.length > 0) return unsupported('Filters of listeners (filters.requests) are not served.')
  if (!endsTls(listener)) return undefined
  if (tls === undefined || tls.certificateRefs.length === 0) {
    const what = protocol === 'TLS' ? 'A listener of protocol TLS in mode Terminate' : `A listener of protocol ${protocol}`
    return unsupported(`${what} needs a certificate: tls.certificateRefs must name at least one Secret of type kubernetes.io/tls.`)
  }
  if (minVersionOf(listener) === undefined)
    return unsupported(`The TLS option ${MIN_VERSION_OPTION} must be 1.2 or 1.3, got ${tls.options[MIN_VERSION_OPTION]}.`)
  return undefined
}

/** Without the check that was asked for, the listener would let in everybody: so it lets in nobody. */
function authoritiesProblem(validation: FrontendValidation | undefined): JudgedListener['problem'] {
  if (validation === undefined || validation.config !== undefined) return undefined
  if (validation.problems.some(({ reason }) => reason === 'Pending')) return undefined
  const message = validation.problems.map((one) => one.message).join(' ')
  return {
    reason: 'NoValidCACertificate',
    message: `Clients must show a certificate, and none could be checked (spec.tls.frontend). ${message}`,
  }
}

function ofListener({ reason, ...problem }: AuthorityProblem): ListenerRefProblem {
  return { reason: reason === 'InvalidKind' ? 'InvalidCACertificateKind' : reason, ...problem }
}

/** A reference that is not permitted outranks one that is missing or malformed (listener reason InvalidCertificateRef). */
function refProblemOf(problems: readonly ListenerRefProblem[], kinds: string | undefined): NonNullable<JudgedListener['refProblem']> {
  const [first] = problems
  const isForbidden = problems.some(({ reason }) => reason === 'RefNotPermitted')
  return {
    reason: isForbidden ? 'RefNotPermitted' : (first?.reason ?? 'InvalidCertificateRef'),
    message: [...problems.map(({ message }) => message), ...(kinds === undefined ? [] : [kinds])].join(' '),
    remedies: problems.flatMap(({ remedy }) => (remedy === undefined ? [] : [remedy])),
  }
}

function pendingProblem(problems: readonly ListenerRefProblem[]): JudgedListener['refProblem'] {
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
