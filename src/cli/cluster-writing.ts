/** What a leader writes: infrastructure, credentials of proxies, statuses, the finalizer of classes, events. */
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
import { EventWriter, type Judged } from '../status/event-writer.ts'
import { StatusWriter } from '../status/status-writer.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { MetricFamily } from '../telemetry/metrics.ts'
import type { StatusOf } from '../translate/translation.ts'
import type { ClusterView } from './cluster-serving.ts'

export interface ClusterWritingOptions {
  readonly api: KubeApi
  readonly source: KubernetesSource
  readonly controllerName: string
  readonly instance: string
  readonly authority: StreamAuthority
  readonly settings: InfraSettings
  readonly logger: Logger
}

export const secretResource: Resource = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true }
/** Milliseconds after which a Secret of credentials is looked at again. */
const credentialsTime = 60 * 60 * 1000

export class ClusterWriting {
  readonly #options: ClusterWritingOptions
  readonly #infra: InfraWriter
  readonly #endpointServices: EndpointServiceWriter
  readonly #statuses: StatusWriter
  readonly #events: EventWriter
  readonly #credentials = new Map<
    string,
    { readonly plan: GatewayPlan; readonly uid: string; readonly object: KubeObject; readonly until: number }
  >()
  #told: readonly StatusOf[] = []
  /** Made once for each status: what stays is not told again. */
  readonly #judged = new WeakMap<StatusOf, Judged>()

  constructor(options: ClusterWritingOptions) {
    const { api, source, controllerName, instance, logger } = options
    this.#options = options
    const now = (): Date => new Date()
    this.#infra = new InfraWriter(api, source.owned, logger)
    this.#endpointServices = new EndpointServiceWriter(api, source.owned, logger, () => performance.now())
    this.#statuses = new StatusWriter({
      api,
      stored: source.stored,
      resourceOf: (kind) => source.resource(kind),
      controllerName,
      logger,
      now,
    })
    this.#events = new EventWriter({ api, logger, now, controllerName, instance })
  }

  /** Resolves when the infrastructure stands as far as it can; statuses follow by themselves. */
  async write({ objects, translation, statuses }: ClusterView): Promise<void> {
    this.#statuses.write(statuses)
    this.#tell(statuses)
    await Promise.all([
      this.#writeInfra(translation.infra, translation.statuses),
      this.#writeFinalizers(objects),
      this.#writeEndpointServices(translation),
    ])
  }

  stop(): void {
    this.#statuses.stop()
  }

  metrics(): readonly MetricFamily[] {
    return this.#statuses.metrics()
  }

  async #writeInfra(plans: readonly GatewayPlan[], statuses: readonly StatusOf[]): Promise<void> {
    const wanted: GatewayManifests[] = []
    for (const plan of plans) {
      const manifests = await this.#manifestsOf(plan)
      if (manifests !== undefined) wanted.push({ gateway: plan.gateway, manifests })
    }
    const ours = statuses.filter(({ kind }) => kind === 'Gateway').map(({ namespace, name }) => `${namespace}/${name}`)
    await this.#infra.write(wanted, new Set(ours))
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
    const { source, settings, logger } = this.#options
    const [namespace = '', name = ''] = plan.gateway.split('/')
    const uid = source.stored.get('Gateway', namespace, name)?.metadata.uid
    if (uid === undefined) return undefined
    try {
      const credentials = await this.#credentialsOf(plan, { name, uid })
      return [{ resource: secretResource, object: credentials }, ...proxyManifests(plan, { name, uid }, settings)]
    } catch (error) {
      logger.warn('the credentials of a Gateway’s proxies could not be made', { gateway: plan.gateway, reason: (error as Error).message })
      return undefined
    }
  }

  async #credentialsOf(plan: GatewayPlan, owner: { readonly name: string; readonly uid: string }): Promise<KubeObject> {
    const { api, authority } = this.#options
    const now = Date.now()
    const known = this.#credentials.get(plan.gateway)
    if (known !== undefined && known.plan === plan && known.uid === owner.uid && known.until > now) return known.object
    const stored = known?.object ?? (await api.get(secretResource, { namespace: plan.namespace, name: credentialsName(plan.name) }))
    const object = authority.proxySecret(plan, owner, identityOf(plan.gateway), stored, now)
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
      return [{ name, resourceVersion: stored.resourceVersion, finalizers: stored.finalizers, inUse: used.has(name) }]
    })
    await writeFinalizers(api, resource, classes, logger)
  }

  #tell(statuses: readonly StatusOf[]): void {
    if (statuses === this.#told) return
    this.#told = statuses
    this.#events.tell(statuses.map((status) => this.#judgedIn(status)))
  }

  #judgedIn(status: StatusOf): Judged {
    let judged = this.#judged.get(status)
    if (judged === undefined) {
      const { apiVersion, kind, namespace, name } = status
      const uid = this.#options.source.stored.get(kind, namespace, name)?.metadata.uid
      judged = { apiVersion, kind, namespace, name, uid, conditions: conditionsIn(status) }
      this.#judged.set(status, judged)
    }
    return judged
  }
}

function conditionsIn({ status }: StatusOf): Judged['conditions'] {
  if ('parents' in status) {
    return status.parents.flatMap(({ parentRef: { namespace, name, sectionName }, conditions = [] }) => {
      const about = [namespace, name, sectionName].filter((part) => part !== undefined && part !== '').join('/')
      return conditions.map((condition) => ({ ...condition, about }))
    })
  }
  if ('ancestors' in status)
    return status.ancestors.flatMap(({ ancestorRef, conditions }) =>
      conditions.map((condition) => ({ ...condition, about: ancestorRef.name })),
    )
  const listeners = 'listeners' in status ? status.listeners : []
  return [
    ...status.conditions,
    ...listeners.flatMap(({ name, conditions }) => conditions.map((condition) => ({ ...condition, about: `listener ${name}` }))),
  ]
}
