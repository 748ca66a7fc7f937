/** The suite's tests of what lies behind a rule: weights, kinds of Services, timeouts, TLS in front, WebSocket, HTTP/2. */
import { expect } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { RawClient } from '../harness/raw-client.ts'
import { WebSocketClient } from '../harness/web-socket-client.ts'
import { conformanceTests } from './conformance.ts'
import type { Row } from './request-table.ts'
import { INFRA } from './suite-objects.ts'

const conformance = conformanceTests()

const v1 = 'infra-backend-v1'
const v2 = 'infra-backend-v2'
const v3 = 'infra-backend-v3'

conformance('HTTPRouteNoBackendRefs', async (scene) => {
  scene.served('same-namespace', 'omitted-backendrefs')
  await scene.answers('same-namespace', [
    ['/forward', v1],
    ['/omitted-no-forward', 500],
    ['/empty-no-forward', 500],
  ])
})

conformance('HTTPRouteWeight', async (scene) => {
  scene.served('same-namespace', 'weighted-backends')
  const answers = await Promise.all(Array.from({ length: 500 }, () => scene.send('same-namespace', '/')))
  const share = (backend: string) => answers.filter(({ echo }) => echo?.pod === backend).length
  // The suite would take 5 % more or less.
  expect(Math.abs(share(v1) - 350)).toBeLessThanOrEqual(2)
  expect(Math.abs(share(v2) - 150)).toBeLessThanOrEqual(2)
  expect(share(v1) + share(v2)).toBe(500)
})

conformance('HTTPRouteServiceTypes', async (scene) => {
  scene.served('same-namespace', 'service-types')
  const address = scene.cluster.pods.address(INFRA, v1)
  const endpoints = [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }]
  for (const service of ['manual-endpointslices', 'headless-manual-endpointslices']) {
    await scene.answers('same-namespace', [[`/${service}`, 503]])
    await scene.cluster.change('EndpointSlice', INFRA, `${service}-ip4`, () => ({ endpoints }))
  }
  await scene.answers('same-namespace', [
    ['/manual-endpointslices', v1],
    ['/headless', v1],
    ['/headless-manual-endpointslices', v1],
  ])
})

conformance('HTTPRouteTimeoutRequest', async (scene) => {
  scene.served('same-namespace', 'request-timeout')
  await scene.answers('same-namespace', [
    ['/request-timeout', {}],
    ['/request-timeout?delay=1s', 504],
    ['/disable-request-timeout?delay=1s', {}],
  ])
})

conformance('HTTPRouteTimeoutBackendRequest', async (scene) => {
  scene.served('same-namespace', 'backend-request-timeout')
  await scene.answers('same-namespace', [
    ['/backend-timeout', {}],
    ['/backend-timeout?delay=1s', 504],
    ['/disable-backend-timeout?delay=1s', {}],
  ])
})

conformance('HTTPRouteHTTPSListener', async (scene) => {
  scene.served('same-namespace-with-https-listener', 'httproute-https-test', 'httproute-https-test-no-hostname')
  await scene.answers(
    'same-namespace-with-https-listener',
    [
      ['example.org/', v1],
      ['unknown-example.org/', 404],
      ['second-example.org/', v2],
    ],
    443,
  )
})

conformance('HTTPRouteBackendProtocolWebSocket', async (scene) => {
  scene.accepted('same-namespace', 'backend-protocol-ws')
  const { listenPort, address } = scene.entrance('same-namespace', 80)
  const client = await RawClient.plain(listenPort)
  const webSocket = new WebSocketClient(client)
  expect((await webSocket.upgrade(`ws://${address}/ws`)).status).toBe(101)
  expect(await webSocket.message()).toBe(v1)
  webSocket.send('Websocket Support!')
  expect(await webSocket.message()).toBe('Websocket Support!')
  // A binary frame of seven bytes with a mask of zeros.
  client.send('\x82\x87\0\0\0\0\x01\x02\x03\x04\x05\x06\x07')
  await eventually(() => client.received.endsWith('\x82\x07\x01\x02\x03\x04\x05\x06\x07'), 'the binary message')
  await client.close()
})

conformance('HTTPRouteBackendProtocolH2C', async (scene) => {
  scene.accepted('same-namespace', 'backend-protocol-h2c')
  await scene.answers('same-namespace', [['/', v1]], 80, 'HTTP/2')
})

conformance('HTTPRouteHTTPSListenerDetectMisdirectedRequests', async (scene) => {
  const gateway = 'same-namespace-with-https-listener'
  scene.served(gateway, ...[1, 2, 3, 4].map((n) => `https-listener-detect-misdirected-requests-test-${n}`))
  for (const [serverName, outcomes] of [
    ['example.org', { 'example.org': v1, 'second-example.org': 421, 'unknown-example.org': 404 }],
    ['second-example.org', { 'second-example.org': v2, 'example.org': 421, 'unknown-example.org': 421 }],
    [
      'third-example.wildcard.org',
      {
        'third-example.wildcard.org': v3,
        'fith-example.wildcard.org': v3,
        'fourth-example.wildcard.org': 421,
        'second-example.org': 421,
        'unknown-example.org': 421,
      },
    ],
    ['fourth-example.wildcard.org', { 'fourth-example.wildcard.org': v1, 'fith-example.wildcard.org': 421 }],
    ['unknown-example.org', { 'example.org': v1, 'unknown-example.org': 404 }],
  ] as const) {
    const rows = Object.entries(outcomes).map(([host, outcome]): Row => [
      { to: `${host}/detect-misdirected-requests`, serverName },
      outcome,
    ])
    // All requests with one server name share a connection.
    await scene.answers(gateway, rows, 443, 'HTTP/2')
  }
})
