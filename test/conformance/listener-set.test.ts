/** The suite's tests of ListenerSets: who is let in, who comes first, what routes reach. */
import { conformanceTests } from './conformance.ts'
import type { Row } from './request-table.ts'
import type { Claim, ListenerClaim, Scene } from './scene.ts'

const conformance = conformanceTests()

const accepted: readonly Claim[] = ['Accepted=True Accepted', 'Programmed=True Programmed']
const refused: readonly Claim[] = ['Accepted=False NotAllowed', 'Programmed=False NotAllowed']
const notValid: readonly Claim[] = ['Accepted=False ListenersNotValid', 'Programmed=False ListenersNotValid']

conformance('ListenerSetDefaultNotAllowed', (scene) => {
  scene.gateway('gateway-default-does-not-allow-listenerset', 'Accepted=True')
  scene.attachedSets('gateway-default-does-not-allow-listenerset', 0)
  scene.listenerSet('listenerset-default-not-allowed', ...refused)
})

conformance('ListenerSetAllowedNamespaceNone', (scene) => {
  scene.gateway('gateway-does-not-allow-listenerset', 'Accepted=True')
  scene.attachedSets('gateway-does-not-allow-listenerset', 0)
  scene.listenerSet('listenerset-not-allowed', ...refused)
})

conformance('ListenerSetAllowedNamespaceSame', (scene) => {
  scene.gateway('gateway-allows-listenerset-in-same-namespace', 'Accepted=True')
  scene.attachedSets('gateway-allows-listenerset-in-same-namespace', 1)
  scene.listenerSet('listenerset-in-same-namespace', ...accepted)
  scene.setListeners('listenerset-in-same-namespace', { 'listenerset-in-same-namespace-listener': good(0) })
  scene.listenerSet('gateway-api-listenerset-not-allowed-ns/listenerset-in-different-namespace', ...refused)
})

conformance('ListenerSetAllowedNamespaceSelector', (scene) => {
  scene.gateway('gateway-allows-listenerset-in-selected-namespace', 'Accepted=True')
  scene.attachedSets('gateway-allows-listenerset-in-selected-namespace', 1)
  const selected = 'gateway-api-listenerset-selector-allowed-ns/listenerset-in-selected-namespace'
  scene.listenerSet(selected, ...accepted)
  scene.setListeners(selected, { 'listenerset-in-selected-namespace-listener': good(0) })
  scene.listenerSet('gateway-api-listenerset-selector-not-allowed-ns/listenerset-not-in-selected-namespace', ...refused)
})

conformance('ListenerSetHostnameConflict', (scene) => {
  conflicts(scene, 'hostname', 'HostnameConflict')
})

conformance('ListenerSetProtocolConflict', (scene) => {
  conflicts(scene, 'protocol', 'ProtocolConflict')
})

/** Both tests have the same names and the same outcome, told apart by what the listeners quarrel about. */
function conflicts(scene: Scene, what: string, reason: string): void {
  const gateway = `gateway-with-listenerset-${what}-conflict`
  const [withGateway, withSet] = [`${what}-conflict-with-gateway-listener`, `${what}-conflict-with-listener-set-listener`]
  const sets = `listenerset-with-${what}-conflict-with`
  const lost: ListenerClaim = {
    kinds: [],
    attached: 0,
    conditions: [`Accepted=False ${reason}`, `Programmed=False ${reason}`, `Conflicted=True ${reason}`],
  }
  const programmed = ['Accepted=True', 'Programmed=True Programmed']
  scene.gateway(gateway, 'Accepted=True')
  scene.listeners(gateway, { 'gateway-listener': good(0), [withGateway]: good(0) })
  scene.attachedSets(gateway, 2)
  scene.listenerSet(`${sets}-gateway-1`, ...programmed)
  conditionsOf(scene, `${sets}-gateway-1`, { 'listener-set-1-listener': good(0), [withGateway]: lost, [withSet]: good(0) })
  scene.listenerSet(`${sets}-gateway-2`, ...notValid)
  conditionsOf(scene, `${sets}-gateway-2`, { [withGateway]: lost })
  scene.listenerSet(`${sets}-listener-set-1`, ...programmed)
  conditionsOf(scene, `${sets}-listener-set-1`, { 'listener-set-2-listener': good(0), [withSet]: lost })
  scene.listenerSet(`${sets}-listener-set-2`, ...notValid)
  conditionsOf(scene, `${sets}-listener-set-2`, { [withSet]: lost })
}

/** As `setListeners`, where the suite does not look at kinds. */
function conditionsOf(scene: Scene, listenerSet: string, claims: Readonly<Record<string, ListenerClaim>>): void {
  scene.setListeners(
    listenerSet,
    Object.fromEntries(Object.entries(claims).map(([name, claim]) => [name, { ...claim, kinds: 'any' as const }])),
  )
}

conformance('ListenerSetReferenceGrant', (scene) => {
  scene.gateway('gateway-with-listener-sets-test-reference-grant', 'Accepted=True')
  scene.listenerSet('listenerset-with-reference-grant', 'Accepted=True', 'Programmed=True')
  scene.setListeners('listenerset-with-reference-grant', {
    'listenerset-with-reference-grant-listener': { kinds: 'any', attached: 0, conditions: ['ResolvedRefs=True'] },
  })
  const without = 'gateway-api-listener-sets-test-reference-grant-ns/listenerset-without-reference-grant'
  scene.listenerSet(without, ...notValid)
  scene.setListeners(without, {
    'listenerset-without-reference-grant-listener': { kinds: 'any', attached: 0, conditions: ['ResolvedRefs=False RefNotPermitted'] },
  })
})

conformance('ListenerSetHTTPRouting', async (scene) => {
  const gateway = 'gateway-with-listener-sets-http-routing'
  scene.accepted(gateway, 'attaches-to-all-listeners', 'gateway-route', 'gateway-section-route')
  scene.attachedSets(gateway, 2)
  const [one, two] = ['listener-set-http-routing-1', 'listener-set-http-routing-2']
  for (const route of ['attaches-to-all-listeners', `${one}-route`, `${one}-section-route`]) scene.setRoute(one, route, ...attached)
  scene.setListeners(one, { [`${one}-listener-1`]: good(3), [`${one}-listener-2`]: good(2) })
  for (const route of ['attaches-to-all-listeners', `${two}-route`]) scene.setRoute(two, route, ...attached)
  scene.setListeners(two, { [`${two}-listener-1`]: good(2), [`${two}-listener-2`]: good(2) })

  const hosts = ['gateway', one, two].flatMap((owner) => [`${owner}-listener-1.com`, `${owner}-listener-2.com`])
  const routes: readonly (readonly [path: string, backend: string, hosts: readonly string[]])[] = [
    ['/route', 'infra-backend-v1', hosts],
    ['/gateway-route', 'infra-backend-v2', hosts.slice(0, 2)],
    ['/gateway-section-route', 'infra-backend-v3', hosts.slice(0, 1)],
    [`/${one}-route`, 'infra-backend-v2', hosts.slice(2, 4)],
    [`/${one}-section-route`, 'infra-backend-v3', hosts.slice(2, 3)],
    [`/${two}-route`, 'infra-backend-v2', hosts.slice(4)],
  ]
  await scene.answers(
    gateway,
    routes.flatMap(([path, backend, own]) => hosts.map((host): Row => [`${host}${path}`, own.includes(host) ? backend : 404])),
  )
})

conformance('ListenerSetAllowedRoutesNamespaces', async (scene) => {
  const gateway = 'gateway-with-listener-sets-test-allowed-routes'
  scene.gateway(gateway, 'Accepted=True')
  scene.attachedSets(gateway, 2)
  const near = 'listenerset-test-allowed-routes-namespaces'
  const routes = [
    'route-in-same-namespace',
    'gateway-api-routes-allowed-ns/route-in-selected-namespace',
    'gateway-api-routes-not-allowed-ns/route-not-in-selected-namespace',
  ]
  for (const route of routes) scene.setRoute(near, route, ...attached)
  const listener = 'listener-set-listener-allowed-routes'
  scene.setListeners(near, { [`${listener}-all`]: good(3), [`${listener}-same`]: good(1), [`${listener}-selector`]: good(1) })
  const [same, selected, other] = ['/route-in-same-namespace', '/route-in-selected-namespace', '/route-not-in-selected-namespace']
  await scene.answers(gateway, [
    [`${listener}-all.com${same}`, 'infra-backend-v1'],
    [`${listener}-all.com${selected}`, 'infra-backend-v2'],
    [`${listener}-all.com${other}`, 'infra-backend-v3'],
    [`${listener}-same.com${same}`, 'infra-backend-v1'],
    [`${listener}-same.com${selected}`, 404],
    [`${listener}-same.com${other}`, 404],
    [`${listener}-selector.com${same}`, 404],
    [`${listener}-selector.com${selected}`, 'infra-backend-v2'],
    [`${listener}-selector.com${other}`, 404],
  ])

  const far = 'gateway-api-ls-cross-ns/listenerset-test-allowed-routes-cross-ns'
  scene.setRoute(far, 'gateway-api-ls-cross-ns/route-in-listenerset-namespace', ...attached)
  scene.setRoute(far, 'route-in-gateway-namespace', 'Accepted=False NotAllowedByListeners')
  scene.setListeners(far, { [`${listener}-cross-ns-same`]: good(1) })
  await scene.answers(gateway, [
    [`${listener}-cross-ns-same.com/route-in-listenerset-namespace`, 'infra-backend-v1'],
    [`${listener}-cross-ns-same.com/route-in-gateway-namespace`, 404],
  ])
})

conformance('ListenerSetGatewayParentSectionNameNotFound', async (scene) => {
  scene.gateway('gateway-section-name', 'Accepted=True')
  scene.attachedSets('gateway-section-name', 1)
  scene.setRoute('listenerset-section-name', 'route-via-listenerset', ...attached)
  scene.route('gateway-section-name', 'route-via-gateway', 'Accepted=False NoMatchingParent')
  await scene.answers('gateway-section-name', [
    ['ls-section-name.com/goodsection', 'infra-backend-v1'],
    ['gw-section.com/badsection', 404],
  ])
})

conformance('ListenerSetDualParentRefIndependence', async (scene) => {
  const [gateway, set] = ['gateway-dual-parentref', 'ls-dual-parentref']
  scene.gateway(gateway, 'Accepted=True')
  scene.attachedSets(gateway, 1)
  scene.setListeners(set, { 'ls-dual-parentref-listener': good(2) })
  scene.route(gateway, 'route-dual-parentref-both', 'Accepted=True')
  scene.setRoute(set, 'route-dual-parentref-both', 'Accepted=True')
  scene.route(gateway, 'route-dual-parentref-one', 'Accepted=False NoMatchingParent')
  scene.setRoute(set, 'route-dual-parentref-one', ...attached)
  await scene.answers(gateway, [
    ['gw-dual.com/dualboth', 'infra-backend-v1'],
    ['ls-dual.com/dualboth', 'infra-backend-v1'],
    ['ls-dual.com/dualone', 'infra-backend-v2'],
    ['gw-dual.com/dualone', 404],
  ])
})

conformance('ListenerSetRouteStatusScopedToParentRef', (scene) => {
  scene.gateway('gateway-parentref', 'Accepted=True')
  scene.attachedSets('gateway-parentref', 1)
  scene.setListeners('listenerset-parentref', { 'listenerset-parentref-listener': good(1) })
  scene.route('gateway-parentref', 'route-parentref-gwonly', 'Accepted=True')
  scene.setRoute('listenerset-parentref', 'route-parentref-lsonly', 'Accepted=True')
  for (const route of ['route-parentref-gwonly', 'route-parentref-lsonly']) scene.onlyParent(route)
})

const attached: readonly Claim[] = ['Accepted=True Accepted', 'ResolvedRefs=True ResolvedRefs']

function good(count: number): ListenerClaim {
  return { kinds: ['HTTPRoute'], attached: count, conditions: ['ResolvedRefs=True', 'Accepted=True', 'Programmed=True'] }
}

conformance('ListenerSetAllowedRoutesSupportedKinds', (scene) => {
  scene.gateway('gateway-with-listener-sets-test-supported-route-kinds', 'Accepted=True')
  scene.setListeners('listenerset-test-allowed-routes-supported-kinds', {
    'listener-set-listener-allowed-routes-tls-only': { kinds: 'any', attached: 0, conditions: ['ResolvedRefs=False InvalidRouteKinds'] },
  })
})
