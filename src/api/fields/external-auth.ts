/** HTTPExternalAuthFilter (apis/v1 httproute_types.go), of routes and of listeners. */
import { show } from '../issue.ts'
import { list } from '../schema/collection.ts'
import { defaulted, listOrEmpty, object, optional, required } from '../schema/object.ts'
import { integer, oneOf, text } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import { backendObjectReference } from './reference.ts'
import { pathPattern } from './text.ts'

const headerNames = list(text(), { max: 64, unique: true })

interface ExternalAuth {
  readonly protocol: string
  readonly grpc?: unknown
  readonly http?: unknown
}

const grpcIsSet = rule<ExternalAuth>('external-auth-grpc-required', (self) =>
  self.protocol === 'GRPC' && self.grpc === undefined ? { at: ['grpc'], must: 'must be set for protocol GRPC', got: 'nothing' } : undefined,
)

const grpcIsAlone = rule<ExternalAuth>('external-auth-grpc-unexpected', (self) =>
  self.grpc !== undefined && self.protocol !== 'GRPC'
    ? { at: ['protocol'], must: 'must be GRPC where grpc is set', got: show(self.protocol) }
    : undefined,
)

const httpIsSet = rule<ExternalAuth>('external-auth-http-required', (self) =>
  self.protocol === 'HTTP' && self.http === undefined ? { at: ['http'], must: 'must be set for protocol HTTP', got: 'nothing' } : undefined,
)

const httpIsAlone = rule<ExternalAuth>('external-auth-http-unexpected', (self) =>
  self.http !== undefined && self.protocol !== 'HTTP'
    ? { at: ['protocol'], must: 'must be HTTP where http is set', got: show(self.protocol) }
    : undefined,
)

export const externalAuth = object(
  {
    protocol: required(oneOf('HTTP', 'GRPC')),
    backendRef: required(backendObjectReference),
    grpc: optional(object({ allowedHeaders: listOrEmpty(headerNames) })),
    http: optional(
      object({
        path: optional(text({ max: 1024, pattern: pathPattern, is: 'a URL path (RFC 3986 section 3.3)' })),
        allowedHeaders: listOrEmpty(headerNames),
        allowedResponseHeaders: listOrEmpty(headerNames),
      }),
    ),
    // "If 0, the body will not be sent": absent is the zero of the API's own type.
    forwardBody: optional(object({ maxSize: defaulted(integer({ min: 0 }), 0) })),
  },
  { rules: [grpcIsSet, grpcIsAlone, httpIsSet, httpIsAlone] },
)
