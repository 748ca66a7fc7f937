/** HTTPRoute (apis/v1 httproute_types.go). */
import { parseDuration } from '../../lib/duration.ts'
import { backendFields, backendRules, parentReferences } from '../fields/reference.ts'
import { matchesAreFew, ruleNamesAreUnique } from '../fields/route-rule.ts'
import { sessionPersistence } from '../fields/session-persistence.ts'
import { duration, hostname, sectionName } from '../fields/text.ts'
import type { HttpRoute, HttpRouteFilter, HttpRouteMatch, HttpRouteRule } from '../route.ts'
import { list } from '../schema/collection.ts'
import { defaulted, listOrEmpty, object, optional, required } from '../schema/object.ts'
import { integer, oneOf } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import type { Rule, Schema } from '../schema/schema.ts'
import { GATEWAY_V1, root, versions } from './definition.ts'
import type { KindDefinition } from './definition.ts'
import { httpFilters } from './http-filter.ts'
import { httpMatches } from './http-match.ts'
import { routeStatus } from './status.ts'

const anyRequest: HttpRouteMatch = { path: { type: 'PathPrefix', value: '/' }, headers: [], queryParams: [] }

/** HTTPRouteTimeouts.backendRequest: one try cannot take longer than all of them; a request timeout of 0s is none. */
const backendTimeoutIsShorter = rule<{ readonly request?: string; readonly backendRequest?: string }>(
  'timeout-backend-too-long',
  (self) => {
    const request = self.request === undefined ? 0 : (parseDuration(self.request) ?? 0)
    const backend = self.backendRequest === undefined ? 0 : (parseDuration(self.backendRequest) ?? 0)
    return request > 0 && backend > request
      ? { at: ['backendRequest'], must: `must not be longer than request (${self.request})`, got: `${self.backendRequest}` }
      : undefined
  },
)

const timeouts = object({ request: optional(duration), backendRequest: optional(duration) }, { rules: [backendTimeoutIsShorter] })

const retry = object({
  codes: listOrEmpty(list(integer({ min: 400, max: 599 }), { unique: true })),
  attempts: defaulted(integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), 1),
  backoff: optional(duration),
})

const backendRefs = list(object({ ...backendFields, filters: listOrEmpty(httpFilters) }, { rules: backendRules }), { max: 16 })

/** HTTPRouteRule.backendRefs: what is redirected goes to no backend. */
const redirectHasNoBackends = rule<HttpRouteRule>('redirect-with-backends', (self) => {
  if (self.backendRefs.length === 0) return undefined
  const index = self.filters.findIndex((filter) => filter.type === 'RequestRedirect')
  return index < 0
    ? undefined
    : {
        at: ['filters', index],
        must: 'must not be of type RequestRedirect beside backendRefs',
        got: `${self.backendRefs.length} backendRefs`,
      }
})

type ReplacingFilter = 'RequestRedirect' | 'URLRewrite'

function replacesPrefix(filter: HttpRouteFilter, type: ReplacingFilter): boolean {
  if (filter.type !== type) return false
  const modifier = filter.type === 'RequestRedirect' ? filter.requestRedirect : filter.urlRewrite
  return modifier.path?.type === 'ReplacePrefixMatch'
}

function hasOnePrefixMatch(self: HttpRouteRule): boolean {
  return self.matches.length === 1 && self.matches[0]?.path.type === 'PathPrefix'
}

const ONE_PREFIX = 'must be exactly one, with a path of type PathPrefix, where a filter replaces the matched prefix'

/** HTTPPathModifier.replacePrefixMatch: only a PathPrefix match has a prefix to replace. The rule asks "exactly one filter", since more are refused anyway. */
function prefixReplacementHasPrefix(type: ReplacingFilter): Rule<HttpRouteRule> {
  return rule('prefix-replacement-without-prefix', (self) =>
    self.filters.filter((filter) => replacesPrefix(filter, type)).length === 1 && !hasOnePrefixMatch(self)
      ? { at: ['matches'], must: ONE_PREFIX, got: matchesAsText(self) }
      : undefined,
  )
}

/** The same for the filters of backendRefs; the API server judges it only where exactly one backendRef has such a filter, and so do we. */
function backendPrefixReplacementHasPrefix(type: ReplacingFilter): Rule<HttpRouteRule> {
  return rule('prefix-replacement-without-prefix', (self) => {
    const replacing = self.backendRefs.filter(({ filters }) => filters.filter((filter) => replacesPrefix(filter, type)).length === 1)
    return replacing.length === 1 && !hasOnePrefixMatch(self) ? { at: ['matches'], must: ONE_PREFIX, got: matchesAsText(self) } : undefined
  })
}

function matchesAsText({ matches }: HttpRouteRule): string {
  return matches.length === 1 ? `type ${matches[0]?.path.type}` : `${matches.length} matches`
}

const routeRule: Schema<HttpRouteRule> = object(
  {
    name: optional(sectionName),
    matches: defaulted(httpMatches, [anyRequest]),
    filters: listOrEmpty(httpFilters),
    backendRefs: listOrEmpty(backendRefs),
    timeouts: optional(timeouts),
    retry: optional(retry),
    sessionPersistence: optional(sessionPersistence),
  },
  {
    rules: [
      redirectHasNoBackends,
      prefixReplacementHasPrefix('RequestRedirect'),
      prefixReplacementHasPrefix('URLRewrite'),
      backendPrefixReplacementHasPrefix('RequestRedirect'),
      backendPrefixReplacementHasPrefix('URLRewrite'),
    ],
  },
)

const rulesAsWritten = list(routeRule, { min: 1, max: 16, rules: [ruleNamesAreUnique, matchesAreFew] })

/** HTTPRouteRule.matches: "If no matches are specified, the default is a prefix path match on /". An empty list, which the CRD lets stand, means the same. */
const rules: Schema<readonly HttpRouteRule[]> = {
  read: (value, at) => rulesAsWritten.read(value, at)?.map((one) => (one.matches.length === 0 ? { ...one, matches: [anyRequest] } : one)),
}

const schema: Schema<HttpRoute> = object({
  ...root(GATEWAY_V1, 'HTTPRoute', 'Namespaced'),
  spec: required(
    object({
      parentRefs: listOrEmpty(parentReferences),
      useDefaultGateways: optional(oneOf('All', 'None')),
      hostnames: listOrEmpty(list(hostname, { max: 16 })),
      rules: defaulted(rules, [{ matches: [anyRequest] }]),
    }),
  ),
  status: routeStatus,
})

export const httpRoute: KindDefinition = {
  group: 'gateway.networking.k8s.io',
  kind: 'HTTPRoute',
  scope: 'Namespaced',
  served: versions(schema, 'v1', 'v1beta1'),
  retired: versions(schema, 'v1alpha2'),
}
