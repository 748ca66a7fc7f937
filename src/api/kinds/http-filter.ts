/** The filters of an HTTPRoute (apis/v1 httproute_types.go, HTTPRouteFilter). */
import { externalAuth } from '../fields/external-auth.ts'
import { unionRules } from '../fields/filter-union.ts'
import { atMostOne, headerModifier, requestMirror } from '../fields/filter.ts'
import { localReference } from '../fields/reference.ts'
import { headerName, port, preciseHostname } from '../fields/text.ts'
import { show } from '../issue.ts'
import type { HttpRouteFilter, PathModifier } from '../route.ts'
import { list } from '../schema/collection.ts'
import { defaulted, listOrEmpty, narrowed, object, optional, required } from '../schema/object.ts'
import { integer, oneOf, text, truth } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'

interface LoosePath {
  readonly type: string
  readonly replaceFullPath?: string
  readonly replacePrefixMatch?: string
}
type PathField = 'replaceFullPath' | 'replacePrefixMatch'

function pathFieldIsSet(type: string, field: PathField) {
  return rule<LoosePath>('path-modifier-required', (self) =>
    self.type === type && self[field] === undefined ? { at: [field], must: `must be set for type ${type}`, got: 'nothing' } : undefined,
  )
}

function pathFieldIsAlone(type: string, field: PathField) {
  return rule<LoosePath>('path-modifier-unexpected', (self) =>
    self[field] !== undefined && self.type !== type
      ? { at: ['type'], must: `must be ${type} where ${field} is set`, got: show(self.type) }
      : undefined,
  )
}

const pathModifier = narrowed<PathModifier>(
  object(
    {
      type: required(oneOf('ReplaceFullPath', 'ReplacePrefixMatch')),
      replaceFullPath: optional(text({ max: 1024 })),
      replacePrefixMatch: optional(text({ max: 1024 })),
    },
    {
      rules: [
        pathFieldIsSet('ReplaceFullPath', 'replaceFullPath'),
        pathFieldIsAlone('ReplaceFullPath', 'replaceFullPath'),
        pathFieldIsSet('ReplacePrefixMatch', 'replacePrefixMatch'),
        pathFieldIsAlone('ReplacePrefixMatch', 'replacePrefixMatch'),
      ],
    },
  ),
)

const requestRedirect = object({
  scheme: optional(oneOf('http', 'https')),
  hostname: optional(preciseHostname),
  path: optional(pathModifier),
  port: optional(port),
  statusCode: defaulted(oneOf(301, 302, 303, 307, 308), 302),
})

const urlRewrite = object({ hostname: optional(preciseHostname), path: optional(pathModifier) })

/** HTTPCORSFilter: the wildcard says all there is to say. */
const wildcardIsAlone = rule<readonly string[]>('cors-wildcard-alone', (self) =>
  self.includes('*') && self.length > 1 ? { must: 'must hold nothing else beside "*"', got: `${self.length} items` } : undefined,
)

const origin = text({
  min: 1,
  max: 253,
  pattern: /(^\*$)|(^(http(s)?):\/\/(((\*\.)?([a-zA-Z0-9-]+\.)*[a-zA-Z0-9-]+|\*)(:([0-9]{1,5}))?)$)/,
  is: '"*" or an origin such as https://example.com or https://*.example.com:8443',
})

const corsMethod = oneOf('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', '*')

const cors = object({
  allowOrigins: listOrEmpty(list(origin, { max: 64, unique: true, rules: [wildcardIsAlone] })),
  allowCredentials: optional(truth()),
  allowMethods: listOrEmpty(list(corsMethod, { max: 9, unique: true, rules: [wildcardIsAlone] })),
  allowHeaders: listOrEmpty(list(headerName, { max: 64, unique: true, rules: [wildcardIsAlone] })),
  exposeHeaders: listOrEmpty(list(headerName, { max: 64, unique: true })),
  maxAge: defaulted(integer({ min: 1 }), 5),
})

const FIELDS = {
  CORS: 'cors',
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  ExtensionRef: 'extensionRef',
  ExternalAuth: 'externalAuth',
} as const

const httpFilter = narrowed<HttpRouteFilter>(
  object(
    {
      type: required(
        oneOf(
          'RequestHeaderModifier',
          'ResponseHeaderModifier',
          'RequestMirror',
          'RequestRedirect',
          'URLRewrite',
          'ExtensionRef',
          'CORS',
          'ExternalAuth',
        ),
      ),
      requestHeaderModifier: optional(headerModifier),
      responseHeaderModifier: optional(headerModifier),
      requestMirror: optional(requestMirror),
      requestRedirect: optional(requestRedirect),
      urlRewrite: optional(urlRewrite),
      extensionRef: optional(localReference),
      cors: optional(cors),
      externalAuth: optional(externalAuth),
    },
    { rules: unionRules(FIELDS) },
  ),
)

/** HTTPRouteRule.filters: a request is redirected or rewritten, not both. */
const redirectOrRewrite = rule<readonly HttpRouteFilter[]>('filter-redirect-or-rewrite', (self) => {
  const redirect = self.findIndex((filter) => filter.type === 'RequestRedirect')
  const rewrite = self.findIndex((filter) => filter.type === 'URLRewrite')
  return redirect < 0 || rewrite < 0
    ? undefined
    : { at: [rewrite], must: 'must not be of type URLRewrite beside a RequestRedirect', got: `a RequestRedirect in item ${redirect}` }
})

export const httpFilters = list(httpFilter, {
  max: 16,
  rules: [
    redirectOrRewrite,
    atMostOne('CORS'),
    atMostOne('RequestHeaderModifier'),
    atMostOne('ResponseHeaderModifier'),
    atMostOne('RequestRedirect'),
    atMostOne('URLRewrite'),
  ],
})
