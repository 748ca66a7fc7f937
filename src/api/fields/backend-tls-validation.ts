/** BackendTLSPolicyValidation (apis/v1 backendtlspolicy_types.go): what is asked of a backend's certificate. */
import { show } from '../issue.ts'
import { list } from '../schema/collection.ts'
import { listOrEmpty, object, optional, required } from '../schema/object.ts'
import { oneOf, text } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import { localReference } from './reference.ts'
import { hostname, preciseHostname } from './text.ts'

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

export const backendTlsValidation = object(
  {
    caCertificateRefs: listOrEmpty(list(localReference, { min: 1, max: 8 })),
    wellKnownCACertificates: optional(wellKnown),
    hostname: required(preciseHostname),
    subjectAltNames: listOrEmpty(list(subjectAltName, { max: 5 })),
  },
  { rules: [oneSourceOfCas] },
)
