/** What differs between a list and the one that took its place, by the identity of the elements. */

export function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

export interface Span {
  readonly begin: number
  readonly beforeEnd: number
  readonly afterEnd: number
}

/** What lies between the common beginning and the common end of both lists: all that can differ. */
export function changedSpan<T>(before: readonly T[], after: readonly T[]): Span {
  const shorter = Math.min(before.length, after.length)
  let begin = 0
  while (begin < shorter && before[begin] === after[begin]) begin += 1
  let end = 0
  while (end < shorter - begin && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1
  return { begin, beforeEnd: before.length - end, afterEnd: after.length - end }
}

export interface Change<T> extends Span {
  /** What lies between in the one list and in the other. */
  readonly left: readonly T[]
  readonly came: readonly T[]
  /** Those of it that are not in the other list. */
  readonly removed: readonly T[]
  readonly added: readonly T[]
}

export function changeOf<T>(before: readonly T[], after: readonly T[]): Change<T> {
  const span = changedSpan(before, after)
  const [left, came] = [before.slice(span.begin, span.beforeEnd), after.slice(span.begin, span.afterEnd)]
  const [inLeft, inCame] = [new Set(left), new Set(came)]
  return { ...span, left, came, removed: left.filter((one) => !inCame.has(one)), added: came.filter((one) => !inLeft.has(one)) }
}
