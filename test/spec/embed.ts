/**
 * Puts a value into the smallest valid object that has a given place, so that a test can speak of the value alone:
 * `embed('HTTPRoute', 'v1', 'spec.rules[].filters[].cors', {...})`. A path is a place of a schema: `[]` is an item, `{}` a value of a map.
 */
import { EXPERIMENTAL_GROUP } from '../../src/api/x-backend.ts'

type Json = Readonly<Record<string, unknown>>

const BACKEND = { name: 'backend', port: 80 }
const REFERENCE = { group: 'example.com', kind: 'Thing', name: 'thing' }
const STREAM = { rules: [{ backendRefs: [BACKEND] }] }

const SPECS: Readonly<Record<string, Json>> = {
  GatewayClass: { controllerName: 'example.com/controller' },
  Gateway: { gatewayClassName: 'class', listeners: [{ name: 'web', port: 80, protocol: 'HTTP' }] },
  ListenerSet: { parentRef: { name: 'gateway' }, listeners: [{ name: 'web', port: 80, protocol: 'HTTP' }] },
  HTTPRoute: {},
  GRPCRoute: {},
  TLSRoute: { ...STREAM, hostnames: ['a.example.com'] },
  TCPRoute: STREAM,
  UDPRoute: STREAM,
  ReferenceGrant: { from: [{ group: '', kind: 'Service', namespace: 'other' }], to: [{ group: '', kind: 'Secret' }] },
  XBackend: { type: 'ExternalHostname', port: { number: 443 }, externalHostname: { hostname: 'api.example.com' } },
  XBackendTrafficPolicy: { targetRefs: [REFERENCE] },
  XTelemetryPolicy: { targetRefs: [REFERENCE], tracing: {} },
  BackendTLSPolicy: { targetRefs: [REFERENCE], validation: { wellKnownCACertificates: 'System', hostname: 'a.example.com' } },
}

const SELECTING: Json = { type: 'EndpointSelector', port: { number: 8080 }, endpointSelector: { matchLabels: { app: 'api' } } }

/** What a mode of an XBackend's TLS demands beside one of its fields. */
function secured(child: string | undefined): Json {
  const validation = { hostname: 'a.example.com', wellKnownCACertificates: 'System' }
  if (child === 'validation') return { mode: 'ServerOnly' }
  return child === 'clientCertificateRef' ? { mode: 'ClientAndServer', validation } : { mode: 'None' }
}

/** What a field of an XTelemetryPolicy's tracing demands beside it. */
function traced(child: string | undefined): Json {
  if (child === undefined || child === 'mode') return {}
  return { mode: 'Enabled', ...(child !== 'provider' && { provider: { backendRef: BACKEND } }) }
}

function sourced(child: string | undefined): Json {
  if (child === 'headerName') return { name: 'name', sourceType: 'Header' }
  if (child === 'attributeKey') return { name: 'name', sourceType: 'Attribute' }
  return { name: 'name', sourceType: 'Literal', ...(child !== 'literalValue' && { literalValue: 'value' }) }
}

const TYPES: Readonly<Record<string, string>> = {
  requestHeaderModifier: 'RequestHeaderModifier',
  responseHeaderModifier: 'ResponseHeaderModifier',
  requestMirror: 'RequestMirror',
  requestRedirect: 'RequestRedirect',
  urlRewrite: 'URLRewrite',
  extensionRef: 'ExtensionRef',
  cors: 'CORS',
  externalAuth: 'ExternalAuth',
}

/** The least that must stand beside the field `child` of an object, named by the last step of its path. */
function beside(kind: string, path: string, child: string | undefined): Json {
  const last = path.slice(path.lastIndexOf('.') + 1)
  switch (last) {
    case 'spec':
      if (kind === 'XBackend' && (child === 'endpointSelector' || child === 'sessionPersistence')) return SELECTING
      return SPECS[kind] ?? {}
    case 'port':
      return { number: 443 }
    case 'externalHostname':
      return { hostname: 'api.example.com' }
    case 'endpointSelector':
      return { matchLabels: { app: 'api' } }
    case 'addresses[]':
      if (path.startsWith('status')) return { value: '192.0.2.1' }
      return child === 'value' ? { type: 'NamedAddress' } : {}
    case 'listeners[]':
      return { name: 'web', port: 443, protocol: child === 'tls' ? 'HTTPS' : 'HTTP' }
    case 'filters[]':
      return child === undefined || !(child in TYPES) ? { type: 'ExtensionRef', extensionRef: REFERENCE } : { type: TYPES[child] }
    case 'requests[]':
      return child === 'externalAuth' ? { type: 'ExternalAuth' } : { type: 'ExtensionRef', extensionRef: REFERENCE }
    case 'externalAuth':
      return child === 'grpc' ? { protocol: 'GRPC', backendRef: BACKEND } : { protocol: 'HTTP', backendRef: BACKEND, http: {} }
    case 'requestMirror':
      return { backendRef: BACKEND }
    case 'fraction':
    case 'samplingRate':
      return { numerator: 0 }
    case 'tracing':
      return traced(child)
    case 'provider':
      return { backendRef: BACKEND }
    case 'parentBasedSampling':
      return child === 'samplingRate' ? { mode: 'Enabled' } : {}
    case 'attributes[]':
      return sourced(child)
    case 'backendRef':
    case 'backendRefs[]':
      return BACKEND
    case 'path':
      if (path.includes('matches')) return {}
      return child === 'replacePrefixMatch' ? { type: 'ReplacePrefixMatch' } : { type: 'ReplaceFullPath', replaceFullPath: '/' }
    case 'rules[]':
      return kind === 'HTTPRoute' || kind === 'GRPCRoute' ? {} : { backendRefs: [BACKEND] }
    case 'headers[]':
    case 'queryParams[]':
    case 'set[]':
    case 'add[]':
      return { name: 'name', value: 'value' }
    case 'method':
      return { method: 'method' }
    case 'sessionPersistence':
      return child === 'header' ? { type: 'Header' } : { cookie: {} }
    case 'header':
      return { name: 'name' }
    case 'tls':
      if (kind === 'XBackend') return secured(child)
      return path === 'spec.tls' || path.includes('perPort') ? {} : { certificateRefs: [{ name: 'certificate' }] }
    case 'certificateRefs[]':
    case 'clientCertificateRef':
    case 'parentRefs[]':
    case 'parentRef':
      return { name: 'name' }
    case 'kinds[]':
      return { kind: 'HTTPRoute' }
    case 'matchExpressions[]':
      return { key: 'key', operator: child === 'values' ? 'In' : 'Exists' }
    case 'parametersRef':
    case 'extensionRef':
    case 'caCertificateRefs[]':
    case 'targetRefs[]':
      return REFERENCE
    case 'frontend':
      return { default: {} }
    case 'perPort[]':
      return { port: 443, tls: {} }
    case 'validation':
      if (kind === 'Gateway') return { caCertificateRefs: [REFERENCE] }
      return { hostname: 'a.example.com', ...(child === 'caCertificateRefs' ? {} : { wellKnownCACertificates: 'System' }) }
    case 'subjectAltNames[]':
      return child === 'uri' ? { type: 'URI' } : { type: 'Hostname', hostname: 'a.example.com' }
    case 'from[]':
      return { group: '', kind: 'Service', namespace: 'other' }
    case 'to[]':
      return { group: '', kind: 'Secret' }
    default:
      return {}
  }
}

/** The smallest valid object at a place of a schema, where it is an object. */
export function smallest(kind: string, path: string): Json {
  return beside(kind, path, undefined)
}

export function embed(kind: string, version: string, path: string, value: unknown): Json {
  let inner = value
  let rest = path
  while (rest !== '') {
    if (rest.endsWith('[]')) {
      inner = [inner]
      rest = rest.slice(0, -2)
    } else if (rest.endsWith('{}')) {
      inner = { key: inner }
      rest = rest.slice(0, -2)
    } else {
      const dot = rest.lastIndexOf('.')
      const child = rest.slice(dot + 1)
      rest = dot < 0 ? '' : rest.slice(0, dot)
      inner = { ...(rest === '' ? object(kind, version) : beside(kind, rest, child)), [child]: inner }
    }
  }
  return inner as Json
}

/** The path of the value within what embed made. */
export function embeddedPath(path: string): (string | number)[] {
  return path
    .replaceAll('[]', '.0')
    .replaceAll('{}', '.key')
    .split('.')
    .map((step) => (step === '0' ? 0 : step))
}

function object(kind: string, version: string): Json {
  const group = kind.startsWith('X') ? EXPERIMENTAL_GROUP : 'gateway.networking.k8s.io'
  return { apiVersion: `${group}/${version}`, kind, metadata: { name: 'object' }, spec: SPECS[kind] ?? {} }
}
