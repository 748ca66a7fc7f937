/**
 * Gateways that were ours and have a class of somebody else's, or none, now: as long as something stands that was made for them, and until
 * their status was taken back. A status that goes on saying Programmed, with an address that is gone, would be read by whoever follows
 * it. One that somebody has judged in its present generation is theirs.
 */
import { ownerOf } from '../infra/taken-names.ts'
import type { KubernetesSource } from '../sources/kubernetes/kubernetes-source.ts'
import type { StoredObject } from '../sources/kubernetes/stored-object.ts'
import { gatewayConditions } from '../translate/conditions.ts'
import type { StatusOf } from '../translate/translation.ts'

export class LeavingGateways {
  readonly #source: Pick<KubernetesSource, 'owned' | 'stored'>
  readonly #leaving = new Set<string>()

  constructor(source: Pick<KubernetesSource, 'owned' | 'stored'>) {
    this.#source = source
  }

  /** @param ours by `namespace/name` */
  statuses(ours: ReadonlySet<string>): readonly StatusOf[] {
    const { owned, stored } = this.#source
    for (const { object } of owned.all()) {
      const gateway = ownerOf(object)
      if (gateway !== undefined && !ours.has(gateway)) this.#leaving.add(gateway)
    }
    const statuses: StatusOf[] = []
    for (const gateway of this.#leaving) {
      const found = stored.at('Gateway', gateway)
      if (found !== undefined && !ours.has(gateway) && wasJudgedBefore(found)) statuses.push(takenBack(found))
      else this.#leaving.delete(gateway)
    }
    return statuses
  }
}

/** Its conditions are of a generation before the one that it has now; those that the API server puts there have none. */
function wasJudgedBefore({ generation, metadata, status }: StoredObject): boolean {
  const conditions = status?.['conditions']
  if (!Array.isArray(conditions) || metadata.deletionTimestamp !== undefined) return false
  const judged = (conditions as readonly { readonly observedGeneration?: number }[]).map(({ observedGeneration = 0 }) => observedGeneration)
  return judged.some((one) => one > 0) && judged.every((one) => one < generation)
}

function takenBack({ apiVersion, kind, metadata, generation }: StoredObject): StatusOf {
  const message = 'The class of the Gateway is none of this controller’s any more; what was made for it here is gone.'
  const conditions = [gatewayConditions.waitingForClass(generation, message), gatewayConditions.programmedUnknown(generation, message)]
  return {
    apiVersion,
    kind,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    status: { addresses: [], conditions, listeners: [], attachedListenerSets: 0 },
  }
}
