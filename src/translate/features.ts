/** What this version serves. Everything that a later version adds begins with a line here. */
import type { Listener } from '../api/gateway.ts'

/**
 * `GatewayClass.status.supportedFeatures`: names of pkg/features v1.7.0, sorted.
 * ExternalAuth and sessions are served too; v1.7 has no names for them.
 */
export const SUPPORTED_FEATURES: readonly { readonly name: string }[] = [
  'BackendTLSPolicy',
  'BackendTLSPolicySANValidation',
  'GRPCRoute',
  'GRPCRouteNamedRouteRule',
  'GRPCRouteRequestHeaderModifier',
  'Gateway',
  'GatewayAddressEmpty',
  'GatewayBackendClientCertificate',
  'GatewayFrontendClientCertificateValidation',
  'GatewayFrontendClientCertificateValidationInsecureFallback',
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
  'TCPRoute',
  'TLSRoute',
  'TLSRouteModeMixed',
  'TLSRouteModeTerminate',
  'UDPRoute',
].map((name) => ({ name }))

export const GATEWAY_GROUP = 'gateway.networking.k8s.io'

/** Protocols of listeners that are served. */
export type ServedProtocol = 'HTTP' | 'HTTPS' | 'TLS' | 'TCP' | 'UDP'

export function isServed(protocol: string): protocol is ServedProtocol {
  return protocol === 'HTTP' || protocol === 'HTTPS' || protocol === 'TLS' || protocol === 'TCP' || protocol === 'UDP'
}

/** TLS goes through to the backend, which alone can read it (ListenerTLSConfig.mode). */
export function isPassthrough({ protocol, tls }: Pick<Listener, 'protocol' | 'tls'>): boolean {
  return protocol === 'TLS' && tls?.mode === 'Passthrough'
}

/** TLS ends here: the listener needs a certificate. */
export function endsTls(listener: Pick<Listener, 'protocol' | 'tls'>): boolean {
  return listener.protocol === 'HTTPS' || (listener.protocol === 'TLS' && !isPassthrough(listener))
}

/**
 * Kinds of routes that a listener takes when it does not narrow them down (Gateway API v1, AllowedRoutes.kinds). What comes out of
 * ended TLS is a stream like any other, so a TCPRoute may have it; what is still encrypted is for TLSRoutes, which know its name.
 */
export function routeKindsOf(protocol: string, passthrough: boolean): readonly string[] {
  switch (protocol) {
    case 'HTTP':
    case 'HTTPS':
      return ['HTTPRoute', 'GRPCRoute']
    case 'TLS':
      return passthrough ? ['TLSRoute'] : ['TLSRoute', 'TCPRoute']
    case 'TCP':
      return ['TCPRoute']
    case 'UDP':
      return ['UDPRoute']
    default:
      return []
  }
}

/** Versions of the CRDs that the rules here were written for: any patch of this minor version. */
export const SUPPORTED_BUNDLE = 'v1.7'
