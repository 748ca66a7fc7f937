import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openScene } from './scene.ts'
import type { Scene } from './scene.ts'

describe('a cluster', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene()
  })
  afterAll(() => scene.remove())

  it('has an API server of the version that is pinned', async () => {
    const { gitVersion } = await scene.api.get<{ gitVersion: string }>('/version')
    expect(gitVersion).toBe('v1.36.3')
  })

  it('has one node that is ready', async () => {
    const nodes = await scene.cluster.kubectl([
      'get',
      'nodes',
      '-o',
      'jsonpath={.items[*].metadata.name} {.items[*].status.conditions[*].type}',
    ])
    expect(nodes).toBe('box Ready')
  })

  it('serves the kinds of the experimental channel', async () => {
    const names = await scene.cluster.kubectl(['api-resources', '-o', 'name'])
    for (const kind of [
      'gateways',
      'httproutes',
      'grpcroutes',
      'tlsroutes',
      'tcproutes',
      'udproutes',
      'listenersets',
      'backendtlspolicies',
    ])
      expect(names).toContain(`${kind}.gateway.networking.k8s.io`)
  })

  it('takes a Gateway, and refuses one that breaks a rule of its CRD', async () => {
    const gateway = (listeners: readonly object[]): object => ({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'any' },
      spec: { gatewayClassName: 'nobody', listeners },
    })
    const listener = { name: 'web', port: 80, protocol: 'HTTP' }
    await scene.apply(gateway([listener]))
    await expect(scene.apply(gateway([{ ...listener, tls: {} }]))).rejects.toThrow('tls must not be specified for protocols')
  })

  it('lets a ServiceAccount do what its role says and nothing else', async () => {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'reader' } }
    const rbac = 'rbac.authorization.k8s.io'
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }]
    await scene.apply(
      account,
      { apiVersion: `${rbac}/v1`, kind: 'Role', metadata: { name: 'reader' }, rules },
      {
        apiVersion: `${rbac}/v1`,
        kind: 'RoleBinding',
        metadata: { name: 'reader' },
        subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace: scene.namespace }],
        roleRef: { apiGroup: rbac, kind: 'Role', name: 'reader' },
      },
    )
    const kubeconfig = await scene.cluster.kubeconfigOf(scene.namespace, 'reader')
    const as = ['--kubeconfig', kubeconfig, '-n', scene.namespace]
    expect(await scene.cluster.kubectl([...as, 'get', 'configmap', 'kube-root-ca.crt', '-o', 'name'])).toContain('kube-root-ca.crt')
    await expect(scene.cluster.kubectl([...as, 'get', 'secrets'])).rejects.toThrow('Forbidden')
  })
})
