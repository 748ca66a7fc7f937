/** Addresses that a Gateway asks for: one LoadBalancer Service for each. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadBalancerAddress, UNUSABLE_ADDRESS } from '../addresses.ts'
import type { KubeObject } from '../objects.ts'
import {
  backend,
  conditionOf,
  gateway,
  type GatewayObject,
  gatewayOf,
  httpListener,
  httpRoute,
  openGateways,
  programmed,
} from './gateways.ts'
import { eventually, type Scene } from './scene.ts'
import { ask } from './traffic.ts'

const [first, second] = [loadBalancerAddress(240), loadBalancerAddress(241)]

function addressesIn(status: GatewayObject['status']): string | undefined {
  return status?.addresses?.map(({ value }) => value).join()
}

describe('a Gateway that asks for several addresses', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openGateways()
  })
  afterAll(() => scene.remove())

  const asking = (...addresses: readonly string[]): object =>
    gateway('web', [httpListener], { addresses: addresses.map((value) => ({ type: 'IPAddress', value })) })
  const balancers = async (): Promise<readonly string[]> => {
    const labelled = `labelSelector=gateway.networking.k8s.io%2Fgateway-name%3Dweb`
    const { items } = await scene.api.get<{
      readonly items: readonly (KubeObject & { readonly spec: { readonly type: string; readonly loadBalancerIP?: string } })[]
    }>(`/api/v1/namespaces/${scene.namespace}/services?${labelled}`)
    return items.flatMap(({ spec }) => (spec.type === 'LoadBalancer' ? [spec.loadBalancerIP ?? 'any'] : [])).sort()
  }
  const answers = async (address: string): Promise<number> => (await ask({ address, port: 80, host: 'a.example.com' })).status

  it('serves on all of them, says which were not granted, and lets go of those that it does not ask for any more', async () => {
    const echo = await backend(scene, 'echo')
    await scene.apply(asking(UNUSABLE_ADDRESS, '2001:db8::1', first, second), httpRoute('all', 'web', 'a.example.com', [echo]))
    const refused = await eventually(async () => {
      const { status } = await gatewayOf(scene, 'web')
      const condition = conditionOf(status?.conditions, 'Programmed')
      return condition?.reason === 'AddressNotUsable' && addressesIn(status) === `${first},${second}` && condition
    }, 'two addresses of four')
    // A cluster of IPv4 refuses the very Service that asks for the other one: the rest stands all the same.
    expect(refused.message).toContain(`Not granted: ${UNUSABLE_ADDRESS} and 2001:db8::1.`)
    await scene.apply(asking(first, second))
    await programmed(scene, 'web')
    for (const address of [first, second]) await eventually(async () => (await answers(address)) === 200, `an answer of ${address}`)
    expect(await balancers()).toEqual([first, second])

    // The one that stays is not touched.
    await scene.apply(asking(second))
    await eventually(async () => (await balancers()).join() === second, 'one Service')
    await eventually(async () => addressesIn((await gatewayOf(scene, 'web')).status) === second, 'one address')
    expect(await answers(second)).toBe(200)

    await scene.apply(gateway('web', [httpListener], { addresses: [{ type: 'IPAddress' }] }))
    await eventually(async () => (await balancers()).join() === 'any', 'a Service without a wish')
    const given = await programmed(scene, 'web')
    await eventually(async () => (await answers(given)) === 200, 'an answer')
  })
})
