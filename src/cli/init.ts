/** `gatewright init DIR`: a small commented canary to start from. Never overwrites anything. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { serialise } from './serialise.ts'
import { UserError } from './user-error.ts'

const gateway = `# The landlord: which ports are open, for which hosts, and who may attach routes.
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata:
  name: gatewright
spec:
  controllerName: gatewright.dev/gateway-controller
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: web
  namespace: default
spec:
  gatewayClassName: gatewright
  listeners:
    - name: http
      port: 80 # \`gatewright run\` moves it to 8080 where 80 may not be opened
      protocol: HTTP
      allowedRoutes:
        namespaces:
          from: Same # only routes of this namespace; All and Selector are the other choices
`

const route = `# The tenant: nine of ten requests go to the stable version, one to the canary.
# Whoever sends the header \`env: canary\` always gets the canary.
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: shop
  namespace: default
spec:
  parentRefs:
    - name: web
  hostnames:
    - shop.localhost
  rules:
    - matches:
        - path: { type: PathPrefix, value: / }
          headers:
            - { name: env, value: canary }
      backendRefs:
        - { name: shop-canary, port: 80 }
    - matches:
        - path: { type: PathPrefix, value: / }
      backendRefs:
        - { name: shop-stable, port: 80, weight: 90 }
        - { name: shop-canary, port: 80, weight: 10 }
`

const services = `# Without EndpointSlices, \`gatewright run\` answers for these Services itself and shows what arrived.
# To send one to a program of yours: gatewright run . --service default/shop-stable:80=localhost:3000
apiVersion: v1
kind: Service
metadata:
  name: shop-stable
  namespace: default
spec:
  selector: { app: shop, track: stable }
  ports:
    - { name: http, port: 80, targetPort: 8080 }
---
apiVersion: v1
kind: Service
metadata:
  name: shop-canary
  namespace: default
spec:
  selector: { app: shop, track: canary }
  ports:
    - { name: http, port: 80, targetPort: 8080 }
`

export async function init(folder: string, flags: { readonly output?: 'json' | 'yaml' }): Promise<number> {
  const files = { 'gateway.yaml': gateway, 'route.yaml': route, 'services.yaml': services }
  if (entriesOf(folder).length > 0) {
    throw new UserError(`Cannot write a start into ${folder}: it must be a new or empty folder, got one with files. Name another folder.`)
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { flag: 'wx' })
  if (flags.output !== undefined) process.stdout.write(serialise({ folder, files: Object.keys(files) }, flags.output))
  else process.stdout.write(`Wrote ${Object.keys(files).join(', ')} to ${folder}\nServe it: gatewright run ${folder}\n`)
  return 0
}

function entriesOf(folder: string): string[] {
  try {
    mkdirSync(folder, { recursive: true })
    return readdirSync(folder)
  } catch (error) {
    throw new UserError(
      `Cannot write into ${folder}: it must be a folder that you may write to, got ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}
