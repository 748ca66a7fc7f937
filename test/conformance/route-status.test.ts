/** The suite's tests of what an HTTPRoute's status says: parents that refuse it, references that do not resolve. */
import { conformanceTests } from './conformance.ts'
import { APP, INFRA, WEB } from './suite-objects.ts'

const conformance = conformanceTests()

conformance('HTTPRouteInvalidCrossNamespaceParentRef', (scene) => {
  const route = `${WEB}/invalid-cross-namespace-parent-ref`
  scene.route('same-namespace', route, 'ResolvedRefs=True')
  scene.refused('same-namespace', route, 'NotAllowedByListeners')
})

conformance('HTTPRouteInvalidParentRefNotMatchingListenerPort', (scene) => {
  scene.route('same-namespace', 'httproute-listener-not-matching-route-port', 'ResolvedRefs=True')
  scene.refused('same-namespace', 'httproute-listener-not-matching-route-port', 'NoMatchingParent')
})

conformance('HTTPRouteInvalidParentRefNotMatchingSectionName', (scene) => {
  scene.refused('same-namespace', 'httproute-listener-not-matching-section-name', 'NoMatchingParent')
})

conformance('HTTPRouteInvalidParentRefSectionNameNotMatchingPort', (scene) => {
  const gateway = 'gateway-with-one-not-matching-port-and-section-name-route'
  scene.refused(gateway, 'httproute-listener-section-name-not-matching-port', 'NoMatchingParent')
})

conformance('HTTPRouteInvalidBackendRefUnknownKind', async (scene) => {
  scene.accepted('same-namespace', 'invalid-backend-ref-unknown-kind')
  scene.route('same-namespace', 'invalid-backend-ref-unknown-kind', 'ResolvedRefs=False InvalidKind')
  await scene.answers('same-namespace', [['/v2', 500]])
})

conformance('HTTPRouteInvalidCrossNamespaceBackendRef', async (scene) => {
  scene.accepted('same-namespace', 'invalid-cross-namespace-backend-ref')
  scene.route('same-namespace', 'invalid-cross-namespace-backend-ref', 'ResolvedRefs=False RefNotPermitted')
  await scene.answers('same-namespace', [['/', 500]])
})

conformance('HTTPRouteInvalidNonExistentBackendRef', async (scene) => {
  scene.accepted('same-namespace', 'invalid-nonexistent-backend-ref')
  scene.route('same-namespace', 'invalid-nonexistent-backend-ref', 'ResolvedRefs=False BackendNotFound')
  await scene.answers('same-namespace', [['/', 500]])
})

conformance('HTTPRouteInvalidReferenceGrant', async (scene) => {
  scene.accepted('same-namespace', 'reference-grant')
  scene.route('same-namespace', 'reference-grant', 'ResolvedRefs=False RefNotPermitted')
  await scene.answers('same-namespace', [['/', 500]])
})

conformance('HTTPRoutePartiallyInvalidViaInvalidReferenceGrant', async (scene) => {
  scene.accepted('same-namespace', 'invalid-reference-grant')
  scene.route('same-namespace', 'invalid-reference-grant', 'ResolvedRefs=False RefNotPermitted')
  await scene.answers('same-namespace', [
    ['/v2', 500],
    ['/', { backend: 'app-backend-v1', namespace: APP }],
  ])
})

conformance('HTTPRouteReferenceGrant', async (scene) => {
  scene.served('same-namespace', 'reference-grant')
  await scene.answers('same-namespace', [['/', { backend: 'web-backend', namespace: WEB }]])
  await scene.cluster.remove('ReferenceGrant', WEB, 'reference-grant')
  await scene.answers('same-namespace', [['/', 500]])
})

conformance('HTTPRouteObservedGenerationBump', async (scene) => {
  await scene.cluster.change('HTTPRoute', INFRA, 'observed-generation-bump', ({ spec }) => ({
    spec: { ...(spec as object), rules: [{ backendRefs: [{ name: 'infra-backend-v2', port: 8080 }] }] },
  }))
  scene.served('same-namespace', 'observed-generation-bump')
})
