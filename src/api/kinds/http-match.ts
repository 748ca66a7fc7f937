/** The matches of an HTTPRoute (apis/v1 httproute_types.go, HTTPRouteMatch). */
import { headerName, headerValue, pathPattern } from '../fields/text.ts'
import { show } from '../issue.ts'
import type { HttpRouteMatch } from '../route.ts'
import { list } from '../schema/collection.ts'
import { defaulted, listOrEmpty, object, optional, required } from '../schema/object.ts'
import { oneOf, text } from '../schema/scalar.ts'
import { rule } from '../schema/schema.ts'
import type { Rule, Schema } from '../schema/schema.ts'

interface PathMatch {
  readonly type: string
  readonly value: string
}

/** HTTPPathMatch.value of an Exact or PathPrefix match is a path as a normalised request has it. */
function plainPath(code: string, must: string, holds: (value: string) => boolean): Rule<PathMatch> {
  return rule(code, (self) =>
    self.type === 'RegularExpression' || holds(self.value)
      ? undefined
      : { at: ['value'], must: `${must} for type ${self.type}`, got: show(self.value) },
  )
}

const pathMatch = object(
  {
    type: defaulted(oneOf('Exact', 'PathPrefix', 'RegularExpression'), 'PathPrefix'),
    value: defaulted(text({ max: 1024 }), '/'),
  },
  {
    rules: [
      plainPath('path-absolute', 'must start with "/"', (value) => value.startsWith('/')),
      plainPath('path-double-slash', 'must not contain "//"', (value) => !value.includes('//')),
      plainPath('path-dot-segment', 'must not contain "/./"', (value) => !value.includes('/./')),
      plainPath('path-parent-segment', 'must not contain "/../"', (value) => !value.includes('/../')),
      plainPath('path-encoded-slash', 'must not contain "%2f"', (value) => !value.includes('%2f')),
      plainPath('path-encoded-slash', 'must not contain "%2F"', (value) => !value.includes('%2F')),
      plainPath('path-fragment', 'must not contain "#"', (value) => !value.includes('#')),
      plainPath('path-parent-segment', 'must not end with "/.."', (value) => !value.endsWith('/..')),
      plainPath('path-dot-segment', 'must not end with "/."', (value) => !value.endsWith('/.')),
      plainPath('path-characters', 'must hold only characters of a URL path (RFC 3986 section 3.3)', (value) => pathPattern.test(value)),
    ],
  },
)

const valueMatchType = defaulted(oneOf('Exact', 'RegularExpression'), 'Exact')
const headerMatch = object({ type: valueMatchType, name: required(headerName), value: required(headerValue) })
const queryParamMatch = object({ type: valueMatchType, name: required(headerName), value: required(text({ min: 1, max: 1024 })) })

const httpMatch: Schema<HttpRouteMatch> = object({
  path: defaulted(pathMatch, { type: 'PathPrefix', value: '/' }),
  headers: listOrEmpty(list(headerMatch, { max: 16, key: 'name' })),
  queryParams: listOrEmpty(list(queryParamMatch, { max: 16, key: 'name' })),
  method: optional(oneOf('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH')),
})

export const httpMatches = list(httpMatch, { max: 64 })
