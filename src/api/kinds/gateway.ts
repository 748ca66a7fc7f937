/** Gateway (apis/v1 gateway_types.go). */
import { keyPrefixesAreShort, keysAreQualified, labelSelector, labelValue } from '../fields/selector.ts'
import { localReference, namespacedReference, secretReference } from '../fields/reference.ts'
import { annotationValue, objectName, port } from '../fields/text.ts'
import type { Gateway } from '../gateway.ts'
import { show } from '../issue.ts'
import { list, map } from '../schema/collection.ts'
import { defaulted, listOrEmpty, mapOrEmpty, object, optional, required } from '../schema/object.ts'
import { oneOf } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import type { Schema } from '../schema/schema.ts'
import { GATEWAY_V1, root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'
import { addresses } from './gateway-address.ts'
import { listeners } from './listener.ts'
import { gatewayStatus } from './status.ts'

const infrastructure = object({
  labels: mapOrEmpty(map(labelValue, { max: 8, rules: [keysAreQualified, keyPrefixesAreShort] })),
  annotations: mapOrEmpty(map(annotationValue, { max: 16, rules: [keysAreQualified, keyPrefixesAreShort] })),
  parametersRef: optional(localReference),
})

/** A ClusterTrustBundle has no namespace (FrontendTLSValidation.caCertificateRefs). */
const trustBundleHasNoNamespace = rule<readonly { readonly group: string; readonly kind: string; readonly namespace?: string }[]>(
  'trust-bundle-namespace',
  (self) => {
    const index = self.findIndex(
      (ref) => ref.group === 'certificates.k8s.io' && ref.kind === 'ClusterTrustBundle' && ref.namespace !== undefined,
    )
    return index < 0
      ? undefined
      : { at: [index, 'namespace'], must: 'must be absent for a ClusterTrustBundle', got: show(self[index]?.namespace) }
  },
)

const frontendTls = object({
  validation: optional(
    object({
      caCertificateRefs: required(list(namespacedReference, { min: 1, max: 16, rules: [trustBundleHasNoNamespace] })),
      mode: defaulted(oneOf('AllowValidOnly', 'AllowInsecureFallback'), 'AllowValidOnly'),
    }),
  ),
})

const spec = object({
  gatewayClassName: required(objectName),
  listeners: required(listeners),
  addresses: listOrEmpty(addresses),
  infrastructure: optional(infrastructure),
  allowedListeners: optional(
    object({
      namespaces: defaulted(
        object({ from: defaulted(oneOf('All', 'Selector', 'Same', 'None'), 'None'), selector: optional(labelSelector) }),
        { from: 'None' },
      ),
    }),
  ),
  tls: optional(
    object({
      backend: optional(object({ clientCertificateRef: optional(secretReference) })),
      frontend: optional(
        object({
          default: required(frontendTls),
          perPort: listOrEmpty(list(object({ port: required(port), tls: required(frontendTls) }), { max: 64, key: 'port' })),
        }),
      ),
    }),
  ),
  defaultScope: optional(oneOf('All', 'None')),
})

const schema: Schema<Gateway> = object({ ...root(GATEWAY_V1, 'Gateway', 'Namespaced'), spec: required(spec), status: gatewayStatus })

export const gateway: KindDefinition = {
  group: 'gateway.networking.k8s.io',
  kind: 'Gateway',
  scope: 'Namespaced',
  served: versions(schema, 'v1', 'v1beta1'),
  retired: versions(schema, 'v1alpha2'),
}
