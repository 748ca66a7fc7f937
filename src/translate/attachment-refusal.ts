/** Why a route did not attach, in words that say which listener refused, and with the YAML that would mend it. */
import type { LabelSelector } from '../api/meta.ts'
import type { ParentReference } from '../api/route.ts'
import { isWildcard } from '../lib/hostname.ts'
import type { AttachingRoute } from './attachment.ts'
import { GATEWAY_GROUP, isServed, routeKindsOf } from './features.ts'
import { namespaceToApply, shortfalls } from './namespace-selector.ts'
import { listed, quoted, withRemedies, type Remedy } from './remedy.ts'
import { ownerInWords, type GatewaySurface, type ListenerSurface } from './surface.ts'
import type { YamlValue } from './yaml-block.ts'

export interface Refusal {
  /** A sentence that begins with the listener. */
  readonly why: string
  readonly remedy?: Remedy
}

export const refusal = {
  kind(route: AttachingRoute, gateway: GatewaySurface, listener: ListenerSurface): Refusal {
    if (!isServed(listener.protocol))
      return { why: `Listener ${quoted(listener.name)} has protocol ${listener.protocol}, which is not served.` }
    const taken = listener.routeKinds.length === 0 ? 'no kind of route' : `${listed(listener.routeKinds)} only`
    const why = `Listener ${quoted(listener.name)} (${listener.protocol}${listener.passthrough ? ', mode Passthrough' : ''}) takes ${taken}, not ${route.kind}.`
    if (!routeKindsOf(listener.protocol, listener.passthrough).includes(route.kind)) return { why }
    const kinds = [...listener.allowedRoutes.kinds.map(({ group, kind }) => ({ group, kind })), { group: GATEWAY_GROUP, kind: route.kind }]
    return { why, remedy: { what: `let the listener take ${route.kind}`, yaml: listenerPatch(gateway, listener, { kinds }) } }
  },

  none(listener: ListenerSurface): Refusal {
    return { why: `Listener ${quoted(listener.name)} takes no routes (allowedRoutes.namespaces.from: None).` }
  },

  otherNamespace(route: AttachingRoute, gateway: GatewaySurface, listener: ListenerSurface): Refusal {
    const requirement = { key: 'kubernetes.io/metadata.name', operator: 'In', values: [gateway.namespace, route.namespace] }
    const namespaces = { from: 'Selector', selector: { matchExpressions: [requirement] } }
    return {
      why: `Listener ${quoted(listener.name)} takes routes of its own Namespace ${gateway.namespace} only (allowedRoutes.namespaces.from: Same), the route is in ${route.namespace}.`,
      remedy: {
        what: `let the listener take routes of Namespace ${route.namespace}`,
        yaml: listenerPatch(gateway, listener, { namespaces }),
      },
    }
  },

  notSelected(route: AttachingRoute, listener: ListenerSurface, labels: Readonly<Record<string, string>>): Refusal {
    const selector: LabelSelector | undefined = listener.allowedRoutes.namespaces.selector
    if (selector === undefined)
      return { why: `Listener ${quoted(listener.name)} selects namespaces (allowedRoutes.namespaces.from: Selector) but has no selector.` }
    const why = `Listener ${quoted(listener.name)} takes routes of selected namespaces only, and Namespace ${route.namespace} needs ${listed(shortfalls(selector, labels))}.`
    const namespace = namespaceToApply(selector, route.namespace, labels)
    return namespace === undefined
      ? { why: `${why} No label of the Namespace would do: the selector must change.` }
      : { why, remedy: { what: 'let the Namespace be selected', yaml: namespace } }
  },
}

export const inSentence = {
  noListener(route: AttachingRoute, ref: ParentReference, gateway: GatewaySurface): string {
    const wanted = [
      ...(ref.sectionName === undefined ? [] : [`sectionName ${quoted(ref.sectionName)}`]),
      ...(ref.port === undefined ? [] : [`port ${ref.port}`]),
    ]
    const present = gateway.listeners.map(({ name, port }) => `${quoted(name)} (port ${port})`)
    const problem = `No listener of ${ownerInWords(gateway)} has ${listed(wanted)}; its listeners are ${listed(present)}.`
    const target = gateway.listeners.find((listener) => listener.routeKinds.includes(route.kind) && !isNamed(listener, route, ref))
    if (target === undefined) return problem
    const parentRefs = route.parentRefs.map((other) => (other === ref ? pointedAt(ref, target) : other))
    return withRemedies(problem, [
      { what: `attach to listener ${quoted(target.name)}`, yaml: routePatch(route, { parentRefs: parentRefs.map(plain) }) },
    ])
  },

  notAllowed(gateway: GatewaySurface, refusals: readonly Refusal[]): string {
    const problem = `No listener of ${ownerInWords(gateway)} allows the route. ${refusals.map(({ why }) => why).join(' ')}`
    const remedy = refusals.find((refusal) => refusal.remedy !== undefined)?.remedy
    return withRemedies(problem, remedy === undefined ? [] : [remedy])
  },

  noHostname(route: AttachingRoute, gateway: GatewaySurface, listeners: readonly ListenerSurface[]): string {
    const present = listeners.map(({ name, hostname }) => `${quoted(name)} has ${hostname}`)
    const problem = `No hostname of the route (${route.hostnames.join(', ')}) intersects with a listener's of ${ownerInWords(gateway)}: listener ${listed(present)}.`
    const hostname = wouldIntersect(route.hostnames[0] ?? '', listeners[0]?.hostname ?? '')
    // A route has at most 16 hostnames.
    return withRemedies(problem, [
      { what: `serve ${hostname}`, yaml: routePatch(route, { hostnames: [...route.hostnames.slice(0, 15), hostname] }) },
    ])
  },
}

/** The listener's own hostname; for a wildcard, the first label of the route's hostname below it. */
function wouldIntersect(route: string, listener: string): string {
  if (!isWildcard(listener)) return listener
  const label = (isWildcard(route) ? route.slice(2) : route).split('.')[0]
  return `${label === undefined || label === '' ? 'www' : label}${listener.slice(1)}`
}

function listenerPatch(gateway: GatewaySurface, { name, port, protocol }: ListenerSurface, allowedRoutes: YamlValue): YamlValue {
  return {
    apiVersion: `${GATEWAY_GROUP}/v1`,
    kind: gateway.kind,
    metadata: { name: gateway.name, namespace: gateway.namespace },
    spec: { listeners: [{ name, port, protocol, allowedRoutes }] },
  }
}

function routePatch({ kind, namespace, name }: AttachingRoute, spec: YamlValue): YamlValue {
  return { apiVersion: `${GATEWAY_GROUP}/v1`, kind, metadata: { name, namespace }, spec }
}

/** Another parentRef of the route names the listener already; two must not be the same (CommonRouteSpec.parentRefs). */
function isNamed(listener: ListenerSurface, route: AttachingRoute, ref: ParentReference): boolean {
  return route.parentRefs.some(
    (other) =>
      other !== ref &&
      other.name === ref.name &&
      other.namespace === ref.namespace &&
      (other.sectionName ?? listener.name) === listener.name &&
      (other.port ?? listener.port) === listener.port,
  )
}

/** The same fields as before: all parentRefs to one Gateway must use the same ones. */
function pointedAt(ref: ParentReference, { name, port }: ListenerSurface): ParentReference {
  return { ...ref, ...(ref.sectionName === undefined ? {} : { sectionName: name }), ...(ref.port === undefined ? {} : { port }) }
}

/** As a person would write it: defaults left out. */
function plain({ group, kind, namespace, name, sectionName, port }: ParentReference): YamlValue {
  return {
    ...(group === GATEWAY_GROUP ? {} : { group }),
    ...(kind === 'Gateway' ? {} : { kind }),
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(sectionName === undefined ? {} : { sectionName }),
    ...(port === undefined ? {} : { port }),
  }
}
