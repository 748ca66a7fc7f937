import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { allFindings } from '../../../src/cli/all-findings.ts'
import { translateOffline } from '../../../src/cli/offline.ts'

const folder = mkdtempSync(join(tmpdir(), 'gatewright-findings-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('tells of a filter that is a valid object and cannot be applied, at its rule', async () => {
  const route = (path: string): string => `apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: c }
spec: { controllerName: example.com/c }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gw }
spec: { gatewayClassName: c, listeners: [{ name: http, port: 80, protocol: HTTP }] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: shop }
spec:
  parentRefs: [{ name: gw }]
  rules:
    - filters: [{ type: URLRewrite, urlRewrite: { path: { type: ReplacePrefixMatch, replacePrefixMatch: ${path} } } }]
`
  const codesOf = async (path: string): Promise<string[]> => {
    writeFileSync(join(folder, 'all.yaml'), route(path))
    const { read, translation } = await translateOffline([folder], { namespace: 'default', set: [] }, 'keep')
    return allFindings(read, translation.findings, translation.configs)
      .filter(({ code }) => code === 'filter-not-applicable')
      .map(({ object, at }) => `${object?.kind} ${object?.name} line ${at?.line}`)
  }
  expect(await codesOf('/../up')).toEqual(['HTTPRoute shop line 17'])
  expect(await codesOf('/down')).toEqual([])
})
