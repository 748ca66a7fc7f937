/** What a mistake of an operator costs a Gateway that serves: its status says so, and no request is lost by it. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkout } from '../checkout.ts'
import { backend, conditionOf, gateway, GATEWAY_API, gatewayOf, httpListener, httpRoute, openGateways, programmed } from './gateways.ts'
import { eventually, type Scene } from './scene.ts'
import { ask, Traffic } from './traffic.ts'

const parametersRef = { group: 'gatewright.dev', kind: 'GatewayParameters', name: 'own' }
const merge = 'application/merge-patch+json'

describe('a Gateway that serves', () => {
  let scene: Scene
  let address: string
  beforeAll(async () => {
    scene = await openGateways()
    await scene.apply(
      {
        apiVersion: 'gatewright.dev/v1alpha1',
        kind: 'GatewayParameters',
        metadata: { name: 'own' },
        spec: { trustedProxies: ['10.0.0.0/8'] },
      },
      gateway('web', [httpListener], { infrastructure: { parametersRef } }),
    )
    const web = await backend(scene, 'web')
    await scene.apply(httpRoute('steady', 'web', 'steady.example.com', [web]))
    address = await programmed(scene, 'web')
    await eventually(async () => (await ask({ address, port: 80, host: 'steady.example.com' })).status === 200, 'a 200')
  })
  afterAll(() => scene.remove())

  const parameters = (): string => `/apis/gatewright.dev/v1alpha1/namespaces/${scene.namespace}/gatewayparameters/own`
  const refused = (reason: string): Promise<string> =>
    eventually(async () => {
      const { metadata, status } = await gatewayOf(scene, 'web')
      const condition = conditionOf(status?.conditions, 'Accepted')
      const isSaid = condition?.reason === reason && condition.status === 'False' && condition.observedGeneration === metadata.generation
      return isSaid && condition.message
    }, `Accepted False ${reason}`)
  const addresses = async (): Promise<readonly (string | undefined)[]> =>
    ((await gatewayOf(scene, 'web')).status?.addresses ?? []).map(({ value }) => value)

  it('says at once that its parameters are not valid any more, and serves on, after a restart of the controllers, too', async () => {
    const running = new Traffic({ address, port: 80, host: 'steady.example.com' })
    await scene.api.patch(parameters(), { spec: { trustedProxies: ['10.0.0.0/33'] } }, merge)
    expect(await refused('InvalidParameters')).toContain('spec.trustedProxies[0] must be an IP address or a CIDR')
    await scene.cluster.kubectl(['-n', 'gatewright-system', 'rollout', 'restart', 'deployment/gatewright'])
    await scene.cluster.kubectl(['-n', 'gatewright-system', 'rollout', 'status', 'deployment/gatewright', '--timeout=60s'])
    // What the new leader alone can have written.
    await scene.apply(httpRoute('later', 'web', 'later.example.com', [{ name: 'web', port: 80 }]))
    await eventually(
      async () => (await ask({ address, port: 80, host: 'later.example.com' })).status === 200,
      'a route that came meanwhile',
    )
    await refused('InvalidParameters')
    expect(await addresses()).toEqual([address])
    await scene.api.patch(parameters(), { spec: { trustedProxies: ['10.0.0.0/16'] } }, merge)
    expect(await programmed(scene, 'web')).toBe(address)
    expect((await running.stop()).failed).toEqual([])
  }, 180_000)

  it('serves on when it asks for an address that cannot be had', async () => {
    const running = new Traffic({ address, port: 80, host: 'steady.example.com' })
    const path = `/apis/${GATEWAY_API}/namespaces/${scene.namespace}/gateways/web`
    await scene.api.patch(path, { spec: { addresses: [{ type: 'Hostname', value: 'gw.example.com' }] } }, merge)
    await refused('UnsupportedAddress')
    expect(await addresses()).toEqual([address])
    await scene.api.patch(path, { spec: { addresses: null } }, merge)
    expect(await programmed(scene, 'web')).toBe(address)
    expect((await running.stop()).failed).toEqual([])
  }, 120_000)
})

describe('the install page', () => {
  it('has a first Gateway that works as it is printed', async () => {
    const scene = await openGateways()
    const file = join(checkout, 'examples/first-gateway.yaml')
    const kubectl = (args: readonly string[]): Promise<string> => scene.cluster.kubectl(args)
    try {
      await kubectl(['wait', '--for=condition=Accepted', 'gatewayclass/gatewright'])
      await kubectl(['apply', '-f', file])
      await kubectl(['wait', '--for=condition=Programmed', '--timeout=2m', 'gateway/first'])
      const address = await kubectl(['get', 'gateway', 'first', '-o', 'jsonpath={.status.addresses[0].value}'])
      // Nodes learn a little later than the Gateway that its pods are ready.
      const response = await eventually(() => fetch(`http://${address}/`, { redirect: 'manual' }), 'an answer of the first Gateway')
      expect([response.status, response.headers.get('location')]).toEqual([302, 'https://gateway-api.sigs.k8s.io/'])
    } finally {
      await kubectl(['delete', '-f', file])
      await kubectl(['wait', '--for=delete', 'pod', '-l', 'gateway.networking.k8s.io/gateway-name=first', '--timeout=1m'])
      await scene.remove()
    }
  }, 180_000)

  it('can have the Service of a Gateway stay within the cluster', async () => {
    const scene = await openGateways()
    try {
      await scene.apply(
        {
          apiVersion: 'gatewright.dev/v1alpha1',
          kind: 'GatewayParameters',
          metadata: { name: 'own' },
          spec: { service: { type: 'NodePort' } },
        },
        gateway('web', [httpListener], { infrastructure: { parametersRef } }),
      )
      const address = await programmed(scene, 'web', 60_000)
      const { spec } = await scene.api.get<{ readonly spec: { readonly type: string; readonly clusterIP: string } }>(
        `/api/v1/namespaces/${scene.namespace}/services/web-gatewright`,
      )
      expect(spec).toMatchObject({ type: 'NodePort', clusterIP: address })
      // Nodes learn the way to it by themselves.
      const answered = (): Promise<boolean> =>
        ask({ address, port: 80, host: 'web.example.com' }).then(
          ({ status }) => status === 404,
          () => false,
        )
      await eventually(answered, 'a 404 by the address within the cluster')
    } finally {
      await scene.remove()
    }
  }, 120_000)
})

describe('a Gateway that goes to a class of another controller', () => {
  it('leaves nothing behind: neither what was made for it, nor the credentials, nor a status that says Programmed', async () => {
    const scene = await openGateways()
    try {
      await scene.apply({
        apiVersion: GATEWAY_API,
        kind: 'GatewayClass',
        metadata: { name: 'elsewhere' },
        spec: { controllerName: 'example.com/other-controller' },
      })
      await scene.apply(gateway('web', [httpListener]))
      await programmed(scene, 'web')
      const path = `/apis/${GATEWAY_API}/namespaces/${scene.namespace}/gateways/web`
      await scene.api.patch(path, { spec: { gatewayClassName: 'elsewhere' } }, merge)
      await eventually(async () => {
        const { status } = await gatewayOf(scene, 'web')
        return conditionOf(status?.conditions, 'Programmed')?.status === 'Unknown' && (status?.addresses ?? []).length === 0
      }, 'the end of Programmed')
      const left = ['deployments', 'services', 'secrets', 'serviceaccounts', 'poddisruptionbudgets'].join()
      const list = (): Promise<string> => scene.cluster.kubectl(['-n', scene.namespace, 'get', left, '-o', 'name'])
      await eventually(async () => !(await list()).includes('web-gatewright'), 'the end of what was made')
    } finally {
      await scene.cluster.kubectl(['delete', 'gatewayclass', 'elsewhere', '--ignore-not-found'])
      await scene.remove()
    }
  }, 120_000)
})
