/** The gateway as it runs, without a source: manifests are parsed, make a snapshot, are translated, delivered, and the data plane serves the result. */
import { parse } from '../../../src/api/parse.ts'
import type { ApiObject } from '../../../src/api/object.ts'
import { SnapshotBuilder } from '../../../src/cluster/snapshot-builder.ts'
import type { GatewayConfig } from '../../../src/config/config.ts'
import type { Placement } from '../../../src/config/placement.ts'
import { type Acknowledgement, InProcessDelivery } from '../../../src/delivery/in-process.ts'
import { DataPlane } from '../../../src/proxy/data-plane.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { type Pass, translate } from '../../../src/translate/translate.ts'
import type { Manifest } from '../../load/world.ts'

const options = { controllerName: 'gatewright.dev/gateway-controller', anyClassIsOurs: false }

export class Pipeline {
  readonly dataPlane: DataPlane
  /** Every configuration that was served; they must be gone once they are served no more. */
  readonly configs: WeakRef<GatewayConfig>[] = []
  readonly #delivery: InProcessDelivery
  readonly #placement: Placement
  readonly #builder = new SnapshotBuilder()
  #texts = new Map<string, string>()
  #pass: Pass | undefined

  constructor(placement: Placement, drainTime: number) {
    this.#placement = placement
    this.dataPlane = new DataPlane({ logger: silentLogger, bounds: { drainTime } })
    this.#delivery = new InProcessDelivery(this.dataPlane)
  }

  /** Serves exactly these; only what differs is read anew, as a source would do it. */
  async serve(manifests: ReadonlyMap<string, Manifest>): Promise<Acknowledgement> {
    for (const [key, text] of this.#texts) {
      if (manifests.has(key)) continue
      const { kind, metadata } = objectOf(JSON.parse(text))
      this.#builder.delete(kind, metadata.namespace, metadata.name)
      this.#texts.delete(key)
    }
    for (const [key, manifest] of manifests) {
      const text = JSON.stringify(manifest)
      if (this.#texts.get(key) === text) continue
      this.#texts.set(key, text)
      this.#builder.set(objectOf(manifest))
    }
    this.#pass = translate(this.#builder.snapshot(), options, this.#pass)
    const { configs, keys, versions } = this.#pass.translation
    for (const config of configs) this.configs.push(new WeakRef(config))
    const served = (await this.#delivery.deliver(configs, versions, keys, this.#placement)).get('default/edge')
    if (served === undefined || served.version !== versions.get('default/edge'))
      throw new Error(`what was delivered is not served: ${JSON.stringify(served)}`)
    return served
  }
}

/** The backends of a test are on this machine, where an API server allows no endpoint: their address is put in after parsing. */
function objectOf(manifest: unknown): ApiObject {
  const parsed = parse(manifest)
  if (parsed.kind !== 'object') throw new Error(`Cannot serve a manifest: it must be valid, got ${JSON.stringify(parsed)}`)
  const { object } = parsed
  if (object.kind !== 'EndpointSlice') return object
  return { ...object, endpoints: object.endpoints.map((endpoint) => ({ ...endpoint, addresses: ['127.0.0.1'] })) }
}
