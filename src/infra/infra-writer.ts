/**
 * infra: makes what a Gateway needs in the cluster, and keeps it so.
 *
 * A dull writer: it compares and applies, and decides nothing. What is as it was asked for costs no call; what somebody
 * else changed is applied again; what is not asked for any more is deleted. One Gateway's failure stops no other's, and
 * is tried again by the next `write`. Gateways that are deleted take their objects with them (ownerReferences).
 */
import { isDeepStrictEqual } from 'node:util'
import type { KubeApi, KubeObject, Resource } from '../kube/kube-api.ts'
import { isKubeError } from '../kube/kube-error.ts'
import type { Logger } from '../telemetry/logger.ts'
import { hasDrifted } from './drift.ts'
import { type Manifest, managedBy } from './proxy-manifests.ts'

export interface GatewayManifests {
  /** `namespace/name` */
  readonly gateway: string
  readonly manifests: readonly Manifest[]
}

/** Objects with our label, as a watch saw them last. */
export interface ObservedInfra {
  get(resource: Resource, namespace: string, name: string): KubeObject | undefined
  all(): readonly { readonly resource: Resource; readonly object: KubeObject }[]
}

interface Applied {
  readonly asked: KubeObject
  readonly result: KubeObject
  /** The watch has shown it, or something newer. */
  seen: boolean
  /** What stood there when it was compared last, and was as it was asked for. */
  fine: KubeObject | undefined
}

/** Gateways at a time. */
const abreast = 8

export class InfraWriter {
  readonly #api: KubeApi
  readonly #observed: ObservedInfra
  readonly #logger: Logger
  readonly #applied = new Map<string, Applied>()

  constructor(api: KubeApi, observed: ObservedInfra, logger: Logger) {
    this.#api = api
    this.#observed = observed
    this.#logger = logger
  }

  /**
   * Makes it so. `kept`: Gateways of ours for which nothing new is asked; what they have stays.
   * Resolves to what could not be made, in words for a person, by Gateway.
   */
  async write(wanted: readonly GatewayManifests[], kept: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
    const failures = new Map<string, string>()
    const queue = [...wanted]
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const failure = await this.#writeOne(next)
        if (failure !== undefined) failures.set(next.gateway, failure)
      }
    }
    await Promise.all(Array.from({ length: abreast }, work))
    await this.#deleteRest(wanted, kept)
    return failures
  }

  async #writeOne({ gateway, manifests }: GatewayManifests): Promise<string | undefined> {
    let failure: string | undefined
    for (const manifest of manifests) {
      try {
        await this.#apply(manifest)
      } catch (error) {
        const { kind, metadata } = manifest.object
        failure ??= `Cannot make ${kind} ${metadata.namespace ?? ''}/${metadata.name}: ${(error as Error).message}`
        this.#logger.warn('an object of a Gateway could not be made', {
          gateway,
          kind,
          name: metadata.name,
          reason: (error as Error).message,
        })
        // What cannot reach the API server for one object cannot for the next.
        if (isKubeError(error, 0)) break
      }
    }
    return failure
  }

  async #apply({ resource, object }: Manifest): Promise<void> {
    const { namespace = '', name } = object.metadata
    const key = keyOf(resource, namespace, name)
    const before = this.#applied.get(key)
    const observed = this.#observed.get(resource, namespace, name)
    if (before !== undefined && (before.asked === object || isDeepStrictEqual(before.asked, object))) {
      before.seen ||= isCaughtUp(before, observed)
      if (!before.seen || (observed !== undefined && observed === before.fine)) return
      if (observed !== undefined && !hasDrifted(object, before.result, observed)) {
        before.fine = observed
        return
      }
    }
    if (observed === undefined) await this.#refuseForeign(resource, namespace, name)
    this.#applied.set(key, { asked: object, result: await this.#api.apply(resource, object), seen: false, fine: undefined })
  }

  /** Applying would take over what somebody else has made. */
  async #refuseForeign(resource: Resource, namespace: string, name: string): Promise<void> {
    const found = await this.#api.get(resource, { namespace, name })
    if (found !== undefined && !isOurs(found))
      throw new Error(`there is one already that is not managed by gatewright; delete or rename it`)
  }

  async #deleteRest(wanted: readonly GatewayManifests[], kept: ReadonlySet<string>): Promise<void> {
    const asked = new Map(
      wanted.map(({ gateway, manifests }) => [
        gateway,
        new Set(manifests.map(({ resource, object }) => keyOf(resource, object.metadata.namespace ?? '', object.metadata.name))),
      ]),
    )
    for (const { resource, object } of this.#observed.all()) {
      const { namespace = '', name, uid, deletionTimestamp } = object.metadata
      const gateway = ownerOf(object)
      const key = keyOf(resource, namespace, name)
      if (gateway === undefined || deletionTimestamp !== undefined || !isOurs(object)) continue
      if (asked.get(gateway)?.has(key) ?? kept.has(gateway)) continue
      try {
        await this.#api.delete(resource, { namespace, name }, uid === undefined ? {} : { uid })
        this.#applied.delete(key)
        this.#logger.info('deleted what is not needed any more', { gateway, kind: resource.kind, name })
      } catch (error) {
        this.#logger.warn('what is not needed any more could not be deleted', {
          gateway,
          kind: resource.kind,
          name,
          reason: (error as Error).message,
        })
      }
    }
  }
}

/** True when the watch has come as far as our last write; what it shows until then is older than that. */
function isCaughtUp({ result }: Applied, observed: KubeObject | undefined): boolean {
  return observed !== undefined && Number(observed.metadata.resourceVersion) >= Number(result.metadata.resourceVersion)
}

function isOurs({ metadata }: KubeObject): boolean {
  return Object.entries(managedBy).every(([name, value]) => metadata.labels?.[name] === value)
}

/** `namespace/name` of the Gateway that an object was made for. */
function ownerOf({ metadata }: KubeObject): string | undefined {
  const owner = metadata.ownerReferences?.find(({ kind, controller }) => kind === 'Gateway' && controller === true)
  return owner === undefined ? undefined : `${metadata.namespace ?? ''}/${owner.name}`
}

function keyOf({ group, kind }: Resource, namespace: string, name: string): string {
  return `${group}/${kind}/${namespace}/${name}`
}
