import { describe, expect, it } from 'vitest'
import type { ApiObject } from '../../../src/api/object.ts'
import { SnapshotBuilder } from '../../../src/cluster/snapshot-builder.ts'
import { translate, type Pass } from '../../../src/translate/translate.ts'
import { caseOf, OPTIONS } from '../../golden/translate/golden-case.ts'

const WORLD = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: gatewright }
spec: { controllerName: gatewright.dev/gateway-controller }
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gw, namespace: infra }
spec:
  gatewayClassName: gatewright
  allowedListeners: { namespaces: { from: All } }
  listeners:
  - { name: http, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }
  - { name: https, port: 443, protocol: HTTPS, tls: { certificateRefs: [{ name: cert }] }, allowedRoutes: { namespaces: { from: All } } }
---
apiVersion: v1
kind: Secret
metadata: { name: cert, namespace: infra }
type: kubernetes.io/tls
data: { tls.crt: "\${api.crt}", tls.key: "\${api.key}" }
---
${['a', 'b']
  .map(
    (name) => `
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: { name: ${name}, namespace: app }
spec:
  parentRef: { name: gw, namespace: infra }
  listeners: [{ name: http, port: 80, protocol: HTTP, hostname: ${name}.test }]`,
  )
  .join('\n---\n')}
---
${['a', 'b']
  .map(
    (name) => `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: app }
spec:
  parentRefs: [{ name: gw, namespace: infra }]
  rules: [{ backendRefs: [{ name: ${name}, port: 80 }] }]
---
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: app }
spec: { ports: [{ port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}, namespace: app, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
endpoints: [{ addresses: [10.0.0.1] }]
ports: [{ port: 80 }]`,
  )
  .join('\n---\n')}
`

/** The world, and a pass over it after an edit by YAML (an empty text for none). */
function passes(edit: string): { readonly before: Pass; readonly after: Pass } {
  const builder = new SnapshotBuilder()
  builder.observe({ gateways: new Map(), assumeProgrammed: true })
  for (const object of caseOf(WORLD).objects) builder.set(object)
  const before = translate(builder.snapshot(), OPTIONS)
  for (const object of caseOf(edit).objects) builder.set(object)
  return { before, after: translate(builder.snapshot(), OPTIONS, before) }
}

function parts({ translation }: Pass) {
  const config = translation.configs[0]
  if (config === undefined) throw new Error('the world must be served')
  return { config, status: new Map(translation.statuses.map((status) => [`${status.kind}/${status.name}`, status])) }
}

describe('what a pass leaves alone stays the same object', () => {
  it('everything, when equal objects replace the old ones', () => {
    const { before, after } = passes(WORLD)
    const { versions: _, ...rest } = after.translation
    for (const [key, value] of Object.entries(rest)) expect(value, key).toBe(before.translation[key as keyof typeof rest])
    expect(after.translation.versions).toEqual(before.translation.versions)
  })

  it('all but the pool, when endpoints change', () => {
    const { before, after } = passes(`
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: a, namespace: app, labels: { kubernetes.io/service-name: a } }
addressType: IPv4
endpoints: [{ addresses: [10.0.0.9] }]
ports: [{ port: 80 }]`)
    const [was, is] = [parts(before).config, parts(after).config]
    expect(is.routes).toBe(was.routes)
    expect(is.listeners).toBe(was.listeners)
    expect(is.pools[1]).toBe(was.pools[1])
    expect(is.pools[0]).not.toEqual(was.pools[0])
    expect(after.translation.statuses).toBe(before.translation.statuses)
    expect(after.translation.versions).not.toEqual(before.translation.versions)
  })

  it('routes and pools, when a certificate is renewed', () => {
    const { before, after } = passes(`
apiVersion: v1
kind: Secret
metadata: { name: cert, namespace: infra }
type: kubernetes.io/tls
data: { tls.crt: "\${wildcard.crt}", tls.key: "\${wildcard.key}" }`)
    const [was, is] = [parts(before).config, parts(after).config]
    expect(is.routes).toBe(was.routes)
    expect(is.pools).toBe(was.pools)
    expect(is.listeners[0]).toBe(was.listeners[0])
    expect(is.listeners[1]).not.toEqual(was.listeners[1])
  })

  it('the other route and its status, when one route changes', () => {
    const { before, after } = passes(`
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: a, namespace: app, generation: 2 }
spec:
  parentRefs: [{ name: gw, namespace: infra }]
  rules: [{ matches: [{ path: { value: /x } }], backendRefs: [{ name: a, port: 80 }] }]`)
    const [was, is] = [parts(before), parts(after)]
    expect(is.config.routes[1]).toBe(was.config.routes[1])
    expect(is.config.routes[0]).not.toEqual(was.config.routes[0])
    expect(is.config.pools).toBe(was.config.pools)
    expect(is.status.get('HTTPRoute/b')).toBe(was.status.get('HTTPRoute/b'))
    expect(is.status.get('Gateway/gw')).toBe(was.status.get('Gateway/gw'))
    expect(is.status.get('HTTPRoute/a')).not.toEqual(was.status.get('HTTPRoute/a'))
  })

  it('the other ListenerSet, its listener and its status, when one set changes', () => {
    const { before, after } = passes(`
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: { name: a, namespace: app, generation: 2 }
spec:
  parentRef: { name: gw, namespace: infra }
  listeners: [{ name: http, port: 8080, protocol: HTTP, hostname: a.test }]`)
    const [was, is] = [parts(before), parts(after)]
    const keysOf = (index: number) => [was, is].map(({ config }) => config.listeners[index]?.key)
    expect(keysOf(2)).toEqual(['ListenerSet/app/a/http', 'ListenerSet/app/a/http'])
    expect(is.config.listeners[2]).not.toEqual(was.config.listeners[2])
    for (const other of [0, 1, 3]) expect(is.config.listeners[other]).toBe(was.config.listeners[other])
    expect(is.config.routes).toBe(was.config.routes)
    expect(is.status.get('ListenerSet/b')).toBe(was.status.get('ListenerSet/b'))
    expect(is.status.get('ListenerSet/a')).not.toEqual(was.status.get('ListenerSet/a'))
    expect(is.status.get('Gateway/gw')).toBe(was.status.get('Gateway/gw'))
    expect(is.status.get('HTTPRoute/a')).toBe(was.status.get('HTTPRoute/a'))
  })

  it('nothing is taken over from a pass with other options', () => {
    const { before } = passes('')
    const builder = new SnapshotBuilder()
    for (const object of caseOf(WORLD).objects satisfies readonly ApiObject[]) builder.set(object)
    const options = { ...OPTIONS, controllerName: 'other.example/controller' }
    expect(translate(builder.snapshot(), options, before).translation).toEqual(translate(builder.snapshot(), options).translation)
    expect(translate(builder.snapshot(), options, before).translation.configs).toEqual([])
  })
})
