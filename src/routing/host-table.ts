/**
 * The matches for one hostname on one listener, sorted by precedence and indexed by path: those of HTTPRoutes, and those
 * of GRPCRoutes, which only gRPC requests see and see first.
 */
import type { HttpRouteConfig } from '../config/route.ts'
import { isGrpc } from './grpc.ts'
import { PathIndex } from './path-index.ts'
import { comparePrecedence, precedenceOf } from './precedence.ts'
import type { CompiledMatch, CompiledRule, HostTable, RankedMatch, Subject } from './router.ts'

/** `rulesOf` gives the compiled rules of a route, in the order of its `rules`. */
export function compileHostTable(
  hostname: string,
  routes: readonly HttpRouteConfig[],
  rulesOf: (route: HttpRouteConfig) => readonly CompiledRule[],
): HostTable {
  const ranked = rank(routes, rulesOf)
  const matches = ranked.map(({ match }) => match)
  const http = new PathIndex(matches.filter(({ config }) => config.grpc === undefined))
  const ofGrpcRoutes = matches.filter(({ config }) => config.grpc !== undefined)
  const grpc = ofGrpcRoutes.length === 0 ? undefined : new PathIndex(ofGrpcRoutes)

  function lookUp(subject: Subject): CompiledMatch | undefined {
    return (grpc !== undefined && isGrpc(subject.request) ? lookUpGrpc(grpc, subject) : undefined) ?? lookUpHttp(http, subject)
  }

  return { hostname, routes, ranked, lookUp }
}

/** Exact paths, regular expressions, prefixes: the order of HTTPRoute's precedence (precedence.ts). */
function lookUpHttp(index: PathIndex, subject: Subject): CompiledMatch | undefined {
  return index.exact(subject) ?? index.regex(subject) ?? index.prefix(subject)
}

/** Service and method, service, expressions (of which a method alone is one), everything: the order of GRPCRoute's. */
function lookUpGrpc(index: PathIndex, subject: Subject): CompiledMatch | undefined {
  return index.exact(subject) ?? index.prefix(subject, 1) ?? index.regex(subject) ?? index.prefix(subject)
}

function rank(routes: readonly HttpRouteConfig[], rulesOf: (route: HttpRouteConfig) => readonly CompiledRule[]): RankedMatch[] {
  const ranked: RankedMatch[] = []
  for (const [position, route] of routes.entries()) {
    for (const rule of rulesOf(route)) {
      for (const match of rule.matches) {
        ranked.push({ match, precedence: precedenceOf(match.config, match.path, position, rule.config.index) })
      }
    }
  }
  return ranked.sort((a, b) => comparePrecedence(a.precedence, b.precedence))
}
