/** BackendTLSPolicy (apis/v1 backendtlspolicy_types.go, GEP-1897). */
import { localReference } from '../fields/reference.ts'
import { annotationValue, group, hostname, kind, objectName, preciseHostname, sectionName } from '../fields/text.ts'
import { show } from '../issue.ts'
import type { BackendTlsPolicy } from '../policy.ts'
import { list, map } from '../schema/collection.ts'
import { isRecord, listOrEmpty, mapOrEmpty, object, optional, required } from '../schema/object.ts'
import { oneOf, text } from '../schema/scalar.ts'
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

interface AltName {
  readonly type: string
  readonly hostname?: string
  readonly uri?: string
}

function altNameIsSet(type: string, field: 'hostname' | 'uri') {
  return rule<AltName>('alt-name-required', (self) =>
    self.type === type && self[field] === undefined ? { at: [field], must: `must be set for type ${type}`, got: 'nothing' } : undefined,
  )
}

function altNameIsAlone(type: string, field: 'hostname' | 'uri') {
  return rule<AltName>('alt-name-unexpected', (self) =>
    self.type !== type && self[field] !== undefined
      ? { at: [field], must: `must be absent unless type is ${type}`, got: `type ${show(self.type)}` }
      : undefined,
  )
}

const uri = text({
  min: 1,
  max: 253,
  pattern: /^(([^:/?#]+):)(\/\/([^/?#]*))([^?#]*)(\?([^#]*))?(#(.*))?/,
  is: 'an absolute URI such as spiffe://example.com/service',
})

const subjectAltName = object(
  { type: required(oneOf('Hostname', 'URI')), hostname: optional(hostname), uri: optional(uri) },
  {
    rules: [
      altNameIsSet('Hostname', 'hostname'),
      altNameIsAlone('Hostname', 'hostname'),
      altNameIsSet('URI', 'uri'),
      altNameIsAlone('URI', 'uri'),
    ],
  },
)

/** BackendTLSPolicyValidation: the CAs are either named or well known. */
const oneSourceOfCas = rule<{ readonly caCertificateRefs: readonly unknown[]; readonly wellKnownCACertificates?: string }>(
  'ca-certificates-one-of',
  (self) => {
    const named = self.caCertificateRefs.length > 0
    const wellKnown = self.wellKnownCACertificates !== undefined
    return named === wellKnown
      ? { must: 'must set exactly one of caCertificateRefs and wellKnownCACertificates', got: named ? 'both' : 'neither' }
      : undefined
  },
)

const wellKnown = text({
  min: 1,
  max: 253,
  pattern: /^(System|([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$/,
  is: 'System or a name such as example.com/name',
})

const validation = object(
  {
    caCertificateRefs: listOrEmpty(list(localReference, { min: 1, max: 8 })),
    wellKnownCACertificates: optional(wellKnown),
    hostname: required(preciseHostname),
    subjectAltNames: listOrEmpty(list(subjectAltName, { max: 5 })),
  },
  { rules: [oneSourceOfCas] },
)

const schema: Schema<BackendTlsPolicy> = object({
  ...root(GATEWAY_V1, 'BackendTLSPolicy', 'Namespaced'),
  spec: required(
    object({ targetRefs: required(targetRefs), validation: required(validation), options: mapOrEmpty(map(annotationValue, { max: 16 })) }),
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
