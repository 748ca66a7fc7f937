/** The list of statuses: sorted by kind, namespace and name, unchanged ones the same objects as before. */
import { keep } from './keep.ts'
import type { StatusOf } from './translation.ts'

/** Those of `made` that equal what the pass before had are what it had. */
export function keepStatuses(last: readonly StatusOf[] | undefined, made: readonly StatusOf[]): readonly StatusOf[] {
  if (last === undefined || made.length === 0) return made
  const byPath = new Map(last.map((status) => [pathOf(status), status]))
  return made.map((status) => keep(byPath.get(pathOf(status)), status))
}

/** One list of the statuses of all kinds; each given list is of one kind and sorted. */
export function byKind(lists: readonly (readonly StatusOf[])[]): readonly StatusOf[] {
  const statuses = lists.filter((list) => list.length > 0)
  const kindOf = (list: readonly StatusOf[]) => list[0]?.kind ?? ''
  // On long lists `flat` takes many times what this does.
  return ([] as StatusOf[]).concat(...statuses.sort((a, b) => (kindOf(a) < kindOf(b) ? -1 : 1)))
}

export function statusesIn(results: readonly { readonly status?: StatusOf }[]): readonly StatusOf[] {
  const statuses: StatusOf[] = []
  for (const { status } of results) if (status !== undefined) statuses.push(status)
  return statuses
}

function pathOf({ kind, namespace, name }: StatusOf): string {
  return `${kind}/${namespace}/${name}`
}
