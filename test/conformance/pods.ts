/** The pods of the suite's Deployments: one each, with an address that exists nowhere, behind which an echo server on loopback stands. */
import type { GatewayConfig } from '../../src/config/config.ts'
import type { EndpointConfig, PoolConfig } from '../../src/config/pool.ts'
import { EchoPod } from './echo-pod.ts'
import type { Manifest } from './suite-module.ts'

/** Where the suite's echo servers speak HTTP/1.1. */
const HTTP_PORT = 3000

interface ServiceSpec {
  readonly selector?: { readonly app: string }
  readonly ports: readonly { readonly name?: string; readonly protocol?: string; readonly port: number; readonly targetPort: number }[]
}

export class Pods {
  readonly #pods = new Map<string, { readonly address: string; readonly echo: EchoPod }>()
  /** A pool that stays the same object stays so here. */
  readonly #reachable = new WeakMap<PoolConfig, PoolConfig>()

  static async start(manifests: readonly Manifest[]): Promise<Pods> {
    const pods = new Pods()
    const deployments = manifests.filter(({ kind }) => kind === 'Deployment')
    for (const [index, { metadata }] of deployments.entries()) {
      const echo = await EchoPod.start(metadata.namespace ?? '', metadata.name)
      pods.#pods.set(`${metadata.namespace}/${metadata.name}`, { address: `10.244.0.${index + 1}`, echo })
    }
    return pods
  }

  /** The address of the Deployment's pod. */
  address(namespace: string, deployment: string): string | undefined {
    return this.#pods.get(`${namespace}/${deployment}`)?.address
  }

  /** What the EndpointSlice controller of a cluster makes of a Service; nothing without a selector. */
  endpointSlice({ kind, metadata, spec }: Manifest): readonly Manifest[] {
    if (kind !== 'Service') return []
    const { selector, ports } = spec as ServiceSpec
    const address = selector && this.address(metadata.namespace ?? '', selector.app)
    if (address === undefined) return []
    return [
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { ...metadata, name: `${metadata.name}-x`, labels: { 'kubernetes.io/service-name': metadata.name } },
        addressType: 'IPv4',
        endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }],
        ports: ports.map(({ name = '', protocol = 'TCP', targetPort }) => ({ name, protocol, port: targetPort })),
      },
    ]
  }

  /** The configuration with the pods where they really listen. */
  reach(config: GatewayConfig): GatewayConfig {
    return { ...config, pools: config.pools.map((pool) => this.#reach(pool)) }
  }

  async close(): Promise<void> {
    for (const { echo } of this.#pods.values()) await echo.close()
  }

  #reach(pool: PoolConfig): PoolConfig {
    let reachable = this.#reachable.get(pool)
    if (reachable === undefined) {
      reachable = { ...pool, endpoints: pool.endpoints.map((endpoint) => this.#locate(endpoint)) }
      this.#reachable.set(pool, reachable)
    }
    return reachable
  }

  #locate(endpoint: EndpointConfig): EndpointConfig {
    const pod = [...this.#pods.values()].find(({ address }) => address === endpoint.address)
    return pod === undefined || endpoint.port !== HTTP_PORT ? endpoint : { ...endpoint, address: '127.0.0.1', port: pod.echo.port }
  }
}
