/** References across namespaces, which the owner of the target must grant (Gateway API v1, ReferenceGrant). */
import type { ReferenceGrant } from '../api/gateway.ts'
import { GATEWAY_GROUP } from './features.ts'
import type { Reader } from './memo.ts'
import type { YamlValue } from './yaml-block.ts'

export interface CrossReference {
  /** `group`: the Gateway API's own where it is absent. */
  readonly from: { readonly group?: string; readonly kind: string; readonly namespace: string }
  readonly to: { readonly group: string; readonly kind: string; readonly namespace: string; readonly name: string }
}

/** True for a reference within one namespace, and for one that a grant in the target's namespace allows. */
export function isPermitted(read: Pick<Reader, 'bucket'>, reference: CrossReference): boolean {
  if (reference.from.namespace === reference.to.namespace) return true
  return read.bucket('grantsByNamespace', reference.to.namespace).some((grant) => grants(grant, reference))
}

/** Entries of `from` and of `to` are alternatives; a `to` without a name covers all objects of its kind. */
function grants(grant: ReferenceGrant, { from, to }: CrossReference): boolean {
  return (
    grant.spec.from.some(
      ({ group, kind, namespace }) => group === (from.group ?? GATEWAY_GROUP) && kind === from.kind && namespace === from.namespace,
    ) && grant.spec.to.some(({ group, kind, name }) => group === to.group && kind === to.kind && (name === undefined || name === to.name))
  )
}

/** The grant that would allow it: for this one object, and no more. Its name tells what it grants, so that it replaces no other. */
export function missingGrant({ from, to }: CrossReference): YamlValue {
  return {
    apiVersion: `${GATEWAY_GROUP}/v1`,
    kind: 'ReferenceGrant',
    metadata: { name: `${from.namespace}-${from.kind}-to-${to.kind}-${to.name}`.toLowerCase().slice(0, 253), namespace: to.namespace },
    spec: {
      from: [{ group: from.group ?? GATEWAY_GROUP, kind: from.kind, namespace: from.namespace }],
      to: [{ group: to.group, kind: to.kind, name: to.name }],
    },
  }
}
