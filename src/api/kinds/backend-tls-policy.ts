/** BackendTLSPolicy (apis/v1 backendtlspolicy_types.go, GEP-1897). */
import { backendTlsValidation } from '../fields/backend-tls-validation.ts'
import { annotationValue, group, kind, objectName, sectionName } from '../fields/text.ts'
import { show } from '../issue.ts'
import type { BackendTlsPolicy } from '../policy.ts'
import { list, map } from '../schema/collection.ts'
import { isRecord, mapOrEmpty, object, optional, required } from '../schema/object.ts'
import { firstRepeated } from '../schema/repeated.ts'
import { rule } from '../schema/schema.ts'
import type { Schema } from '../schema/schema.ts'
import { GATEWAY_V1, root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'
import { policyStatus } from './status.ts'

interface Target {
  readonly group: string
  readonly kind: string
  readonly name: string
  readonly sectionName?: string
}

function sameTarget(a: Target, b: Target): boolean {
  return a.group === b.group && a.kind === b.kind && a.name === b.name
}

/** BackendTLSPolicySpec.targetRefs: of several references to one object all or none name a section. */
const targetSectionsAreSet = rule<readonly Target[]>('target-section-required', (self) => {
  const index = self.findIndex((target, i) =>
    self.slice(0, i).some((other) => sameTarget(other, target) && (other.sectionName === undefined) !== (target.sectionName === undefined)),
  )
  return index < 0
    ? undefined
    : {
        at: [index],
        must: 'must set sectionName like the other references to the same target do',
        got: `sectionName ${show(self[index]?.sectionName)}`,
      }
})

const targetsAreUnique = rule<readonly Target[]>('target-unique', (self) => {
  const index = firstRepeated(self, ({ group, kind, name, sectionName }) => JSON.stringify([group, kind, name, sectionName]))
  return index < 0
    ? undefined
    : {
        at: [index],
        must: 'must differ from the other references to the same target in sectionName',
        got: `${self[index]?.kind ?? ''} ${show(self[index]?.name)} twice`,
      }
})

const targetRefs = list(
  object({ group: required(group), kind: required(kind), name: required(objectName), sectionName: optional(sectionName) }),
  { min: 1, max: 16, rules: [targetSectionsAreSet, targetsAreUnique] },
)

const schema: Schema<BackendTlsPolicy> = object({
  ...root(GATEWAY_V1, 'BackendTLSPolicy', 'Namespaced'),
  spec: required(
    object({
      targetRefs: required(targetRefs),
      validation: required(backendTlsValidation),
      options: mapOrEmpty(map(annotationValue, { max: 16 })),
    }),
  ),
  status: policyStatus,
})

/** v1alpha2 (Gateway API 1.0) had one target, and other names: targetRef, tls.caCertRefs, tls.wellKnownCACerts. */
const alpha2: Schema<BackendTlsPolicy> = {
  read(value, at) {
    const spec = isRecord(value) ? value['spec'] : undefined
    if (!isRecord(value) || !isRecord(spec) || !isRecord(spec['tls'])) return schema.read(value, at)
    const { targetRef, tls, ...rest } = spec
    const { caCertRefs, wellKnownCACerts, ...others } = isRecord(tls) ? tls : {}
    const validation = { ...others, caCertificateRefs: caCertRefs, wellKnownCACertificates: wellKnownCACerts }
    return schema.read({ ...value, spec: { ...rest, targetRefs: [targetRef], validation } }, at)
  },
}

export const backendTlsPolicy: KindDefinition = {
  group: 'gateway.networking.k8s.io',
  kind: 'BackendTLSPolicy',
  scope: 'Namespaced',
  served: versions(schema, 'v1', 'v1alpha3'),
  retired: versions(alpha2, 'v1alpha2'),
}
