/**
 * What a backendRef comes to: a pool to send to, or a reason why its share of requests fails
 * (Gateway API v1, BackendObjectReference and HTTPBackendRef; the reasons of the route condition ResolvedRefs).
 */
import { createHash } from 'node:crypto'
import type { Service, ServicePort } from '../api/core.ts'
import type { Finding } from '../api/finding.ts'
import type { BackendObjectReference } from '../api/route.ts'
import type { BackendTlsConfig } from '../config/backend-tls.ts'
import type { PoolConfig, PoolKey } from '../config/pool.ts'
import type { Transport } from '../lib/transport.ts'
import { backendProtocol, type Speech } from './app-protocol.ts'
import { EXPERIMENTAL_GROUP } from '../api/x-backend.ts'
import { backendTlsOf } from './backend-tls.ts'
import { findings } from './findings.ts'
import type { Reader } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import { isPermitted, missingGrant } from './reference-grant.ts'
import { listed, type Remedy } from './remedy.ts'
import type { RefProblem } from './route.ts'
import type { LoadedCertificate } from './tls.ts'
import type { BackendPath } from './traffic-policy.ts'
import { judgeXBackend, xBackendSpeech } from './x-backend.ts'

export interface PoolUse {
  readonly key: PoolKey
  readonly backend: PoolConfig['backend']
  readonly protocol: PoolConfig['protocol']
  readonly tls?: BackendTlsConfig
  /** The one that `tls.clientCertificate` names, where the backend itself says which. */
  readonly certificate?: LoadedCertificate
}

/** `target`: what is referred to, there or not; undefined where it may not be referred to, or is of a kind that is not served. */
export type Resolved =
  | { readonly kind: 'pool'; readonly pool: PoolUse; readonly target: BackendPath; readonly findings: readonly Finding[] }
  | {
      readonly kind: 'fail'
      readonly problem: BackendProblem
      readonly target: BackendPath | undefined
      readonly findings: readonly Finding[]
    }

export interface BackendProblem {
  /** The last two are the policy's and the XBackend's problem, not the reference's. */
  readonly reason: RefProblem['reason'] | 'InvalidBackendTLSPolicy' | 'InvalidBackend'
  readonly message: string
  /** `Service/namespace/name:port`, for people. */
  readonly backend: string
  readonly remedy?: Remedy
  /** `namespace/name` of the Service whose policy stands in the way. */
  readonly service?: string
}

/** The object that refers. `transport`: what the route needs of a Service port. */
export interface Referrer {
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly path: readonly (string | number)[]
  readonly transport: Transport
  readonly speech: Speech
}

export function resolveBackend(read: Reader, options: TranslateOptions, from: Referrer, ref: BackendObjectReference): Resolved {
  const namespace = ref.namespace ?? from.namespace
  const where = `${ref.kind} ${namespace}/${ref.name}`
  const path = `${ref.kind}/${namespace}/${ref.name}`
  const shown = `${path}${ref.port === undefined ? '' : `:${ref.port}`}`
  const unseen = problemOf(shown, undefined)
  const isXBackend = ref.group === EXPERIMENTAL_GROUP && ref.kind === 'XBackend'

  if (!isXBackend && (ref.group !== '' || ref.kind !== 'Service')) {
    return unseen(
      'InvalidKind',
      `Kind ${ref.kind} of ${ref.group === '' ? 'the core group' : `group ${ref.group}`} is no backend that is served (${where}); it must be a Service or an XBackend.`,
    )
  }
  const reference = { from, to: { group: ref.group, kind: ref.kind, namespace, name: ref.name } }
  if (!isPermitted(read, reference)) {
    const problem = `${from.kind} ${from.namespace}/${from.name} must not refer to ${where}: no ReferenceGrant in Namespace ${namespace} allows it.`
    return unseen('RefNotPermitted', problem, { remedy: { what: 'allow it', yaml: missingGrant(reference) } })
  }
  if (isXBackend) return resolveXBackend(read, from, namespace, ref.name)
  const fail = problemOf(shown, path)
  const service = read.get('Service', namespace, ref.name)
  if (service === undefined) {
    return fail('BackendNotFound', `${where} does not exist.`, {}, [findings.serviceNotDefined(from, namespace, ref.name)])
  }
  if (service.spec.type === 'ExternalName' && !options.allowExternalName) {
    return fail(
      'InvalidKind',
      `${where} is of type ExternalName, which is refused: it could send traffic to any address, past the rules of its namespace (CVE-2021-25740). Use a Service with EndpointSlices.`,
    )
  }
  const port = portOf(service, ref.port, from.transport)
  if (port === undefined) return fail('BackendNotFound', `${where} has no port ${ref.port} (${from.transport}); ${portsInWords(service)}.`)

  const tls = mayBeSecured(from.speech) ? backendTlsOf(read, namespace, ref.name, port) : undefined
  if (tls?.kind === 'invalid') {
    return fail('InvalidBackendTLSPolicy', `BackendTLSPolicy ${tls.policy} of ${where} cannot be followed: ${tls.message}`, {
      service: `${namespace}/${ref.name}`,
    })
  }
  const protocol = backendProtocol(port.appProtocol, from.speech, tls !== undefined)
  if (protocol.kind === 'unserved') {
    return fail('UnsupportedProtocol', `Port ${port.port} of ${where} has appProtocol ${port.appProtocol}: ${protocol.why}.`)
  }
  return {
    kind: 'pool',
    pool: {
      key: poolKey(`Service/${namespace}/${ref.name}:${port.port}`, protocol.protocol, tls?.tls),
      backend: { kind: 'Service', namespace, name: ref.name, port: port.port },
      protocol: protocol.protocol,
      ...(tls !== undefined && { tls: tls.tls }),
    },
    target: path,
    findings: protocol.kind === 'unknown' ? [findings.appProtocolUnknown(service, port, protocol.protocol)] : [],
  }
}

/** The XBackend says its port, its protocol and its TLS itself; a BackendTLSPolicy has no say (GEP-4894). */
function resolveXBackend(read: Reader, from: Referrer, namespace: string, name: string): Resolved {
  const path = `XBackend/${namespace}/${name}`
  const where = `XBackend ${namespace}/${name}`
  const fail = problemOf(path, path)
  const backend = read.get('XBackend', namespace, name)
  if (backend === undefined) {
    return fail('BackendNotFound', `${where} does not exist.`, {}, [findings.xBackendNotDefined(from, namespace, name)])
  }
  const judged = judgeXBackend(read, backend)
  if (judged.problem !== undefined) return fail('InvalidBackend', `${where} cannot be followed: ${judged.problem}`)
  const speech = xBackendSpeech(backend, from.speech)
  if (speech.kind === 'unserved') return fail('UnsupportedProtocol', `${where} cannot take what ${from.kind}s send: ${speech.why}.`)
  const { number } = backend.spec.port
  return {
    kind: 'pool',
    pool: {
      key: poolKey(`${path}:${number}`, speech.protocol, judged.tls),
      backend: { kind: 'XBackend', namespace, name, port: number },
      protocol: speech.protocol,
      ...(judged.tls !== undefined && { tls: judged.tls }),
      ...(judged.certificate !== undefined && { certificate: judged.certificate }),
    },
    target: path,
    findings: [],
  }
}

/** Whether a BackendTLSPolicy holds: what passes through is TLS already, and there is none for datagrams here. */
export function mayBeSecured(speech: Speech): boolean {
  return speech !== 'tls' && speech !== 'udp'
}

/** What a problem says of the route that refers; undefined where the reference itself is good. */
export function refProblemOf({ reason, message, remedy }: BackendProblem): RefProblem | undefined {
  return reason === 'InvalidBackendTLSPolicy' || reason === 'InvalidBackend'
    ? undefined
    : { reason, message, ...(remedy !== undefined && { remedy }) }
}

/** `namespace/name` of the Service that is reached, or that only its policy keeps from being. */
export function serviceOf(resolved: Resolved): string | undefined {
  if (resolved.kind === 'fail') return resolved.problem.service
  const { kind, namespace, name } = resolved.pool.backend
  return kind === 'Service' ? `${namespace}/${name}` : undefined
}

/** Pools that ask for something else of their endpoints are others. */
function poolKey(backend: string, protocol: PoolConfig['protocol'], tls: BackendTlsConfig | undefined): PoolKey {
  const digest = tls && createHash('sha256').update(JSON.stringify(tls)).digest('hex').slice(0, 16)
  return `${backend}${protocol === 'http' ? '' : `;${protocol}`}${digest === undefined ? '' : `;tls=${digest}`}`
}

function problemOf(backend: string, target: BackendPath | undefined) {
  return (
    reason: BackendProblem['reason'],
    message: string,
    more: Pick<BackendProblem, 'remedy' | 'service'> = {},
    found: readonly Finding[] = [],
  ): Resolved => ({ kind: 'fail', problem: { reason, message, backend, ...more }, target, findings: found })
}

/** An ExternalName Service needs no ports: what the reference says is the port. */
function portOf({ spec }: Service, number: number | undefined, transport: Transport): ServicePort | undefined {
  if (number === undefined) return undefined
  const port = spec.ports.find((candidate) => candidate.port === number && candidate.protocol === transport)
  return port ?? (spec.type === 'ExternalName' ? { port: number, protocol: transport } : undefined)
}

/** A clause. */
export function portsInWords({ spec }: Service): string {
  if (spec.ports.length === 0) return 'it has no ports'
  return `it has ${listed(spec.ports.map(({ name, port, protocol }) => `${port}${name === undefined ? '' : ` (${name})`}${protocol === 'TCP' ? '' : ` ${protocol}`}`))}`
}
