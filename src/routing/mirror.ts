/** Which requests a RequestMirror filter copies: exactly its share, evenly spread (HTTPRequestMirrorFilter.fraction, GEP-3171). */
import type { MirrorConfig } from '../config/filter.ts'
import type { CompiledMirror } from './router.ts'

/**
 * Those that copy something: a target that does not resolve is dropped, and the request goes its way (HTTPRequestMirrorFilter.backendRef).
 * `previous`: the mirrors that these replace; one with the same target and share at the same place goes on where it was.
 */
export function compileMirrors(
  configs: readonly MirrorConfig[],
  phase: () => number,
  previous: readonly CompiledMirror[] | undefined,
): readonly CompiledMirror[] | undefined {
  const mirrors: CompiledMirror[] = []
  for (const { target, numerator, denominator } of configs) {
    if (target.kind === 'fail' || numerator === 0) continue
    const old = previous?.[mirrors.length]
    const same = old instanceof Mirror && old.pool === target.pool && old.numerator === numerator && old.denominator === denominator
    mirrors.push(same ? old : new Mirror(target.pool, numerator, denominator, phase()))
  }
  return mirrors.length === 0 ? undefined : mirrors
}

/** After any n requests as many were copied as n times the share, less than one more or less. */
class Mirror implements CompiledMirror {
  readonly pool: string
  readonly numerator: number
  readonly denominator: number
  /** An integer below the denominator: what is owed so far. */
  #owed: number

  constructor(pool: string, numerator: number, denominator: number, phase: number) {
    this.pool = pool
    this.numerator = numerator
    this.denominator = denominator
    this.#owed = Math.floor(phase * denominator)
  }

  take(): boolean {
    this.#owed += this.numerator
    if (this.#owed < this.denominator) return false
    this.#owed -= this.denominator
    return true
  }
}
