/**
 * Precedence of matches as data.
 *
 * HTTPRouteRule.matches: among all rules of the applicable routes the match wins that has, in this order, an exact
 * path, the longest path prefix, a method, more header matches, more query parameter matches; then the older route, the
 * route first by `namespace/name`, the rule listed first. Before all of these comes the hostname, the route's own one
 * (HTTPRouteSpec.hostnames, feature GatewayRouteHostnameIntersectionPrecedence): the order of a listener's tables.
 *
 * GRPCRouteRule.matches has a list of its own: more characters of the service, of the method, more header matches, then
 * age, name and place as above. Matches of the two kinds are never compared by these ("merging MUST not be done"): both
 * kinds may serve one hostname, and there a gRPC request is for the GRPCRoutes first, which take nothing else, and for
 * the HTTPRoutes where no match of theirs wants it. (An implementation MAY reject one of the two routes instead.)
 *
 * The place of regular expressions is left to the implementation: after exact paths and before prefixes, because after
 * them a single rule for `/` would hide every expression. Their length says nothing about what they cover and does not count.
 * A GRPCRoute's come after what names a service or method, before what names neither.
 */
import type { HttpMatchConfig } from '../config/route.ts'
import type { PathPredicate } from './predicate.ts'

/** One number for each step of the comparison. */
export interface Precedence {
  /** 1 for a GRPCRoute's match. */
  readonly grpc: number
  /** Characters of an exact service, of an exact method; 0 in an HTTPRoute. */
  readonly service: number
  readonly serviceMethod: number
  /** 2 exact, 1 regex, 0 prefix, -1 for a path that matches nothing. */
  readonly pathKind: number
  /** Characters without a trailing slash; 0 unless the path is a prefix. */
  readonly prefixLength: number
  /** 1 with a method. */
  readonly method: number
  readonly headers: number
  readonly query: number
  /** Position among the table's routes, which are in tie-break order (age, then `namespace/name`). */
  readonly routeOrder: number
  /** The rule's index in the route. */
  readonly ruleOrder: number
}

export type PrecedenceStep = keyof Precedence

/** In the order of the specification, and which number wins. */
const steps: readonly (readonly [PrecedenceStep, wins: 'larger' | 'smaller'])[] = [
  ['grpc', 'larger'],
  ['service', 'larger'],
  ['serviceMethod', 'larger'],
  ['pathKind', 'larger'],
  ['prefixLength', 'larger'],
  ['method', 'larger'],
  ['headers', 'larger'],
  ['query', 'larger'],
  ['routeOrder', 'smaller'],
  ['ruleOrder', 'smaller'],
]

export function precedenceOf(match: HttpMatchConfig, path: PathPredicate, routePosition: number, ruleIndex: number): Precedence {
  return {
    grpc: match.grpc === undefined ? 0 : 1,
    service: match.grpc?.service ?? 0,
    serviceMethod: match.grpc?.method ?? 0,
    pathKind: pathKindRank[path.kind],
    prefixLength: path.kind === 'prefix' ? path.value.length : 0,
    method: match.method === undefined ? 0 : 1,
    headers: match.headers.length,
    query: match.query.length,
    routeOrder: routePosition,
    ruleOrder: ruleIndex,
  }
}

const pathKindRank: Readonly<Record<PathPredicate['kind'], number>> = { exact: 2, regex: 1, prefix: 0, never: -1 }

/** Sorts the winner first; 0 only for matches of one rule. */
export function comparePrecedence(a: Precedence, b: Precedence): number {
  for (const [step, wins] of steps) {
    if (a[step] !== b[step]) return wins === 'larger' ? b[step] - a[step] : a[step] - b[step]
  }
  return 0
}

/** The first step at which the two differ. */
export function decidingStep(a: Precedence, b: Precedence): PrecedenceStep | undefined {
  return steps.find(([step]) => a[step] !== b[step])?.[0]
}
