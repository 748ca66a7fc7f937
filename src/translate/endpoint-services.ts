/**
 * The Services that XBackends of type EndpointSelector need, so that Kubernetes finds their pods (apisx EndpointSelectorBackend:
 * "Implementations MAY create a Service from the label selector"). Only of those that a route of ours refers to.
 */
import type { Snapshot } from '../cluster/snapshot.ts'
import type { RouteResult } from './route.ts'
import type { EndpointServicePlan } from './translation.ts'

export function endpointServicesOf(snapshot: Snapshot, routes: readonly RouteResult[]): readonly EndpointServicePlan[] {
  const selecting = snapshot.all('XBackend').filter(({ spec }) => spec.type === 'EndpointSelector')
  if (selecting.length === 0) return []
  const named = new Set(routes.flatMap(({ targets, parents }) => (parents.length === 0 ? [] : targets)))
  return selecting.flatMap(({ metadata: { namespace, name }, spec }) =>
    named.has(`XBackend/${namespace}/${name}`)
      ? [{ namespace, backend: name, selector: spec.endpointSelector?.matchLabels ?? {}, port: spec.port.number }]
      : [],
  )
}
