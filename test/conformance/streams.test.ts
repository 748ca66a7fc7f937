/** The suite's tests of TCPRoute and UDPRoute, and those of TLSRoute that look at statuses. */
import { expect } from 'vitest'
import { conformanceTests } from './conformance.ts'
import type { Scene } from './scene.ts'
import { APP, INFRA, WEB } from './suite-objects.ts'

const conformance = conformanceTests()

const notFound = 'ResolvedRefs=False BackendNotFound'
const notPermitted = 'ResolvedRefs=False RefNotPermitted'

/** Seven of ten go to the first, three to the second, none to the third. */
async function weights(scene: Scene, gateway: string, listener: string, backend: string): Promise<void> {
  const counts: Record<string, number> = {}
  for (let i = 0; i < 100; i += 1) {
    const name = await scene.answer(gateway, listener)
    counts[name] = (counts[name] ?? 0) + 1
  }
  expect(counts).toEqual({ [`${INFRA}/${backend}-v1`]: 70, [`${INFRA}/${backend}-v2`]: 30 })
}

/** Both are accepted and counted, and the older one has the traffic. */
async function oldest(scene: Scene, kind: 'TCPRoute' | 'UDPRoute', port: number): Promise<void> {
  const [protocol, lower] = kind === 'TCPRoute' ? (['tcp', 'tcproute'] as const) : (['udp', 'udproute'] as const)
  const gateway = `${protocol}-multi-route-attach-gateway`
  scene.served(gateway, `${lower}-attach-older`)
  const spec = {
    parentRefs: [{ name: gateway, sectionName: protocol }],
    rules: [{ backendRefs: [{ name: `${protocol}-attach-backend-2`, port }] }],
  }
  const metadata = { name: `${lower}-attach-newer`, namespace: INFRA }
  await scene.cluster.apply([{ apiVersion: 'gateway.networking.k8s.io/v1', kind, metadata, spec }])
  scene.accepted(gateway, `${lower}-attach-older`, `${lower}-attach-newer`)
  scene.listeners(gateway, { [protocol]: { kinds: [kind], attached: 2, conditions: ['Accepted=True Accepted'] } })
  for (let i = 0; i < 100; i += 1) expect(await scene.answer(gateway, protocol)).toBe(`${INFRA}/${protocol}-attach-backend-1`)
}

conformance('TCPRouteInvalidBackendRefNonexistent', (scene) => {
  scene.route('tcp-gateway-invalid-backend', 'tcp-route-invalid-backend-ref-nonexistent', notFound)
})

conformance('TCPRouteInvalidCrossNamespaceBackendRef', (scene) => {
  const gateway = 'tcp-invalid-cross-namespace-backend-ref-gateway'
  scene.accepted(gateway, 'tcp-invalid-cross-namespace-backend-ref')
  scene.route(gateway, 'tcp-invalid-cross-namespace-backend-ref', notPermitted)
})

conformance('TCPRouteInvalidNonTCPListener', (scene) => {
  scene.route('tcp-mixed-protocol-gateway', 'tcp-route', 'Accepted=False NotAllowedByListeners')
  scene.nothingAttached('tcp-mixed-protocol-gateway')
})

conformance('TCPRouteMultipleRoutesAttachment', async (scene) => {
  await oldest(scene, 'TCPRoute', 3000)
})

conformance('TCPRouteParentRefAttachAll', async (scene) => {
  scene.accepted('tcp-attach-all-gateway', 'tcp-route-attach-all')
  for (const listener of ['one', 'two', 'three', 'four'])
    expect(await scene.answer('tcp-attach-all-gateway', listener)).toBe(`${INFRA}/tcp-echo-attach-all`)
})

conformance('TCPRouteParentRefPortAndSectionName', async (scene) => {
  const gateway = 'tcp-multi-listener-gateway'
  scene.accepted(gateway, 'tcp-route-by-port', 'tcp-route-by-section', 'tcp-route-by-section-and-port')
  for (const name of ['one', 'two', 'three']) expect(await scene.answer(gateway, name)).toBe(`${INFRA}/tcp-echo-${name}`)
})

conformance('TCPRouteReferenceGrant', async (scene) => {
  scene.served('tcp-reference-grant-gateway', 'tcp-reference-grant')
  expect(await scene.answer('tcp-reference-grant-gateway', 'tcp')).toBe(`${WEB}/tcp-reference-grant-backend`)
  await scene.cluster.remove('ReferenceGrant', WEB, 'tcp-reference-grant')
  scene.route('tcp-reference-grant-gateway', 'tcp-reference-grant', notPermitted)
})

conformance('TCPRouteWeightedRouting', async (scene) => {
  scene.accepted('tcp-weighted-gateway', 'tcp-weighted-route')
  await weights(scene, 'tcp-weighted-gateway', 'tcp', 'tcp-backend')
})

conformance('UDPRoute', async (scene) => {
  scene.served('udp-gateway', 'udp-route')
  expect(await scene.answer('udp-gateway', 'udp')).toBe(`${INFRA}/udp-echo`)
})

conformance('UDPRouteInvalidBackendRefNonexistent', (scene) => {
  scene.route('udp-gateway-invalid-backend', 'udp-route-invalid-backend-ref-nonexistent', notFound)
})

conformance('UDPRouteInvalidCrossNamespaceBackendRef', (scene) => {
  const gateway = 'udp-gateway-invalid-cross-namespace-backend-ref'
  scene.route(gateway, 'udp-route-invalid-cross-namespace-backend-ref', notPermitted)
})

conformance('UDPRouteMultipleRoutesAttachment', async (scene) => {
  await oldest(scene, 'UDPRoute', 8080)
})

conformance('UDPRouteNotAllowedByListeners', (scene) => {
  scene.route('udproute-tls-only-gateway', 'udproute-not-allowed-by-listeners', 'Accepted=False NotAllowedByListeners')
  scene.nothingAttached('udproute-tls-only-gateway')
})

conformance('UDPRouteParentRefAttachAllListeners', async (scene) => {
  const listener = { kinds: ['UDPRoute'], attached: 1, conditions: ['Accepted=True', 'Programmed=True'] }
  scene.accepted('udp-attach-all-listeners-gateway', 'udp-route-attach-all')
  scene.listeners('udp-attach-all-listeners-gateway', { 'udp-1': listener, 'udp-2': listener, 'udp-3': listener })
  for (const name of ['udp-1', 'udp-2', 'udp-3'])
    expect(await scene.answer('udp-attach-all-listeners-gateway', name)).toBe(`${INFRA}/udp-echo-attach-all`)
})

conformance('UDPRouteParentRefPortAndSectionName', async (scene) => {
  const gateway = 'udp-multi-listener-gateway'
  for (const how of ['by-port', 'by-section', 'by-section-and-port']) {
    scene.accepted(gateway, `udp-route-${how}`)
    expect(await scene.answer(gateway, how)).toBe(`${INFRA}/udp-echo-${how}`)
  }
})

conformance('UDPRouteReferenceGrant', async (scene) => {
  scene.served('udp-gateway-reference-grant', 'udp-route-reference-grant')
  await scene.cluster.remove('ReferenceGrant', APP, 'udp-reference-grant')
  scene.route('udp-gateway-reference-grant', 'udp-route-reference-grant', notPermitted)
})

conformance('UDPRouteWeightedRouting', async (scene) => {
  scene.accepted('udp-weighted-gateway', 'udp-weighted-route')
  await weights(scene, 'udp-weighted-gateway', 'udp', 'udp-backend')
})

conformance('TLSRouteInvalidBackendRefNonexistent', (scene) => {
  const gateway = 'gateway-tlsroute-invalid-backend-ref-nonexistent'
  scene.accepted(gateway, 'invalid-backend-ref-nonexistent')
  scene.route(gateway, 'invalid-backend-ref-nonexistent', notFound)
})

conformance('TLSRouteInvalidBackendRefUnknownKind', (scene) => {
  const gateway = 'gateway-tlsroute-invalid-backend-ref-unknown-kind'
  scene.accepted(gateway, 'invalid-backend-ref-unknown-kind')
  scene.route(gateway, 'invalid-backend-ref-unknown-kind', 'ResolvedRefs=False InvalidKind')
})

conformance('TLSRouteInvalidNoMatchingListenerHostname', (scene) => {
  scene.refused('gateway-tls-exact-hostname', 'tlsroute-hostname-mismatch-1', 'NoMatchingListenerHostname')
  scene.refused('gateway-tls-wildcard-hostname', 'tlsroute-hostname-mismatch-2', 'NoMatchingListenerHostname')
})

conformance('TLSRouteInvalidNoMatchingListener', (scene) => {
  scene.refused('gateway-tlsroute-http-only', 'tlsroute-not-allowed-protocol-http', 'NotAllowedByListeners')
  scene.refused('gateway-tlsroute-https-only', 'tlsroute-not-allowed-protocol-https', 'NotAllowedByListeners')
  scene.route('gateway-tlsroute-tls-passthrough-only', 'tlsroute-no-matching-section-name', 'Accepted=False NoMatchingParent')
})

conformance('TLSRouteListenerPassthroughSupportedKinds', (scene) => {
  const conditions = ['ResolvedRefs=False InvalidRouteKinds']
  scene.listeners('gateway-tlsroute-passthrough-supported-kind', { 'tls-passthrough': { kinds: ['TLSRoute'], attached: 0, conditions } })
})
