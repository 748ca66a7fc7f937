/** Small manifests for the tests of sources. */

interface RouteOptions {
  readonly namespace?: string
  readonly hostname?: string
  readonly path?: string
  readonly parent?: string
}

export function routeYaml(
  name: string,
  { namespace, hostname = `${name}.example.com`, path = '/', parent = 'front' }: RouteOptions = {},
): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: ${name}
${namespace === undefined ? '' : `  namespace: ${namespace}\n`}spec:
  parentRefs:
    - name: ${parent}
  hostnames:
    - ${hostname}
  rules:
    - matches:
        - path:
            type: PathPrefix
            value: ${path}
      backendRefs:
        - name: ${name}
          port: 80
`
}

export function gatewayYaml(name: string, namespace = 'default'): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  gatewayClassName: any
  listeners:
    - name: http
      port: 80
      protocol: HTTP
`
}

export function configMapYaml(name: string, data: Readonly<Record<string, string>>, namespace = 'default'): string {
  const lines = Object.entries(data).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`)
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n  namespace: ${namespace}\ndata:\n${lines.join('')}`
}
