/** XBackends in the cluster: the Service that finds their pods, with the rights of deploy/, and what their statuses say. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../objects.ts'
import { type Condition, conditionOf, gateway, GATEWAY_API, httpListener, openGateways, programmed } from './gateways.ts'
import { echoPod, eventually, readyPod, type Scene } from './scene.ts'
import { ask } from './traffic.ts'

const EXPERIMENTAL = 'gateway.networking.x-k8s.io/v1alpha1'

interface WithAncestors extends KubeObject {
  readonly status?: { readonly ancestors?: readonly { readonly conditions?: readonly Condition[] }[] }
}

interface EndpointService extends KubeObject {
  readonly metadata: KubeObject['metadata'] & {
    readonly annotations?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[]
  }
  readonly spec: { readonly clusterIP?: string; readonly selector?: Readonly<Record<string, string>> }
}

function xBackend(name: string, spec: object): object {
  return { apiVersion: EXPERIMENTAL, kind: 'XBackend', metadata: { name }, spec }
}

function selecting(app: string): object {
  return { type: 'EndpointSelector', port: { number: 3000 }, endpointSelector: { matchLabels: { app } } }
}

function route(name: string, backend: string): object {
  return {
    apiVersion: GATEWAY_API,
    kind: 'HTTPRoute',
    metadata: { name },
    spec: {
      parentRefs: [{ name: 'web' }],
      hostnames: [`${name}.example.com`],
      rules: [{ backendRefs: [{ group: 'gateway.networking.x-k8s.io', kind: 'XBackend', name: backend }] }],
    },
  }
}

describe('XBackends', () => {
  let scene: Scene
  let address: string
  beforeAll(async () => {
    scene = await openGateways()
    await scene.apply(gateway('web', [httpListener]))
    await scene.apply(echoPod('one'), echoPod('two'))
    await readyPod(scene, 'one')
    await readyPod(scene, 'two')
    address = await programmed(scene, 'web')
  })
  afterAll(() => scene.remove())

  const podOf = async (name: string): Promise<string> => {
    const { status, body } = await ask({ address, port: 80, host: `${name}.example.com` })
    return status === 200 ? (JSON.parse(body) as { readonly pod: string }).pod : `${status}`
  }
  const accepted = async (plural: string, name: string): Promise<Condition> =>
    eventually(async () => {
      const { status } = await scene.api.get<WithAncestors>(`/apis/${EXPERIMENTAL}/namespaces/${scene.namespace}/${plural}/${name}`)
      return conditionOf(status?.ancestors?.[0]?.conditions, 'Accepted')
    }, `${plural} ${name} Accepted`)
  const services = async (): Promise<readonly EndpointService[]> => {
    const path = `/api/v1/namespaces/${scene.namespace}/services`
    const { items } = await scene.api.get<{ readonly items: readonly EndpointService[] }>(path)
    return items.filter(({ metadata }) => metadata.annotations?.['gatewright.dev/x-backend'] !== undefined)
  }

  it('that select pods are reached at them, follow their selector, and take their Service with them', async () => {
    await scene.apply(xBackend('pods', selecting('one')), route('pods', 'pods'))
    await eventually(async () => (await podOf('pods')) === 'one', 'an answer of the first pod')
    expect(await accepted('xbackends', 'pods')).toMatchObject({ status: 'True', reason: 'Accepted' })
    const [made, ...others] = await services()
    expect(others).toEqual([])
    expect(made?.metadata.name).toMatch(/^xbackend-pods-\w{5}$/)
    expect(made?.metadata.ownerReferences).toMatchObject([{ kind: 'XBackend', name: 'pods' }])
    expect(made?.spec).toMatchObject({ clusterIP: 'None', selector: { app: 'one' } })

    await scene.apply(xBackend('pods', selecting('two')))
    await eventually(async () => (await podOf('pods')) === 'two', 'an answer of the second pod')
    expect((await services()).map(({ metadata }) => metadata.name)).toEqual([made?.metadata.name])

    await scene.api.delete(`/apis/${EXPERIMENTAL}/namespaces/${scene.namespace}/xbackends/pods`)
    await eventually(async () => (await services()).length === 0, 'the end of the Service')
    expect(await podOf('pods')).toBe('500')
  })

  it('that are names are refused where the CRD refuses them, and get 503 while they have no address', async () => {
    const named = (hostname: string): object =>
      xBackend('outside', { type: 'ExternalHostname', port: { number: 80 }, externalHostname: { hostname } })
    await expect(scene.apply(named('web.other.svc.cluster.local'))).rejects.toThrow('cluster.local')
    await scene.apply(named('nowhere.invalid'), route('outside', 'outside'))
    expect((await accepted('xbackends', 'outside')).status).toBe('True')
    await eventually(async () => (await podOf('outside')) === '503', 'a 503')
  })

  it('and their policies are told what came of them', async () => {
    const policy = (name: string): object => ({
      apiVersion: EXPERIMENTAL,
      kind: 'XBackendTrafficPolicy',
      metadata: { name },
      spec: {
        targetRefs: [{ group: 'gateway.networking.x-k8s.io', kind: 'XBackend', name: 'calm' }],
        retryConstraint: { budget: { percent: 10, interval: '10s' } },
      },
    })
    await scene.apply(xBackend('calm', selecting('one')), route('calm', 'calm'), policy('first'))
    expect(await accepted('xbackendtrafficpolicies', 'first')).toMatchObject({ status: 'True' })
    // Of the same second the first name is the older one.
    await scene.apply(policy('second'))
    expect(await accepted('xbackendtrafficpolicies', 'second')).toMatchObject({ status: 'False', reason: 'Conflicted' })
  })
})
