/** Random objects of a small world, in which names collide on purpose: every reference may find or miss its target. */
import * as fc from 'fast-check'
import { objectOf } from '../../golden/translate/golden-case.ts'
import { keyPairs } from '../../golden/translate/key-pairs.ts'
import type { ApiObject } from '../../../src/api/object.ts'

const NAMESPACES = ['a', 'b']
const namespace = fc.constantFrom(...NAMESPACES)
const name = (prefix: string) => fc.integer({ min: 0, max: 1 }).map((n) => `${prefix}${n}`)
const hostname = fc.constantFrom('x.example.com', '*.example.com', 'y.test', '*.test')
const time = fc.constantFrom(undefined, '2024-01-01T00:00:00Z', '2025-01-01T00:00:00Z')

const certificateRef = fc.record({ name: name('secret'), namespace })
const allowedRoutes = fc.constantFrom(
  { namespaces: { from: 'All' } },
  { namespaces: { from: 'Same' } },
  { namespaces: { from: 'Selector', selector: { matchLabels: { team: 'x' } } } },
  { namespaces: { from: 'All' }, kinds: [{ kind: 'GRPCRoute' }] },
)
const listener = fc.tuple(
  fc.constantFrom(80, 443),
  fc.option(hostname),
  allowedRoutes,
  fc.array(certificateRef, { minLength: 1, maxLength: 2 }),
  fc.boolean(),
)
const listeners = fc.uniqueArray(listener, { minLength: 1, maxLength: 3, selector: ([port, host]) => `${port} ${host}` }).map((all) =>
  all.map(([port, host, allowed, refs, tls], i) => ({
    name: `l${i}`,
    port,
    protocol: tls ? 'HTTPS' : 'HTTP',
    ...(host === null ? {} : { hostname: host }),
    allowedRoutes: allowed,
    ...(tls ? { tls: { certificateRefs: refs } } : {}),
  })),
)
const experimental = 'gateway.networking.x-k8s.io'
const target = fc.oneof(
  { weight: 3, arbitrary: fc.record({ name: name('svc'), namespace, port: fc.constantFrom(80, 81) }) },
  fc.record({ group: fc.constant(experimental), kind: fc.constant('XBackend'), name: name('out'), namespace }),
)
const backendRefs = fc.array(
  fc.tuple(target, fc.integer({ min: 0, max: 3 })).map(([ref, weight]) => ({ ...ref, weight })),
  { maxLength: 2 },
)
const mirrors = fc.array(
  target.map((backendRef) => ({ type: 'RequestMirror', requestMirror: { backendRef } })),
  { maxLength: 1 },
)
const filters = fc.oneof(
  mirrors,
  target.map((backendRef) => [{ type: 'ExternalAuth', externalAuth: { protocol: 'GRPC', backendRef, grpc: {} } }]),
)
const rule = fc
  .record({
    backendRefs,
    filters,
    matches: fc.array(
      fc.record({
        path: fc.record({ type: fc.constantFrom('PathPrefix', 'RegularExpression'), value: fc.constantFrom('/', '/a', '/b(') }),
      }),
      { minLength: 1, maxLength: 2 },
    ),
  })
  .map((one) => ({
    ...one,
    matches: one.matches.map(({ path }) => ({ path: path.value === '/b(' ? { ...path, type: 'RegularExpression' } : path })),
  }))
const parentRef = fc
  .oneof(
    { weight: 2, arbitrary: fc.record({ name: name('gw'), namespace }) },
    fc.record({ kind: fc.constant('ListenerSet'), name: name('set'), namespace }),
  )
  .map((ref) => [ref])
const allowedListeners = fc.constantFrom(
  undefined,
  { namespaces: { from: 'All' } },
  { namespaces: { from: 'All' } },
  { namespaces: { from: 'Same' } },
  { namespaces: { from: 'Selector', selector: { matchLabels: { team: 'x' } } } },
)

const v1 = 'gateway.networking.k8s.io/v1'
const manifest = fc.oneof(
  fc
    .record({ n: name('class'), state: fc.constantFrom('good', 'good', 'good', 'good', 'good', 'good', 'foreign', 'parameters') })
    .map(({ n, state }) => ({
      apiVersion: v1,
      kind: 'GatewayClass',
      metadata: { name: n },
      spec: {
        controllerName: state === 'foreign' ? 'other.example/controller' : 'gatewright.dev/gateway-controller',
        ...(state === 'parameters' ? { parametersRef: { group: 'example.com', kind: 'Settings', name: 'x' } } : {}),
      },
    })),
  fc
    .record({ n: name('gw'), namespace, gatewayClassName: name('class'), listeners, allowed: allowedListeners })
    .map(({ n, namespace: ns, allowed, ...spec }) => ({
      apiVersion: v1,
      kind: 'Gateway',
      metadata: { name: n, namespace: ns },
      spec: { ...spec, ...(allowed === undefined ? {} : { allowedListeners: allowed }) },
    })),
  fc
    .record({ n: name('set'), namespace, time, parentRef: fc.record({ name: name('gw'), namespace }), listeners })
    .map(({ n, namespace: ns, time: creationTimestamp, ...spec }) => ({
      apiVersion: v1,
      kind: 'ListenerSet',
      metadata: { name: n, namespace: ns, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) },
      spec,
    })),
  fc
    .record({
      n: name('route'),
      namespace,
      time,
      parentRefs: parentRef,
      hostnames: fc.array(hostname, { maxLength: 2 }),
      rules: fc.array(rule, { minLength: 1, maxLength: 2 }),
    })
    .map(({ n, namespace: ns, time: creationTimestamp, ...spec }) => ({
      apiVersion: v1,
      kind: 'HTTPRoute',
      metadata: { name: n, namespace: ns, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) },
      spec,
    })),
  fc
    .record({
      n: name('route'),
      namespace,
      time,
      parentRefs: parentRef,
      hostnames: fc.array(hostname, { maxLength: 2 }),
      rules: fc.array(fc.record({ backendRefs, filters: mirrors }), { maxLength: 2 }),
    })
    .map(({ n, namespace: ns, time: creationTimestamp, ...spec }) => ({
      apiVersion: v1,
      kind: 'GRPCRoute',
      metadata: { name: n, namespace: ns, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) },
      spec,
    })),
  fc
    .record({
      n: name('svc'),
      namespace,
      port: fc.constantFrom(80, 81),
      appProtocol: fc.constantFrom(undefined, 'https', 'kubernetes.io/ws', 'kubernetes.io/h2c'),
      portName: fc.constantFrom(undefined, 'web'),
      backend: fc.option(name('out')),
    })
    .map(({ n, namespace: ns, backend, portName, ...port }) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: n, namespace: ns, ...(backend === null ? {} : { annotations: { 'gatewright.dev/x-backend': backend } }) },
      spec: { ports: [{ ...(portName && { name: portName }), ...(port.appProtocol === undefined ? { port: port.port } : port) }] },
    })),
  fc
    .record({ n: name('slice'), namespace, service: name('svc'), ready: fc.boolean(), last: fc.integer({ min: 1, max: 3 }) })
    .map(({ n, namespace: ns, service, ready, last }) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: n, namespace: ns, labels: { 'kubernetes.io/service-name': service } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [`10.0.0.${last}`], conditions: { ready } }],
      ports: [{ port: 8080 }],
    })),
  fc
    .record({ n: namespace, team: fc.constantFrom('x', 'y') })
    .map(({ n, team }) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: n, labels: { team } } })),
  fc
    .record({ n: name('grant'), namespace, from: namespace, kind: fc.constantFrom('HTTPRoute', 'GRPCRoute', 'Gateway', 'ListenerSet') })
    .map(({ n, namespace: ns, from, kind }) => ({
      apiVersion: v1,
      kind: 'ReferenceGrant',
      metadata: { name: n, namespace: ns },
      spec: {
        from: [{ group: 'gateway.networking.k8s.io', kind, namespace: from }],
        to: kind.endsWith('Route')
          ? [
              { group: '', kind: 'Service' },
              { group: experimental, kind: 'XBackend' },
            ]
          : [{ group: '', kind: 'Secret' }],
      },
    })),
  fc
    .record({ n: name('secret'), namespace, pair: fc.constantFrom('api', 'other'), good: fc.boolean() })
    .map(({ n, namespace: ns, pair, good }) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: n, namespace: ns },
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': base64(keyPairs[pair]?.crt), 'tls.key': good ? base64(keyPairs[pair]?.key) : '' },
    })),
  fc
    .record({ n: name('out'), namespace, port: fc.constantFrom(80, 81), what: fc.integer({ min: 0, max: 4 }), secret: name('secret') })
    .map(({ n, namespace: ns, port, what, secret }) => ({
      apiVersion: `${experimental}/v1alpha1`,
      kind: 'XBackend',
      metadata: { name: n, namespace: ns },
      spec: { port: { number: port }, ...backendSpec(what, secret) },
    })),
  fc
    .record({ n: name('calm'), namespace, time, percent: fc.constantFrom(0, 20), ref: target, session: fc.boolean() })
    .map(({ n, namespace: ns, time: creationTimestamp, percent, ref, session }) => ({
      apiVersion: `${experimental}/v1alpha1`,
      kind: 'XBackendTrafficPolicy',
      metadata: { name: n, namespace: ns, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) },
      spec: {
        targetRefs: [{ group: '', kind: 'Service', ...ref }].map(({ group, kind, name: to }) => ({ group, kind, name: to })),
        retryConstraint: { budget: { percent } },
        ...(session ? { sessionPersistence: { cookie: {} } } : {}),
      },
    })),
  fc
    .record({
      n: name('spans'),
      namespace,
      time,
      mode: fc.constantFrom('Disabled', 'ImplementationDefault'),
      gateway: fc.constantFrom('gateway', 'other'),
    })
    .map(({ n, namespace: ns, time: creationTimestamp, mode, gateway }) => ({
      apiVersion: `${experimental}/v1alpha1`,
      kind: 'XTelemetryPolicy',
      metadata: { name: n, namespace: ns, ...(creationTimestamp === undefined ? {} : { creationTimestamp }) },
      spec: { targetRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: gateway }], tracing: { mode } },
    })),
  fc
    .record({ n: name('policy'), namespace, service: name('svc'), port: fc.constantFrom(undefined, 'web') })
    .map(({ n, namespace: ns, service, port }) => ({
      apiVersion: v1,
      kind: 'BackendTLSPolicy',
      metadata: { name: n, namespace: ns },
      spec: {
        targetRefs: [{ group: '', kind: 'Service', name: service, ...(port && { sectionName: port }) }],
        validation: { hostname: 'x.test', wellKnownCACertificates: 'System' },
      },
    })),
)

/** What every world begins with, so that most routes find a Gateway that serves them. */
export const foundation: readonly ApiObject[] = [
  { apiVersion: v1, kind: 'GatewayClass', metadata: { name: 'class0' }, spec: { controllerName: 'gatewright.dev/gateway-controller' } },
  { apiVersion: v1, kind: 'GatewayClass', metadata: { name: 'class1' }, spec: { controllerName: 'gatewright.dev/gateway-controller' } },
  ...NAMESPACES.flatMap((ns) =>
    ['gw0', 'gw1'].map((gateway) => ({
      apiVersion: v1,
      kind: 'Gateway',
      metadata: { name: gateway, namespace: ns },
      spec: {
        gatewayClassName: 'class0',
        allowedListeners: { namespaces: { from: 'All' } },
        listeners: [{ name: 'l0', port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }],
      },
    })),
  ),
].map(objectOf)

/** A valid object, or the removal of one of the same identity. */
export interface Edit {
  readonly remove: boolean
  readonly object: ApiObject
}

export const edit: fc.Arbitrary<Edit> = fc.record({
  remove: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  object: manifest.map(objectOf),
})

function backendSpec(what: number, secret: string): object {
  const external = { type: 'ExternalHostname', externalHostname: { hostname: `out${what}.example.com` } }
  const validation = { hostname: 'x.test', wellKnownCACertificates: 'System' }
  switch (what) {
    case 0:
      return { type: 'EndpointSelector', endpointSelector: { matchLabels: { app: 'x' } } }
    case 1:
      return { type: 'EndpointSelector', endpointSelector: { matchLabels: { app: 'x' } }, sessionPersistence: { cookie: {} } }
    case 2:
      return { ...external, protocol: 'H2C' }
    case 3:
      return { ...external, tls: { mode: 'ServerOnly', validation } }
    default:
      return { ...external, tls: { mode: 'ClientAndServer', clientCertificateRef: { name: secret }, validation } }
  }
}

function base64(text: string | undefined): string {
  return Buffer.from(text ?? '').toString('base64')
}
