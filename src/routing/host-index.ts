/**
 * Things by the hostname pattern that they are for: exact names, wildcards, any. Listeners of a port and the host
 * tables of a listener are found through it, most specific first (Gateway listeners' isolation; HTTPRouteSpec.hostnames).
 * Chained at look-up, never merged, so that a change to one hostname touches no other.
 */
import { isWildcard } from '../lib/hostname.ts'

export class HostIndex<T> {
  readonly #exact = new Map<string, T>()
  /** By the pattern without its star: `.example.com`. */
  readonly #wildcard = new Map<string, T>()
  #longestSuffix = 0
  #any: T | undefined

  /** Of equal patterns the first one counts. */
  constructor(entries: Iterable<readonly [pattern: string, value: T]>) {
    for (const [pattern, value] of entries) {
      if (pattern === '') this.#any ??= value
      else if (isWildcard(pattern)) this.#addWildcard(pattern.slice(1), value)
      else if (!this.#exact.has(pattern)) this.#exact.set(pattern, value)
    }
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

  #addWildcard(suffix: string, value: T): void {
    if (this.#wildcard.has(suffix)) return
    this.#wildcard.set(suffix, value)
    this.#longestSuffix = Math.max(this.#longestSuffix, suffix.length)
  }
}
