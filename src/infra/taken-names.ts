/**
 * Two Gateways whose objects would bear one name (`shop-ext` of class `a` and `shop` of class `ext-a`): the name is that of
 * the Gateway which has it already, or comes first, and the other gets nothing. They would undo each other's work for ever.
 */
import type { KubeMetadata, KubeObject, Resource } from '../kube/kube-api.ts'
import type { GatewayManifests, ObservedInfra } from './infra-writer.ts'

export interface TakenName {
  /** `namespace/name` of the Gateway that has it. */
  readonly by: string
  readonly object: KubeObject
}

/** By Gateway, those that cannot have their names. @param wanted the older ones first */
export function takenNames(wanted: readonly GatewayManifests[], observed: ObservedInfra): ReadonlyMap<string, TakenName> {
  const holders = new Map<string, string>()
  const taken = new Map<string, TakenName>()
  for (const { gateway, manifests } of wanted) {
    const other = firstOf(manifests, ({ resource, object }) => {
      const { namespace = '', name } = object.metadata
      const found = observed.get(resource, namespace, name)
      return found === undefined ? undefined : ownerOf(found)
    })
    if (other !== undefined && other.by !== gateway) taken.set(gateway, other)
  }
  for (const { gateway, manifests } of wanted) {
    if (taken.has(gateway)) continue
    const other = firstOf(manifests, ({ resource, object }) => holders.get(keyOf(resource, object)))
    if (other !== undefined) taken.set(gateway, other)
    else for (const { resource, object } of manifests) holders.set(keyOf(resource, object), gateway)
  }
  return taken
}

function firstOf(
  manifests: GatewayManifests['manifests'],
  holderOf: (manifest: GatewayManifests['manifests'][number]) => string | undefined,
): TakenName | undefined {
  for (const manifest of manifests) {
    const by = holderOf(manifest)
    if (by !== undefined) return { by, object: manifest.object }
  }
  return undefined
}

/** `namespace/name` of the Gateway that an object was made for. */
export function ownerOf({ metadata }: { readonly metadata: KubeMetadata }): string | undefined {
  const owner = metadata.ownerReferences?.find(({ kind, controller }) => kind === 'Gateway' && controller === true)
  return owner === undefined ? undefined : `${metadata.namespace ?? ''}/${owner.name}`
}

export function keyOf({ group, kind }: Resource, { metadata: { namespace = '', name } }: KubeObject): string {
  return `${group}/${kind}/${namespace}/${name}`
}

/** What a Gateway that comes later is told. */
export function takenMessage({ by, object }: TakenName): string {
  const { namespace = '', name } = object.metadata
  return `Cannot make ${object.kind} ${namespace}/${name}: it belongs to Gateway ${by}; give one of the two Gateways another name`
}
