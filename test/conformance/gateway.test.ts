/** The suite's tests of GatewayClass and Gateway: conditions of listeners, supported kinds, certificates, attached routes, generations. */
import { expect } from 'vitest'
import { conformanceTests } from './conformance.ts'
import type { ListenerClaim, Scene } from './scene.ts'
import { addresses, INFRA } from './suite-objects.ts'
import type { Manifest } from './suite-module.ts'

const conformance = conformanceTests()

const good = ['Accepted=True', 'ResolvedRefs=True']

conformance('GatewayClassObservedGenerationBump', async ({ cluster }) => {
  await cluster.change('GatewayClass', '', 'gatewayclass-observed-generation-bump', ({ spec }) => ({
    spec: { ...(spec as object), description: 'new' },
  }))
  const { conditions } = cluster.status('GatewayClass', '', 'gatewayclass-observed-generation-bump')
  expect(conditions.find(({ type }) => type === 'Accepted')).toMatchObject({ status: 'True', observedGeneration: 2 })
})

conformance('GatewayObservedGenerationBump', async ({ cluster }) => {
  await addListener({ cluster }, 'gateway-observed-generation-bump', 'alternate', 'foo.com')
  expect(generationsOf({ cluster }, 'gateway-observed-generation-bump')).toEqual(new Set([2]))
})

conformance('GatewayNameMaximumLength', (scene) => {
  expect(generationsOf(scene, `gateway-name-maximum-length-${'a'.repeat(253 - 28)}`)).toEqual(new Set([1]))
})

conformance('GatewayListenerUnsupportedProtocol', (scene) => {
  const invalid: ListenerClaim = { kinds: [], attached: 0, conditions: ['Accepted=False UnsupportedProtocol'] }
  scene.gateway('gateway-only-unsupported-protocols', 'Accepted=False ListenersNotValid')
  scene.listeners('gateway-only-unsupported-protocols', { invalid })
  scene.gateway('gateway-supported-and-unsupported-protocols', 'Accepted=True ListenersNotValid')
  scene.listeners('gateway-supported-and-unsupported-protocols', {
    http: { kinds: ['HTTPRoute'], attached: 0, conditions: ['Accepted=True Accepted'] },
    invalid,
  })
})

conformance('GatewayInvalidRouteKind', (scene) => {
  const conditions = ['ResolvedRefs=False InvalidRouteKinds']
  scene.listeners('gateway-only-invalid-route-kind', { http: { kinds: [], attached: 0, conditions } })
  scene.listeners('gateway-supported-and-invalid-route-kind', { http: { kinds: ['HTTPRoute'], attached: 0, conditions } })
})

conformance('GatewayInvalidTLSConfiguration', (scene) => {
  for (const what of ['nonexistent-secret', 'unsupported-group', 'unsupported-kind', 'malformed-secret']) {
    scene.listeners(`gateway-certificate-${what}`, {
      https: { kinds: ['HTTPRoute'], attached: 0, conditions: ['ResolvedRefs=False InvalidCertificateRef'] },
    })
  }
})

conformance('GatewaySecretInvalidReferenceGrant', (scene) => {
  scene.listeners('gateway-secret-invalid-reference-grant', { https: notPermitted })
})

conformance('GatewaySecretMissingReferenceGrant', (scene) => {
  scene.listeners('gateway-secret-missing-reference-grant', { https: notPermitted, 'https-nonexistent-secret': notPermitted })
})

conformance('GatewaySecretReferenceGrantAllInNamespace', (scene) => {
  scene.listeners('gateway-secret-reference-grant-all-in-namespace', { https: permitted })
})

conformance('GatewaySecretReferenceGrantSpecific', (scene) => {
  scene.listeners('gateway-secret-reference-grant-specific', { https: permitted })
})

conformance('GatewayWithAttachedRoutes', (scene) => {
  scene.listeners('gateway-with-one-attached-route', { http: attached(1) })
  scene.listeners('gateway-with-two-attached-routes', { http: attached(2) })
  scene.route('gateway-with-two-attached-routes', 'http-route-not-accepted', 'Accepted=False NoMatchingListenerHostname')
  scene.listeners('unresolved-gateway-with-one-attached-unresolved-route', {
    tls: { kinds: ['HTTPRoute'], attached: 1, conditions: ['Programmed=False', 'ResolvedRefs=False'] },
  })
  scene.route('unresolved-gateway-with-one-attached-unresolved-route', 'http-route-4', 'ResolvedRefs=False')
})

conformance('GatewayWithAttachedRoutesWithPort8080', (scene) => {
  scene.listeners('gateway-with-two-listeners-and-one-attached-route', { 'http-unattached': attached(0), http: attached(1) })
})

conformance('GatewayModifyListeners', async (scene) => {
  await addListener(scene, 'gateway-add-listener', 'http', 'data.test.com')
  scene.listeners('gateway-add-listener', { https: attached(1), http: attached(1) })
  expect(generationsOf(scene, 'gateway-add-listener')).toEqual(new Set([2]))
  await scene.answers('gateway-add-listener', [['data.test.com/', 'infra-backend-v1']])

  await scene.answers('gateway-remove-listener', [['secure.test.com/', 'infra-backend-v1']], 443)
  await changeListeners(scene, 'gateway-remove-listener', (listeners) => listeners.filter(({ name }) => name === 'http'))
  scene.listeners('gateway-remove-listener', { http: attached(1) })
  expect(generationsOf(scene, 'gateway-remove-listener')).toEqual(new Set([2]))
  await expect(scene.answers('gateway-remove-listener', [['secure.test.com/', 'infra-backend-v1']], 443)).rejects.toThrow(
    /ECONNREFUSED|socket hang up/,
  )
})

conformance('GatewayHTTPListenerIsolation', async (scene) => {
  const paths = ['empty-hostname', 'wildcard-example-com', 'wildcard-foo-example-com', 'abc-foo-example-com']
  const hosts = ['bar.com', 'bar.example.com', 'bar.foo.example.com', 'abc.foo.example.com']
  for (const suffix of ['', '-with-hostname-intersection']) {
    scene.served(`http-listener-isolation${suffix}`, ...paths.map((path) => `attaches-to-${path}${suffix}`))
    // Each host has a listener of its own, and each listener one path.
    await scene.answers(
      `http-listener-isolation${suffix}`,
      hosts.flatMap((host, own) => paths.map((path, index) => [`${host}/${path}`, own === index ? 'infra-backend-v1' : 404] as const)),
    )
  }
})

const notPermitted: ListenerClaim = { kinds: ['HTTPRoute'], attached: 0, conditions: ['ResolvedRefs=False RefNotPermitted'] }
const permitted: ListenerClaim = { kinds: ['HTTPRoute'], attached: 0, conditions: ['Programmed=True Programmed', 'ResolvedRefs=True'] }

function attached(count: number): ListenerClaim {
  return { kinds: ['HTTPRoute'], attached: count, conditions: good }
}

/** Of all conditions of the Gateway and its listeners. */
function generationsOf({ cluster }: Pick<Scene, 'cluster'>, gateway: string): ReadonlySet<number> {
  const { conditions, listeners } = cluster.status('Gateway', INFRA, gateway)
  const all = [...conditions, ...listeners.flatMap((listener) => listener.conditions)]
  return new Set(all.map(({ observedGeneration }) => observedGeneration))
}

function addListener(scene: Pick<Scene, 'cluster'>, gateway: string, name: string, hostname: string): Promise<void> {
  const listener = { name, hostname, port: 80, protocol: 'HTTP', allowedRoutes: { namespaces: { from: 'All' } } }
  return changeListeners(scene, gateway, (listeners) => [...listeners, listener])
}

type Listeners = readonly { readonly name: string }[]

function changeListeners({ cluster }: Pick<Scene, 'cluster'>, gateway: string, edit: (listeners: Listeners) => Listeners): Promise<void> {
  return cluster.change('Gateway', INFRA, gateway, ({ spec }: Manifest) => {
    const before = spec as { readonly listeners: Listeners }
    return { spec: { ...before, listeners: edit(before.listeners) } }
  })
}

conformance('GatewayOptionalAddressValue', (scene) => {
  scene.accepted('gateway-without-address-value')
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

conformance('GatewayInvalidParametersRef', (scene) => {
  scene.gateway('gateway-invalid-parameters-ref', 'Accepted=False InvalidParameters')
})

conformance('GatewayInvalidTLSBackendConfiguration', (scene) => {
  for (const what of ['nonexistent-secret', 'unsupported-group', 'unsupported-kind', 'malformed-secret']) {
    const gateway = `gateway-client-certificate-${what}`
    scene.gateway(gateway, 'Accepted=True Accepted', 'ResolvedRefs=False InvalidClientCertificateRef')
  }
  const gateway = 'gateway-client-certificate-missing-reference-grant'
  scene.gateway(gateway, 'Accepted=True Accepted', 'ResolvedRefs=False RefNotPermitted')
})
