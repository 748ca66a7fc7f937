/**
 * What a match asks of a request, each question by itself. The table asks them fast and in an order of its own,
 * `explain` one after the other; both ask these.
 */
import type { PathMatchConfig, ValueMatchConfig } from '../config/route.ts'
import { toByteString } from './byte-string.ts'
import { pathValue, prefixValue } from './path-value.ts'
import { compileRegex, type WholeRegex } from './regex.ts'

export type PathPredicate =
  | { readonly kind: 'exact'; readonly value: string }
  /** `value` has no trailing slash: `''` covers every path. */
  | { readonly kind: 'prefix'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string; readonly regex: WholeRegex }
  /** No request can have such a path, or the pattern cannot be read. */
  | { readonly kind: 'never'; readonly problem: string }

export type ValuePredicate =
  | { readonly kind: 'exact'; readonly name: string; readonly value: string }
  | { readonly kind: 'regex'; readonly name: string; readonly value: string; readonly regex: WholeRegex }
  | { readonly kind: 'never'; readonly name: string; readonly problem: string }

export function compilePath(path: PathMatchConfig): PathPredicate {
  switch (path.kind) {
    case 'exact': {
      const value = pathValue(path.value)
      return value === undefined ? refusedPath(path.value) : { kind: 'exact', value }
    }
    case 'prefix': {
      const value = prefixValue(path.value)
      return value === undefined ? refusedPath(path.value) : { kind: 'prefix', value }
    }
    case 'regex': {
      const regex = compileRegex(path.value)
      return 'problem' in regex ? { kind: 'never', problem: regex.problem } : { kind: 'regex', value: path.value, regex }
    }
  }
}

export function compileValue(match: ValueMatchConfig): ValuePredicate {
  const name = toByteString(match.name)
  switch (match.kind) {
    case 'exact':
      return { kind: 'exact', name, value: toByteString(match.value) }
    case 'regex': {
      const regex = compileRegex(match.value)
      return 'problem' in regex ? { kind: 'never', name, problem: regex.problem } : { kind: 'regex', name, value: match.value, regex }
    }
  }
}

export function pathSatisfied(predicate: PathPredicate, path: string): boolean {
  switch (predicate.kind) {
    case 'exact':
      return path === predicate.value
    case 'prefix':
      return isPathPrefix(predicate.value, path)
    case 'regex':
      return predicate.regex.matches(path)
    case 'never':
      return false
  }
}

/** By element. The prefix `/` (here `''`) has "the effect of matching every HTTP request" (HTTPRouteRule.matches), `OPTIONS *` too. */
export function isPathPrefix(prefix: string, path: string): boolean {
  if (prefix === '') return true
  return path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === slash)
}

export const slash = 47

export function valueSatisfied(predicate: ValuePredicate, value: string | undefined): boolean {
  if (value === undefined) return false
  switch (predicate.kind) {
    case 'exact':
      return value === predicate.value
    case 'regex':
      return predicate.regex.matches(value)
    case 'never':
      return false
  }
}

function refusedPath(value: string): PathPredicate {
  return { kind: 'never', problem: `a path must begin with "/" and stay below the root, got ${JSON.stringify(value)}` }
}
