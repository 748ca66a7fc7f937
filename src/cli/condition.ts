/** Conditions as a person reads them: good, or the one that says no. */
import type { Condition } from '../api/meta.ts'

/** What a user has to mend. Programmed follows from the others; Conflicted and PartiallyInvalid are bad when they are True. */
export function isBad({ type, status }: Condition): boolean {
  if (type === 'Conflicted' || type === 'PartiallyInvalid') return status === 'True'
  return (type === 'Accepted' || type === 'ResolvedRefs') && status === 'False'
}

/** The first condition that is not as it should be; undefined when all is well. */
export function firstBad(conditions: readonly Condition[]): Condition | undefined {
  return conditions.find(isBad) ?? conditions.find(({ type, status }) => type === 'Programmed' && status !== 'True')
}
