/** The workload as objects of the Gateway API, for our own proxy. */
import { filterHost, filterRows } from './filter-rows.ts'
import {
  backendPort,
  type Certificate,
  doubtedName,
  doubtedPath,
  grpcBackendPort,
  grpcHost,
  grpcServices,
  grpcToldPort,
  grpcToldService,
  headerName,
  headerValue,
  host,
  type Ports,
  routes,
  secureBackendPort,
  secureHost,
  webSocketBackendPort,
  webSocketPath,
} from './workload.ts'

/** Which Service is which backend: an EndpointSlice may not name a loopback address. */
export const serviceMappings: readonly string[] = [
  `default/backend:80=127.0.0.1:${backendPort}`,
  `default/secure:80=127.0.0.1:${secureBackendPort}`,
  `default/doubted:80=127.0.0.1:${secureBackendPort}`,
  `default/grpc:80=127.0.0.1:${grpcBackendPort}`,
  `default/told:80=127.0.0.1:${grpcToldPort}`,
  `default/websocket:80=127.0.0.1:${webSocketBackendPort}`,
]

export function manifests(certificate: Certificate, ports: Ports): string {
  const documents = [
    `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: gatewright}
spec: {controllerName: gatewright.dev/gateway-controller}`,
    `apiVersion: v1
kind: Secret
metadata: {name: bench, namespace: default}
type: kubernetes.io/tls
data: {tls.crt: ${base64(certificate.cert)}, tls.key: ${base64(certificate.key)}}`,
    `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: bench, namespace: default}
spec:
  gatewayClassName: gatewright
  listeners:
  - {name: http, port: ${ports.http}, protocol: HTTP}
  - {name: https, port: ${ports.https}, protocol: HTTPS, tls: {certificateRefs: [{name: bench}]}}`,
    service('backend', ''),
    `apiVersion: v1
kind: ConfigMap
metadata: {name: authority, namespace: default}
data: {ca.crt: ${JSON.stringify(certificate.cert)}}`,
    service('secure', ''),
    verified('secure', host),
    service('doubted', ''),
    verified('doubted', doubtedName),
    service('grpc', 'kubernetes.io/h2c'),
    service('told', 'kubernetes.io/h2c'),
    service('websocket', ''),
  ]
  const header = `headers: [{name: ${headerName}, value: ${headerValue}}]`
  const prefixes = routes.map((route) => `{path: {type: PathPrefix, value: ${route}}, ${header}}`)
  documents.push(...inRoutes('HTTPRoute', 'bench', host, prefixes, 'backend'))
  documents.push(...inRoutes('HTTPRoute', 'secure', secureHost, prefixes, 'secure'))
  documents.push(route('HTTPRoute', 'doubted', secureHost, [rule(`{path: {type: PathPrefix, value: ${doubtedPath}}}`, 'doubted')]))
  const methods = grpcServices.map((name) => `{method: {service: ${name}}, ${header}}`)
  documents.push(...inRoutes('GRPCRoute', 'grpc', grpcHost, methods, 'grpc'))
  documents.push(route('GRPCRoute', 'told', grpcHost, [rule(`{method: {service: ${grpcToldService}}}`, 'told')]))
  documents.push(route('HTTPRoute', 'websocket', host, [rule(`{path: {type: PathPrefix, value: ${webSocketPath}}}`, 'websocket')]))
  const filtered = filterRows.map(({ prefix, rule: fields }) =>
    [rule(`{path: {type: PathPrefix, value: ${prefix}}, ${header}}`, 'backend'), ...fields].join('\n    '),
  )
  documents.push(route('HTTPRoute', 'filters', filterHost, filtered))
  return documents.join('\n---\n') + '\n'
}

/** Routes hold sixteen rules at most (HTTPRouteSpec.rules, GRPCRouteSpec.rules). */
function inRoutes(kind: 'HTTPRoute' | 'GRPCRoute', name: string, hostname: string, matches: readonly string[], backend: string): string[] {
  const documents: string[] = []
  for (let start = 0; start < matches.length; start += 16) {
    const rules = matches.slice(start, start + 16).map((match) => rule(match, backend))
    documents.push(route(kind, `${name}-${start}`, hostname, rules))
  }
  return documents
}

function route(kind: 'HTTPRoute' | 'GRPCRoute', name: string, hostname: string, rules: readonly string[]): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: {name: ${name}, namespace: default}
spec:
  parentRefs: [{name: bench}]
  hostnames: [${hostname}]
  rules:
${rules.join('\n')}`
}

function rule(match: string, backend: string): string {
  return `  - matches: [${match}]
    backendRefs: [{name: ${backend}, port: 80}]`
}

function service(name: string, appProtocol: string): string {
  return `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: default}
spec: {ports: [{port: 80${appProtocol === '' ? '' : `, appProtocol: ${appProtocol}`}}]}`
}

/** Makes a Service one that is asked over TLS. @param name what its certificate must be for */
function verified(service: string, name: string): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: ${service}, namespace: default}
spec:
  targetRefs: [{group: "", kind: Service, name: ${service}}]
  validation: {hostname: ${name}, caCertificateRefs: [{group: "", kind: ConfigMap, name: authority}]}`
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
