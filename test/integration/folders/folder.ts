/** A folder of manifests as a stranger has it: files by name, in a temporary folder that is gone after the test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-folder-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** An HTTPRoute of namespace `shop` at the Gateway `infra/public`, whose only rule has these fields in flow style. */
export function route(name: string, rule: string, more = ''): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: ${name}, namespace: shop}
spec:
  parentRefs: [{name: public, namespace: infra}]
  hostnames: [${name}.example.com]
  rules: [{${rule}}]
${more}`
}

export function service(name: string, port: number): string {
  return `---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec: {ports: [{port: ${port}}]}
`
}

/** The Gateway `infra/public` with these listeners in flow style. */
export function gateway(listeners: string, more = ''): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: infra${more}}
spec:
  gatewayClassName: shared
  listeners: [${listeners}]
`
}

export const gatewayClass = `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: shared}
spec: {controllerName: example.com/gateway}
`
