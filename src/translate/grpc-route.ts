/** GRPCRoute (Gateway API v1, GRPCRouteSpec; GEP-1016): its rules as they are served. */
import type { GrpcRoute } from '../api/route.ts'
import { grpcMatchConfig, grpcMatchProblem } from './grpc-match.ts'
import type { Reader } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import type { RouteResult } from './route.ts'
import { servedRouteOf } from './served-route.ts'

/** "If no matches are specified, the implementation MUST match every gRPC request" (GRPCRouteRule.matches). */
const MATCH_ALL = grpcMatchConfig({ headers: [] })

export function grpcRouteOf(read: Reader, options: TranslateOptions, route: GrpcRoute, last: RouteResult | undefined): RouteResult {
  const rules = route.spec.rules.map((rule) => ({
    ...rule,
    matches: rule.matches.length === 0 ? [MATCH_ALL] : rule.matches.map(grpcMatchConfig),
    matchProblem: rule.matches.map(grpcMatchProblem).find((problem) => problem !== undefined),
  }))
  return servedRouteOf(read, options, route, 'grpc', rules, last)
}
