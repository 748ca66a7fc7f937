/** The list of statuses: sorted by kind, namespace and name, unchanged ones the same objects as before. */
import { keep } from './keep.ts'
import type { StatusOf } from './translation.ts'

/** Those of `made` that equal what the pass before had are what it had. */
export function keepStatuses(last: readonly StatusOf[] | undefined, made: readonly StatusOf[]): readonly StatusOf[] {
  if (last === undefined || made.length === 0) return made
  const kinds = new Set(made.map(({ kind }) => kind))
  const byPath = new Map(last.filter(({ kind }) => kinds.has(kind)).map((status) => [pathOf(status), status]))
  return made.map((status) => keep(byPath.get(pathOf(status)), status))
}

export function inOrder(...lists: readonly (readonly StatusOf[])[]): readonly StatusOf[] {
  return lists.flat().sort((a, b) => compare(a.kind, b.kind) || compare(a.namespace, b.namespace) || compare(a.name, b.name))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function pathOf({ kind, namespace, name }: StatusOf): string {
  return `${kind}/${namespace}/${name}`
}
