/** What is made for Gateways, and what becomes of it: how field owners and admission of a real API server see it. */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../objects.ts'
import { conditionOf, gateway, gatewayOf, httpListener, openGateways, programmed, type Condition } from './gateways.ts'
import { eventually, type Scene } from './scene.ts'

const merge = 'application/merge-patch+json'
const policies = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'

interface Container {
  readonly command?: readonly string[]
}
interface DeploymentObject extends KubeObject {
  readonly spec: {
    readonly replicas: number
    readonly paused?: boolean
    readonly template: { readonly spec: { readonly containers: readonly Container[] } }
  }
}
interface ServiceObject extends KubeObject {
  readonly spec: { readonly selector: Readonly<Record<string, string>> }
}

describe('what is made for a Gateway', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openGateways()
  })
  afterAll(async () => {
    await scene.remove()
  })

  const pathOf = (kind: 'deployments' | 'services' | 'poddisruptionbudgets', name: string): string => {
    const group = { deployments: '/apis/apps/v1', services: '/api/v1', poddisruptionbudgets: '/apis/policy/v1' }[kind]
    return `${group}/namespaces/${scene.namespace}/${kind}/${name}-gatewright`
  }
  const deploymentOf = (name: string): Promise<DeploymentObject> => scene.api.get(pathOf('deployments', name))
  const parametersPath = (name: string): string => `/apis/gatewright.dev/v1alpha1/namespaces/${scene.namespace}/gatewayparameters/${name}`
  const withParameters = async (name: string, spec: object, more: object = {}): Promise<void> => {
    const parametersRef = { group: 'gatewright.dev', kind: 'GatewayParameters', name }
    await scene.apply(
      { apiVersion: 'gatewright.dev/v1alpha1', kind: 'GatewayParameters', metadata: { name }, spec },
      gateway(name, [httpListener], { infrastructure: { parametersRef, ...more } }),
    )
  }
  /** Programmed is False with these words. */
  const refused = (name: string, words: string): Promise<Condition> =>
    eventually(async () => {
      const condition = conditionOf((await gatewayOf(scene, name)).status?.conditions, 'Programmed')
      return condition?.status === 'False' && condition.message.includes(words) && condition
    }, `${name} refused: ${words}`)

  it('is put right where somebody adds what changes its meaning, or takes its label', async () => {
    await scene.apply(gateway('web', [httpListener]))
    await programmed(scene, 'web')
    const service = pathOf('services', 'web')
    await scene.api.patch(service, { spec: { selector: { extra: 'x' } } }, merge)
    await eventually(
      async () => Object.keys((await scene.api.get<ServiceObject>(service)).spec.selector).length === 2,
      'the selector of the Service as it was',
    )
    const deployment = pathOf('deployments', 'web')
    await scene.api.patch(deployment, { spec: { paused: true } }, merge)
    await eventually(async () => (await deploymentOf('web')).spec.paused !== true, 'the Deployment not paused')
    const { containers } = (await deploymentOf('web')).spec.template.spec
    const other = containers.map((container) => ({ ...container, command: ['sleep', '1'] }))
    await scene.api.patch(deployment, { spec: { template: { spec: { containers: other } } } }, merge)
    await eventually(
      async () => (await deploymentOf('web')).spec.template.spec.containers.every(({ command = [] }) => command.length === 0),
      'the command of the image',
    )
    const label = 'app.kubernetes.io/managed-by'
    for (const path of [service, pathOf('poddisruptionbudgets', 'web')]) {
      await scene.api.patch(path, { metadata: { labels: { [label]: 'somebody' } } }, merge)
      await eventually(
        async () => (await scene.api.get<KubeObject>(path)).metadata.labels?.[label] === 'gatewright',
        `the label of ${path}`,
      )
    }
    await programmed(scene, 'web')
  })

  it('keeps its pods when an autoscaler takes over from a fixed number', async () => {
    await withParameters('scaled', { replicas: 3 })
    await eventually(async () => (await deploymentOf('scaled')).spec.replicas === 3, 'three replicas')
    await programmed(scene, 'scaled')
    await scene.api.patch(parametersPath('scaled'), { spec: { replicas: null, autoscaling: { minReplicas: 3, maxReplicas: 5 } } }, merge)
    const autoscaler = `/apis/autoscaling/v2/namespaces/${scene.namespace}/horizontalpodautoscalers/scaled-gatewright`
    await eventually(async () => scene.api.get(autoscaler), 'the autoscaler')
    for (let i = 0; i < 10; i += 1) {
      expect((await deploymentOf('scaled')).spec.replicas).toBeGreaterThanOrEqual(3)
      await delay(200)
    }
    await scene.api.patch(pathOf('deployments', 'scaled') + '/scale', { spec: { replicas: 4 } }, merge)
    await delay(2_000)
    expect((await deploymentOf('scaled')).spec.replicas).toBe(4)
    await scene.api.patch(parametersPath('scaled'), { spec: { replicas: 2, autoscaling: null } }, merge)
    await eventually(async () => (await deploymentOf('scaled')).spec.replicas === 2, 'two replicas')
  })

  it('is not written again and again for an annotation that Kubernetes keeps for itself', async () => {
    await scene.apply(gateway('marked', [httpListener], { infrastructure: { annotations: { 'deployment.kubernetes.io/revision': '77' } } }))
    await programmed(scene, 'marked')
    await delay(1_000)
    const before = (await deploymentOf('marked')).metadata.resourceVersion
    await delay(3_000)
    expect((await deploymentOf('marked')).metadata.resourceVersion).toBe(before)
  })

  it('is said in the status where the API server refuses it, and made when it is mended', async () => {
    await withParameters('broken', { pod: { tolerations: [{ foo: 'bar' }] } })
    await refused('broken', 'tolerations')
    await scene.api.patch(parametersPath('broken'), { spec: { pod: null } }, merge)
    await programmed(scene, 'broken')
    await scene.api.patch(parametersPath('broken'), { spec: { service: { loadBalancerClass: 'example.com/other' } } }, merge)
    expect((await refused('broken', 'loadBalancerClass')).reason).toBe('Invalid')
    await scene.apply(
      gateway('broken', [httpListener, { name: 'alt', port: 8080, protocol: 'HTTP' }], {
        infrastructure: { parametersRef: { group: 'gatewright.dev', kind: 'GatewayParameters', name: 'broken' } },
      }),
    )
    await eventually(async () => {
      const { metadata, status } = await gatewayOf(scene, 'broken')
      const conditions = status?.listeners?.map((one) => conditionOf((one as { conditions?: Condition[] }).conditions, 'Programmed'))
      return (
        conditions?.length === 2 &&
        conditions.every((one) => one?.observedGeneration === metadata.generation) &&
        conditions.map((one) => one?.status).join(' ') === 'True False'
      )
    }, 'the listener whose port the Service lacks not programmed')
  })

  it('is tried again by itself when a policy that denied it is gone, and delays nobody meanwhile', async () => {
    const name = `deny-${scene.namespace}`
    await scene.api.post(policies, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] }],
        },
        validations: [{ expression: "!object.metadata.name.startsWith('denied')", message: 'no such Deployment here' }],
      },
    })
    try {
      await scene.api.post(policies.replace('policies', 'policybindings'), {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name },
        spec: { policyName: name, validationActions: ['Deny'] },
      })
      await delay(3_000)
      await scene.apply(...Array.from({ length: 20 }, (_, i) => gateway(`denied-${i}`, [httpListener])))
      await refused('denied-0', 'no such Deployment here')
      const began = performance.now()
      await scene.apply(gateway('innocent', [httpListener]))
      await programmed(scene, 'innocent')
      expect(performance.now() - began).toBeLessThan(15_000)
    } finally {
      await scene.api.delete(`${policies}/${name}`)
    }
    await eventually(() => deploymentOf('denied-0'), 'the Deployment that was denied', 60_000)
  }, 120_000)
})
