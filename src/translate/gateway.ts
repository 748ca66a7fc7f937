/** A Gateway of ours, judged without regard to routes and to what the data plane says (Gateway API v1, GatewaySpec). */
import type { Finding } from '../api/finding.ts'
import type { Gateway, GatewayClass } from '../api/gateway.ts'
import type { ParametersSpec } from '../api/parameters.ts'
import type { CertificateConfig, ListenerConfig } from '../config/listener.ts'
import { addressProblem } from './addresses.ts'
import { findings, refOf } from './findings.ts'
import { isOurs, parametersOf } from './gateway-class.ts'
import { infraOf } from './infra.ts'
import { keep, keepArray } from './keep.ts'
import { judgeListener, listenerConfig } from './listener.ts'
import { conflictsOf } from './listener-conflicts.ts'
import { claimOf, listenerPart, type ListenerPart, listenerSurface, withOverlaps } from './listener-part.ts'
import type { Reader } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import { gatewayParameters, type Parameters, together } from './parameters.ts'
import type { GatewaySurface } from './surface.ts'
import { loadCertificate, type CertificateProblem, type LoadedCertificate } from './tls.ts'
import type { InfraPlan } from './translation.ts'
import { isServed } from './features.ts'

/** `foreign`: of another controller's class, or of none. Not ours: no status, nothing served. */
export type GatewayResult = { readonly kind: 'foreign'; readonly findings: readonly Finding[] } | ({ readonly kind: 'ours' } & GatewayPart)

/**
 * Why the Gateway as a whole is not accepted, whatever its listeners. All of these concern what is made for it in a cluster, none of
 * them what its proxies serve: there is no plan for its infrastructure, and what stands there stays.
 */
export interface GatewayProblem {
  readonly reason: 'InvalidParameters' | 'UnsupportedAddress' | 'ClassNotAccepted'
  readonly message: string
  /** There is a configuration for proxies that it has already (TranslateOptions.servesOn). */
  readonly servesOn: boolean
}

export interface GatewayPart {
  readonly gateway: Gateway
  readonly surface: GatewaySurface
  readonly listeners: readonly ListenerPart[]
  readonly problem?: GatewayProblem
  /** Why its own references (not its listeners') are not resolved. */
  readonly clientCertificate?: CertificateProblem
  /** Shown to backends that are reached over TLS (GatewayBackendTLS.clientCertificateRef). */
  readonly backendCertificate?: LoadedCertificate
  /** Of the listeners that shall serve; empty when nothing can be. */
  readonly configs: readonly ListenerConfig[]
  readonly certificates: readonly LoadedCertificate[]
  /** Of the class and its own together. */
  readonly parameters: ParametersSpec
  /** Absent where nothing can be served, and where what to make is not known: what there is stays. */
  readonly infra?: InfraPlan
  readonly wants: readonly string[]
  readonly findings: readonly Finding[]
}

export function gatewayOf(read: Reader, options: TranslateOptions, gateway: Gateway, last: GatewayResult | undefined): GatewayResult {
  const gatewayClass = read.get('GatewayClass', '', gateway.spec.gatewayClassName)
  if (gatewayClass === undefined) {
    return { kind: 'foreign', findings: keep(last?.findings, [findings.gatewayClassMissing(gateway, options.anyClassIsOurs)]) }
  }
  if (!isOurs(gatewayClass, options)) return { kind: 'foreign', findings: [] }
  return { kind: 'ours', ...partOf(read, options, gateway, gatewayClass, last?.kind === 'ours' ? last : undefined) }
}

function partOf(
  read: Reader,
  options: TranslateOptions,
  gateway: Gateway,
  gatewayClass: GatewayClass,
  last: GatewayPart | undefined,
): GatewayPart {
  const judged = gateway.spec.listeners.map((listener) => judgeListener(read, gateway, listener))
  const ownClass = gatewayClass.spec.controllerName === options.controllerName
  const parameters: Parameters = ownClass ? gatewayParameters(read, gateway) : { ok: true, spec: {} }
  const ofClass = parametersOf(read, gatewayClass, options)
  const why = problemOf(gateway, gatewayClass, ofClass, parameters)
  const problem = why === undefined ? undefined : { ...why, servesOn: options.servesOn === true }
  const conflicts = conflictsOf(judged.filter(({ listener }) => isServed(listener.protocol)).map(claimOf))
  const owner = { kind: gateway.kind, namespace: gateway.metadata.namespace, name: gateway.metadata.name }
  const listeners = withOverlaps(
    judged.map((one) => {
      const conflict = conflicts.get(one.listener.name)
      const config = (problem?.servesOn ?? true) && conflict === undefined ? listenerConfig(one) : undefined
      const lastConfig = last?.configs.find(({ key }) => key === one.key)
      return { owner, listener: listenerPart(one, conflict, config && keep(lastConfig, config)) }
    }),
  )
  const configs = keepArray(
    last?.configs,
    listeners.flatMap(({ config }) => (config === undefined ? [] : [config])),
  )
  const client = clientCertificateOf(read, gateway)
  const own = together(ofClass.ok ? ofClass.spec : {}, parameters.ok ? parameters.spec : {})
  const foreignParameters = ownClass ? undefined : gateway.spec.infrastructure?.parametersRef
  return {
    gateway,
    surface: keep(last?.surface, surfaceOf(gateway, gatewayClass, listeners)),
    listeners,
    ...(problem === undefined ? {} : { problem }),
    ...(client.problem === undefined ? {} : { clientCertificate: client.problem }),
    configs,
    parameters: own,
    ...(client.loaded !== undefined && { backendCertificate: client.loaded }),
    certificates: certificatesOf(listeners, client.loaded, last?.certificates ?? []),
    ...(configs.length === 0 || problem !== undefined ? {} : { infra: keep(last?.infra, infraOf(gateway, configs, own)) }),
    wants: [...judged.flatMap(({ wants }) => wants), ...client.wants],
    findings: keep(last?.findings, [
      ...judged.flatMap((one) => one.findings),
      ...(gateway.spec.defaultScope === 'All' ? [findings.defaultScopeNotServed(gateway)] : []),
      ...(foreignParameters === undefined
        ? []
        : [findings.parametersNotRead(refOf(gateway), ['spec', 'infrastructure', 'parametersRef'], foreignParameters.kind)]),
    ]),
  }
}

function problemOf(
  gateway: Gateway,
  { metadata: { name } }: GatewayClass,
  ofClass: Parameters,
  parameters: Parameters,
): Omit<GatewayProblem, 'servesOn'> | undefined {
  if (!ofClass.ok) return { reason: 'ClassNotAccepted', message: `GatewayClass ${name} is not accepted: see its status.` }
  if (!parameters.ok) return { reason: 'InvalidParameters', message: parameters.message }
  const addresses = addressProblem(gateway)
  return addresses === undefined ? undefined : { reason: 'UnsupportedAddress', message: addresses }
}

function surfaceOf({ metadata }: Gateway, { spec }: GatewayClass, listeners: readonly ListenerPart[]): GatewaySurface {
  return {
    kind: 'Gateway',
    gateway: `${metadata.namespace}/${metadata.name}`,
    namespace: metadata.namespace,
    name: metadata.name,
    controllerName: spec.controllerName,
    listeners: listeners.map(listenerSurface),
  }
}

/**
 * Those that serving listeners name, and the one for backends, each once, sorted by fingerprint; equal ones keep their
 * identity.
 */
export function certificatesOf(
  listeners: readonly ListenerPart[],
  backend: LoadedCertificate | undefined,
  last: readonly LoadedCertificate[],
): readonly LoadedCertificate[] {
  const byFingerprint = new Map<string, LoadedCertificate>()
  const named = listeners.flatMap(({ judged, config }) => (config === undefined ? [] : judged.certificates))
  for (const loaded of backend === undefined ? named : [...named, backend]) {
    const { fingerprint } = loaded.certificate
    byFingerprint.set(fingerprint, last.find(({ certificate }) => certificate.fingerprint === fingerprint) ?? loaded)
  }
  return [...byFingerprint.values()].sort((a, b) => (a.certificate.fingerprint < b.certificate.fingerprint ? -1 : 1))
}

function clientCertificateOf(
  read: Reader,
  gateway: Gateway,
): { readonly loaded?: LoadedCertificate; readonly problem?: CertificateProblem; readonly wants: readonly string[] } {
  const ref = gateway.spec.tls?.backend?.clientCertificateRef
  if (ref === undefined) return { wants: [] }
  const outcome = loadCertificate(read, gateway, ref)
  const wants = outcome.wants === undefined ? [] : [outcome.wants]
  return outcome.ok ? { loaded: outcome.loaded, wants } : { problem: outcome.problem, wants }
}

export function publicParts(certificates: readonly LoadedCertificate[]): readonly CertificateConfig[] {
  return certificates.map(({ certificate }) => certificate)
}
