/** The metadata of every object (apimachinery, pkg/api/validation/objectmeta.go), defaults of a file filled in. */
import { keysAreQualified, isQualifiedName, labelValue, QUALIFIED_NAME } from './fields/selector.ts'
import { namespace as namespaceName, subdomainPattern } from './fields/text.ts'
import { show } from './issue.ts'
import type { ObjectMeta } from './meta.ts'
import { list, map } from './schema/collection.ts'
import { object, optional, required, mapOrEmpty, defaulted } from './schema/object.ts'
import { integer, text } from './schema/scalar.ts'
import { rule } from './schema/schema.ts'
import type { Schema } from './schema/schema.ts'

export type Scope = 'Namespaced' | 'Cluster'

/** The usual form of a name: NameIsDNSSubdomain. */
export const subdomainName = text({
  min: 1,
  max: 253,
  pattern: subdomainPattern,
  is: 'a DNS name in lower case (letters, digits, "-" and ".")',
})
/** NameIsDNSLabel: Namespaces. */
export const labelName = namespaceName

/** Empty counts as absent. */
const namespaceOrNone = text({
  max: 63,
  pattern: /^(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)?$/,
  is: 'a DNS label (lower case letters, digits and "-")',
})

const timestamp = text({
  pattern: /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[-+]\d\d:\d\d)$/,
  is: 'a time such as 2026-01-31T12:00:00Z (RFC 3339)',
})

const LONGEST_ANNOTATIONS = 256 * 1024

/** ValidateAnnotationsSize: keys and values together. */
const annotationsAreSmall = rule<Readonly<Record<string, unknown>>>('annotations-too-long', (self) => {
  let size = 0
  for (const [key, value] of Object.entries(self)) size += Buffer.byteLength(key) + Buffer.byteLength(String(value))
  return size > LONGEST_ANNOTATIONS ? { must: `must have at most ${LONGEST_ANNOTATIONS} bytes in all`, got: `${size}` } : undefined
})

/** As keysAreQualified, but annotations are compared in lower case. */
const annotationKeysAreQualified = rule<Readonly<Record<string, unknown>>>('qualified-name', (self) => {
  const wrong = Object.keys(self).find((key) => !isQualifiedName(key.toLowerCase()))
  return wrong === undefined ? undefined : { at: [wrong], must: `must have as key ${QUALIFIED_NAME}`, got: show(wrong) }
})

/** Of the server's making, read by nobody here. */
const UNREAD = ['generateName', 'selfLink', 'managedFields', 'ownerReferences', 'deletionGracePeriodSeconds'] as const

export function metadata(name: Schema<string>, scope: Scope): Schema<ObjectMeta> {
  const fields = object(
    {
      name: required(name),
      namespace: optional(namespaceOrNone),
      generation: defaulted(integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), 1),
      creationTimestamp: optional(timestamp),
      deletionTimestamp: optional(timestamp),
      uid: optional(text()),
      resourceVersion: optional(text()),
      labels: mapOrEmpty(map(labelValue, { nullIs: '', rules: [keysAreQualified] })),
      annotations: mapOrEmpty(map(text(), { nullIs: '', rules: [annotationKeysAreQualified, annotationsAreSmall] })),
      finalizers: optional(list(text())),
    },
    { unread: UNREAD },
  )
  return {
    read(value, at) {
      const meta = fields.read(value, at)
      if (!meta) return undefined
      if (scope === 'Namespaced') return { ...meta, namespace: meta.namespace || at.defaultNamespace }
      if (meta.namespace)
        at.warn('namespace-ignored', 'must be absent, since the kind has no namespaces', show(meta.namespace), ['namespace'])
      return { ...meta, namespace: '' }
    },
  }
}
