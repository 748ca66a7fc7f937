/** References from one object to another (apis/v1 object_reference_types.go, shared_types.go). */
import { show } from '../issue.ts'
import { integer } from '../schema/scalar.ts'
import { list } from '../schema/collection.ts'
import { defaulted, object, optional, required } from '../schema/object.ts'
import { firstRepeated } from '../schema/repeated.ts'
import { rule } from '../schema/schema.ts'
import { group, kind, namespace, objectName, port, sectionName } from './text.ts'

export const GATEWAY_GROUP = 'gateway.networking.k8s.io'

export const localReference = object({ group: required(group), kind: required(kind), name: required(objectName) })

export const namespacedReference = object({
  group: required(group),
  kind: required(kind),
  name: required(objectName),
  namespace: optional(namespace),
})

export const secretReference = object({
  group: defaulted(group, ''),
  kind: defaulted(kind, 'Secret'),
  name: required(objectName),
  namespace: optional(namespace),
})

export const parentGatewayReference = object({
  group: defaulted(group, GATEWAY_GROUP),
  kind: defaulted(kind, 'Gateway'),
  name: required(objectName),
  namespace: optional(namespace),
})

interface BackendTarget {
  readonly group: string
  readonly kind: string
  readonly port?: number
}

/** BackendObjectReference.port: "Port is required when the referent is a Kubernetes Service". */
const servicePortIsSet = rule<BackendTarget>('backend-port-required', (self) =>
  self.group === '' && self.kind === 'Service' && self.port === undefined
    ? { at: ['port'], must: 'must be set for a Service', got: 'nothing' }
    : undefined,
)

/** An XBackend says its port itself. */
const backendHasNoPort = rule<BackendTarget>('backend-port-unexpected', (self) =>
  self.group === 'gateway.networking.x-k8s.io' && self.kind === 'XBackend' && self.port !== undefined
    ? { at: ['port'], must: 'must be absent for an XBackend', got: show(self.port) }
    : undefined,
)

const backendTarget = {
  group: defaulted(group, ''),
  kind: defaulted(kind, 'Service'),
  name: required(objectName),
  namespace: optional(namespace),
  port: optional(port),
}

/** For kinds of backendRef that carry more fields than these. */
export const backendFields = { ...backendTarget, weight: defaulted(integer({ min: 0, max: 1_000_000 }), 1) }
export const backendRules = [servicePortIsSet, backendHasNoPort]

export const backendObjectReference = object(backendTarget, { rules: backendRules })
export const backendReference = object(backendFields, { rules: backendRules })

interface Parent {
  readonly group: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
  readonly sectionName?: string
  readonly port?: number
}

function sameParent(a: Parent, b: Parent): boolean {
  return a.group === b.group && a.kind === b.kind && a.name === b.name && a.namespace === b.namespace
}

/** CommonRouteSpec.parentRefs: of several references to one parent all or none name a section, all or none a port. */
const parentSectionsAreSet = rule<readonly Parent[]>('parent-section-required', (self) => {
  for (const [index, parent] of self.entries()) {
    const before = self.slice(0, index).find((other) => sameParent(other, parent))
    if (!before) continue
    if (
      (before.sectionName === undefined) !== (parent.sectionName === undefined) ||
      (before.port === undefined) !== (parent.port === undefined)
    ) {
      return {
        at: [index],
        must: 'must set sectionName or port like the other references to the same parent do',
        got: `sectionName ${show(parent.sectionName)} and port ${show(parent.port)}`,
      }
    }
  }
  return undefined
})

/** CommonRouteSpec.parentRefs: no two are the same. */
const parentsAreUnique = rule<readonly Parent[]>('parent-unique', (self) => {
  const index = firstRepeated(self, ({ group, kind, name, namespace, sectionName, port }) =>
    JSON.stringify([group, kind, name, namespace, sectionName, port]),
  )
  return index < 0
    ? undefined
    : {
        at: [index],
        must: 'must differ from the other references to the same parent in sectionName or port',
        got: `${self[index]?.kind ?? ''} ${show(self[index]?.name)} twice`,
      }
})

export const parentReferences = list(
  object({
    group: defaulted(group, GATEWAY_GROUP),
    kind: defaulted(kind, 'Gateway'),
    name: required(objectName),
    namespace: optional(namespace),
    sectionName: optional(sectionName),
    port: optional(port),
  }),
  { max: 32, rules: [parentSectionsAreSet, parentsAreUnique] },
)
