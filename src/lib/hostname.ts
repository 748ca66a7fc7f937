/**
 * Hostnames of listeners and routes: exact (`a.example.com`) or with one leading wildcard label (`*.example.com`).
 * Source: Gateway API v1, types Hostname and HTTPRouteSpec.hostnames. '' stands for "any host", everything is lower case.
 */

export function isWildcard(pattern: string): boolean {
  return pattern.startsWith('*.')
}

/** True when a request for `host` (lower case, without port) is one that `pattern` covers. A wildcard covers one label or more, never none. */
export function covers(pattern: string, host: string): boolean {
  if (pattern === '') return true
  if (!isWildcard(pattern)) return pattern === host
  return host.length > pattern.length - 1 && host.endsWith(pattern.slice(1))
}

/** The hosts that both patterns cover, as one pattern; undefined when there are none. */
export function intersection(a: string, b: string): string | undefined {
  if (a === '') return b
  if (b === '' || a === b) return a
  if (isWildcard(a) && covers(a, isWildcard(b) ? b.slice(2) : b)) return b
  if (isWildcard(b) && covers(b, isWildcard(a) ? a.slice(2) : a)) return a
  return undefined
}

/** Orders patterns from the most to the least specific: exact before wildcard, then longer, `''` last; 0 for equal rank. */
export function compareSpecificity(a: string, b: string): number {
  return rank(b) - rank(a)
}

function rank(pattern: string): number {
  if (pattern === '') return 0
  return isWildcard(pattern) ? pattern.length : 1000 + pattern.length
}
