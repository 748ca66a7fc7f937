/**
 * Matches by their path, so that a look-up does not grow with the number of rules: exact paths by map, regular expressions
 * one after the other, prefixes by map with one look-up for each distinct length of a prefix that ends where an element
 * of the path ends. Only matches with the same path are asked one after the other, in the order in which they were given.
 */
import { slash, valueSatisfied } from './predicate.ts'
import type { CompiledMatch, Subject } from './router.ts'

export class PathIndex {
  readonly #exact = new Map<string, CompiledMatch[]>()
  readonly #regexes: CompiledMatch[] = []
  readonly #prefixes = new Map<string, CompiledMatch[]>()
  /** Longest first. */
  readonly #prefixLengths: readonly number[]

  /** `matches` in the order of precedence. */
  constructor(matches: readonly CompiledMatch[]) {
    for (const match of matches) {
      switch (match.path.kind) {
        case 'exact':
          append(this.#exact, match.path.value, match)
          break
        case 'regex':
          this.#regexes.push(match)
          break
        case 'prefix':
          append(this.#prefixes, match.path.value, match)
          break
        case 'never':
          break
      }
    }
    this.#prefixLengths = [...new Set([...this.#prefixes.keys()].map((prefix) => prefix.length))].toSorted((a, b) => b - a)
  }

  exact(subject: Subject): CompiledMatch | undefined {
    const bucket = this.#exact.get(subject.request.path)
    return bucket && firstSatisfied(bucket, subject)
  }

  regex(subject: Subject): CompiledMatch | undefined {
    for (const match of this.#regexes) {
      // The cheap questions first: an expression costs more than a header.
      if (match.path.kind === 'regex' && restSatisfied(match, subject) && match.path.regex.matches(subject.request.path)) return match
    }
    return undefined
  }

  /** Of the prefixes with at least `shortest` characters the longest that is satisfied. */
  prefix(subject: Subject, shortest = 0): CompiledMatch | undefined {
    const { path } = subject.request
    for (const length of this.#prefixLengths) {
      if (length < shortest) break
      if (length > path.length || (length > 0 && length < path.length && path.charCodeAt(length) !== slash)) continue
      const candidates = this.#prefixes.get(path.slice(0, length))
      const match = candidates && firstSatisfied(candidates, subject)
      if (match !== undefined) return match
    }
    return undefined
  }
}

/** True when the request has the match's method, headers and query parameters; its path is somebody else's question. */
function restSatisfied(match: CompiledMatch, subject: Subject): boolean {
  if (match.method !== undefined && match.method !== subject.request.method) return false
  for (const header of match.headers) if (!valueSatisfied(header, subject.request.header(header.name))) return false
  for (const parameter of match.query) if (!valueSatisfied(parameter, subject.queryValue(parameter.name))) return false
  return true
}

function firstSatisfied(candidates: readonly CompiledMatch[], subject: Subject): CompiledMatch | undefined {
  for (const match of candidates) if (restSatisfied(match, subject)) return match
  return undefined
}

function append(map: Map<string, CompiledMatch[]>, key: string, match: CompiledMatch): void {
  const bucket = map.get(key)
  if (bucket === undefined) map.set(key, [match])
  else bucket.push(match)
}
