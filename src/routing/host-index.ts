/**
 * Things by the hostname pattern that they are for: exact names, wildcards, any. Listeners of a port and the host
 * tables of a listener are found through it, most specific first (Gateway listeners' isolation; HTTPRouteSpec.hostnames).
 * Chained at look-up, never merged, so that a change to one hostname touches no other.
 */
import { isWildcard } from '../lib/hostname.ts'
import { PatchedMap, type Patches } from '../lib/patched-map.ts'

export class HostIndex<T extends object | string | number> {
  readonly #exact: PatchedMap<T>
  /** By the pattern without its star: `.example.com`. */
  readonly #wildcard: PatchedMap<T>
  /** No wildcard's is longer. */
  readonly #longestSuffix: number
  readonly #any: T | undefined

  private constructor(exact: PatchedMap<T>, wildcard: PatchedMap<T>, longestSuffix: number, any: T | undefined) {
    this.#exact = exact
    this.#wildcard = wildcard
    this.#longestSuffix = longestSuffix
    this.#any = any
  }

  /** Of equal patterns the first one counts. */
  static of<T extends object | string | number>(entries: Iterable<readonly [pattern: string, value: T]>): HostIndex<T> {
    const edits = new Map<string, T>()
    for (const [pattern, value] of entries) if (!edits.has(pattern)) edits.set(pattern, value)
    return new HostIndex<T>(new PatchedMap(), new PatchedMap(), 0, undefined).edited(edits)
  }

  /** Other values for some patterns; undefined: no longer one for it. */
  edited(edits: Patches<T>): HostIndex<T> {
    const exact = new Map<string, T | undefined>()
    const wildcard = new Map<string, T | undefined>()
    let longest = this.#longestSuffix
    for (const [pattern, value] of edits) {
      if (pattern === '') continue
      if (isWildcard(pattern)) {
        wildcard.set(pattern.slice(1), value)
        longest = Math.max(longest, pattern.length - 1)
      } else exact.set(pattern, value)
    }
    const any = edits.has('') ? edits.get('') : this.#any
    return new HostIndex(this.#exact.edited(exact), this.#wildcard.edited(wildcard), longest, any)
  }

  /** What is for this very pattern. */
  at(pattern: string): T | undefined {
    if (pattern === '') return this.#any
    return isWildcard(pattern) ? this.#wildcard.get(pattern.slice(1)) : this.#exact.get(pattern)
  }

  /** The first result of asking what covers `host` (lower case), from the most specific on; undefined when nobody gives one. */
  first<R>(host: string, ask: (value: T) => R | undefined): R | undefined {
    const exact = this.#exact.get(host)
    if (exact !== undefined) {
      const result = ask(exact)
      if (result !== undefined) return result
    }
    if (this.#longestSuffix > 0) {
      // Suffixes longer than the longest pattern are not looked up: a host of thousands of dots costs nothing.
      for (let dot = host.indexOf('.', Math.max(1, host.length - this.#longestSuffix)); dot !== -1; dot = host.indexOf('.', dot + 1)) {
        const value = this.#wildcard.get(host.slice(dot))
        if (value === undefined) continue
        const result = ask(value)
        if (result !== undefined) return result
      }
    }
    return this.#any === undefined ? undefined : ask(this.#any)
  }
}
