/** HTTPRoute (Gateway API v1, HTTPRouteSpec): its rules as they are served. */
import type { HttpRoute } from '../api/route.ts'
import { matchConfig, matchProblem } from './http-match.ts'
import type { Reader } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import type { RouteResult } from './route.ts'
import { servedRouteOf } from './served-route.ts'

/** A rule without matches takes every request (HTTPRouteRule.matches). */
const MATCH_ALL = matchConfig({ path: { type: 'PathPrefix', value: '/' }, headers: [], queryParams: [] })

export function httpRouteOf(read: Reader, options: TranslateOptions, route: HttpRoute, last: RouteResult | undefined): RouteResult {
  const rules = route.spec.rules.map((rule) => ({
    ...rule,
    matches: rule.matches.length === 0 ? [MATCH_ALL] : rule.matches.map(matchConfig),
    matchProblem: rule.matches.map(matchProblem).find((problem) => problem !== undefined),
  }))
  return servedRouteOf(read, options, route, 'http', rules, last)
}
