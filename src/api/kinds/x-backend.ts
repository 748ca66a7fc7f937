/** XBackend (apisx/v1alpha1 xbackend_types.go, GEP-4894). */
import { backendTlsValidation } from '../fields/backend-tls-validation.ts'
import { secretReference } from '../fields/reference.ts'
import { keysAreQualified, labelValue } from '../fields/selector.ts'
import { sessionPersistence } from '../fields/session-persistence.ts'
import { port, preciseHostname } from '../fields/text.ts'
import { show } from '../issue.ts'
import { map } from '../schema/collection.ts'
import { defaulted, object, optional, required } from '../schema/object.ts'
import { oneOf } from '../schema/scalar.ts'
import { rule, ruled } from '../schema/schema.ts'
import type { Rule, Schema } from '../schema/schema.ts'
import { EXPERIMENTAL_GROUP } from '../x-backend.ts'
import type { XBackend } from '../x-backend.ts'
import { EXPERIMENTAL_V1ALPHA1, root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'
import { policyStatus } from './status.ts'

interface Tls {
  readonly mode: string
  readonly clientCertificateRef?: object
  readonly validation?: object
}

const certificateForItsMode = rule<Tls>('backend-client-certificate', ({ mode, clientCertificateRef }) => {
  if ((mode === 'ClientAndServer') === (clientCertificateRef !== undefined)) return undefined
  const must = mode === 'ClientAndServer' ? 'must be set for mode ClientAndServer' : 'must be absent unless mode is ClientAndServer'
  return { at: ['clientCertificateRef'], must, got: clientCertificateRef === undefined ? 'nothing' : `mode ${mode}` }
})

const validationForItsMode = rule<Tls>('backend-validation', ({ mode, validation }) => {
  if ((mode === 'None') === (validation === undefined)) return undefined
  const must = mode === 'None' ? 'must be absent for mode None' : `must be set for mode ${mode}`
  return { at: ['validation'], must, got: validation === undefined ? 'nothing' : 'a validation' }
})

const tls = object(
  {
    mode: required(oneOf('None', 'ServerOnly', 'ClientAndServer')),
    clientCertificateRef: optional(secretReference),
    validation: optional(backendTlsValidation),
  },
  { rules: [certificateForItsMode, validationForItsMode] },
)

interface Spec {
  readonly type: string
  readonly externalHostname?: object
  readonly endpointSelector?: object
  readonly sessionPersistence?: object
  readonly protocol?: string
  readonly tls: Tls
}

function onlyForType(type: string, field: 'externalHostname' | 'endpointSelector'): Rule<Spec> {
  return rule<Spec>('backend-type', (self) => {
    if ((self.type === type) === (self[field] !== undefined)) return undefined
    const must = self.type === type ? `must be set for type ${type}` : `must be absent unless type is ${type}`
    return { at: [field], must, got: self[field] === undefined ? 'nothing' : `type ${self.type}` }
  })
}

const clearTextIsClear = rule<Spec>('backend-tls-unexpected', (self) =>
  self.protocol === 'H2C' && self.tls.mode !== 'None'
    ? { at: ['tls', 'mode'], must: 'must be None for protocol H2C (HTTP2 is HTTP/2 over TLS)', got: self.tls.mode }
    : undefined,
)

function securedBy(protocol: 'HTTP2' | 'WSS', otherwise: string): Rule<Spec> {
  return rule<Spec>('backend-tls-required', (self) =>
    self.protocol === protocol && self.tls.mode === 'None'
      ? { at: ['tls', 'mode'], must: `must not be None for protocol ${protocol}${otherwise}`, got: 'None' }
      : undefined,
  )
}

const sessionsAtEndpoints = rule<Spec>('backend-session', (self) =>
  self.sessionPersistence !== undefined && self.type !== 'EndpointSelector'
    ? { at: ['sessionPersistence'], must: 'must be absent unless type is EndpointSelector', got: `type ${self.type}` }
    : undefined,
)

/** The API server knows cluster.local alone; a trust domain of another name is the cluster's to forbid. */
const noClusterName = rule<string>('backend-hostname', (self) =>
  self.endsWith('.cluster.local') ? { must: 'must not end with .cluster.local: refer to the Service itself', got: show(self) } : undefined,
)

/** `minProperties: 1` of a type whose only property it is. */
const portIsSaid = rule<{ readonly number?: number }>('too-few', ({ number }) =>
  number === undefined ? { must: 'must have at least 1 entry: number', got: '0' } : undefined,
)

const labelsAreSaid = rule<Readonly<Record<string, unknown>>>('too-few', (self) =>
  Object.keys(self).length === 0 ? { must: 'must have at least 1 entry', got: '0' } : undefined,
)

const backendPort: Schema<{ readonly number: number }> = {
  read(value, at) {
    const read = ruled(object({ number: optional(port) }), [portIsSaid]).read(value, at)
    return read?.number === undefined ? undefined : { number: read.number }
  },
}

const schema: Schema<XBackend> = object({
  ...root(EXPERIMENTAL_V1ALPHA1, 'XBackend', 'Namespaced'),
  spec: required(
    object(
      {
        type: required(oneOf('ExternalHostname', 'EndpointSelector')),
        port: required(backendPort),
        externalHostname: optional(object({ hostname: required(ruled(preciseHostname, [noClusterName])) })),
        endpointSelector: optional(
          object({ matchLabels: required(map(labelValue, { max: 64, rules: [labelsAreSaid, keysAreQualified] })) }),
        ),
        sessionPersistence: optional(sessionPersistence),
        protocol: optional(oneOf('TCP', 'HTTP', 'HTTP2', 'HTTP11', 'H2C', 'MCP', 'GRPC', 'WSS')),
        tls: defaulted(tls, { mode: 'None' }),
      },
      {
        rules: [
          onlyForType('ExternalHostname', 'externalHostname'),
          onlyForType('EndpointSelector', 'endpointSelector'),
          clearTextIsClear,
          securedBy('HTTP2', ' (H2C is HTTP/2 without TLS)'),
          securedBy('WSS', ''),
          sessionsAtEndpoints,
        ],
      },
    ),
  ),
  status: policyStatus,
})

export const xBackend: KindDefinition = {
  group: EXPERIMENTAL_GROUP,
  kind: 'XBackend',
  scope: 'Namespaced',
  served: versions(schema, 'v1alpha1'),
}
