/** What holds already of the suite's tests whose features are not claimed yet. */
import { expect } from 'vitest'
import { conformanceTests } from './conformance.ts'
import { addresses, INFRA } from './suite-objects.ts'

const conformance = conformanceTests()

conformance('GatewayInvalidParametersRef', (scene) => {
  scene.gateway('gateway-invalid-parameters-ref', 'Accepted=False InvalidParameters')
})

conformance('GatewayOptionalAddressValue', (scene) => {
  scene.accepted('gateway-without-address-value')
})

conformance('GatewayInvalidTLSBackendConfiguration', (scene) => {
  for (const what of ['nonexistent-secret', 'unsupported-group', 'unsupported-kind', 'malformed-secret']) {
    const gateway = `gateway-client-certificate-${what}`
    scene.gateway(gateway, 'Accepted=True Accepted', 'ResolvedRefs=False InvalidClientCertificateRef')
  }
  const gateway = 'gateway-client-certificate-missing-reference-grant'
  scene.gateway(gateway, 'Accepted=True Accepted', 'ResolvedRefs=False RefNotPermitted')
})

conformance('ListenerSetDefaultNotAllowed', (scene) => {
  scene.gateway('gateway-default-does-not-allow-listenerset', 'Accepted=True')
  scene.listenerSet('listenerset-default-not-allowed', 'Accepted=False NotAllowed', 'Programmed=False NotAllowed')
})

conformance('ListenerSetAllowedNamespaceNone', (scene) => {
  scene.gateway('gateway-does-not-allow-listenerset', 'Accepted=True')
  scene.listenerSet('listenerset-not-allowed', 'Accepted=False NotAllowed', 'Programmed=False NotAllowed')
})

conformance('GatewayStaticAddresses', async (scene) => {
  const asked = Object.values(addresses).map((value) => ({ type: 'IPAddress', value }))
  const ask = (wanted: readonly object[]) =>
    scene.cluster.change('Gateway', INFRA, 'gateway-static-addresses', ({ spec }) => ({ spec: { ...(spec as object), addresses: wanted } }))

  scene.gateway('gateway-static-addresses', 'Accepted=False UnsupportedAddress')
  await ask(asked)
  scene.gateway('gateway-static-addresses', 'Accepted=True Accepted', 'Programmed=False AddressNotUsable')
  await ask(asked.slice(0, 1))
  scene.gateway('gateway-static-addresses', 'Accepted=True Accepted', 'Programmed=True Programmed')
  expect(scene.cluster.status('Gateway', INFRA, 'gateway-static-addresses').addresses).toEqual(asked.slice(0, 1))
})
