import { describe, expect, it } from 'vitest'
import type { ApiObject } from '../../../src/api/object.ts'
import { Overlay } from '../../../src/standalone/overlay.ts'
import { parseServiceMapping } from '../../../src/standalone/service-mapping.ts'
import {
  authorisedBy,
  gateway,
  gatewayClass,
  grant,
  grpcRoute,
  listener,
  mirrorTo,
  nothingSaid,
  route,
  service,
  slice,
  snapshotOf,
  withFilters,
} from './objects.ts'

const main = [{ gateway: 'infra/main' }]
const files = [gatewayClass('class'), gateway('infra/main', listener('http', 80, 'HTTP'))]

function overlaid(objects: readonly ApiObject[], { mappings = [] as readonly string[], echo = true } = {}) {
  const controllerName = 'gatewright.dev/gateway-controller'
  const overlay = new Overlay({ controllerName, mappings: mappings.map(parseServiceMapping), echo, certificates: true })
  const plan = overlay.plan(snapshotOf(...objects), nothingSaid)
  const echoPorts = new Map(plan.wants.echoes.map(({ namespace, name }) => [`${namespace}/${name}`, 40_000]))
  const addresses = new Map([['localhost', ['127.0.0.1']]])
  return { wants: plan.wants, ...overlay.apply(plan, { leaves: new Map(), echoPorts, addresses, findings: [] }) }
}

const echoed = (...objects: readonly ApiObject[]) =>
  overlaid([...files, ...objects]).wants.echoes.map(({ namespace, name }) => `${namespace}/${name}`)

describe('a GRPCRoute', () => {
  it('gets echo backends for its Services, defined or not, which speak whatever a route does', () => {
    const { snapshot, kindnesses } = overlaid([
      ...files,
      service('app/cart', 9000),
      grpcRoute('app/r', main, [], ['cart:9000', 'stock:9001']),
    ])
    expect(snapshot.bucket('slicesByService', 'app/cart')[0]?.ports).toEqual([{ port: 40_000, protocol: 'TCP' }])
    // Without appProtocol a GRPCRoute speaks HTTP/2 to it and an HTTPRoute HTTP/1.1.
    expect(snapshot.get('Service', 'app', 'stock')?.spec.ports).toEqual([{ name: 'port-9001', port: 9001, protocol: 'TCP' }])
    expect(kindnesses.map(({ kind, object }) => `${kind} ${object.name}`)).toEqual(['echo cart', 'service stock'])
  })

  it('needs a ReferenceGrant for GRPCRoutes to get one in another namespace', () => {
    const named = grpcRoute('app/r', main, [], ['other/cart:80'])
    expect(echoed(named)).toEqual([])
    expect(echoed(named, grant('other', { kind: 'HTTPRoute', namespace: 'app' }, 'Service'))).toEqual([])
    expect(echoed(named, grant('other', { kind: 'GRPCRoute', namespace: 'app' }, 'Service'))).toEqual(['other/cart'])
  })

  it('gets certificates for its hostnames', () => {
    const secure = gateway('infra/main', listener('https', 443, 'HTTPS'))
    const { wants } = overlaid([gatewayClass('class'), secure, grpcRoute('app/r', main, ['grpc.example.com'], [])])
    expect(wants.hostnames).toEqual(['grpc.example.com', 'localhost'])
  })

  it('gets the Gateway that it names and no file defines, together with the HTTPRoutes that name it', () => {
    const { snapshot, kindnesses } = overlaid([
      grpcRoute('app/g', [{ gateway: 'infra/main', port: 8080 }], [], []),
      route('app/h', main, [], []),
    ])
    const listeners = snapshot.get('Gateway', 'infra', 'main')?.spec.listeners ?? []
    expect(listeners.map(({ protocol, port }) => `${protocol} ${port}`)).toEqual(['HTTP 8080', 'HTTP 80', 'HTTPS 443'])
    expect(kindnesses[0]?.text).toContain('(named by app/h, app/g)')
  })
})

describe('a mirror', () => {
  it('gets an echo backend, on a rule and on a backend, of both kinds of routes', () => {
    const http = withFilters(route('app/h', main, [], ['shop:80']), { rule: [mirrorTo('one:80')], backend: [mirrorTo('two:80')] })
    const plain = grpcRoute('app/g', main, [], ['shop:80'])
    const rules = plain.spec.rules.map((rule) => ({ ...rule, filters: [mirrorTo('three:80')] }))
    expect(echoed(http, { ...plain, spec: { ...plain.spec, rules } }).sort()).toEqual(['app/one', 'app/shop', 'app/three', 'app/two'])
  })
})

describe('a Service that is asked for authorisation', () => {
  const guarded = withFilters(route('app/r', main, [], ['shop:80']), { rule: [authorisedBy('guard:9000')] })

  it('has no echo backend, whose 200 would allow everything, and a finding says so', () => {
    const { snapshot, wants, findings } = overlaid([...files, service('app/guard', 9000), guarded])
    expect(wants.echoes).toEqual([{ namespace: 'app', name: 'shop' }])
    expect(snapshot.bucket('slicesByService', 'app/guard')).toEqual([])
    expect(findings).toMatchObject([
      {
        code: 'authorisation-not-echoed',
        severity: 'warning',
        object: { kind: 'Service', namespace: 'app', name: 'guard' },
        message: expect.stringContaining('what app/r wants it to authorise is refused'),
        fix: { text: expect.stringContaining('--service app/guard:9000=') },
      },
    ])
  })

  it('has none either where it is a backend and a mirror target as well, or its filter stands on a backend', () => {
    const other = withFilters(route('app/s', main, [], ['guard:9000']), { rule: [mirrorTo('guard:9000')] })
    expect(echoed(guarded, other)).toEqual(['app/shop'])
    expect(echoed(withFilters(route('app/r', main, [], ['shop:80']), { backend: [authorisedBy('guard:9000')] }))).toEqual(['app/shop'])
  })

  it('keeps the echo of its other ports', () => {
    const guard = service('app/guard', { name: 'auth', port: 9000 }, { name: 'web', port: 80 })
    const { snapshot } = overlaid([...files, guard, guarded, route('app/s', main, [], ['guard:80'])])
    expect(snapshot.bucket('slicesByService', 'app/guard').flatMap(({ ports }) => ports.map(({ name }) => name))).toEqual(['web'])
  })

  it('loses the echo of its port when a route begins to ask it, though nothing else changed', () => {
    const guard = service('app/guard', { name: 'auth', port: 9000 }, { name: 'web', port: 80 })
    const other = route('app/s', main, [], ['guard:80'])
    const overlay = new Overlay({ controllerName: 'x', mappings: [], echo: true, certificates: false })
    const echoPorts = new Map([['app/guard', 40_000]])
    const portsAfter = (...objects: readonly ApiObject[]) => {
      const plan = overlay.plan(snapshotOf(...files, guard, other, ...objects), nothingSaid)
      const { snapshot } = overlay.apply(plan, { leaves: new Map(), echoPorts, addresses: new Map(), findings: [] })
      return snapshot.bucket('slicesByService', 'app/guard').flatMap(({ ports }) => ports.map(({ name }) => name))
    }
    expect(portsAfter()).toEqual(['auth', 'web'])
    expect(portsAfter(guarded)).toEqual(['web'])
  })

  it('is asked where a mapping says, or where the files have endpoints', () => {
    const mapped = overlaid([...files, service('app/guard', 9000), guarded], { mappings: ['app/guard:9000=localhost:3000'] })
    expect(mapped.findings).toEqual([])
    expect(mapped.snapshot.bucket('slicesByService', 'app/guard')).toMatchObject([{ ports: [{ port: 3000 }] }])
    const defined = [service('app/guard', 9000), slice('app/guard-1', 'guard', { '': 9000 })]
    expect(overlaid([...files, ...defined, guarded]).findings).toEqual([])
    expect(overlaid([...files, guarded], { echo: false }).findings).toEqual([])
  })
})
