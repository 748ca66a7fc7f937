/**
 * Policies of other products that would keep requests away from a route (authentication, authorisation, address lists).
 * They are not enforced here, and a person who trusts them must hear it.
 */
import type { DocumentType } from './documents.ts'
import type { Fields, Manifest } from './manifest.ts'
import { fieldsAt, groupOf, isFields, listAt, textAt } from './manifest.ts'

interface Guard {
  readonly product: string
  /** Fields of `from` that guard; none: the kind as a whole does. */
  readonly fields?: readonly string[]
  readonly from?: readonly string[]
}

const TRAEFIK: Guard = { product: 'Traefik', fields: ['basicAuth', 'digestAuth', 'forwardAuth', 'ipAllowList', 'ipWhiteList', 'plugin'] }
const TRAEFIK_TCP: Guard = { product: 'Traefik', fields: ['ipAllowList', 'ipWhiteList'] }

const GUARDS: ReadonlyMap<string, Guard> = new Map<string, Guard>([
  [
    'gateway.envoyproxy.io/SecurityPolicy',
    { product: 'Envoy Gateway', fields: ['basicAuth', 'apiKeyAuth', 'jwt', 'oidc', 'extAuth', 'authorization'] },
  ],
  ['security.istio.io/AuthorizationPolicy', { product: 'Istio' }],
  ['security.istio.io/RequestAuthentication', { product: 'Istio' }],
  ['traefik.io/Middleware', TRAEFIK],
  ['traefik.containo.us/Middleware', TRAEFIK],
  ['traefik.io/MiddlewareTCP', TRAEFIK_TCP],
  ['traefik.containo.us/MiddlewareTCP', TRAEFIK_TCP],
  ['gateway.nginx.org/AuthenticationFilter', { product: 'NGINX Gateway Fabric' }],
  ['gateway.nginx.org/WAFPolicy', { product: 'NGINX Gateway Fabric' }],
  ['kuadrant.io/AuthPolicy', { product: 'Kuadrant' }],
  ['extensions.kuadrant.io/OIDCPolicy', { product: 'Kuadrant' }],
  [
    'gateway.kgateway.dev/TrafficPolicy',
    { product: 'kgateway', fields: ['extAuth', 'jwt', 'jwtAuth', 'basicAuth', 'apiKeyAuth', 'apiKeyAuthentication', 'oauth2', 'rbac'] },
  ],
  ['networking.gke.io/GCPBackendPolicy', { product: 'GKE', fields: ['iap', 'securityPolicy'], from: ['default'] }],
])

/** Kong names what a plugin does in a field of its own. */
const KONG_PLUGINS: ReadonlySet<string> = new Set(
  'key-auth basic-auth hmac-auth ldap-auth jwt oauth2 openid-connect mtls-auth acl ip-restriction bot-detection'.split(' '),
)

export function isGuard(type: DocumentType): boolean {
  const name = `${groupOf(type.apiVersion)}/${type.kind}`
  return GUARDS.has(name) || name === 'configuration.konghq.com/KongPlugin'
}

export interface GuardFound {
  readonly product: string
  /** What it would do, in the policy's own field names; empty when the kind says it. */
  readonly does: readonly string[]
  /** `HTTPRoute team-a/shop`; undefined for a policy that is named by routes instead. */
  readonly targets: readonly string[] | undefined
}

/** Undefined for a policy that guards nothing (CORS, rate limits, retries). */
export function readGuard(manifest: Manifest, namespace: string): GuardFound | undefined {
  const spec = fieldsAt(manifest.value, 'spec')
  if (manifest.kind === 'KongPlugin') {
    const plugin = textAt(manifest.value, 'plugin') ?? ''
    return KONG_PLUGINS.has(plugin) ? { product: 'Kong', does: [plugin], targets: undefined } : undefined
  }
  const guard = GUARDS.get(`${groupOf(manifest.apiVersion)}/${manifest.kind}`)
  if (!guard) return undefined
  const settings = fieldsAt(spec, ...(guard.from ?? []))
  const does = guard.fields?.filter((field) => settings[field] !== undefined && settings[field] !== null) ?? []
  if (guard.fields && does.length === 0) return undefined
  return { product: guard.product, does, targets: targetsOf(spec, namespace, manifest.kind) }
}

function targetsOf(spec: Fields, namespace: string, kind: string): readonly string[] | undefined {
  if (kind.startsWith('Middleware') || kind.endsWith('Filter')) return undefined
  const refs = [spec['targetRef'], ...listAt(spec, 'targetRefs')].filter(isFields)
  if (refs.length > 0)
    return refs.map((ref) => `${textAt(ref, 'kind') ?? 'object'} ${textAt(ref, 'namespace') ?? namespace}/${textAt(ref, 'name') ?? '?'}`)
  if (listAt(spec, 'targetSelectors').length > 0 || Object.keys(fieldsAt(spec, 'selector')).length > 0)
    return [`what its selector chooses in namespace ${namespace}`]
  return [`everything in namespace ${namespace}`]
}
