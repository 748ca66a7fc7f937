/** GRPCRoute (apis/v1 grpcroute_types.go). */
import { unionRules } from '../fields/filter-union.ts'
import { atMostOne, headerModifier, requestMirror } from '../fields/filter.ts'
import { backendFields, backendRules, localReference, parentReferences } from '../fields/reference.ts'
import { matchesAreFew, ruleNamesAreUnique } from '../fields/route-rule.ts'
import { sessionPersistence } from '../fields/session-persistence.ts'
import { headerName, hostname, sectionName } from '../fields/text.ts'
import { show } from '../issue.ts'
import type { GrpcRoute, GrpcRouteFilter, GrpcRouteMatch } from '../route.ts'
import { list } from '../schema/collection.ts'
import { defaulted, listOrEmpty, narrowed, object, optional, required } from '../schema/object.ts'
import { oneOf, text } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import type { Schema } from '../schema/schema.ts'
import { GATEWAY_V1, root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'
import { routeStatus } from './status.ts'

interface MethodMatch {
  readonly type: string
  readonly service?: string
  readonly method?: string
}

const serviceOrMethodIsSet = rule<MethodMatch>('grpc-method-required', (self) =>
  self.service === undefined && self.method === undefined ? { must: 'must set service or method', got: 'neither' } : undefined,
)

/** A full name of Protocol Buffers, as an Exact match has it. */
const serviceIsName = rule<MethodMatch>('grpc-service-name', (self) =>
  self.type === 'Exact' && self.service !== undefined && !/^\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$/i.test(self.service)
    ? { at: ['service'], must: 'must be the name of a service such as foo.bar.Login for type Exact', got: show(self.service) }
    : undefined,
)

const methodIsName = rule<MethodMatch>('grpc-method-name', (self) =>
  self.type === 'Exact' && self.method !== undefined && !/^[A-Za-z_][A-Za-z_0-9]*$/.test(self.method)
    ? { at: ['method'], must: 'must be letters, digits and "_" for type Exact', got: show(self.method) }
    : undefined,
)

const valueMatchType = defaulted(oneOf('Exact', 'RegularExpression'), 'Exact')

const grpcMatch: Schema<GrpcRouteMatch> = object({
  method: optional(
    object(
      { type: valueMatchType, service: optional(text({ max: 1024 })), method: optional(text({ max: 1024 })) },
      { rules: [serviceOrMethodIsSet, serviceIsName, methodIsName] },
    ),
  ),
  headers: listOrEmpty(
    list(object({ type: valueMatchType, name: required(headerName), value: required(text({ min: 1, max: 4096 })) }), {
      max: 16,
      key: 'name',
    }),
  ),
})

const FIELDS = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  ExtensionRef: 'extensionRef',
} as const

const grpcFilter = narrowed<GrpcRouteFilter>(
  object(
    {
      type: required(oneOf('ResponseHeaderModifier', 'RequestHeaderModifier', 'RequestMirror', 'ExtensionRef')),
      requestHeaderModifier: optional(headerModifier),
      responseHeaderModifier: optional(headerModifier),
      requestMirror: optional(requestMirror),
      extensionRef: optional(localReference),
    },
    { rules: unionRules(FIELDS) },
  ),
)

const grpcFilters = list(grpcFilter, { max: 16, rules: [atMostOne('RequestHeaderModifier'), atMostOne('ResponseHeaderModifier')] })

const routeRule = object({
  name: optional(sectionName),
  matches: listOrEmpty(list(grpcMatch, { max: 64 })),
  filters: listOrEmpty(grpcFilters),
  backendRefs: listOrEmpty(list(object({ ...backendFields, filters: listOrEmpty(grpcFilters) }, { rules: backendRules }), { max: 16 })),
  sessionPersistence: optional(sessionPersistence),
})

const schema: Schema<GrpcRoute> = object({
  ...root(GATEWAY_V1, 'GRPCRoute', 'Namespaced'),
  spec: required(
    object({
      parentRefs: listOrEmpty(parentReferences),
      useDefaultGateways: optional(oneOf('All', 'None')),
      hostnames: listOrEmpty(list(hostname, { max: 16 })),
      rules: listOrEmpty(list(routeRule, { max: 16, rules: [matchesAreFew, ruleNamesAreUnique] })),
    }),
  ),
  status: routeStatus,
})

export const grpcRoute: KindDefinition = {
  group: 'gateway.networking.k8s.io',
  kind: 'GRPCRoute',
  scope: 'Namespaced',
  served: versions(schema, 'v1'),
  retired: versions(schema, 'v1alpha2'),
}
