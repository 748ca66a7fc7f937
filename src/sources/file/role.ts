/** What the file source does with a document, told from its first lines so that most of a repository is never parsed. */
import { EXPERIMENTAL_GROUP } from '../../api/x-backend.ts'
import type { DocumentType } from './documents.ts'
import { isGuard } from './guards.ts'
import { groupOf } from './manifest.ts'

/**
 * object: one that this project serves from; context: says something about the others (Flux, Helm, cert-manager, guards);
 * mixed: a list, JSON or flow style, only known after parsing; foreign: counted.
 */
export type Role = 'object' | 'context' | 'mixed' | 'foreign'

const CORE_KINDS: ReadonlySet<string> = new Set(['Service', 'Secret', 'ConfigMap', 'Namespace'])

const GATEWAY_GROUP = 'gateway.networking.k8s.io'
const OWN_GROUP = 'gatewright.dev'

const GATEWAY_KINDS: ReadonlySet<string> = new Set(
  'GatewayClass Gateway ListenerSet HTTPRoute GRPCRoute TLSRoute TCPRoute UDPRoute ReferenceGrant BackendTLSPolicy'.split(' '),
)
/** Of the experimental group those that are served. */
const EXPERIMENTAL_KINDS: ReadonlySet<string> = new Set(['XBackend', 'XBackendTrafficPolicy', 'XTelemetryPolicy'])

/** The names that a person may take for ours in whatever group. */
export function isNamedLikeOurs(kind: string): boolean {
  return GATEWAY_KINDS.has(kind) || kind === 'Service'
}

export function isOurs({ apiVersion, kind }: DocumentType): boolean {
  // Its version was forgotten.
  if (apiVersion === GATEWAY_GROUP || apiVersion === EXPERIMENTAL_GROUP) return true
  const group = groupOf(apiVersion)
  // Without an apiVersion it is nobody's yet; parse says what it lacks.
  if (group === '') return CORE_KINDS.has(kind) || (apiVersion === '' && (GATEWAY_KINDS.has(kind) || EXPERIMENTAL_KINDS.has(kind)))
  if (group === EXPERIMENTAL_GROUP) return EXPERIMENTAL_KINDS.has(kind) || EXPERIMENTAL_KINDS.has(kind.replace(/List$/, ''))
  if (group === OWN_GROUP) return kind === 'GatewayParameters'
  return group === GATEWAY_GROUP || (group === 'discovery.k8s.io' && kind === 'EndpointSlice')
}

const CONTEXT: ReadonlySet<string> = new Set([
  'kustomize.config.k8s.io/Kustomization',
  'kustomize.config.k8s.io/Component',
  'kustomize.toolkit.fluxcd.io/Kustomization',
  'helm.toolkit.fluxcd.io/HelmRelease',
  'source.toolkit.fluxcd.io/HelmRepository',
  'source.toolkit.fluxcd.io/OCIRepository',
  'cert-manager.io/Certificate',
])

export function roleOf(type: DocumentType): Role {
  if (type.kind === 'List') return 'mixed'
  if (isOurs(type)) return type.kind.endsWith('List') ? 'mixed' : 'object'
  return CONTEXT.has(`${groupOf(type.apiVersion)}/${type.kind}`) || isGuard(type) ? 'context' : 'foreign'
}
