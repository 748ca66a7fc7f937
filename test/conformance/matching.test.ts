/** The suite's tests of which rule of which route a request finds: hostnames, ports, paths, headers, query parameters, methods, precedence. */
import { conformanceTests } from './conformance.ts'
import type { Row } from './request-table.ts'
import type { Scene } from './scene.ts'
import { INFRA, WEB } from './suite-objects.ts'

const conformance = conformanceTests()

const v1 = 'infra-backend-v1'
const v2 = 'infra-backend-v2'
const v3 = 'infra-backend-v3'

conformance('HTTPRouteSimpleSameNamespace', async (scene) => {
  scene.served('same-namespace', 'gateway-conformance-infra-test')
  await scene.answers('same-namespace', [['/', v1]])
})

conformance('HTTPRouteCrossNamespace', async (scene) => {
  scene.served('backend-namespaces', `${WEB}/cross-namespace`)
  await scene.answers('backend-namespaces', [['/', { backend: 'web-backend', namespace: WEB }]])
})

conformance('HTTPRouteMultipleGateways', async (scene) => {
  for (const [gateway, backend] of [
    ['same-namespace', v2],
    ['all-namespaces', v3],
  ] as const) {
    scene.accepted(gateway, 'multiple-gateways-shared-route', `${gateway}-dedicated-route`)
    await scene.answers(gateway, [
      ['/shared', v1],
      ['/', backend],
    ])
  }
})

conformance('HTTPRouteNamedRule', async (scene) => {
  scene.served('same-namespace', 'http-named-rules')
  await scene.answers('same-namespace', [
    ['/named', 200],
    ['/unnamed', 200],
  ])
})

conformance('HTTPRouteExactPathMatching', async (scene) => {
  scene.served('same-namespace', 'exact-matching')
  await scene.answers('same-namespace', [
    ['/one', v1],
    ['/two', v2],
    ['/', 404],
    ['/one/example', 404],
    ['/two/', 404],
    ['/Two', 404],
  ])
})

conformance('HTTPRoutePathMatchOrder', async (scene) => {
  scene.served('same-namespace', 'path-matching-order')
  await scene.answers('same-namespace', [
    ['/match/exact/one', v3],
    ['/match/exact', v2],
    ['/match', v1],
    ['/match/prefix/one/any', v2],
    ['/match/prefix/any', v1],
    ['/match/any', v3],
  ])
})

conformance('HTTPRouteMatching', async (scene) => {
  scene.served('same-namespace', 'matching')
  await scene.answers('same-namespace', [
    ['/', v1],
    ['/example', v1],
    [{ to: '/', fields: { Version: 'one' } }, v1],
    ['/v2', v2],
    ['/v2/example', v2],
    [{ to: '/', fields: { Version: 'two' } }, v2],
    ['/v2/', v2],
    ['/v2example', v1],
    ['/foo/v2/example', v1],
  ])
})

conformance('HTTPRouteMatchingAcrossRoutes', async (scene) => {
  scene.served('same-namespace', 'matching-part1', 'matching-part2')
  await scene.answers('same-namespace', [
    ['example.com/', v1],
    ['example.com/example', v1],
    ['example.net/example', v1],
    [{ to: 'example.com/example', fields: { Version: 'one' } }, v1],
    ['example.com/v2', v2],
    // This match is example.com's alone.
    ['example.net/v2', v1],
    ['example.com/v2/example', v2],
    [{ to: 'example.com/', fields: { Version: 'two' } }, v2],
  ])
})

conformance('HTTPRouteHeaderMatching', async (scene) => {
  scene.served('same-namespace', 'header-matching')
  await scene.answers('same-namespace', [
    [{ to: '/', fields: { Version: 'one' } }, v1],
    [{ to: '/', fields: { Version: 'two' } }, v2],
    [{ to: '/', fields: { Version: 'two', Color: 'orange' } }, v1],
    [{ to: '/', fields: { Version: 'two', Color: 'blue' } }, v2],
    [{ to: '/', fields: { Color: 'orange' } }, 404],
    [{ to: '/', fields: { 'Some-Other-Header': 'one' } }, 404],
    [{ to: '/', fields: { Color: 'blue' } }, v1],
    [{ to: '/', fields: { Color: 'green' } }, v1],
    [{ to: '/', fields: { Color: 'red' } }, v2],
    [{ to: '/', fields: { Color: 'yellow' } }, v2],
    [{ to: '/', fields: { Color: 'purple' } }, 404],
  ])
})

conformance('HTTPRouteMethodMatching', async (scene) => {
  scene.served('same-namespace', 'method-matching')
  await scene.answers('same-namespace', [
    ['POST /', v1],
    ['GET /', v2],
    ['HEAD /', 404],
    // Together with other matches.
    ['GET /path1', v1],
    [{ to: 'PUT /', fields: { version: 'one' } }, v2],
    [{ to: 'POST /path2', fields: { version: 'two' } }, v3],
    // One of several matches is enough.
    ['PATCH /path3', v1],
    [{ to: 'DELETE /path4', fields: { version: 'three' } }, v1],
    // Half of a match is not.
    ['PUT /', 404],
    ['DELETE /path4', 404],
    // Precedence.
    ['PATCH /path5', v1],
    [{ to: 'PATCH /', fields: { version: 'four' } }, v2],
  ])
})

conformance('HTTPRouteQueryParamMatching', async (scene) => {
  scene.served('same-namespace', 'query-param-matching')
  await scene.answers('same-namespace', [
    ['/?animal=whale', v1],
    ['/?animal=dolphin', v2],
    ['/?animal=dolphin&color=blue', v3],
    ['/?ANIMAL=Whale', v3],
    ['/?animal=whale&otherparam=irrelevant', v1],
    ['/?animal=dolphin&color=yellow', v2],
    ['/?color=blue', 404],
    ['/?animal=dog', 404],
    ['/?animal=whaledolphin', 404],
    ['/', 404],
    // Together with other matches.
    ['/path1?animal=whale', v1],
    [{ to: '/?animal=whale', fields: { version: 'one' } }, v2],
    [{ to: '/path2?animal=whale', fields: { version: 'two' } }, v3],
    // One of several matches is enough.
    ['/path3?animal=shark', v1],
    [{ to: '/path4?animal=kraken', fields: { version: 'three' } }, v1],
    // Half of a match is not.
    ['/?animal=shark', 404],
    ['/path4?animal=kraken', 404],
    // Precedence.
    ['/path5?animal=hydra', v1],
    [{ to: '/?animal=hydra', fields: { version: 'four' } }, v3],
  ])
})

conformance('HTTPRouteRuleOrder', async (scene) => {
  scene.served('same-namespace', 'rule-order')
  scene.accepted('same-namespace', 'rule-order-invalid-backend')
  scene.route('same-namespace', 'rule-order-invalid-backend', 'ResolvedRefs=False BackendNotFound')
  await scene.answers('same-namespace', [
    [{ to: '/rule-order', fields: { 'x-color': 'blue', 'x-version': 'one' } }, v1],
    ['/rule-order-invalid-backend', 500],
  ])
})

conformance('HTTPRouteListenerPortMatching', async (scene) => {
  const gateway = 'httproute-listener-port-matching'
  scene.served(gateway, 'backend-v1', 'backend-v2', 'backend-v3')
  await scene.answers(gateway, [['foo.com/', v1]])
  const second: readonly Row[] = [
    ['foo.com:8080/', v2],
    ['bar.com:8080/', v2],
  ]
  await scene.answers(gateway, second, 8080)
  const third: readonly Row[] = [
    ['foo.com:8090/', v3],
    ['bar.com:8090/', 404],
  ]
  await scene.answers(gateway, third, 8090)
})

conformance('HTTPRouteListenerHostnameMatching', async (scene) => {
  scene.served('httproute-listener-hostname-matching', 'backend-v1', 'backend-v2', 'backend-v3')
  await scene.answers('httproute-listener-hostname-matching', [
    ['bar.com/', v1],
    ['foo.bar.com/', v2],
    ['baz.bar.com/', v3],
    ['boo.bar.com/', v3],
    ['multiple.prefixes.bar.com/', v3],
    ['multiple.prefixes.foo.com/', v3],
    ['foo.com/', 404],
    ['no.matching.host/', 404],
  ])
})

conformance('HTTPRouteHostnameIntersection', async (scene) => {
  const gateway = 'httproute-hostname-intersection'
  const routes = [
    'specific-host-matches-listener-specific-host',
    'specific-host-matches-listener-wildcard-host',
    'wildcard-host-matches-listener-specific-host',
    'wildcard-host-matches-listener-wildcard-host',
  ]
  scene.served(gateway, ...routes)
  await scene.answers(gateway, [
    ['very.specific.com/s1', v1],
    ['very.specific.com:1234/s1', v1],
    ['non.matching.com/s1', 404],
    ['foo.nonmatchingwildcard.io/s1', 404],
    ['foo.wildcard.io/s1', 404],
    ['very.specific.com/non-matching-prefix', 404],

    ['foo.wildcard.io/s2', v2],
    ['bar.wildcard.io/s2', v2],
    ['foo.bar.wildcard.io/s2', v2],
    ['non.matching.com/s2', 404],
    ['wildcard.io/s2', 404],
    ['very.specific.com/s2', 404],
    ['foo.wildcard.io/non-matching-prefix', 404],

    ['very.specific.com/s3', v3],
    ['non.matching.com/s3', 404],
    ['foo.specific.com/s3', 404],
    ['foo.wildcard.io/s3', 404],

    ['foo.anotherwildcard.io/s4', v1],
    ['bar.anotherwildcard.io/s4', v1],
    ['foo.bar.anotherwildcard.io/s4', v1],
    ['anotherwildcard.io/s4', 404],
    ['foo.wildcard.io/s4', 404],
    ['very.specific.com/s4', 404],
    ['foo.anotherwildcard.io/non-matching-prefix', 404],
  ])

  scene.route(gateway, 'no-intersecting-hosts', 'Accepted=False NoMatchingListenerHostname')
  await scene.answers(gateway, [
    ['specific.but.wrong.com/s5', 404],
    ['wildcard.io/s5', 404],
  ])
  const good = { kinds: ['HTTPRoute'], conditions: ['Accepted=True', 'ResolvedRefs=True'] }
  scene.listeners(gateway, {
    'listener-1': { ...good, attached: 2 },
    'listener-2': { ...good, attached: 1 },
    'listener-3': { ...good, attached: 1 },
  })

  scene.served('httproute-hostname-intersection-all', 'httproute-hostname-intersection-all')
  await scene.answers('httproute-hostname-intersection-all', [
    ['first.com/', v2],
    ['sub.first.com/', v2],
    ['second.com/', v2],
    ['sub.second.com/', v2],
    ['third.com/', 404],
    ['sub.third.com/', 404],
  ])
})

conformance('HTTPRouteMultipleRoutesAttachmentSameHostnameIntersection', async (scene) => {
  const path = { path: { type: 'PathPrefix', value: '/path' } }
  const header = { headers: [{ type: 'Exact', name: 'Header-A', value: 'A' }] }
  const long = 'abc.example.com/path/prefix/longer'
  const passedOn: readonly Row[] = [
    [{ to: long, fields: { 'Header-A': 'A', 'Header-B': 'B' } }, v2],
    [{ to: long, fields: { 'Header-B': 'B' } }, v1],
  ]
  for (const { gateway, older, newer, hostname } of [
    { gateway: 'gw-httproute-exact-hostname-x', older: 'wc-hostname-x', newer: 'exact-hostname-x', hostname: 'abc.example.com' },
    {
      gateway: 'gw-httproute-wc-hostname-x',
      older: 'less-specific-wc-hostname-x',
      newer: 'more-specific-wc-hostname-x',
      hostname: '*.example.com',
    },
  ]) {
    for (const { suffix, matches, rows } of [
      { suffix: '', matches: [], rows: [['abc.example.com/', v2]] as const },
      { suffix: '-path', matches: [path], rows: [[long, v2]] as const },
      { suffix: '-path-header', matches: [{ ...path, ...header }], rows: passedOn },
    ]) {
      await addRoute(scene, `httproute-${newer}${suffix}-newer`, `${gateway}${suffix}`, hostname, matches)
      scene.served(`${gateway}${suffix}`, `httproute-${older}${suffix}-older`, `httproute-${newer}${suffix}-newer`)
      await scene.answers(`${gateway}${suffix}`, rows)
    }
  }
})

/** Younger than all that is there; to the second backend. */
function addRoute({ cluster }: Scene, name: string, gateway: string, hostname: string, matches: readonly object[]): Promise<void> {
  const rule = { ...(matches.length > 0 && { matches }), backendRefs: [{ name: v2, port: 8080 }] }
  const spec = { parentRefs: [{ name: gateway }], hostnames: [hostname], rules: [rule] }
  return cluster.apply([{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata: { name, namespace: INFRA }, spec }])
}
