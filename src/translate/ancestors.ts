/** The Gateways whose routes lead to a backend: they have the entries in the statuses of backends and of policies (Gateway API v1, PolicyAncestorStatus). */
import { GATEWAY_GROUP } from './features.ts'
import type { RouteResult } from './route.ts'
import type { PolicyStatus } from './translation.ts'

export type Ancestor = Omit<PolicyStatus['ancestors'][number], 'conditions'>
/** By `namespace/name` of the Gateway. */
export type Ancestors = ReadonlyMap<string, Ancestor>

/** @param targetsOf what a route leads to, by the names under which the result has it */
export function ancestorsBy(
  routes: readonly RouteResult[],
  targetsOf: (route: RouteResult) => readonly string[],
): ReadonlyMap<string, Ancestors> {
  const found = new Map<string, Map<string, Ancestor>>()
  for (const route of routes) {
    for (const target of targetsOf(route)) {
      let own = found.get(target)
      if (own === undefined) found.set(target, (own = new Map()))
      for (const { namespace, name, controllerName } of route.parents) {
        own.set(`${namespace}/${name}`, { ancestorRef: { group: GATEWAY_GROUP, kind: 'Gateway', namespace, name }, controllerName })
      }
    }
  }
  return found
}

/** In the order of `namespace/name`, no more of them than the list may have. */
export function entriesOf(ancestors: Ancestors, most: number): readonly Ancestor[] {
  return [...ancestors]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, most)
    .map(([, ancestor]) => ancestor)
}
