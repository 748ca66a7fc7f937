/**
 * The tenants: HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, UDPRoute and what they share
 * (apis/v1 httproute_types.go, grpcroute_types.go, shared_types.go, ...), after defaulting:
 * a field that the CRD defaults is never absent here. Durations stay strings; translate turns them into milliseconds.
 */
import type { Condition, ObjectMeta } from './meta.ts'

export interface ParentReference {
  readonly group: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly sectionName?: string
  readonly port?: number
}

export interface ParentGatewayReference {
  readonly group: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
}

export interface LocalObjectReference {
  readonly group: string
  readonly kind: string
  readonly name: string
}

export interface BackendObjectReference {
  readonly group: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
  readonly port?: number
}

export interface BackendRef extends BackendObjectReference {
  readonly weight: number
}

interface CommonRouteSpec {
  readonly parentRefs: readonly ParentReference[]
  readonly useDefaultGateways?: 'All' | 'None'
}

export interface RouteParentStatus {
  readonly parentRef: Partial<ParentReference> & { readonly name: string }
  readonly controllerName: string
  readonly conditions?: readonly Condition[]
}

export interface RouteStatus {
  readonly parents: readonly RouteParentStatus[]
}

// HTTPRoute

export type PathMatchType = 'Exact' | 'PathPrefix' | 'RegularExpression'
export type ValueMatchType = 'Exact' | 'RegularExpression'

export interface NamedValueMatch {
  readonly type: ValueMatchType
  readonly name: string
  readonly value: string
}

export interface HttpRouteMatch {
  readonly path: { readonly type: PathMatchType; readonly value: string }
  readonly headers: readonly NamedValueMatch[]
  readonly queryParams: readonly NamedValueMatch[]
  readonly method?: string
}

export interface HttpHeader {
  readonly name: string
  readonly value: string
}

export interface HeaderFilter {
  readonly set: readonly HttpHeader[]
  readonly add: readonly HttpHeader[]
  readonly remove: readonly string[]
}

export type PathModifier =
  | { readonly type: 'ReplaceFullPath'; readonly replaceFullPath: string }
  | { readonly type: 'ReplacePrefixMatch'; readonly replacePrefixMatch: string }

export interface RequestRedirectFilter {
  readonly scheme?: string
  readonly hostname?: string
  readonly path?: PathModifier
  readonly port?: number
  readonly statusCode: number
}

export interface UrlRewriteFilter {
  readonly hostname?: string
  readonly path?: PathModifier
}

export interface RequestMirrorFilter {
  readonly backendRef: BackendObjectReference
  readonly percent?: number
  readonly fraction?: { readonly numerator: number; readonly denominator: number }
}

export interface CorsFilter {
  readonly allowOrigins: readonly string[]
  readonly allowCredentials?: boolean
  readonly allowMethods: readonly string[]
  readonly allowHeaders: readonly string[]
  readonly exposeHeaders: readonly string[]
  readonly maxAge: number
}

export interface ExternalAuthFilter {
  readonly protocol: string
  readonly backendRef: BackendObjectReference
  readonly grpc?: { readonly allowedHeaders: readonly string[] }
  readonly http?: { readonly path?: string; readonly allowedHeaders: readonly string[]; readonly allowedResponseHeaders: readonly string[] }
  readonly forwardBody?: { readonly maxSize: number }
}

export type HttpRouteFilter =
  | { readonly type: 'RequestHeaderModifier'; readonly requestHeaderModifier: HeaderFilter }
  | { readonly type: 'ResponseHeaderModifier'; readonly responseHeaderModifier: HeaderFilter }
  | { readonly type: 'RequestRedirect'; readonly requestRedirect: RequestRedirectFilter }
  | { readonly type: 'URLRewrite'; readonly urlRewrite: UrlRewriteFilter }
  | { readonly type: 'RequestMirror'; readonly requestMirror: RequestMirrorFilter }
  | { readonly type: 'CORS'; readonly cors: CorsFilter }
  | { readonly type: 'ExternalAuth'; readonly externalAuth: ExternalAuthFilter }
  | { readonly type: 'ExtensionRef'; readonly extensionRef: LocalObjectReference }

export interface HttpBackendRef extends BackendRef {
  readonly filters: readonly HttpRouteFilter[]
}

export interface SessionPersistence {
  readonly absoluteTimeout?: string
  readonly type: 'Cookie' | 'Header'
  readonly cookie?: { readonly name?: string; readonly path?: string; readonly lifetimeType: 'Session' | 'Permanent' }
  readonly header?: { readonly name: string }
}

export interface HttpRouteRule {
  readonly name?: string
  readonly matches: readonly HttpRouteMatch[]
  readonly filters: readonly HttpRouteFilter[]
  readonly backendRefs: readonly HttpBackendRef[]
  readonly timeouts?: { readonly request?: string; readonly backendRequest?: string }
  readonly retry?: { readonly codes: readonly number[]; readonly attempts?: number; readonly backoff?: string }
  readonly sessionPersistence?: SessionPersistence
}

export interface HttpRoute {
  readonly apiVersion: 'gateway.networking.k8s.io/v1'
  readonly kind: 'HTTPRoute'
  readonly metadata: ObjectMeta
  readonly spec: CommonRouteSpec & { readonly hostnames: readonly string[]; readonly rules: readonly HttpRouteRule[] }
  readonly status?: RouteStatus
}

// GRPCRoute

export interface GrpcRouteMatch {
  readonly method?: { readonly type: ValueMatchType; readonly service?: string; readonly method?: string }
  readonly headers: readonly NamedValueMatch[]
}

export type GrpcRouteFilter = Extract<
  HttpRouteFilter,
  { readonly type: 'RequestHeaderModifier' | 'ResponseHeaderModifier' | 'RequestMirror' | 'ExtensionRef' }
>

export interface GrpcRouteRule {
  readonly name?: string
  readonly matches: readonly GrpcRouteMatch[]
  readonly filters: readonly GrpcRouteFilter[]
  readonly backendRefs: readonly (BackendRef & { readonly filters: readonly GrpcRouteFilter[] })[]
  readonly sessionPersistence?: SessionPersistence
}

export interface GrpcRoute {
  readonly apiVersion: 'gateway.networking.k8s.io/v1'
  readonly kind: 'GRPCRoute'
  readonly metadata: ObjectMeta
  readonly spec: CommonRouteSpec & { readonly hostnames: readonly string[]; readonly rules: readonly GrpcRouteRule[] }
  readonly status?: RouteStatus
}

// TLSRoute, TCPRoute, UDPRoute

export interface L4RouteRule {
  readonly name?: string
  readonly backendRefs: readonly BackendRef[]
}

export interface TlsRoute {
  readonly apiVersion: 'gateway.networking.k8s.io/v1'
  readonly kind: 'TLSRoute'
  readonly metadata: ObjectMeta
  readonly spec: CommonRouteSpec & { readonly hostnames: readonly string[]; readonly rules: readonly L4RouteRule[] }
  readonly status?: RouteStatus
}

export interface TcpRoute {
  readonly apiVersion: 'gateway.networking.k8s.io/v1'
  readonly kind: 'TCPRoute'
  readonly metadata: ObjectMeta
  readonly spec: CommonRouteSpec & { readonly rules: readonly L4RouteRule[] }
  readonly status?: RouteStatus
}

export interface UdpRoute {
  readonly apiVersion: 'gateway.networking.k8s.io/v1'
  readonly kind: 'UDPRoute'
  readonly metadata: ObjectMeta
  readonly spec: CommonRouteSpec & { readonly rules: readonly L4RouteRule[] }
  readonly status?: RouteStatus
}

export type Route = HttpRoute | GrpcRoute | TlsRoute | TcpRoute | UdpRoute
