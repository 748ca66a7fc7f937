/** Configurations and requests from a vocabulary so small that routes overlap, shadow and tie all the time. */
import * as fc from 'fast-check'
import type { GatewayConfig } from '../../../src/config/config.ts'
import type { ListenerConfig } from '../../../src/config/listener.ts'
import type { HttpMatchConfig, HttpRouteConfig, PathMatchConfig, ValueMatchConfig } from '../../../src/config/route.ts'
import { intersection } from '../../../src/lib/hostname.ts'
import { writtenRequest } from '../../../src/routing/request.ts'
import type { CompiledMatch, RequestView, Router } from '../../../src/routing/router.ts'
import { grpcMatchConfig } from '../../../src/translate/grpc-match.ts'

const hostnames = ['', '*.com', '*.a.com', 'x.a.com', 'a.com', '*.x.a.com']

const path: fc.Arbitrary<PathMatchConfig> = fc.oneof(
  fc.record({ kind: fc.constant('prefix' as const), value: fc.constantFrom('/', '/a', '/a/', '/a/b', '/b', '/a%62', '/../a') }),
  fc.record({ kind: fc.constant('exact' as const), value: fc.constantFrom('/', '/a', '/a/', '/a/b', '/ab') }),
  fc.record({ kind: fc.constant('regex' as const), value: fc.constantFrom('.*', '/.*', '/a.*', '/[ab]/b', '(') }),
)

const values: fc.Arbitrary<ValueMatchConfig[]> = fc.uniqueArray(
  fc.oneof(
    fc.record({ kind: fc.constant('exact' as const), name: fc.constantFrom('p', 'q'), value: fc.constantFrom('1', '2') }),
    fc.record({ kind: fc.constant('regex' as const), name: fc.constantFrom('p', 'q'), value: fc.constantFrom('1|2', '.*', '[1-3]') }),
  ),
  { maxLength: 2, selector: ({ name }) => name },
)

const match: fc.Arbitrary<HttpMatchConfig> = fc
  .record({ path, method: fc.option(fc.constantFrom('GET', 'PUT'), { nil: undefined, freq: 2 }), headers: values, query: values })
  .map(({ method, ...rest }) => (method === undefined ? rest : { ...rest, method }))

const listener: fc.Arbitrary<ListenerConfig> = fc.constantFrom(...hostnames).map((hostname) => ({
  key: `Gateway/default/gateway/${hostname}`,
  name: hostname,
  port: 80,
  protocol: 'HTTP',
  hostname,
}))

/** Of a GRPCRoute. Its headers come from the same vocabulary. */
const grpcMatch: fc.Arbitrary<HttpMatchConfig> = fc
  .record({
    method: fc.option(
      fc.oneof(
        fc.record({ type: fc.constant('Exact' as const), service: fc.constantFrom('a', 'b', 'ab'), method: fc.constantFrom('b', '') }),
        fc.record({ type: fc.constant('Exact' as const), method: fc.constant('b') }),
        fc.record({
          type: fc.constant('RegularExpression' as const),
          service: fc.constantFrom('.*', '[ab]', '('),
          method: fc.constantFrom('b', ''),
        }),
      ),
      { nil: undefined, freq: 3 },
    ),
    headers: values,
  })
  .map(({ method, headers }) => ({ ...grpcMatchConfig({ ...(method === undefined ? {} : { method }), headers: [] }), headers }))

interface RouteSeed {
  readonly kind: HttpRouteConfig['kind']
  readonly hosts: readonly string[]
  readonly rules: readonly (readonly HttpMatchConfig[])[]
}

function seedOf(kind: HttpRouteConfig['kind'], matches: fc.Arbitrary<HttpMatchConfig>): fc.Arbitrary<RouteSeed> {
  return fc.record({
    kind: fc.constant(kind),
    hosts: fc.uniqueArray(fc.constantFrom(...hostnames), { minLength: 1, maxLength: 3 }),
    rules: fc.array(fc.array(matches, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
  })
}

const routeSeed: fc.Arbitrary<RouteSeed> = fc.oneof({ arbitrary: seedOf('http', match), weight: 2 }, seedOf('grpc', grpcMatch))

export const gatewayConfig: fc.Arbitrary<GatewayConfig> = fc
  .record({
    listeners: fc.uniqueArray(listener, { minLength: 1, maxLength: 4, selector: ({ key }) => key }),
    seeds: fc.array(routeSeed, { minLength: 1, maxLength: 4 }),
  })
  .map(({ listeners, seeds }) => ({
    gateway: 'default/gateway',
    listeners,
    routes: seeds.map((seed, i) => attach(seed, `HTTPRoute/default/r${i}`, listeners)).filter(({ attachments }) => attachments.length > 0),
    streams: [],
    pools: [],
    certificates: [],
  }))

/** The same with one route replaced by another, on the same hostnames or on others; the other routes are the same objects. */
export const editedConfig: fc.Arbitrary<readonly [GatewayConfig, GatewayConfig]> = fc
  .tuple(gatewayConfig, routeSeed, fc.nat(3), fc.boolean())
  .map(([before, seed, at, keepsHostnames]) => {
    const routes = before.routes.map((route, i) => {
      if (i !== at) return route
      const edited = attach(seed, route.key, before.listeners)
      return keepsHostnames ? { ...edited, attachments: structuredClone(route.attachments) } : edited
    })
    return [before, { ...before, routes: routes.filter(({ attachments }) => attachments.length > 0) }] as const
  })

function attach({ kind, hosts, rules }: RouteSeed, key: string, listeners: readonly ListenerConfig[]): HttpRouteConfig {
  return {
    kind,
    key,
    attachments: listeners
      .map(({ key: listenerKey, hostname }) => ({
        listener: listenerKey,
        hostnames: hosts.filter((host) => intersection(hostname, host) !== undefined),
      }))
      .filter((attachment) => attachment.hostnames.length > 0),
    rules: rules.map((matches, index) => ({ key: `${key}/${index}`, index, matches, filters: [], backends: [], timeouts: {} })),
  }
}

/** Every request of the small world. */
export const allRequests: readonly RequestView[] = ['a.com', 'x.a.com', 'y.a.com', 'y.x.a.com', 'other.com', 'other.org'].flatMap((host) =>
  ['/', '/a', '/a/', '/a/b', '/ab', '/b/b'].flatMap((target) =>
    ['GET', 'PUT'].flatMap((method) =>
      ['', '?q=1', '?p=2&q=2'].flatMap((query) =>
        [
          [],
          [['p', '1']],
          [
            ['p', '2'],
            ['q', '3'],
          ],
          [
            ['content-type', 'application/grpc'],
            ['p', '1'],
          ],
        ].map((headers) =>
          request(
            method,
            `http://${host}${target}${query}`,
            headers.map(([name = '', value = '']) => [name, value]),
          ),
        ),
      ),
    ),
  ),
)

/** Some of them, for what is slow. */
export const someRequests = fc.shuffledSubarray([...allRequests], { minLength: 40, maxLength: 40 })

export function request(method: string, url: string, headers: readonly (readonly [string, string])[] = []): RequestView {
  const written = writtenRequest(method, url, headers)
  if ('problem' in written) throw new Error(written.problem)
  return written.request
}

export function decide(router: Router, view: RequestView, port = 80): CompiledMatch | undefined {
  return router.ports.get(port)?.listenerFor(view.host)?.decide(view)
}
