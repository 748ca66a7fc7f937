/** What holds already of the suite's tests whose features are not claimed yet. */
import { conformanceTests } from './conformance.ts'

const conformance = conformanceTests()

conformance('GatewayInvalidTLSBackendConfiguration', (scene) => {
  for (const what of ['nonexistent-secret', 'unsupported-group', 'unsupported-kind', 'malformed-secret']) {
    const gateway = `gateway-client-certificate-${what}`
    scene.gateway(gateway, 'Accepted=True Accepted', 'ResolvedRefs=False InvalidClientCertificateRef')
  }
  const gateway = 'gateway-client-certificate-missing-reference-grant'
  scene.gateway(gateway, 'Accepted=True Accepted', 'ResolvedRefs=False RefNotPermitted')
})

conformance('ListenerSetAllowedRoutesSupportedKinds', (scene) => {
  scene.gateway('gateway-with-listener-sets-test-supported-route-kinds', 'Accepted=True')
  scene.setListeners('listenerset-test-allowed-routes-supported-kinds', {
    'listener-set-listener-allowed-routes-tls-only': { kinds: 'any', attached: 0, conditions: ['ResolvedRefs=False InvalidRouteKinds'] },
  })
})
