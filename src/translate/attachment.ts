/**
 * Which listeners of a Gateway or of a ListenerSet take a route through one parentRef (Gateway API v1, ParentReference and AllowedRoutes).
 *
 * Three questions in the order in which the reasons of Accepted rank: does the parentRef name a listener at all
 * (NoMatchingParent), does one of these allow the route's kind and namespace (NotAllowedByListeners), does a host name
 * intersect (NoMatchingListenerHostname).
 */
import type { ParentReference } from '../api/route.ts'
import { intersection } from '../lib/hostname.ts'
import { inSentence, refusal, type Refusal } from './attachment-refusal.ts'
import { routeConditions, type MakeCondition } from './conditions.ts'
import { selects, type Labels } from './namespace-selector.ts'
import type { GatewaySurface, ListenerSurface } from './surface.ts'

/** What attachment reads of a route. `hostnames` in lower case; empty: any host, or a kind that has none. */
export interface AttachingRoute {
  readonly kind: string
  readonly namespace: string
  /** Of the route's Namespace; looked up only where a listener selects namespaces. */
  readonly namespaceLabels: () => Labels
  readonly name: string
  readonly hostnames: readonly string[]
  readonly parentRefs: readonly ParentReference[]
}

export interface Attachment {
  readonly listener: ListenerSurface
  /** The route's own hostnames that intersect with the listener's; `['']` for a route without hostnames. */
  readonly hostnames: readonly string[]
}

export type AttachmentOutcome =
  | { readonly attached: true; readonly attachments: readonly Attachment[] }
  | { readonly attached: false; readonly condition: MakeCondition; readonly message: string }

export function attach(route: AttachingRoute, ref: ParentReference, gateway: GatewaySurface): AttachmentOutcome {
  const named = gateway.listeners.filter(
    ({ name, port }) => (ref.sectionName === undefined || ref.sectionName === name) && (ref.port === undefined || ref.port === port),
  )
  if (named.length === 0) return refused(routeConditions.noMatchingParent, inSentence.noListener(route, ref, gateway))

  const judged = named.map((listener) => ({ listener, refusal: judge(route, gateway, listener) }))
  const allowing = judged.flatMap(({ listener, refusal }) => (refusal === undefined ? [listener] : []))
  if (allowing.length === 0) {
    const refusals = judged.flatMap(({ refusal }) => (refusal === undefined ? [] : [refusal]))
    return refused(routeConditions.notAllowedByListeners, inSentence.notAllowed(gateway, refusals))
  }

  const attachments = allowing.flatMap((listener) => {
    const hostnames = matchingHostnames(route.hostnames, listener.hostname)
    return hostnames.length === 0 ? [] : [{ listener, hostnames }]
  })
  if (attachments.length === 0) {
    return refused(routeConditions.noMatchingListenerHostname, inSentence.noHostname(route, gateway, allowing))
  }
  return { attached: true, attachments }
}

function refused(condition: MakeCondition, message: string): AttachmentOutcome {
  return { attached: false, condition, message }
}

function judge(route: AttachingRoute, gateway: GatewaySurface, listener: ListenerSurface): Refusal | undefined {
  if (!listener.routeKinds.includes(route.kind)) return refusal.kind(route, gateway, listener)
  const { from, selector } = listener.allowedRoutes.namespaces
  switch (from) {
    case 'All':
      return undefined
    case 'None':
      return refusal.none(listener)
    case 'Same':
      return route.namespace === gateway.namespace ? undefined : refusal.otherNamespace(route, gateway, listener)
    case 'Selector': {
      const labels = route.namespaceLabels()
      // A Selector without a selector takes no namespace (AllowedRoutes: "Selector must be specified when From is Selector").
      if (selector !== undefined && selects(selector, labels)) return undefined
      return refusal.notSelected(route, listener, labels)
    }
  }
}

function matchingHostnames(hostnames: readonly string[], listener: string): readonly string[] {
  return hostnames.length === 0 ? [''] : hostnames.filter((hostname) => intersection(hostname, listener) !== undefined)
}
