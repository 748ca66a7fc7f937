/** Which kinds are served: at the start, when more come, when some go. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { delay } from '../../../src/kube/delay.ts'
import { discover } from '../../../src/kube/discovery.ts'
import type { KubeError } from '../../../src/kube/kube-error.ts'
import { ServedKinds } from '../../../src/kube/served-kinds.ts'
import { BUILT_IN, GATEWAY_KINDS, STANDARD, type ServedResource } from '../../harness/api-server/resources.ts'
import { eventually } from '../../harness/eventually.ts'
import { clientOf, scriptedApi } from '../../harness/kube.ts'

const GROUP = 'gateway.networking.k8s.io'
const groups = ['', 'discovery.k8s.io', GROUP]
const without = (kind: string) => STANDARD.filter((resource) => resource.kind !== kind)
const kindOf = (kind: string): ServedResource => {
  const found = GATEWAY_KINDS.find((resource) => resource.kind === kind)
  if (found === undefined) throw new Error(`Cannot use ${kind}: it must be a kind of the Gateway API`)
  return found
}

async function world(resources: readonly ServedResource[], ahead = () => 0) {
  const api = await scriptedApi(resources)
  const failures: (KubeError | undefined)[] = []
  let changes = 0
  const served = new ServedKinds({
    api: clientOf(api),
    groups,
    definedGroups: [GROUP],
    changed: () => (changes += 1),
    failing: (error) => failures.push(error),
    random: () => 0,
    delay: (milliseconds, signal) => delay(Math.min(milliseconds, 100), signal),
    now: () => performance.now() + ahead(),
  })
  onTestFinished(() => served.stop())
  const has = (kind: string, version = 'v1') => served.resources.some((one) => one.kind === kind && one.version === version)
  return { api, served, failures, has, changes: () => changes }
}

describe('discovery', () => {
  for (const aggregated of [true, false]) {
    it(`finds all kinds and versions of the groups asked for (${aggregated ? 'one document' : 'of before'}), without subresources`, async () => {
      const beta: ServedResource = { ...kindOf('ReferenceGrant'), version: 'v1beta1' }
      const api = await scriptedApi([...STANDARD, beta])
      api.aggregatedDiscovery = aggregated
      const found = await discover(clientOf(api), new Set(groups))
      expect(found.map(({ kind, version }) => `${kind} ${version}`).sort()).toEqual(
        [...STANDARD, beta]
          .filter(({ group }) => groups.includes(group))
          .map(({ kind, version }) => `${kind} ${version}`)
          .sort(),
      )
      expect(found.find(({ kind }) => kind === 'GatewayClass')).toEqual({
        group: GROUP,
        version: 'v1',
        plural: 'gatewayclasses',
        kind: 'GatewayClass',
        namespaced: false,
      })
      expect(api.requests).toHaveLength(aggregated ? 2 : 6)
    })
  }

  it('of groups that are not there is no error', async () => {
    for (const aggregated of [true, false]) {
      const api = await scriptedApi(BUILT_IN)
      api.aggregatedDiscovery = aggregated
      expect((await discover(clientOf(api), new Set([GROUP]))).length).toBe(0)
    }
  })
})

describe('the kinds that are served', () => {
  it('are known at the start, with the version of their bundle', async () => {
    const { served, has } = await world(STANDARD)
    await served.start()
    expect(has('HTTPRoute')).toBe(true)
    expect(served.bundle).toBe('v1.7.0')
  })

  it('are picked up when they appear, also when they are served later than defined', async () => {
    const { api, served, has } = await world(without('TCPRoute'))
    await served.start()
    expect(has('TCPRoute')).toBe(false)
    // The definition comes first.
    const name = 'tcproutes.gateway.networking.k8s.io'
    api.put({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name } })
    const before = api.asked({ verb: 'discover' }).length
    await eventually(() => api.asked({ verb: 'discover' }).length > before + 4, 'looks for it')
    expect(has('TCPRoute')).toBe(false)
    api.install({ ...kindOf('TCPRoute'), custom: false })
    await eventually(() => has('TCPRoute'), 'the kind')
  })

  it('are let go when they go', async () => {
    const { api, served, has } = await world(STANDARD)
    await served.start()
    api.uninstall('TLSRoute')
    await eventually(() => !has('TLSRoute'), 'the end of the kind')
  })

  it('stay while a server that restarts does not serve them yet', async () => {
    const { api, served, has, changes } = await world(STANDARD)
    await served.start()
    const before = changes()
    const looks = api.asked({ verb: 'discover' }).length
    for (const kind of ['HTTPRoute', 'Service']) api.hide(kind)
    // A reason to look.
    api.edit('CustomResourceDefinition', '', `httproutes.${GROUP}`, { metadata: { labels: { a: 'b' } } })
    await eventually(() => api.asked({ verb: 'discover' }).length > looks + 3, 'looks')
    expect(has('HTTPRoute') && has('Service')).toBe(true)
    api.show()
    await delay(300)
    expect(changes()).toBe(before)
  })

  it('are waited for at the start while they are defined and not served', async () => {
    const { api, served, has } = await world(STANDARD)
    api.hide('HTTPRoute')
    let isDone = false
    const starting = served.start().then(() => (isDone = true))
    await eventually(() => api.asked({ verb: 'discover' }).length > 4, 'looks')
    expect(isDone).toBe(false)
    api.show()
    await starting
    expect(has('HTTPRoute')).toBe(true)
  })

  it('are not waited for longer than half a minute', async () => {
    let ahead = 0
    const { api, served, has } = await world(STANDARD, () => ahead)
    api.hide('HTTPRoute')
    const starting = served.start()
    await eventually(() => api.asked({ verb: 'discover' }).length > 4, 'looks')
    ahead = 30_000
    await starting
    expect([has('HTTPRoute'), has('GRPCRoute')]).toEqual([false, true])
  })

  it('are picked up in a further version', async () => {
    const { api, served, has } = await world(without('ReferenceGrant').concat({ ...kindOf('ReferenceGrant'), version: 'v1beta1' }))
    await served.start()
    api.install(kindOf('ReferenceGrant'))
    await eventually(() => has('ReferenceGrant', 'v1'), 'the version')
    expect(has('ReferenceGrant', 'v1beta1')).toBe(true)
  })

  it('have a new bundle version when the definitions are upgraded, both while that goes on', async () => {
    const { api, served } = await world(STANDARD)
    await served.start()
    const bundle = (version: string) => ({ metadata: { annotations: { 'gateway.networking.k8s.io/bundle-version': version } } })
    api.edit('CustomResourceDefinition', '', 'gateways.gateway.networking.k8s.io', bundle('v1.8.0'))
    await eventually(() => served.bundle === 'v1.7.0, v1.8.0', 'both versions')
    for (const { plural, group } of GATEWAY_KINDS) api.edit('CustomResourceDefinition', '', `${plural}.${group}`, bundle('v1.8.0'))
    await eventually(() => served.bundle === 'v1.8.0', 'the new version')
  })

  it('are not looked at again because of a foreign definition', async () => {
    const { api, served } = await world(STANDARD)
    await served.start()
    await eventually(() => api.asked({ verb: 'watch', kind: 'CustomResourceDefinition' })[0], 'a watch')
    await eventually(() => api.asked({ verb: 'discover' }).length === 4, 'the second look')
    await delay(200)
    const before = api.asked({ verb: 'discover' }).length
    const name = 'widgets.example.com'
    api.put({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name } })
    await delay(50)
    expect(api.asked({ verb: 'discover' }).length - before).toBeLessThanOrEqual(2)
  })

  it('are polled where definitions may not be watched', async () => {
    const { api, served, has, failures } = await world(without('TCPRoute'))
    api.fail({ kind: 'CustomResourceDefinition' }, { status: 403, reason: 'Forbidden' }, Infinity)
    await served.start()
    expect(has('HTTPRoute')).toBe(true)
    expect(failures[0]?.status).toBe(403)
    expect(served.bundle).toBeUndefined()
    api.install(kindOf('TCPRoute'))
    await eventually(() => has('TCPRoute'), 'the kind')
  })

  it('are asked for until the server answers', async () => {
    const { api, served, has, failures } = await world(STANDARD)
    api.fail({ verb: 'discover' }, { status: 500 }, 12)
    await served.start()
    expect(has('HTTPRoute')).toBe(true)
    expect(failures.some((error) => error?.status === 500)).toBe(true)
  })
})
