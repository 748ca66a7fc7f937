/**
 * delivery: brings configurations to data planes, and back what became of them.
 *
 * One delivery is one transaction: it names the version of every Gateway's configuration, and what comes back names the
 * version that is served. It knows configurations and versions, nothing of Kubernetes objects or of how a proxy works.
 * The controller's loop calls it. Here the data plane lives in the same process.
 */
import type { GatewayConfig } from '../config/config.ts'
import type { KeyMaterial } from '../config/key-material.ts'
import type { ListenerKey } from '../config/listener.ts'
import type { Placement } from '../config/placement.ts'
import type { FailedPort, OpenPort } from '../lib/served-ports.ts'
import type { MetricFamily } from '../telemetry/metrics.ts'
import { ResourceMap } from './resource-map.ts'

/** What a data plane says of a Gateway. */
export interface GatewayResult {
  /** Where the ports of the specification listen. */
  readonly ports: readonly OpenPort[]
  /** Ports that do not serve, in words for a person. */
  readonly failedPorts: readonly FailedPort[]
  readonly failedListeners: readonly { readonly listener: ListenerKey; readonly message: string }[]
}

export interface Acknowledgement extends GatewayResult {
  /** The version that is served, apart from what failed. */
  readonly version: string
}

/** By `namespace/name` of the Gateway. */
export type Acknowledgements = ReadonlyMap<string, Acknowledgement>

/** The data plane as delivery sees it. */
export interface DeliveryTarget {
  apply(configs: readonly GatewayConfig[], keys: KeyMaterial, placement: Placement): Promise<ReadonlyMap<string, GatewayResult>>
}

export class InProcessDelivery {
  readonly #target: DeliveryTarget
  readonly #resources = new ResourceMap()
  #versions: ReadonlyMap<string, string> = new Map()
  #acknowledgements: Acknowledgements = new Map()

  constructor(target: DeliveryTarget) {
    this.#target = target
  }

  /** What is served now. */
  get acknowledgements(): Acknowledgements {
    return this.#acknowledgements
  }

  /**
   * Resolves when the data plane serves these versions. Call it again only after that.
   * @param versions of every configuration, by Gateway
   */
  async deliver(
    configs: readonly GatewayConfig[],
    versions: ReadonlyMap<string, string>,
    keys: KeyMaterial,
    placement: Placement,
  ): Promise<Acknowledgements> {
    const results = await this.#target.apply(this.#resources.adopt(configs), keys, placement)
    this.#versions = versions
    return this.reported(results)
  }

  /** The data plane has something new to say of what it serves: a port could be opened at last. */
  reported(results: ReadonlyMap<string, GatewayResult>): Acknowledgements {
    this.#acknowledgements = new Map(
      [...results].map(([gateway, result]) => [gateway, { ...result, version: this.#versions.get(gateway) ?? '' }]),
    )
    return this.#acknowledgements
  }

  metrics(): readonly MetricFamily[] {
    return [
      {
        kind: 'gauge',
        name: 'gatewright_config_info',
        help: 'Always 1; the version of the configuration that each Gateway serves.',
        labels: ['gateway', 'version'],
        samples: () => [...this.#acknowledgements].map(([gateway, { version }]) => ({ labels: { gateway, version }, value: 1 })),
      },
      {
        kind: 'gauge',
        name: 'gatewright_failed_ports',
        help: 'Ports of a Gateway that could not be opened.',
        labels: ['gateway'],
        samples: () =>
          [...this.#acknowledgements].map(([gateway, { failedPorts }]) => ({ labels: { gateway }, value: failedPorts.length })),
      },
    ]
  }
}
