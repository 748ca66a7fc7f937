/** How many routes are attached to each listener. */
import type { ListenerKey } from '../config/listener.ts'
import { changedSpan, sameItems } from '../lib/list-change.ts'
import type { RouteResult } from './route.ts'

export interface AttachedRoutes {
  readonly source: readonly RouteResult[]
  readonly counts: ReadonlyMap<ListenerKey, number>
}

/** Accepted routes by listener; a listener that is not good itself counts too (ListenerStatus.attachedRoutes). */
export function attachedRoutes(source: readonly RouteResult[], last: AttachedRoutes | undefined): AttachedRoutes {
  if (last !== undefined && attachTheSame(last.source, source)) return { source, counts: last.counts }
  const counts = new Map<ListenerKey, number>()
  for (const { attached } of source) for (const listener of attached) counts.set(listener, (counts.get(listener) ?? 0) + 1)
  return { source, counts }
}

function attachTheSame(before: readonly RouteResult[], after: readonly RouteResult[]): boolean {
  if (before.length !== after.length) return false
  const { begin, afterEnd } = changedSpan(before, after)
  for (let i = begin; i < afterEnd; i++) {
    const [old, one] = [before[i], after[i]]
    if (old !== one && (old === undefined || one === undefined || !sameItems(old.attached, one.attached))) return false
  }
  return true
}
