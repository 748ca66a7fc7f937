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

conformance('ListenerSetDefaultNotAllowed', (scene) => {
  scene.gateway('gateway-default-does-not-allow-listenerset', 'Accepted=True')
  scene.listenerSet('listenerset-default-not-allowed', 'Accepted=False NotAllowed', 'Programmed=False NotAllowed')
})

conformance('ListenerSetAllowedNamespaceNone', (scene) => {
  scene.gateway('gateway-does-not-allow-listenerset', 'Accepted=True')
  scene.listenerSet('listenerset-not-allowed', 'Accepted=False NotAllowed', 'Programmed=False NotAllowed')
})
