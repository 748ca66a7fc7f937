import { describe, expect, it } from 'vitest'
import type { ApiObject } from '../../../src/api/object.ts'
import type { Snapshot } from '../../../src/cluster/snapshot.ts'
import { Overlay } from '../../../src/standalone/overlay.ts'
import type { Overlaid, OverlayInputs, OverlayOptions } from '../../../src/standalone/overlay.ts'
import type { Translation } from '../../../src/translate/translation.ts'
import { objectOf } from '../../golden/translate/golden-case.ts'
import { parseServiceMapping } from '../../../src/standalone/service-mapping.ts'
import { makeAuthority, makeLeaf } from '../../../src/x509/certificate.ts'
import {
  gateway,
  gatewayClass,
  grant,
  listener,
  meta,
  nothingSaid,
  route,
  secret,
  service,
  slice,
  snapshotOf,
  withSecret,
} from './objects.ts'

const allOn: OverlayOptions = { controllerName: 'gatewright.dev/gateway-controller', mappings: [], echo: true, certificates: true }
const leaf = (hostname: string) => ({ hostname, data: { 'tls.crt': `certificate of ${hostname}`, 'tls.key': 'key' } })

/** Inputs as the edge gives them: whatever is asked for, the same each time. */
function edge(): (wants: ReturnType<Overlay['plan']>['wants']) => OverlayInputs {
  const leaves = new Map<string, ReturnType<typeof leaf>>()
  const echoPorts = new Map<string, number>()
  const addresses = new Map([['localhost', ['127.0.0.1', '::1']]])
  return (wants) => {
    for (const hostname of wants.hostnames) leaves.set(hostname, leaves.get(hostname) ?? leaf(hostname))
    for (const { namespace, name } of wants.echoes)
      echoPorts.set(`${namespace}/${name}`, echoPorts.get(`${namespace}/${name}`) ?? 40_000 + echoPorts.size)
    return { leaves, echoPorts, addresses, findings: [] }
  }
}

function run(options: Partial<OverlayOptions> = {}) {
  const overlay = new Overlay({ ...allOn, ...options })
  const inputs = edge()
  return (snapshot: Snapshot, strict: Translation = nothingSaid): Overlaid => {
    const plan = overlay.plan(snapshot, strict)
    return overlay.apply(plan, inputs(plan.wants))
  }
}

const mappings = (...texts: readonly string[]) => texts.map(parseServiceMapping)
const web = listener('http', 80, 'HTTP')

describe('a folder that lacks nothing', () => {
  it('is left as it is, array by array', () => {
    const snapshot = snapshotOf(
      gatewayClass('class'),
      gateway('infra/main', web),
      route('app/r', [{ gateway: 'infra/main' }], [], ['shop:80']),
      service('app/shop', 80),
      slice('app/shop-1', 'shop', { '': 8080 }),
    )
    const { snapshot: overlaid, kindnesses } = run()(snapshot)
    expect(kindnesses).toEqual([])
    expect(overlaid.all('EndpointSlice')).toBe(snapshot.all('EndpointSlice'))
    expect(overlaid.all('Gateway')).toBe(snapshot.all('Gateway'))
    expect(overlaid.bucket('slicesByService', 'app/shop')).toBe(snapshot.bucket('slicesByService', 'app/shop'))
    expect(overlaid.observations).toBe(snapshot.observations)
  })
})

describe('a GatewayClass that no file defines', () => {
  it('is added with our controller name, and said once for all its Gateways', () => {
    const { snapshot, kindnesses } = run()(snapshotOf(gateway('a/one', web), gateway('b/two', web)))
    expect(snapshot.get('GatewayClass', '', 'class')?.spec.controllerName).toBe('gatewright.dev/gateway-controller')
    expect(kindnesses.map(({ text }) => text)).toEqual([
      'no file defines GatewayClass class (used by a/one, b/two): served here as if its controller were gatewright.dev/gateway-controller',
    ])
  })
})

describe('a Gateway that no file defines', () => {
  const listenersOf = (...parents: Parameters<typeof route>[1][]) => {
    const routes = parents.map((refs, index) => route(`app/r${index}`, refs, [`${index}.example.com`], []))
    const { snapshot } = run()(snapshotOf(...routes))
    const made = snapshot.get('Gateway', 'infra', 'main')?.spec.listeners ?? []
    return made.map(({ name, protocol, port, hostname }) => `${name} ${protocol} ${port}${hostname === undefined ? '' : ` ${hostname}`}`)
  }

  it('listens on 80 and 443 for every namespace, with a class of its own that needs no word', () => {
    const { snapshot, kindnesses } = run({ certificates: false })(snapshotOf(route('app/r', [{ gateway: 'infra/main' }], [], [])))
    expect(snapshot.get('Gateway', 'infra', 'main')).toMatchObject({
      spec: {
        gatewayClassName: 'gatewright-development',
        listeners: [
          { name: 'http', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } },
          { name: 'https', port: 443, protocol: 'HTTPS', allowedRoutes: { namespaces: { from: 'All' } } },
        ],
      },
    })
    expect(snapshot.get('GatewayClass', '', 'gatewright-development')).toBeDefined()
    expect(kindnesses.map(({ text }) => text)).toEqual([
      'no file defines Gateway infra/main (named by app/r): a development Gateway serves HTTP 80, HTTPS 443',
    ])
  })

  it('takes the ListenerSets that name it, and has no listeners of its own where no route names it', () => {
    const set = objectOf({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'ListenerSet',
      metadata: { name: 'set', namespace: 'app' },
      spec: { parentRef: { name: 'main', namespace: 'infra' }, listeners: [{ name: 'http', port: 80, protocol: 'HTTP' }] },
    })
    const { snapshot, kindnesses } = run({ certificates: false })(snapshotOf(set))
    expect(snapshot.get('Gateway', 'infra', 'main')?.spec).toMatchObject({
      listeners: [],
      allowedListeners: { namespaces: { from: 'All' } },
    })
    expect(kindnesses.map(({ text }) => text)).toEqual([
      'no file defines Gateway infra/main (named by app/set): a development Gateway serves the listeners of the ListenerSets',
    ])
  })

  it('has the listeners and ports that parentRefs name', () => {
    expect(listenersOf([{ gateway: 'infra/main', sectionName: 'websecure' }], [{ gateway: 'infra/main', port: 8080 }])).toEqual([
      'port-8080 HTTP 8080',
      'websecure HTTPS 443',
    ])
  })

  it('gives listeners that would conflict a hostname or a port of their own', () => {
    const both = [
      { gateway: 'infra/main', sectionName: 'c' },
      { gateway: 'infra/main', sectionName: 'd' },
    ]
    expect(listenersOf([{ gateway: 'infra/main', sectionName: 'a' }], [{ gateway: 'infra/main', sectionName: 'b' }], both, both)).toEqual([
      'a HTTP 80',
      'b HTTP 80 1.example.com',
      'c HTTP 81',
      'd HTTP 82',
    ])
  })

  it('keeps its identity while routes change that ask for nothing new', () => {
    const pass = run()
    const before = pass(snapshotOf(route('app/r', [{ gateway: 'infra/main' }], ['a.example.com'], ['x:80'])))
    const gateways = before.snapshot.all('Gateway')
    const after = pass(snapshotOf(route('app/r', [{ gateway: 'infra/main' }], ['a.example.com'], ['y:80'])))
    expect(gateways).toHaveLength(1)
    expect(after.snapshot.all('Gateway')).toBe(gateways)
    expect(after.snapshot.get('Gateway', 'infra', 'main')).toBe(gateways[0])
  })
})

describe('a Service without EndpointSlices', () => {
  const files = [gatewayClass('class'), gateway('infra/main', web)]

  it('gets its echo backend for every port that it defines', () => {
    const shop = service('app/shop', { name: 'web', port: 80 }, { name: 'admin', port: 81 })
    const { snapshot, kindnesses } = run()(snapshotOf(...files, shop, route('app/r', [{ gateway: 'infra/main' }], [], ['shop:80'])))
    expect(snapshot.bucket('slicesByService', 'app/shop')).toMatchObject([
      {
        addressType: 'IPv4',
        endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
        ports: [
          { name: 'web', port: 40_000, protocol: 'TCP' },
          { name: 'admin', port: 40_000, protocol: 'TCP' },
        ],
      },
    ])
    expect(snapshot.get('Service', 'app', 'shop')).toBe(shop)
    expect(kindnesses).toEqual([
      {
        kind: 'echo',
        object: { kind: 'Service', namespace: 'app', name: 'shop' },
        text: 'no file gives Service app/shop endpoints: an echo backend answers for it',
      },
    ])
  })

  it('keeps the objects made for it while it stays the same, whatever else changes', () => {
    const pass = run()
    const shop = service('app/shop', 80)
    const first = pass(snapshotOf(...files, shop, route('app/r', [{ gateway: 'infra/main' }], [], ['shop:80'])))
    const slices = first.snapshot.bucket('slicesByService', 'app/shop')
    const second = pass(snapshotOf(...files, shop, route('app/r', [{ gateway: 'infra/main' }], [], ['shop:80', 'new:80'])))
    expect(slices).toHaveLength(1)
    expect(second.snapshot.bucket('slicesByService', 'app/shop')).toBe(slices)
    expect(second.snapshot.all('EndpointSlice')).toHaveLength(2)
  })

  it('that no route names needs no backend', () => {
    expect(run()(snapshotOf(...files, service('app/shop', 80))).kindnesses).toEqual([])
  })

  it('that no file defines is added with the ports that routes name, and said so', () => {
    const { snapshot, kindnesses } = run()(
      snapshotOf(
        ...files,
        route('app/a', [{ gateway: 'infra/main' }], [], ['shop:81']),
        route('app/b', [{ gateway: 'infra/main' }], [], ['shop:80']),
      ),
    )
    expect(snapshot.get('Service', 'app', 'shop')?.spec.ports.map(({ port }) => port)).toEqual([80, 81])
    expect(kindnesses.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      'service: no file defines Service app/shop (named by app/a, app/b): an echo backend answers for it',
    ])
  })

  it('of another namespace is echoed only where a ReferenceGrant lets the route refer to it', () => {
    const crossing = route('app/r', [{ gateway: 'infra/main' }], [], ['store/shop:80'])
    expect(run()(snapshotOf(...files, crossing)).kindnesses).toEqual([])
    const granted = snapshotOf(...files, crossing, grant('store', { kind: 'HTTPRoute', namespace: 'app' }, 'Service'))
    expect(run()(granted).snapshot.get('Service', 'store', 'shop')).toBeDefined()
  })

  it('and of type ExternalName stays refused', () => {
    const external = { ...service('app/shop', 80), spec: { ...service('app/shop', 80).spec, type: 'ExternalName' as const } }
    const { kindnesses } = run()(snapshotOf(...files, external, route('app/r', [{ gateway: 'infra/main' }], [], ['shop:80'])))
    expect(kindnesses).toEqual([])
  })

  it('is left alone when echo backends are off', () => {
    const { snapshot, kindnesses } = run({ echo: false })(
      snapshotOf(...files, service('app/shop', 80), route('app/r', [{ gateway: 'infra/main' }], [], ['shop:80', 'gone:80'])),
    )
    expect(snapshot.all('EndpointSlice')).toEqual([])
    expect(snapshot.get('Service', 'app', 'gone')).toBeUndefined()
    expect(kindnesses).toEqual([])
  })
})

describe('a mapped Service', () => {
  const files = [
    gatewayClass('class'),
    gateway('infra/main', web),
    route('app/r', [{ gateway: 'infra/main' }], [], ['shop:80', 'shop:81']),
    service('app/shop', { name: 'web', port: 80 }, { name: 'admin', port: 81 }),
  ]
  const slices = ({ snapshot }: Overlaid) =>
    snapshot
      .bucket('slicesByService', 'app/shop')
      .map(
        ({ endpoints, ports }) =>
          `${endpoints.map(({ addresses }) => addresses.join()).join()} ${ports.map((p) => `${p.name}:${p.port}`).join()}`,
      )

  it('has a slice for each address family of its target, and echoes the ports that are not mapped', () => {
    const overlaid = run({ mappings: mappings('app/shop:80=localhost:3000') })(snapshotOf(...files))
    expect(slices(overlaid)).toEqual(['127.0.0.1 web:3000', '::1 web:3000', '127.0.0.1 admin:40000'])
    expect(overlaid.kindnesses.map(({ text }) => text)).toContain('port 80 of Service app/shop is localhost:3000')
  })

  it('takes its port from the slices of the files, which keep the others', () => {
    const given = snapshotOf(...files, slice('app/shop-1', 'shop', { web: 8080, admin: 8081 }), slice('app/shop-2', 'shop', { web: 8080 }))
    const overlaid = run({ mappings: mappings('app/shop:80=localhost:3000') })(given)
    expect(slices(overlaid)).toEqual(['10.0.0.1 admin:8081', '127.0.0.1 web:3000', '::1 web:3000'])
    expect(overlaid.snapshot.get('EndpointSlice', 'app', 'shop-2')).toBeUndefined()
  })

  it('goes where its last mapping says', () => {
    const overlaid = run({ mappings: mappings('app/shop:80=localhost:3000', 'app/shop:80=localhost:4000') })(snapshotOf(...files))
    expect(slices(overlaid)).toEqual(['127.0.0.1 web:4000', '::1 web:4000', '127.0.0.1 admin:40000'])
  })

  it('that no file defines, and one of type ExternalName, are Services here', () => {
    const external = { ...service('app/out', 80), spec: { ...service('app/out', 80).spec, type: 'ExternalName' as const } }
    const given = snapshotOf(...files, external, route('app/s', [{ gateway: 'infra/main' }], [], ['out:80', 'gone:90']))
    const { snapshot } = run({ mappings: mappings('app/out:80=localhost:1', 'app/gone:90=localhost:2') })(given)
    expect(snapshot.get('Service', 'app', 'out')?.spec.type).toBe('ClusterIP')
    expect(snapshot.get('Service', 'app', 'gone')?.spec.ports.map(({ port }) => port)).toEqual([90])
    expect(snapshot.bucket('slicesByService', 'app/gone')).toHaveLength(2)
  })

  it('that no route names is a warning: it is probably misspelled', () => {
    const { findings } = run({ mappings: mappings('app/shpo:80=localhost:3000') })(snapshotOf(...files))
    expect(findings).toMatchObject([{ code: 'service-mapping-unused', severity: 'warning', object: { name: 'shpo' } }])
  })
})

describe('a listener without a usable certificate', () => {
  const authority = makeAuthority('Test', { from: new Date(0), until: new Date('2100-01-01') })
  const own = makeLeaf(authority, ['a.example.com'], [], { from: new Date(0), until: new Date('2100-01-01') })
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const good = { 'tls.crt': base64(own.certificate), 'tls.key': base64(own.key) }

  const problemWith = (...objects: readonly ApiObject[]): string | undefined => {
    const { kindnesses } = run()(snapshotOf(gatewayClass('class'), ...objects))
    return kindnesses.map(({ text }) => /\((.*)\):/.exec(text)?.[1])[0]
  }
  const tls = (more: Parameters<typeof listener>[3]) => gateway('infra/main', listener('https', 443, 'HTTPS', more))

  const cases: readonly (readonly [string, string | undefined, readonly ApiObject[]])[] = [
    ['no tls section', 'it has no certificateRefs', [tls({})]],
    ['a missing Secret', 'Secret infra/own is in no file', [tls(withSecret('own'))]],
    [
      'a Secret of another type',
      'Secret infra/own is of type Opaque, not kubernetes.io/tls',
      [tls(withSecret('own')), { ...secret('infra/own', good), type: 'Opaque' }],
    ],
    ['a Secret without a key', 'Secret infra/own has no tls.key', [tls(withSecret('own')), secret('infra/own', { 'tls.crt': 'eA==' })]],
    [
      'text that is no PEM',
      'Secret infra/own holds no certificate and key in PEM',
      [tls(withSecret('own')), secret('infra/own', { 'tls.crt': 'eA==', 'tls.key': 'eA==' })],
    ],
    [
      "another certificate's key",
      'the tls.key of Secret infra/own does not belong to its tls.crt',
      [tls(withSecret('own')), secret('infra/own', { ...good, 'tls.key': base64(authority.key) })],
    ],
    [
      'a Secret of another namespace without a grant',
      'no ReferenceGrant lets it use Secret certs/own',
      [tls(withSecret('own', 'certs')), secret('certs/own', good)],
    ],
    [
      'a good Secret',
      undefined,
      [tls(withSecret('own', 'certs')), secret('certs/own', good), grant('certs', { kind: 'Gateway', namespace: 'infra' }, 'Secret')],
    ],
  ]

  it.each(cases)('%s', (_, problem, objects) => {
    expect(problemWith(...objects)).toBe(problem)
  })

  it('gets development certificates for the hostnames of the routes that name it, and keeps what is good', () => {
    const both = {
      tls: {
        mode: 'Terminate' as const,
        options: { 'example.com/a': 'b' },
        certificateRefs: [
          { group: '', kind: 'Secret', name: 'own' },
          { group: '', kind: 'Secret', name: 'gone' },
        ],
      },
    }
    const { snapshot } = run()(
      snapshotOf(
        gatewayClass('class'),
        tls(both),
        secret('infra/own', good),
        route('infra/r', [{ gateway: 'infra/main' }], ['b.example.com', '*.example.org', 'x.example.org'], []),
        route('infra/other', [{ gateway: 'infra/main', sectionName: 'http' }], ['c.example.com'], []),
      ),
    )
    const made = snapshot.get('Gateway', 'infra', 'main')?.spec.listeners[0]?.tls
    expect(made?.options).toEqual({ 'example.com/a': 'b' })
    expect(made?.certificateRefs.map(({ name }) => name)).toEqual([
      'own',
      'gatewright-development.wildcard.example.org',
      'gatewright-development.b.example.com',
      'gatewright-development.localhost',
    ])
    expect(snapshot.get('Secret', 'infra', 'gatewright-development.b.example.com')?.data).toEqual(leaf('b.example.com').data)
  })

  it('with a hostname of its own needs that name alone; under a wildcard the deeper names of routes too', () => {
    const names = (hostname: string) => {
      const overlay = new Overlay(allOn)
      const names = ['a.example.com', 'x.a.example.com', 'a.example.org']
      return overlay.plan(snapshotOf(tls({ hostname }), route('infra/r', [{ gateway: 'infra/main' }], names, [])), nothingSaid).wants
        .hostnames
    }
    expect(names('A.example.com')).toEqual(['a.example.com'])
    expect(names('*.example.com')).toEqual(['*.example.com', 'x.a.example.com'])
  })

  it('is mended too when only translate knows what is wrong with it', () => {
    const snapshot = snapshotOf(gatewayClass('class'), tls(withSecret('own')), secret('infra/own', good))
    const condition = {
      type: 'ResolvedRefs',
      status: 'False',
      reason: 'InvalidCertificateRef',
      message: 'expired',
      observedGeneration: 1,
    } as const
    const status = {
      addresses: [],
      conditions: [],
      listeners: [{ name: 'https', supportedKinds: [], attachedRoutes: 0, conditions: [condition] }],
    }
    const said = { apiVersion: 'v1', kind: 'Gateway', namespace: 'infra', name: 'main', status }
    const overlaid = run()(snapshot, { ...nothingSaid, statuses: [said] })
    expect(overlaid.snapshot.get('Gateway', 'infra', 'main')?.spec.listeners[0]?.tls?.certificateRefs.map(({ name }) => name)).toEqual([
      'gatewright-development.localhost',
    ])
  })

  it('stays the same object from pass to pass, until another name is needed', () => {
    const pass = run()
    const main = tls({})
    const first = pass(snapshotOf(main, route('infra/r', [{ gateway: 'infra/main' }], ['a.example.com'], ['x:80'])))
    const second = pass(snapshotOf(main, route('infra/r', [{ gateway: 'infra/main' }], ['a.example.com'], ['y:80'])))
    const third = pass(snapshotOf(main, route('infra/r', [{ gateway: 'infra/main' }], ['b.example.com'], ['y:80'])))
    const get = ({ snapshot }: Overlaid) => snapshot.get('Gateway', 'infra', 'main')
    expect(get(second)).toBe(get(first))
    expect(get(third)).not.toBe(get(first))
    expect(third.snapshot.get('Secret', 'infra', 'gatewright-development.localhost')).toBe(
      first.snapshot.get('Secret', 'infra', 'gatewright-development.localhost'),
    )
  })

  it('is left alone when development certificates are off, and when it passes TLS through', () => {
    expect(run({ certificates: false })(snapshotOf(gatewayClass('class'), tls({}))).kindnesses).toEqual([])
    const through = listener('tls', 443, 'TLS', { tls: { mode: 'Passthrough', certificateRefs: [], options: {} } })
    expect(run()(snapshotOf(gatewayClass('class'), gateway('infra/main', through))).kindnesses).toEqual([])
  })

  it('and a namespace that nobody labels stays a trap to be shown: no Namespace is made', () => {
    const selecting = { namespaces: { from: 'Selector' as const, selector: { matchLabels: { purpose: 'routing' } } }, kinds: [] }
    const main = gateway('infra/main', listener('https', 443, 'HTTPS', { allowedRoutes: selecting }))
    const { snapshot } = run()(snapshotOf(main, route('app/r', [{ gateway: 'infra/main' }], [], ['x:80'])))
    expect(snapshot.all('Namespace')).toEqual([])
    expect(snapshot.get('Gateway', 'infra', 'main')?.spec.listeners[0]?.allowedRoutes).toBe(selecting)
    expect(snapshot.get('Gateway', 'infra', 'main')?.metadata).toEqual(meta('infra/main'))
  })
})
