/** Gateways in the cluster: what the tests of the controller make, wait for and look at. */
import { installGatewright } from '../conformance/install.ts'
import { GATEWAY_CLASS } from '../conformance/implementation.ts'
import type { KubeObject } from '../objects.ts'
import { echoPod, eventually, openScene, readyPod, type Scene } from './scene.ts'

export const GATEWAY_API = 'gateway.networking.k8s.io/v1'

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  readonly observedGeneration: number
}

export interface GatewayObject extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly generation: number; readonly resourceVersion: string }
  readonly status?: {
    readonly addresses?: readonly { readonly value: string }[]
    readonly conditions?: readonly Condition[]
    readonly listeners?: readonly { readonly name: string; readonly attachedRoutes: number }[]
  }
}

export interface RouteObject extends KubeObject {
  readonly metadata: GatewayObject['metadata']
  readonly status?: { readonly parents?: readonly { readonly conditions?: readonly Condition[] }[] }
}

/** A namespace of its own in a cluster where the shipped controller runs. */
export async function openGateways(): Promise<Scene> {
  const scene = await openScene()
  await installGatewright(scene.cluster)
  return scene
}

export function gateway(name: string, listeners: readonly object[], more: object = {}): object {
  return {
    apiVersion: GATEWAY_API,
    kind: 'Gateway',
    metadata: { name },
    spec: { gatewayClassName: GATEWAY_CLASS, listeners, ...more },
  }
}

export const httpListener = { name: 'http', port: 80, protocol: 'HTTP' }

export interface Backend {
  readonly name: string
  readonly port: number
  readonly weight?: number
}

export function httpRoute(name: string, gatewayName: string, hostname: string, backendRefs: readonly Backend[], more: object = {}): object {
  return {
    apiVersion: GATEWAY_API,
    kind: 'HTTPRoute',
    metadata: { name },
    spec: { parentRefs: [{ name: gatewayName, ...more }], hostnames: [hostname], rules: [{ backendRefs }] },
  }
}

/** An echo pod behind a Service of its name, ready. */
export async function backend(scene: Scene, name: string): Promise<Backend> {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 3000 }] },
  }
  await scene.apply(echoPod(name), service)
  await readyPod(scene, name)
  return { name, port: 80 }
}

export function gatewayOf({ api, namespace }: Scene, name: string): Promise<GatewayObject> {
  return api.get(`/apis/${GATEWAY_API}/namespaces/${namespace}/gateways/${name}`)
}

export function routeOf({ api, namespace }: Scene, name: string): Promise<RouteObject> {
  return api.get(`/apis/${GATEWAY_API}/namespaces/${namespace}/httproutes/${name}`)
}

export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type)
}

/** The address of a Gateway that is programmed in its present generation. */
export async function programmed(scene: Scene, name: string, within?: number): Promise<string> {
  return eventually(
    async () => {
      const { metadata, status } = await gatewayOf(scene, name)
      const condition = conditionOf(status?.conditions, 'Programmed')
      return condition?.status === 'True' && condition.observedGeneration === metadata.generation && status?.addresses?.[0]?.value
    },
    `Gateway ${name} Programmed`,
    within,
  )
}

/** The route's Accepted condition in its present generation, once it has this status. */
export async function accepted(scene: Scene, name: string, status: 'True' | 'False' = 'True'): Promise<Condition> {
  return eventually(async () => {
    const { metadata, status: of } = await routeOf(scene, name)
    const condition = conditionOf(of?.parents?.[0]?.conditions, 'Accepted')
    return condition?.status === status && condition.observedGeneration === metadata.generation && condition
  }, `HTTPRoute ${name} Accepted ${status}`)
}
