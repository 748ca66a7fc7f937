import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeAuthority, makeLeaf } from '../../../src/x509/certificate.ts'
import type { ApiClient } from '../api-client.ts'
import { here } from '../cluster.ts'
import type { Cluster } from '../cluster.ts'
import { eventually, isReady } from './scene.ts'
import type { PodWithStatus } from './scene.ts'

const infra = 'gateway-conformance-infra'
const namespaces = [infra, 'gateway-conformance-app-backend', 'gateway-conformance-web-backend']
const day = 24 * 60 * 60 * 1000

/** What the suite itself creates before its pods can start. */
function certificate(namespace: string, name: string): object {
  const validity = { from: new Date(Date.now() - day), until: new Date(Date.now() + day) }
  const leaf = makeLeaf(makeAuthority('test', validity), ['abc.example.com'], [], validity)
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': leaf.certificate, 'tls.key': leaf.key },
  }
}

async function podsOf(api: ApiClient): Promise<readonly PodWithStatus[]> {
  const lists = await Promise.all(
    namespaces.map((namespace) => api.get<{ items: readonly PodWithStatus[] }>(`/api/v1/namespaces/${namespace}/pods`)),
  )
  return lists.flatMap(({ items }) => items)
}

describe("the conformance suite's base manifests", () => {
  let cluster: Cluster
  let api: ApiClient
  beforeAll(async () => {
    cluster = await here()
    api = cluster.api()
    const manifests = readFileSync(join(cluster.binaries.suite, 'base/manifests.yaml'), 'utf8')
    // Nobody's class: a controller that another file left here would add pods of its proxies.
    await cluster.apply(manifests.replaceAll('{GATEWAY_CLASS_NAME}', 'nobody'))
  })
  afterAll(async () => {
    await Promise.all(namespaces.map((namespace) => api.delete(`/api/v1/namespaces/${namespace}`)))
    // Other tests begin without them; nothing can be created in a namespace that is on its way out.
    await cluster.kubectl(['wait', ...namespaces.map((name) => `namespace/${name}`), '--for=delete', '--timeout=90s'])
    api.close()
  })

  it('leave the pods that mount a Secret waiting until it exists', async () => {
    const mounts = ({ spec }: PodWithStatus): boolean => spec.volumes?.some(({ secret }) => secret !== undefined) ?? false
    const messageOf = ({ status }: PodWithStatus): string => status.containerStatuses?.[0]?.state.waiting?.message ?? ''
    const pods = await eventually(async () => {
      const found = await podsOf(api)
      return found.length === 23 && found.every((pod) => mounts(pod) === messageOf(pod).includes('not found')) && found
    }, 'pods that wait for a Secret, and others that do not')
    expect(new Set(pods.filter(mounts).map(messageOf))).toEqual(
      new Set([
        'MountVolume.SetUp failed: secret "tls-checks-certificate" not found',
        'MountVolume.SetUp failed: secret "tls-passthrough-checks-certificate" not found',
      ]),
    )
    expect(pods.filter(isReady).every((pod) => !mounts(pod))).toBe(true)
  })

  it('become 23 pods that are Ready', async () => {
    const secrets = [
      certificate(infra, 'tls-checks-certificate'),
      certificate(infra, 'tls-passthrough-checks-certificate'),
      certificate('gateway-conformance-app-backend', 'tls-passthrough-checks-certificate'),
    ]
    await cluster.apply(secrets)
    const pods = await eventually(async () => {
      const found = await podsOf(api)
      return found.length === 23 && found.every(isReady) && found
    }, '23 pods that are Ready')
    expect(pods.flatMap(({ status }) => status.containerStatuses?.map(({ restartCount }) => restartCount) ?? [])).toEqual(Array(23).fill(0))
  })

  it('have ready endpoints for each Service', async () => {
    type Slice = { readonly endpoints?: readonly { readonly conditions: { readonly ready: boolean } }[] }
    // The controller of slices learns a little later than we that a pod is ready.
    const slices = await eventually(async () => {
      const { items } = await api.get<{ readonly items: readonly Slice[] }>(`/apis/discovery.k8s.io/v1/namespaces/${infra}/endpointslices`)
      return items.every(({ endpoints = [] }) => endpoints.length > 0 && endpoints.every(({ conditions }) => conditions.ready)) && items
    }, 'ready endpoints in all slices')
    expect(slices.length).toBeGreaterThan(8)
  })
})
