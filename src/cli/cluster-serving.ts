/**
 * The controller's pass as one object: what the API server has becomes statuses, configurations and infrastructure.
 *
 * A pass only translates and publishes, which costs what changed and waits for nothing but Secrets that are new. Statuses
 * and infrastructure are written beside it, by the leader alone, from the last translation: a slow API server holds back
 * no endpoint. What happened outside (versions that proxies serve, addresses that were granted) is part of the next pass.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Condition } from '../api/meta.ts'
import type { GatewayObservation, InfraFailure, Observations } from '../cluster/observations.ts'
import { ObservedSnapshot } from '../cluster/observed-snapshot.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import type { StreamServer } from '../delivery/stream-server.ts'
import { ownerOf } from '../infra/taken-names.ts'
import type { KubeObject } from '../kube/kube-api.ts'
import { sameItems } from '../lib/list-change.ts'
import type { KubernetesSource } from '../sources/kubernetes/kubernetes-source.ts'
import type { StoredObject } from '../sources/kubernetes/stored-object.ts'
import type { TranslateOptions } from '../translate/options.ts'
import { type Pass, translate } from '../translate/translate.ts'
import type { InfraPlan, StatusOf, Translation } from '../translate/translation.ts'
import { closedPorts } from './closed-ports.ts'
import { type Addresses, addressesOf, addressesOfAll } from './granted-addresses.ts'
import { LeavingGateways } from './leaving-gateways.ts'
import { SnapshotFeed } from './snapshot-feed.ts'

export interface ClusterServingOptions {
  readonly source: Pick<KubernetesSource, 'read' | 'want' | 'owned' | 'stored' | 'bundleVersion'>
  readonly stream: Pick<StreamServer, 'publish' | 'proxiesOf'>
  readonly translate: TranslateOptions
  /** What could not be made, by Gateway. */
  readonly failures: () => ReadonlyMap<string, Omit<InfraFailure, 'closedPorts'>>
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Look again after so many milliseconds. */
  readonly later: (milliseconds: number) => void
}

export interface ClusterView {
  readonly objects: Snapshot
  readonly translation: Translation
  /** To be written now: a Gateway whose proxies are about to say that they serve waits a moment for them. */
  readonly statuses: readonly StatusOf[]
}

/** How long proxies may take to acknowledge a configuration before their Gateway's status says that it is pending. */
const acknowledgeTime = 250
/** How long proxies may take to find a controller that has just started. */
const connectTime = 10_000
/** References may lead to further ones. */
const mostLoads = 3

export class ClusterServing {
  readonly #options: ClusterServingOptions
  readonly #feed = new SnapshotFeed()
  readonly #published = new Map<string, { readonly version: string; readonly at: number }>()
  readonly #gatewayStatuses = new Map<string, StatusOf>()
  readonly #leaving: LeavingGateways
  /** The statuses of the last pass. */
  #shown: readonly StatusOf[] = []
  #observations: Observations = { gateways: new Map(), assumeProgrammed: false }
  #pass: Pass | undefined
  /** What the pass was made of. */
  #source: { readonly objects: Snapshot; readonly observations: Observations; readonly bundleVersion: string | undefined } | undefined
  #view: ClusterView | undefined
  /** The first pass. */
  #startedAt: number | undefined

  constructor(options: ClusterServingOptions) {
    this.#options = options
    this.#leaving = new LeavingGateways(options.source)
  }

  /** The last pass's; undefined before the first one. */
  get view(): ClusterView | undefined {
    return this.#view
  }

  async pass(): Promise<ClusterView> {
    const { source, stream, now } = this.#options
    this.#startedAt ??= now()
    let objects = this.#feed.follow(source.read().objects)
    let translation = this.#translate(objects)
    // Nothing is taken from the proxies because a Secret that they have was not read here yet.
    for (let loads = 0; loads < mostLoads; loads += 1) {
      await source.want(translation.wants)
      const loaded = this.#feed.follow(source.read().objects)
      if (loaded === objects) break
      objects = loaded
      translation = this.#translate(objects)
    }
    stream.publish(translation.configs, translation.versions, translation.keys)
    this.#notePublished(translation)
    this.#observe(translation)
    translation = this.#translate(objects)
    this.#view = { objects, translation, statuses: this.#statusesOf(translation) }
    return this.#view
  }

  #translate(objects: Snapshot): Translation {
    const { bundleVersion } = this.#options.source
    const [last, observations] = [this.#source, this.#observations]
    // Most of what wakes us is our own writing of statuses, which changes nothing here.
    const isSame = last?.objects === objects && last.observations === observations && last.bundleVersion === bundleVersion
    if (this.#pass !== undefined && isSame) return this.#pass.translation
    this.#source = { objects, observations, bundleVersion }
    const options = { ...this.#options.translate, ...(bundleVersion !== undefined && { bundleVersion }) }
    this.#pass = translate(new ObservedSnapshot(objects, this.#observations), options, this.#pass)
    return this.#pass.translation
  }

  #notePublished({ versions }: Translation): void {
    for (const [gateway, version] of versions) {
      if (this.#published.get(gateway)?.version !== version) this.#published.set(gateway, { version, at: this.#options.now() })
    }
    for (const gateway of this.#published.keys()) if (!versions.has(gateway)) this.#published.delete(gateway)
  }

  #observe({ infra, versions, statuses }: Translation): void {
    const gateways = new Map<string, GatewayObservation>()
    for (const plan of infra) {
      const addresses = addressesOf(plan, (service) => this.#ownService(plan, service))
      const observation = this.#observationOf(plan.gateway, versions.get(plan.gateway), addresses)
      const infraFailure = this.#infraFailureOf(plan)
      gateways.set(plan.gateway, { ...observation, ...(infraFailure !== undefined && { infraFailure }) })
    }
    const ours = statuses.flatMap(({ kind, namespace, name }) => (kind === 'Gateway' ? [`${namespace}/${name}`] : []))
    // For whom nothing is to be made now: what was made before stays (see InfraWriter.write), with its addresses.
    if (ours.length > infra.length) {
      const services = this.#servicesByGateway()
      for (const gateway of ours) {
        const made = gateways.has(gateway) ? undefined : services.get(gateway)
        if (made !== undefined) gateways.set(gateway, this.#observationOf(gateway, versions.get(gateway), addressesOfAll(made)))
      }
    }
    const observations = { assumeProgrammed: false, gateways }
    if (!isDeepStrictEqual(observations, this.#observations)) this.#observations = observations
  }

  #servicesByGateway(): ReadonlyMap<string, readonly KubeObject[]> {
    const services = new Map<string, KubeObject[]>()
    for (const { object } of this.#options.source.owned.all()) {
      const gateway = ownerOf(object)
      if (object.kind !== 'Service' || gateway === undefined) continue
      services.set(gateway, [...(services.get(gateway) ?? []), object])
    }
    return services
  }

  #observationOf(gateway: string, version: string | undefined, addresses: Addresses): GatewayObservation {
    const proxies = this.#options.stream.proxiesOf(gateway)
    // One that has not served anything yet is not ready: it takes nothing back.
    const ready = proxies.filter((proxy) => proxy.version !== '')
    const served = ready.find((proxy) => proxy.version !== version) ?? ready[0]
    const failed = new Map(ready.flatMap(({ result }) => (result?.failedPorts ?? []).map((one) => [`${one.transport} ${one.port}`, one])))
    return {
      ...(served !== undefined && { servedVersion: served.version }),
      addresses,
      failedPorts: [...failed.values()],
    }
  }

  /** Of its own alone: one of that name may be another's. */
  #ownService({ gateway, namespace }: InfraPlan, service: string): KubeObject | undefined {
    const object = this.#options.source.owned.get({ kind: 'Service' }, namespace, service)
    return object !== undefined && ownerOf(object) === gateway ? object : undefined
  }

  #infraFailureOf(plan: InfraPlan): InfraFailure | undefined {
    const failure = this.#options.failures().get(plan.gateway)
    if (failure === undefined) return undefined
    const closed = closedPorts(plan, (service) => this.#ownService(plan, service)?.['spec'])
    return { ...failure, closedPorts: closed }
  }

  /**
   * Between a configuration and its acknowledgement lie milliseconds: a Gateway that was programmed does not say
   * otherwise for that long. A new one waits as long for its first status to be worth reading.
   */
  #statusesOf({ statuses, versions }: Translation): readonly StatusOf[] {
    const { later } = this.#options
    let soonest = Number.POSITIVE_INFINITY
    const present = new Set<string>()
    const shown: StatusOf[] = []
    for (const status of statuses) {
      if (status.kind !== 'Gateway') {
        shown.push(status)
        continue
      }
      const gateway = `${status.namespace}/${status.name}`
      present.add(gateway)
      const left = this.#waitsFor(gateway, versions.get(gateway))
      if (left <= 0) this.#gatewayStatuses.set(gateway, status)
      else soonest = Math.min(soonest, left)
      const now = left <= 0 ? status : this.#gatewayStatuses.get(gateway)
      if (now !== undefined) shown.push(now)
    }
    for (const gateway of this.#gatewayStatuses.keys()) if (!present.has(gateway)) this.#gatewayStatuses.delete(gateway)
    shown.push(...this.#leaving.statuses(present))
    if (soonest < Number.POSITIVE_INFINITY) later(Math.ceil(soonest))
    this.#shown = sameItems(this.#shown, shown) ? this.#shown : shown
    return this.#shown
  }

  /** Milliseconds until its proxies count as late; 0 when they have answered, or there are none to wait for. */
  #waitsFor(gateway: string, version: string | undefined): number {
    const published = this.#published.get(gateway)
    const observed = this.#observations.gateways.get(gateway)
    if (published === undefined || version === undefined || observed?.servedVersion === version) return 0
    if (observed?.servedVersion === undefined) return this.#waitsToConnect(gateway)
    return published.at + acknowledgeTime - this.#options.now()
  }

  /** Proxies find a controller that has just started within seconds: what they serve is what the one before it wrote. */
  #waitsToConnect(gateway: string): number {
    const { now, source } = this.#options
    const left = (this.#startedAt ?? now()) + connectTime - now()
    return left > 0 && isProgrammed(source.stored.at('Gateway', gateway)) ? left : 0
  }
}

/** In its present generation. */
function isProgrammed(stored: StoredObject | undefined): boolean {
  const conditions = stored?.status?.['conditions']
  return (
    Array.isArray(conditions) &&
    (conditions as readonly Partial<Condition>[]).some(
      ({ type, status, observedGeneration }) => type === 'Programmed' && status === 'True' && observedGeneration === stored?.generation,
    )
  )
}
