/** What this version serves. Everything that a later version adds begins with a line here. */

/**
 * `GatewayClass.status.supportedFeatures`: names of pkg/features v1.7.0, sorted.
 * ExternalAuth and sessions are served too; v1.7 has no names for them.
 */
export const SUPPORTED_FEATURES: readonly { readonly name: string }[] = [
  'GRPCRoute',
  'GRPCRouteNamedRouteRule',
  'GRPCRouteRequestHeaderModifier',
  'Gateway',
  'GatewayAddressEmpty',
  'GatewayHTTPListenerIsolation',
  'GatewayHTTPSListenerDetectMisdirectedRequests',
  'GatewayInfrastructure',
  'GatewayPort8080',
  'GatewayRouteHostnameIntersectionPrecedence',
  'GatewayStaticAddresses',
  'HTTPRoute',
  'HTTPRoute303RedirectStatusCode',
  'HTTPRoute307RedirectStatusCode',
  'HTTPRoute308RedirectStatusCode',
  'HTTPRouteBackendProtocolH2C',
  'HTTPRouteBackendProtocolWebSocket',
  'HTTPRouteBackendRequestHeaderModification',
  'HTTPRouteBackendTimeout',
  'HTTPRouteBackendURLRewrite',
  'HTTPRouteCORS',
  'HTTPRouteDestinationPortMatching',
  'HTTPRouteHostRewrite',
  'HTTPRouteMethodMatching',
  'HTTPRouteNamedRouteRule',
  'HTTPRouteParentRefPort',
  'HTTPRoutePathRedirect',
  'HTTPRoutePathRewrite',
  'HTTPRoutePortRedirect',
  'HTTPRouteQueryParamMatching',
  'HTTPRouteRequestMirror',
  'HTTPRouteRequestMultipleMirrors',
  'HTTPRouteRequestPercentageMirror',
  'HTTPRouteRequestTimeout',
  'HTTPRouteResponseHeaderModification',
  'HTTPRouteRetryCodes',
  'HTTPRouteRetryConnectionError',
  'HTTPRouteSchemeRedirect',
  'ListenerSet',
  'ReferenceGrant',
].map((name) => ({ name }))

export const GATEWAY_GROUP = 'gateway.networking.k8s.io'

/** Protocols of listeners that are served. */
export type ServedProtocol = 'HTTP' | 'HTTPS'

export function isServed(protocol: string): protocol is ServedProtocol {
  return protocol === 'HTTP' || protocol === 'HTTPS'
}

/** Kinds of routes that a served listener takes when it does not narrow them down (Gateway API v1, AllowedRoutes.kinds). */
export const ROUTE_KINDS: { readonly [P in ServedProtocol]: readonly string[] } = {
  HTTP: ['HTTPRoute', 'GRPCRoute'],
  HTTPS: ['HTTPRoute', 'GRPCRoute'],
}

/** Versions of the CRDs that the rules here were written for: any patch of this minor version. */
export const SUPPORTED_BUNDLE = 'v1.7'
