/**
 * infra: makes what a Gateway needs in the cluster, and keeps it so.
 *
 * A dull writer: it compares and applies, and decides nothing. What is as it was asked for costs no call; what somebody
 * else changed is applied again; what is not asked for any more is deleted. An object that cannot be made has its own next
 * attempt, which no `write` waits for. Gateways that are deleted take their objects with them (ownerReferences).
 */
import { isDeepStrictEqual } from 'node:util'
import type { KubeApi, KubeObject, Resource } from '../kube/kube-api.ts'
import { isKubeError } from '../kube/kube-error.ts'
import { type Backoff, pauseAfter } from '../lib/backoff.ts'
import type { Logger } from '../telemetry/logger.ts'
import { Attempts } from './attempts.ts'
import { hasDrifted } from './drift.ts'
import type { InfraFailure } from './infra-failure.ts'
import { type Manifest, isManaged } from './proxy-manifests.ts'
import { handedOver, replicaKeeper } from './replica-handover.ts'
import { keyOf, ownerOf, takenMessage, takenNames } from './taken-names.ts'

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

export interface InfraWriterOptions {
  /** One attempt for each call: when the next one is due is known here. */
  readonly api: KubeApi
  readonly observed: ObservedInfra
  readonly logger: Logger
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  /** From 0 up to 1. */
  readonly random: () => number
  /** Another `write` is due after so many milliseconds; of several the soonest counts. */
  readonly later: (milliseconds: number) => void
  /** `failures` are others than before. */
  readonly onChange: () => void
}

interface Applied {
  readonly asked: KubeObject
  readonly result: KubeObject
  /** The watch has shown it, or something newer. */
  seen: boolean
  /** What stood there when it was compared last, and was as it was asked for. */
  fine: KubeObject | undefined
  /** How often in a row it was put right, when last, and when it may be again. */
  readonly repairs: number
  readonly repairedAt: number
  readonly repairableAt: number
}

/** Gateways at a time, and objects that failed before. */
const abreast = 8
/** Between repairs of one object that others change again and again; forgotten after the longest pause without one. */
const repairs: Backoff = { first: 500, longest: 60_000 }

export class InfraWriter {
  readonly #options: InfraWriterOptions
  readonly #attempts: Attempts
  readonly #applied = new Map<string, Applied>()
  #wanted: readonly GatewayManifests[] = []
  /** By Gateway, those whose names others have. */
  #taken: ReadonlyMap<string, InfraFailure> = new Map()
  #failures: ReadonlyMap<string, InfraFailure> = new Map()
  /** When the next repair is due. */
  #nextRepair = Number.POSITIVE_INFINITY

  constructor(options: InfraWriterOptions) {
    this.#options = options
    this.#attempts = new Attempts(options.now, options.random)
  }

  /** What cannot be made at present, by Gateway; the same object as long as nothing changes. */
  get failures(): ReadonlyMap<string, InfraFailure> {
    return this.#failures
  }

  /**
   * Makes it so. `kept`: Gateways of ours for which nothing new is asked; what they have stays.
   * `wanted`: the older Gateways first. Resolves when everything was tried that has not failed before.
   */
  async write(wanted: readonly GatewayManifests[], kept: ReadonlySet<string>): Promise<void> {
    this.#wanted = wanted
    this.#nextRepair = Number.POSITIVE_INFINITY
    const taken = takenNames(wanted, this.#options.observed)
    this.#taken = new Map([...taken].map(([gateway, name]) => [gateway, { reason: 'Invalid', message: takenMessage(name) }]))
    const queue = wanted.filter(({ gateway }) => !taken.has(gateway))
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await this.#writeOne(next)
    }
    await Promise.all(Array.from({ length: abreast }, work))
    const deleted = await this.#deleteRest(wanted, kept)
    const made = wanted.flatMap(({ manifests }) => manifests.map(({ resource, object }) => keyOf(resource, object)))
    this.#attempts.keepOnly(new Set([...made, ...deleted]))
    this.#tell()
  }

  async #writeOne({ gateway, manifests }: GatewayManifests): Promise<void> {
    for (const manifest of manifests) {
      const key = keyOf(manifest.resource, manifest.object)
      switch (this.#attempts.stateOf(key, manifest.object)) {
        case 'fresh':
          // What cannot reach the API server for one object cannot for the next.
          if (isKubeError(await this.#attempt(gateway, key, manifest), 0)) return
          break
        case 'due':
          if (this.#attempts.running < abreast) void this.#retry(gateway, key, manifest)
          break
        case 'waiting':
        case 'running':
          break
      }
    }
  }

  /** Beside the writing: what failed before may take its time. */
  async #retry(gateway: string, key: string, manifest: Manifest): Promise<void> {
    this.#attempts.began(key)
    await this.#attempt(gateway, key, manifest)
    this.#tell()
    // There may be others that waited for this one's place.
    this.#options.later(0)
  }

  async #attempt(gateway: string, key: string, manifest: Manifest): Promise<unknown> {
    try {
      await this.#apply(key, manifest)
      this.#attempts.succeeded(key)
      return undefined
    } catch (error) {
      const { kind, metadata } = manifest.object
      const reason = (error as Error).message
      this.#attempts.failed(key, manifest.object, error as Error)
      this.#options.logger.warn('an object of a Gateway could not be made', { gateway, kind, name: metadata.name, reason })
      return error
    }
  }

  async #apply(key: string, { resource, object }: Manifest): Promise<void> {
    const { api, now, random } = this.#options
    const { namespace = '', name } = object.metadata
    const before = this.#applied.get(key)
    const observed = this.#options.observed.get(resource, namespace, name)
    let count = 0
    if (before !== undefined && (before.asked === object || isDeepStrictEqual(before.asked, object))) {
      before.seen ||= isCaughtUp(before, observed)
      if (!before.seen || (observed !== undefined && observed === before.fine)) return
      if (observed !== undefined && !hasDrifted(object, before.result, observed)) {
        before.fine = observed
        return
      }
      // At once, and then after growing pauses: whoever changes it as often would not be stopped by haste.
      if (before.repairableAt > now()) {
        this.#nextRepair = Math.min(this.#nextRepair, before.repairableAt)
        return
      }
      count = now() - before.repairedAt < repairs.longest ? before.repairs + 1 : 1
    }
    if (observed === undefined) await this.#refuseForeign(resource, object)
    const kept = handedOver(object, before?.asked, observed)
    if (kept !== undefined) await api.apply(resource, kept, replicaKeeper)
    const result = await api.apply(resource, object)
    this.#applied.set(key, {
      asked: object,
      result,
      seen: false,
      fine: undefined,
      repairs: count,
      repairedAt: now(),
      repairableAt: count === 0 ? 0 : now() + pauseAfter(count, repairs, random),
    })
  }

  /** Applying would take over what somebody else has made, or what was made for another Gateway. */
  async #refuseForeign(resource: Resource, object: KubeObject): Promise<void> {
    const { namespace = '', name } = object.metadata
    const found = await this.#options.api.get(resource, { namespace, name })
    if (found === undefined) return
    const [owner, own] = [ownerOf(found), ownerOf(object)]
    // Without our label it is still ours, if it belongs to the Gateway: somebody has changed the label.
    if (owner !== undefined && owner === own) return
    if (owner !== undefined && isManaged(found))
      throw new Error(`it belongs to Gateway ${owner}; give one of the two Gateways another name`)
    if (!isManaged(found)) throw new Error(`there is one already that is not managed by gatewright; delete or rename it`)
  }

  #tell(): void {
    const failures = new Map<string, InfraFailure>()
    for (const { gateway, manifests } of this.#wanted) {
      const failure = this.#taken.get(gateway) ?? this.#failureIn(manifests)
      if (failure !== undefined) failures.set(gateway, failure)
    }
    if (!isDeepStrictEqual(failures, this.#failures)) {
      this.#failures = failures
      this.#options.onChange()
    }
    const soonest = Math.min(this.#attempts.soonest, this.#nextRepair)
    const left = soonest - this.#options.now()
    if (left > 0 && left < Number.POSITIVE_INFINITY) this.#options.later(Math.ceil(left))
  }

  #failureIn(manifests: readonly Manifest[]): InfraFailure | undefined {
    for (const { resource, object } of manifests) {
      const failure = this.#attempts.failureOf(keyOf(resource, object))
      if (failure !== undefined) return failure
    }
    return undefined
  }

  /** Resolves to the keys of the attempts. */
  async #deleteRest(wanted: readonly GatewayManifests[], kept: ReadonlySet<string>): Promise<readonly string[]> {
    const asked = new Map(
      wanted.map(({ gateway, manifests }) => [gateway, new Set(manifests.map(({ resource, object }) => keyOf(resource, object)))]),
    )
    const attempts: string[] = []
    for (const { resource, object } of this.#options.observed.all()) {
      const gateway = ownerOf(object)
      const key = keyOf(resource, object)
      if (gateway === undefined || object.metadata.deletionTimestamp !== undefined || !isManaged(object)) continue
      if (asked.get(gateway)?.has(key) ?? kept.has(gateway)) continue
      const attempt = `delete ${key}`
      attempts.push(attempt)
      await this.#delete(gateway, attempt, { resource, object })
    }
    return attempts
  }

  async #delete(gateway: string, attempt: string, { resource, object }: Manifest): Promise<void> {
    const { apiVersion, kind, metadata } = object
    const { namespace = '', name, uid } = metadata
    const named = { apiVersion, kind, metadata: { namespace, name, ...(uid !== undefined && { uid }) } }
    if (this.#attempts.stateOf(attempt, named) === 'waiting') return
    try {
      await this.#options.api.delete(resource, { namespace, name }, uid === undefined ? {} : { uid })
      this.#attempts.succeeded(attempt)
      this.#applied.delete(keyOf(resource, object))
      this.#options.logger.info('deleted what is not needed any more', { gateway, kind, name })
    } catch (error) {
      const reason = (error as Error).message
      this.#attempts.failed(attempt, named, error as Error)
      this.#options.logger.warn('what is not needed any more could not be deleted', { gateway, kind, name, reason })
    }
  }
}

/** True when the watch has come as far as our last write; what it shows until then is older than that. */
function isCaughtUp({ result }: Applied, observed: KubeObject | undefined): boolean {
  return observed !== undefined && Number(observed.metadata.resourceVersion) >= Number(result.metadata.resourceVersion)
}
