import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UNUSABLE_ADDRESS, USABLE_ADDRESS } from '../addresses.ts'
import type { Service } from '../objects.ts'
import { http, tcp, udp } from './exchange.ts'
import { addressOf, echoPod, eventually, openScene, readyPod, scriptPod, service } from './scene.ts'
import type { Scene } from './scene.ts'

const podOf = (body: string): string => (JSON.parse(body) as { pod: string }).pod

describe('the address of a Service of type LoadBalancer', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene()
  })
  afterAll(() => scene.remove())

  const statusOf = async (name: string): Promise<Service['status']> =>
    (await scene.api.get<Service>(`/api/v1/namespaces/${scene.namespace}/services/${name}`)).status

  it('answers HTTP, from each of the pods behind it', async () => {
    const twin = (name: string): object => ({ ...echoPod(name), metadata: { name, labels: { app: 'web' } } })
    await scene.apply(twin('web-1'), twin('web-2'), service('web', [{ port: 80, targetPort: 3000 }]))
    const address = await addressOf(scene, 'web')
    const seen = new Set<string>()
    await eventually(async () => {
      seen.add(podOf((await http(address, 80)).body))
      return seen.size === 2
    }, 'answers of both pods')
    expect([...seen].sort()).toEqual(['web-1', 'web-2'])
  })

  it('leads to no pod that is not ready', async () => {
    await scene.api.delete(`/api/v1/namespaces/${scene.namespace}/pods/web-1`)
    const address = await addressOf(scene, 'web')
    await eventually(async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => http(address, 80)))
      return answers.every(({ body }) => podOf(body) === 'web-2')
    }, 'answers of the pod that is left')
  })

  it('refuses a port that the Service does not have', async () => {
    await expect(http(await addressOf(scene, 'web'), 81)).rejects.toThrow('ECONNREFUSED')
  })

  it('carries TCP', async () => {
    await scene.apply(echoPod('tcp', { TCP_ECHO_SERVER: '1' }), service('tcp', [{ port: 9000, targetPort: 3000 }]))
    const address = await addressOf(scene, 'tcp')
    const text = await eventually(() => tcp(address, 9000, 'TEST\n', /"pod"/), 'an answer over TCP')
    expect(text).toContain('"pod":"tcp"')
  })

  it('carries UDP, and the answer comes from the address that was asked', async () => {
    await scene.apply(echoPod('udp', { UDP_ECHO_SERVER: '1' }), service('udp', [{ port: 5300, targetPort: 8080, protocol: 'UDP' }]))
    const address = await addressOf(scene, 'udp')
    const { text, from } = await eventually(() => udp(address, 5300, 'hello'), 'an answer over UDP')
    expect(text).toContain('"pod":"udp"')
    expect(from).toBe(`${address}:5300`)
  })

  it('is the one that was asked for, where it is in the pool', async () => {
    await scene.apply(service('asks', [{ port: 80 }], { loadBalancerIP: USABLE_ADDRESS }))
    expect(await addressOf(scene, 'asks')).toBe(USABLE_ADDRESS)
  })

  it('is none where one outside the pool is asked for, until a usable one is', async () => {
    await scene.apply(service('asks-badly', [{ port: 80 }], { loadBalancerIP: UNUSABLE_ADDRESS }), service('later', [{ port: 80 }]))
    // Services get their addresses in order: when a later one has its own, the earlier one was looked at.
    await addressOf(scene, 'later')
    expect((await statusOf('asks-badly'))?.loadBalancer).toEqual({})
    await scene.apply(service('asks-badly', [{ port: 80 }], { loadBalancerIP: '10.245.0.251' }))
    expect(await addressOf(scene, 'asks-badly')).toBe('10.245.0.251')
    await scene.apply(service('asks-badly', [{ port: 80 }], { loadBalancerIP: UNUSABLE_ADDRESS }))
    await eventually(async () => (await statusOf('asks-badly'))?.loadBalancer?.ingress === undefined, 'the address is taken back')
  })

  it('is not that of another Service', async () => {
    const addresses = await Promise.all(['web', 'tcp', 'udp', 'asks', 'later'].map((name) => addressOf(scene, name)))
    expect(new Set(addresses).size).toBe(addresses.length)
  })

  it('can be had by pods under the name of the Service', async () => {
    const script = `
      for (;;) {
        try {
          const answer = await fetch('http://web.${scene.namespace}.svc/')
          console.log('pod ' + (await answer.json()).pod)
        } catch (error) { console.log(String(error.cause)) }
        await new Promise((resolve) => setTimeout(resolve, 200))
      }`
    await scene.apply(scriptPod('asks-web', script))
    await readyPod(scene, 'asks-web')
    await eventually(
      async () => (await scene.api.text(`/api/v1/namespaces/${scene.namespace}/pods/asks-web/log`)).includes('pod web-2'),
      'an answer in a pod',
    )
  })
})
