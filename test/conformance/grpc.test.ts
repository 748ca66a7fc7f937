/** The suite's tests of GRPCRoutes: which call goes where, and what becomes of the others. */
import { expect } from 'vitest'
import { conformanceTests } from './conformance.ts'
import type { CallAnswer, CallRow } from './grpc-call.ts'
import { INFRA } from './suite-objects.ts'

const conformance = conformanceTests()

const v1 = 'grpc-infra-backend-v1'
const v2 = 'grpc-infra-backend-v2'
const v3 = 'grpc-infra-backend-v3'

conformance('GRPCExactMethodMatching', async (scene) => {
  scene.accepted('same-namespace', 'exact-matching')
  await scene.calls('same-namespace', [
    ['Echo', v1],
    ['EchoTwo', v2],
    ['EchoThree', 'UNIMPLEMENTED'],
  ])
})

conformance('GRPCRouteHeaderMatching', async (scene) => {
  scene.accepted('same-namespace', 'grpc-header-matching')
  const outcomes: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
    [{ Version: 'one' }, v1],
    [{ Version: 'two' }, v2],
    [{ Version: 'two', Color: 'orange' }, v1],
    [{ Version: 'two', Color: 'blue' }, v2],
    [{ Color: 'orange' }, 'UNIMPLEMENTED'],
    [{ 'Some-Other-Header': 'one' }, 'UNIMPLEMENTED'],
    [{ Color: 'blue' }, v1],
    [{ Color: 'green' }, v1],
    [{ Color: 'red' }, v2],
    [{ Color: 'yellow' }, v2],
    [{ Color: 'purple' }, 'UNIMPLEMENTED'],
  ]
  await scene.calls(
    'same-namespace',
    outcomes.map(([metadata, outcome]): CallRow => [{ method: 'Echo', metadata }, outcome]),
  )
})

conformance('GRPCRouteListenerHostnameMatching', async (scene) => {
  const gateway = 'grpcroute-listener-hostname-matching'
  scene.accepted(gateway, 'backend-v1', 'backend-v2', 'backend-v3')
  const outcomes = {
    'bar.com': v1,
    'foo.bar.com': v2,
    'baz.bar.com': v3,
    'boo.bar.com': v3,
    'multiple.prefixes.bar.com': v3,
    'multiple.prefixes.foo.com': v3,
    'foo.com': 'UNIMPLEMENTED',
    'no.matching.host': 'UNIMPLEMENTED',
  }
  await scene.calls(
    gateway,
    Object.entries(outcomes).map(([authority, outcome]): CallRow => [{ method: 'Echo', authority }, outcome]),
  )
})

conformance('GRPCRouteMultipleGateways', async (scene) => {
  for (const [gateway, dedicated] of [
    ['same-namespace', v2],
    ['all-namespaces', v3],
  ] as const) {
    scene.accepted(gateway, 'multiple-gateways-shared-route', `${gateway}-dedicated-route`)
    await scene.calls(gateway, [
      ['Echo', v1],
      ['EchoTwo', dedicated],
    ])
  }
})

conformance('GRPCRouteMultipleRoutesAttachmentSameHostnameIntersection', async (scene) => {
  for (const [gateway, older, newer, hostname] of [
    ['gw-grpcroute-exact-hostname-x', 'grpcroute-wc-hostname-x-older', 'grpcroute-exact-hostname-x-newer', 'abc.example.com'],
    [
      'gw-grpcroute-wc-hostname-x',
      'grpcroute-less-specific-wc-hostname-x-older',
      'grpcroute-more-specific-wc-hostname-x-newer',
      '*.example.com',
    ],
  ] as const) {
    scene.accepted(gateway, older)
    const rules = [{ backendRefs: [{ name: v2, port: 8080 }] }]
    const spec = { parentRefs: [{ name: gateway }], hostnames: [hostname], rules }
    const metadata = { name: newer, namespace: INFRA }
    await scene.cluster.apply([{ apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GRPCRoute', metadata, spec }])
    scene.accepted(gateway, older, newer)
    await scene.calls(gateway, [[{ method: 'Echo', authority: 'abc.example.com' }, v2]])
  }
})

conformance('GRPCRouteNamedRule', async (scene) => {
  scene.accepted('same-namespace', 'grpc-named-rules')
  await scene.calls('same-namespace', [
    ['Echo', v1],
    ['EchoTwo', v2],
  ])
})

/** The suite looks at no metadata, and its rules for Echo are alike, so that the first one has all calls. We look. */
conformance('GRPCRouteRequestHeaderModifier', async (scene) => {
  scene.accepted('same-namespace', 'grpc-request-header-modifier')
  const authority = 'gateway_api_conformance.echo_basic.grpcecho.GrpcEcho'
  const received = async (method: 'Echo' | 'EchoTwo', metadata: Readonly<Record<string, string>>) => {
    const { code, echo } = await scene.call('same-namespace', { method, authority, metadata })
    const fields = Object.entries(echo?.metadata ?? {}).filter(([name]) => /^(?:x-header-|some-)/.test(name))
    return { code, pod: echo?.pod, ...Object.fromEntries(fields) }
  }

  const other = { 'some-other-header': 'this-header-should-be-set' }
  const set = { 'x-header-set': 'set-overwrites-values' }
  const first = { code: 'OK', pod: v1, ...set }
  expect(await received('Echo', other)).toEqual({ ...first, ...other })
  expect(await received('Echo', { ...other, 'X-Header-Set': 'this-value-should-be-overwritten' })).toEqual({ ...first, ...other })
  for (const sent of [{ 'x-header-add': 'this-value-should-be-appended' }, { 'x-header-remove': 'this-should-be-removed' }]) {
    expect(await received('Echo', sent)).toEqual({ ...first, ...sent })
  }

  const second = { code: 'OK', pod: v2, 'x-header-set-1': 'header-set-1', 'x-header-set-2': 'header-set-2' }
  const some = { 'some-other-header': 'another-header-val' }
  expect(
    await received('EchoTwo', {
      ...some,
      'X-Header-Set-2': 'set-header-2',
      'X-Header-Add-2': 'add-header-2',
      'X-Header-Remove-2': 'should-be-removed-2',
    }),
  ).toEqual({ ...second, ...some, 'x-header-add-1': 'header-add-1', 'x-header-add-2': 'add-header-2, header-add-2' })
  expect(
    await received('EchoTwo', {
      'x-header-set-1': 'original-set-1',
      'x-header-add-1': 'existing-add-1',
      'x-header-remove-1': 'should-be-removed-1',
    }),
  ).toEqual({ ...second, 'x-header-add-1': 'existing-add-1, header-add-1', 'x-header-add-2': 'header-add-2' })
})

conformance('GRPCRouteWeight', async (scene) => {
  scene.accepted('same-namespace', 'weighted-backends')
  const answers: CallAnswer[] = []
  // As many at once as the suite has.
  while (answers.length < 500) {
    answers.push(...(await Promise.all(Array.from({ length: 10 }, () => scene.call('same-namespace', 'Echo')))))
  }
  const share = (backend: string) => answers.filter(({ echo }) => echo?.pod === backend).length
  // The suite would take 5 % more or less.
  expect(Math.abs(share(v1) - 350)).toBeLessThanOrEqual(2)
  expect(Math.abs(share(v2) - 150)).toBeLessThanOrEqual(2)
  expect(share(v1) + share(v2)).toBe(500)
})
