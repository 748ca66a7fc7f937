/** The one workload that all proxies get: a hundred prefix routes with a header match, one host, one backend. */

/** Our rows. */
export const ours = 'gatewright'
export const withAccessLog = 'gatewright, access log'

export const host = 'bench.example.com'
export const routes = Array.from({ length: 100 }, (_, i) => `/r${i}`)
export const headerName = 'x-env'
export const headerValue = 'canary'
export const backendPort = 19100
/** The Service of the manifests is this backend: an EndpointSlice may not name a loopback address. */
export const serviceMapping = `default/backend:80=127.0.0.1:${backendPort}`

/** What is asked for: in the middle of the table, below the prefix. */
export const smallPath = '/r57/item'
export const largePath = '/r57/large'
export const largeBytes = 65_536
/** The backend answers with what it was told of the client. */
export const seenPath = '/r57/seen'

/** PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** HTTPRoutes hold sixteen rules at most (HTTPRouteSpec.rules), so the hundred are spread over seven. */
export function manifests(certificate: Certificate, ports: { readonly http: number; readonly https: number }): string {
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
    `apiVersion: v1
kind: Service
metadata: {name: backend, namespace: default}
spec: {ports: [{port: 80, targetPort: ${backendPort}}]}`,
  ]
  for (let start = 0; start < routes.length; start += 16) {
    const rules = routes.slice(start, start + 16).map(
      (route) => `  - matches: [{path: {type: PathPrefix, value: ${route}}, headers: [{name: ${headerName}, value: ${headerValue}}]}]
    backendRefs: [{name: backend, port: 80}]`,
    )
    documents.push(`apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: bench-${start}, namespace: default}
spec:
  parentRefs: [{name: bench}]
  hostnames: [${host}]
  rules:
${rules.join('\n')}`)
  }
  return documents.join('\n---\n') + '\n'
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
