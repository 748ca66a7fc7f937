import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { http } from './exchange.ts'
import { configMap, echoPod, eventually, openScene, readyPod } from './scene.ts'
import type { Scene } from './scene.ts'

describe('a component that is stopped', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene()
    await scene.apply(echoPod('stays'))
  })
  afterAll(() => scene.remove())

  it('comes back with its data, and pods run on meanwhile', async () => {
    const { status } = await readyPod(scene, 'stays')
    await scene.apply(configMap('kept', { word: 'kept' }))
    await scene.cluster.stopComponent('kube-apiserver')
    await expect(scene.api.text('/readyz')).rejects.toThrow()
    const { body } = await eventually(() => http(status.podIP ?? '', 3000), 'an answer of the pod')
    expect(JSON.parse(body)).toMatchObject({ pod: 'stays' })
    await scene.cluster.startComponent('kube-apiserver')
    await eventually(() => scene.api.text('/readyz'), 'the API server')
    expect(await scene.api.get(`/api/v1/namespaces/${scene.namespace}/configmaps/kept`)).toMatchObject({ data: { word: 'kept' } })
  })

  it('does not keep the node from what came after it', async () => {
    await scene.apply(echoPod('after'))
    await readyPod(scene, 'after')
  })

  it('is missing in the list of who uses how much memory', async () => {
    expect(Object.keys(await scene.cluster.memory()).sort()).toEqual(['etcd', 'kube-apiserver', 'kube-controller-manager', 'node'])
    await scene.cluster.stopComponent('kube-controller-manager')
    expect(Object.keys(await scene.cluster.memory()).sort()).toEqual(['etcd', 'kube-apiserver', 'node'])
    await scene.cluster.startComponent('kube-controller-manager')
  })
})
