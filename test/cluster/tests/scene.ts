/** What the tests of the cluster do again and again: apply objects in a namespace of their own, wait for what becomes of them. */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { ApiClient } from '../api-client.ts'
import { here } from '../cluster.ts'
import type { Cluster } from '../cluster.ts'
import type { DataObject, Pod, Service } from '../objects.ts'

export interface Scene {
  readonly cluster: Cluster
  readonly api: ApiClient
  readonly namespace: string
  readonly apply: (...objects: readonly object[]) => Promise<void>
  readonly pod: (name: string) => Promise<PodWithStatus>
  readonly remove: () => Promise<void>
}

export interface PodWithStatus extends Pod {
  readonly status: {
    readonly phase?: string
    readonly podIP?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    readonly containerStatuses?: readonly {
      readonly ready: boolean
      readonly restartCount: number
      readonly state: { readonly waiting?: { readonly reason: string; readonly message?: string }; readonly running?: object }
    }[]
  }
}

export async function openScene(): Promise<Scene> {
  const cluster = await here()
  const api = cluster.api()
  const namespace = `test-${randomBytes(3).toString('hex')}`
  await api.post('/api/v1/namespaces', { metadata: { name: namespace } })
  await eventually(() => api.get(`/api/v1/namespaces/${namespace}/serviceaccounts/default`), 'the default ServiceAccount')
  return {
    cluster,
    api,
    namespace,
    apply: (...objects) => cluster.apply(objects.map((object) => inNamespace(object, namespace))),
    pod: (name) => api.get<PodWithStatus>(`/api/v1/namespaces/${namespace}/pods/${name}`),
    remove: async () => {
      await api.delete(`/api/v1/namespaces/${namespace}`)
      api.close()
    },
  }
}

function inNamespace(object: object, namespace: string): object {
  const { metadata, ...rest } = object as { readonly metadata: object }
  return { ...rest, metadata: { namespace, ...metadata } }
}

/** Calls `look` until it gives something and does not throw. */
export async function eventually<T>(look: () => Promise<T | undefined | false>, what: string, within = 30_000): Promise<T> {
  const until = performance.now() + within
  let last: unknown
  for (;;) {
    try {
      const found = await look()
      if (found !== undefined && found !== false) return found
    } catch (error) {
      last = error
    }
    if (performance.now() > until) throw new Error(`Cannot go on: ${what} must come within ${within} ms`, { cause: last })
    await delay(50)
  }
}

export function isReady({ status }: PodWithStatus): boolean {
  return status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false
}

export async function readyPod(scene: Scene, name: string): Promise<PodWithStatus> {
  return eventually(async () => {
    const pod = await scene.pod(name)
    return isReady(pod) && pod
  }, `pod ${name} Ready`)
}

/** A pod of the conformance suite's echo program. */
export function echoPod(name: string, environment: Readonly<Record<string, string>> = {}, more: object = {}): object {
  const env = Object.entries({ POD_NAME: name, NAMESPACE: 'test', ...environment }).map(([key, value]) => ({ name: key, value }))
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 2, containers: [{ name: 'echo', image: 'example.com/test/echo-basic:v1', env, ...more }] },
  }
}

/** A pod of our own image that runs a line of JavaScript: what a pod sees can be asked from within it. */
export function scriptPod(name: string, script: string, more: { readonly pod?: object; readonly container?: object } = {}): object {
  const command = ['node', '--input-type=module', '-e', script]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 2,
      ...more.pod,
      containers: [{ name: 'script', image: 'gatewright:dev', command, ...more.container }],
    },
  }
}

export function service(name: string, ports: readonly object[], more: object = {}): object {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { type: 'LoadBalancer', selector: { app: name }, ports, ...more } }
}

export async function addressOf(scene: Scene, name: string): Promise<string> {
  return eventually(async () => {
    const found = await scene.api.get<Service>(`/api/v1/namespaces/${scene.namespace}/services/${name}`)
    return found.status?.loadBalancer?.ingress?.[0]?.ip
  }, `the address of Service ${name}`)
}

export function configMap(name: string, data: Readonly<Record<string, string>>): object & DataObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }
}
