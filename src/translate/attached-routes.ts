/** How many routes are attached to each listener. */
import type { ListenerKey } from '../config/listener.ts'
import { changedSpan } from '../lib/list-change.ts'
import type { RouteResult } from './route.ts'

export interface AttachedRoutes {
  readonly source: readonly RouteResult[]
  readonly counts: ReadonlyMap<ListenerKey, number>
}

/** Accepted routes by listener; a listener that is not good itself counts too (ListenerStatus.attachedRoutes). */
export function attachedRoutes(source: readonly RouteResult[], last: AttachedRoutes | undefined): AttachedRoutes {
  const before = last?.source ?? []
  const { begin, beforeEnd, afterEnd } = changedSpan(before, source)
  const differences = new Map<ListenerKey, number>()
  const count = (results: readonly RouteResult[], by: number) => {
    for (const { attached } of results) for (const listener of attached) differences.set(listener, (differences.get(listener) ?? 0) + by)
  }
  count(before.slice(begin, beforeEnd), -1)
  count(source.slice(begin, afterEnd), 1)
  return { source, counts: withDifferences(last?.counts ?? new Map(), differences) }
}

/** `counts` itself when nothing differs. */
function withDifferences(counts: AttachedRoutes['counts'], differences: ReadonlyMap<ListenerKey, number>): AttachedRoutes['counts'] {
  let next: Map<ListenerKey, number> | undefined
  for (const [listener, by] of differences) {
    if (by === 0) continue
    next ??= new Map(counts)
    const count = (counts.get(listener) ?? 0) + by
    if (count === 0) next.delete(listener)
    else next.set(listener, count)
  }
  return next ?? counts
}
