/**
 * The matches for one hostname on one listener, sorted by precedence and indexed by path, so that a look-up does not
 * grow with the number of rules: exact paths by map, then the regular expressions, then prefixes by map, one look-up
 * for each distinct length of a prefix that ends where an element of the path ends. Only matches with the same path are
 * asked one after the other.
 */
import type { HttpRouteConfig } from '../config/route.ts'
import type { CompiledMatch, CompiledRule, HostTable, RankedMatch, Subject } from './router.ts'
import { comparePrecedence, precedenceOf } from './precedence.ts'
import { slash, valueSatisfied } from './predicate.ts'

/** `rulesOf` gives the compiled rules of a route, in the order of its `rules`. */
export function compileHostTable(
  hostname: string,
  routes: readonly HttpRouteConfig[],
  rulesOf: (route: HttpRouteConfig) => readonly CompiledRule[],
): HostTable {
  const ranked = rank(routes, rulesOf)
  const exact = new Map<string, CompiledMatch[]>()
  const regexes: CompiledMatch[] = []
  const prefixes = new Map<string, CompiledMatch[]>()
  for (const { match } of ranked) {
    switch (match.path.kind) {
      case 'exact':
        append(exact, match.path.value, match)
        break
      case 'regex':
        regexes.push(match)
        break
      case 'prefix':
        append(prefixes, match.path.value, match)
        break
      case 'never':
        break
    }
  }
  const prefixLengths = [...new Set([...prefixes.keys()].map((prefix) => prefix.length))].toSorted((a, b) => b - a)

  function lookUp(subject: Subject): CompiledMatch | undefined {
    const { path } = subject.request
    const bucket = exact.get(path)
    const found = (bucket && firstSatisfied(bucket, subject)) ?? firstRegex(regexes, subject)
    if (found !== undefined) return found
    for (const length of prefixLengths) {
      if (length > path.length || (length > 0 && length < path.length && path.charCodeAt(length) !== slash)) continue
      const candidates = prefixes.get(path.slice(0, length))
      const match = candidates && firstSatisfied(candidates, subject)
      if (match !== undefined) return match
    }
    return undefined
  }

  return { hostname, routes, ranked, lookUp }
}

/** True when the request has the match's method, headers and query parameters; its path is somebody else's question. */
export function restSatisfied(match: CompiledMatch, subject: Subject): boolean {
  if (match.method !== undefined && match.method !== subject.request.method) return false
  for (const header of match.headers) if (!valueSatisfied(header, subject.request.header(header.name))) return false
  for (const parameter of match.query) if (!valueSatisfied(parameter, subject.queryValue(parameter.name))) return false
  return true
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

function firstSatisfied(candidates: readonly CompiledMatch[], subject: Subject): CompiledMatch | undefined {
  for (const match of candidates) if (restSatisfied(match, subject)) return match
  return undefined
}

function firstRegex(candidates: readonly CompiledMatch[], subject: Subject): CompiledMatch | undefined {
  for (const match of candidates) {
    // The cheap questions first: an expression costs more than a header.
    if (match.path.kind === 'regex' && restSatisfied(match, subject) && match.path.regex.matches(subject.request.path)) return match
  }
  return undefined
}

function append(map: Map<string, CompiledMatch[]>, key: string, match: CompiledMatch): void {
  const bucket = map.get(key)
  if (bucket === undefined) map.set(key, [match])
  else bucket.push(match)
}
