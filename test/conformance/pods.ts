/**
 * The pods of the suite's Deployments: one each, with an address that exists nowhere, behind which an echo server on loopback
 * stands. Once started a pod stays until the end; without its Service nobody knows it.
 */
import type { GatewayConfig } from '../../src/config/config.ts'
import type { EndpointConfig, PoolConfig } from '../../src/config/pool.ts'
import { type ContainerPorts, EchoPod } from './echo-pod.ts'
import { GrpcEchoPod } from './grpc-echo-pod.ts'
import { startStreamPod } from './stream-pod.ts'
import type { Manifest } from './suite-module.ts'

/** Nothing listens there. */
const CLOSED_PORT = 1

interface ServiceSpec {
  readonly selector?: { readonly app: string }
  readonly ports: readonly {
    readonly name?: string
    readonly protocol?: string
    readonly port: number
    readonly targetPort: number
    readonly appProtocol?: string
  }[]
}

interface DeploymentSpec {
  readonly template: {
    readonly metadata: { readonly labels: { readonly app: string } }
    readonly spec: { readonly containers: readonly { readonly env?: readonly { readonly name: string }[] }[] }
  }
}

interface Pod {
  readonly namespace: string
  readonly app: string
  readonly address: string
  /** Undefined where it listens on none of the ports of Services. */
  readonly echo: RunningEcho | undefined
}

interface RunningEcho {
  readonly ports: ContainerPorts
  /** Absent: it takes no datagrams. */
  readonly datagramPorts?: ContainerPorts
  readonly paths: readonly string[]
  close(): Promise<void>
}

export class Pods {
  /** By namespace/deployment. */
  readonly #pods = new Map<string, Pod>()
  /** A pool that stays the same object stays so here. */
  readonly #reachable = new WeakMap<PoolConfig, PoolConfig>()

  /** Those of the Deployments among the manifests that do not run yet. */
  async start(manifests: readonly Manifest[]): Promise<void> {
    for (const { kind, metadata, spec } of manifests) {
      const { namespace = '', name } = metadata
      if (kind !== 'Deployment' || this.#pods.has(`${namespace}/${name}`)) continue
      const { template } = spec as DeploymentSpec
      const address = `10.244.0.${this.#pods.size + 1}`
      const variables = template.spec.containers.flatMap(({ env = [] }) => env.map((one) => one.name))
      const echo = await startEcho(namespace, name, variables)
      this.#pods.set(`${namespace}/${name}`, { namespace, app: template.metadata.labels.app, address, echo })
    }
  }

  /** The address of the Deployment's pod. */
  address(namespace: string, deployment: string): string | undefined {
    return this.#pods.get(`${namespace}/${deployment}`)?.address
  }

  /** Paths with queries of all HTTP requests that the Deployment's pod received so far. */
  paths(namespace: string, deployment: string): readonly string[] {
    return this.#pods.get(`${namespace}/${deployment}`)?.echo?.paths ?? []
  }

  /** What the EndpointSlice controller of a cluster makes of a Service; nothing without a selector. */
  endpointSlice({ kind, metadata, spec }: Manifest): readonly Manifest[] {
    if (kind !== 'Service') return []
    const { selector, ports } = spec as ServiceSpec
    const pods = [...this.#pods.values()].filter(({ namespace, app }) => namespace === metadata.namespace && app === selector?.app)
    if (pods.length === 0) return []
    return [
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...metadata, name: `${metadata.name}-x`, labels: { 'kubernetes.io/service-name': metadata.name } },
        addressType: 'IPv4',
        endpoints: pods.map(({ address }) => ({ addresses: [address], conditions: { ready: true, serving: true, terminating: false } })),
        ports: ports.map(({ name = '', protocol = 'TCP', targetPort, appProtocol }) => {
          return { name, protocol, port: targetPort, ...(appProtocol && { appProtocol }) }
        }),
      },
    ]
  }

  /** The configuration with the pods where they really listen. */
  reach(config: GatewayConfig): GatewayConfig {
    return { ...config, pools: config.pools.map((pool) => this.#reach(pool)) }
  }

  async close(): Promise<void> {
    for (const { echo } of this.#pods.values()) await echo?.close()
  }

  #reach(pool: PoolConfig): PoolConfig {
    let reachable = this.#reachable.get(pool)
    if (reachable === undefined) {
      reachable = { ...pool, endpoints: pool.endpoints.map((endpoint) => this.#locate(endpoint, pool.protocol)) }
      this.#reachable.set(pool, reachable)
    }
    return reachable
  }

  #locate(endpoint: EndpointConfig, protocol: PoolConfig['protocol']): EndpointConfig {
    const pod = [...this.#pods.values()].find(({ address }) => address === endpoint.address)
    if (pod === undefined) return endpoint
    const ports = protocol === 'udp' ? pod.echo?.datagramPorts : pod.echo?.ports
    return { ...endpoint, address: '127.0.0.1', port: ports?.get(endpoint.port) ?? CLOSED_PORT }
  }
}

/** As the variables of the container's environment say. */
async function startEcho(namespace: string, name: string, variables: readonly string[]): Promise<RunningEcho | undefined> {
  if (variables.includes('GRPC_ECHO_SERVER')) return GrpcEchoPod.start(namespace, name)
  // A port of its own is none that a Service leads to.
  if (variables.includes('TCP_PORT')) return undefined
  if (variables.includes('TCP_ECHO_SERVER') || variables.includes('UDP_ECHO_SERVER')) return startStreamPod(`${namespace}/${name}`)
  return EchoPod.start(namespace, name)
}
