/** What a leader writes: infrastructure, credentials of proxies, statuses, the finalizer of classes, events. */
import { compareText } from '../cluster/order.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { identityOf } from '../delivery/messages.ts'
import type { GatewayPlan, InfraSettings } from '../infra/gateway-plan.ts'
import { type GatewayManifests, InfraWriter } from '../infra/infra-writer.ts'
import { EndpointServiceWriter } from '../infra/endpoint-service-writer.ts'
import { credentialsName, proxyManifests } from '../infra/proxy-manifests.ts'
import type { StreamAuthority } from '../infra/stream-authority.ts'
import type { KubeApi, KubeObject, Resource } from '../kube/kube-api.ts'
import type { KubernetesSource } from '../sources/kubernetes/kubernetes-source.ts'
import { writeFinalizers } from '../status/class-finalizer.ts'
import { EventWriter } from '../status/event-writer.ts'
import { StatusWriter } from '../status/status-writer.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { MetricFamily } from '../telemetry/metrics.ts'
import type { StatusOf } from '../translate/translation.ts'
import type { ClusterView } from './cluster-serving.ts'
import { type ChangedPaths, EventTelling } from './event-telling.ts'

export interface ClusterWritingOptions {
  readonly api: KubeApi
  /** For infrastructure, with one attempt for each call: an object that cannot be made must not hold back others. */
  readonly infraApi: KubeApi
  readonly source: KubernetesSource
  readonly controllerName: string
  readonly instance: string
  readonly authority: StreamAuthority
  readonly settings: InfraSettings
  readonly logger: Logger
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** Write again after so many milliseconds. */
  readonly later: (milliseconds: number) => void
  /** `failures` are others than before. */
  readonly onFailures: () => void
}

export const secretResource: Resource = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true }
/** Milliseconds after which a Secret of credentials is looked at again. */
const credentialsTime = 60 * 60 * 1000
/** Milliseconds after which one that could not be read is tried again. */
const credentialsPause = 1_000

export class ClusterWriting {
  readonly #options: ClusterWritingOptions
  readonly #infra: InfraWriter
  readonly #endpointServices: EndpointServiceWriter
  readonly #statuses: StatusWriter
  readonly #events: EventTelling
  readonly #credentials = new Map<
    string,
    { readonly plan: GatewayPlan; readonly uid: string; readonly object: KubeObject; readonly until: number }
  >()
  readonly #manifests = new WeakMap<KubeObject, { readonly plan: GatewayPlan; readonly manifests: GatewayManifests['manifests'] }>()
  /** What has changed since the statuses were compared last. */
  #changed: ChangedPaths

  constructor(options: ClusterWritingOptions) {
    const { api, infraApi, source, controllerName, instance, logger, later, onFailures } = options
    this.#options = options
    const now = (): Date => new Date()
    this.#infra = new InfraWriter({
      api: infraApi,
      observed: source.owned,
      logger,
      now: options.now,
      random: Math.random,
      later,
      onChange: onFailures,
    })
    this.#endpointServices = new EndpointServiceWriter(api, source.owned, logger, options.now)
    this.#statuses = new StatusWriter({
      api,
      stored: { ...source.stored, changes: () => (this.#changed = source.stored.changes()) },
      resourceOf: (kind) => source.resource(kind),
      controllerName,
      logger,
      now,
    })
    const events = new EventWriter({ api, logger, now, controllerName, instance })
    this.#events = new EventTelling(
      (judged) => events.tell(judged),
      (kind, path) => source.stored.at(kind, path)?.metadata.uid,
    )
  }

  /** Resolves when the infrastructure stands as far as it can; statuses follow by themselves. */
  async write({ objects, translation, statuses }: ClusterView): Promise<void> {
    this.#statuses.write(statuses)
    this.#events.tell(statuses, this.#changed)
    await Promise.all([
      this.#writeInfra(translation.infra, translation.statuses),
      this.#writeFinalizers(objects),
      this.#writeEndpointServices(translation),
    ])
  }

  /** What cannot be made at present, by Gateway. */
  get failures(): InfraWriter['failures'] {
    return this.#infra.failures
  }

  stop(): void {
    this.#statuses.stop()
  }

  metrics(): readonly MetricFamily[] {
    return this.#statuses.metrics()
  }

  async #writeInfra(plans: readonly GatewayPlan[], statuses: readonly StatusOf[]): Promise<void> {
    const wanted: GatewayManifests[] = []
    for (const plan of this.#byAge(plans)) {
      const manifests = await this.#manifestsOf(plan)
      if (manifests !== undefined) wanted.push({ gateway: plan.gateway, manifests })
    }
    const ours = statuses.filter(({ kind }) => kind === 'Gateway').map(({ namespace, name }) => `${namespace}/${name}`)
    await this.#infra.write(wanted, new Set(ours))
  }

  /** The older first: a name that two want is theirs. */
  #byAge(plans: readonly GatewayPlan[]): readonly GatewayPlan[] {
    const { stored } = this.#options.source
    return plans
      .map((plan) => ({ plan, created: stored.at('Gateway', plan.gateway)?.metadata.creationTimestamp ?? '' }))
      .sort((a, b) => compareText(a.created, b.created) || compareText(a.plan.gateway, b.plan.gateway))
      .map(({ plan }) => plan)
  }

  async #writeEndpointServices({ endpointServices }: ClusterView['translation']): Promise<void> {
    const { source } = this.#options
    await this.#endpointServices.write(
      endpointServices.flatMap((plan) => {
        const uid = source.stored.get('XBackend', plan.namespace, plan.backend)?.metadata.uid
        return uid === undefined ? [] : [{ ...plan, uid }]
      }),
    )
  }

  async #manifestsOf(plan: GatewayPlan): Promise<GatewayManifests['manifests'] | undefined> {
    const { source, settings, logger, later } = this.#options
    const [namespace = '', name = ''] = plan.gateway.split('/')
    const uid = source.stored.get('Gateway', namespace, name)?.metadata.uid
    if (uid === undefined) return undefined
    try {
      const credentials = await this.#credentialsOf(plan, { name, uid })
      // Of a plan and its credentials, which both are another object when they change.
      let made = this.#manifests.get(credentials)
      if (made?.plan !== plan) {
        made = { plan, manifests: [{ resource: secretResource, object: credentials }, ...proxyManifests(plan, { name, uid }, settings)] }
        this.#manifests.set(credentials, made)
      }
      return made.manifests
    } catch (error) {
      logger.warn('the credentials of a Gateway’s proxies could not be made', { gateway: plan.gateway, reason: (error as Error).message })
      later(credentialsPause)
      return undefined
    }
  }

  async #credentialsOf(plan: GatewayPlan, owner: { readonly name: string; readonly uid: string }): Promise<KubeObject> {
    const { infraApi, authority } = this.#options
    const now = Date.now()
    const known = this.#credentials.get(plan.gateway)
    if (known !== undefined && known.plan === plan && known.uid === owner.uid && known.until > now) return known.object
    const stored = known?.object ?? (await infraApi.get(secretResource, { namespace: plan.namespace, name: credentialsName(plan.name) }))
    const object = authority.proxySecret(plan, owner, identityOf({ gateway: plan.gateway, uid: owner.uid }), stored, now)
    this.#credentials.set(plan.gateway, { plan, uid: owner.uid, object, until: now + credentialsTime })
    return object
  }

  async #writeFinalizers(objects: Snapshot): Promise<void> {
    const { api, source, controllerName, logger } = this.#options
    const resource = source.resource('GatewayClass')
    if (resource === undefined) return
    const used = new Set(objects.all('Gateway').map(({ spec }) => spec.gatewayClassName))
    const classes = objects.all('GatewayClass').flatMap(({ metadata: { name }, spec }) => {
      const stored = source.stored.get('GatewayClass', '', name)
      if (spec.controllerName !== controllerName || stored === undefined) return []
      const { resourceVersion, finalizers, metadata } = stored
      return [{ name, resourceVersion, finalizers, inUse: used.has(name), isDeleted: metadata.deletionTimestamp !== undefined }]
    })
    await writeFinalizers(api, resource, classes, logger)
  }
}
