/**
 * A Gateway that routes or ListenerSets name and no file defines: in a cluster it belongs to somebody else, here it gets listeners
 * that the routes' parentRefs can attach to; those of the sets are enough for the sets. Every namespace may attach, since nobody is
 * there to say otherwise.
 */
import type { Gateway, Listener, ListenerSet } from '../api/gateway.ts'
import type { ParentReference } from '../api/route.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { changedSpan } from '../lib/list-change.ts'
import { requestRoutes } from './routes.ts'
import type { RequestRoute } from './routes.ts'

export const developmentClassName = 'gatewright-development'

/** What routes and ListenerSets ask of a Gateway that is not there. */
export interface MissingGateway {
  readonly namespace: string
  readonly name: string
  /** `namespace/name` */
  readonly routes: readonly string[]
  /** `namespace/name` */
  readonly listenerSets: readonly string[]
  readonly sections: readonly Section[]
}

/** A (sectionName, port) pair that parentRefs name, with the hostnames of their routes. */
interface Section {
  readonly name?: string
  readonly port?: number
  readonly hostnames: readonly string[]
}

interface Draft {
  readonly namespace: string
  readonly name: string
  readonly routes: Set<string>
  readonly listenerSets: Set<string>
  readonly sections: Map<string, { readonly name?: string; readonly port?: number; readonly hostnames: Set<string> }>
}

/** What was found, and in what: the next search begins with it. */
export interface GatewaySearch {
  readonly routes: readonly RequestRoute[]
  readonly gateways: readonly Gateway[]
  readonly listenerSets: readonly ListenerSet[]
  readonly missing: readonly MissingGateway[]
}

/** Where none was missing and neither Gateways nor ListenerSets changed, only the edited routes can name one that is. */
export function missingGateways(snapshot: Snapshot, last?: GatewaySearch): GatewaySearch {
  const routes = requestRoutes(snapshot)
  const gateways = snapshot.all('Gateway')
  const listenerSets = snapshot.all('ListenerSet')
  const all = { routes, gateways, listenerSets }
  if (last?.missing.length !== 0 || last.gateways !== gateways || last.listenerSets !== listenerSets)
    return { ...all, missing: missingFor(routes, listenerSets, snapshot) }
  const { begin, afterEnd } = changedSpan(last.routes, routes)
  const isComplete = missingFor(routes.slice(begin, afterEnd), [], snapshot).length === 0
  return { ...all, missing: isComplete ? last.missing : missingFor(routes, listenerSets, snapshot) }
}

function missingFor(routes: readonly RequestRoute[], listenerSets: readonly ListenerSet[], snapshot: Snapshot): readonly MissingGateway[] {
  const drafts = new Map<string, Draft>()
  for (const { metadata, spec } of listenerSets) {
    const { group, kind, namespace = metadata.namespace, name } = spec.parentRef
    if (group !== 'gateway.networking.k8s.io' || kind !== 'Gateway' || snapshot.get('Gateway', namespace, name) !== undefined) continue
    draftOf(drafts, namespace, name).listenerSets.add(`${metadata.namespace}/${metadata.name}`)
  }
  for (const route of routes) {
    for (const ref of route.spec.parentRefs) {
      if (ref.group !== 'gateway.networking.k8s.io' || ref.kind !== 'Gateway') continue
      const namespace = ref.namespace ?? route.metadata.namespace
      if (snapshot.get('Gateway', namespace, ref.name) === undefined) addTo(drafts, namespace, ref, route)
    }
  }
  return [...drafts.values()].map((draft) => ({
    namespace: draft.namespace,
    name: draft.name,
    routes: [...draft.routes],
    listenerSets: [...draft.listenerSets],
    sections: [...draft.sections.values()].map((section) => ({ ...section, hostnames: [...section.hostnames] })),
  }))
}

function addTo(drafts: Map<string, Draft>, namespace: string, ref: ParentReference, route: RequestRoute): void {
  const draft = draftOf(drafts, namespace, ref.name)
  draft.routes.add(`${route.metadata.namespace}/${route.metadata.name}`)
  const sectionKey = `${ref.sectionName ?? ''} ${ref.port ?? ''}`
  const section = draft.sections.get(sectionKey) ?? {
    ...(ref.sectionName === undefined ? {} : { name: ref.sectionName }),
    ...(ref.port === undefined ? {} : { port: ref.port }),
    hostnames: new Set(),
  }
  draft.sections.set(sectionKey, section)
  for (const hostname of route.spec.hostnames) section.hostnames.add(hostname.toLowerCase())
}

function draftOf(drafts: Map<string, Draft>, namespace: string, name: string): Draft {
  const key = `${namespace}/${name}`
  const draft = drafts.get(key) ?? { namespace, name, routes: new Set(), listenerSets: new Set(), sections: new Map() }
  drafts.set(key, draft)
  return draft
}

export function developmentGateway(missing: MissingGateway): Gateway {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: missing.name, namespace: missing.namespace, generation: 1, labels: {}, annotations: {} },
    spec: {
      gatewayClassName: developmentClassName,
      listeners: listenersFor(missing.sections),
      addresses: [],
      allowedListeners: { namespaces: { from: 'All' } },
    },
  }
}

/**
 * One listener for each section name or bare port; HTTP on 80 and HTTPS on 443 for routes that name neither.
 * Listeners that differ in nothing but their name would conflict, and all of them lose (GatewaySpec.listeners), so that a second one on
 * a port takes its routes' only hostname, or the next port.
 */
function listenersFor(sections: readonly Section[]): readonly Listener[] {
  const listeners: Listener[] = []
  const taken = new Set<string>()
  const protocols = new Map<number, 'HTTP' | 'HTTPS'>()
  const add = (name: string, wanted: number, protocol: 'HTTP' | 'HTTPS', hostnames: readonly string[]): void => {
    if (listeners.some((listener) => listener.name === name)) return
    const only = hostnames.length === 1 ? hostnames[0] : undefined
    let port = wanted
    let hostname: string | undefined
    while (taken.has(`${port} ${hostname ?? ''}`) || (protocols.get(port) ?? protocol) !== protocol) {
      if (hostname === undefined && only !== undefined) {
        hostname = only
      } else {
        hostname = undefined
        port += 1
      }
    }
    taken.add(`${port} ${hostname ?? ''}`)
    protocols.set(port, protocol)
    listeners.push({
      name,
      port,
      protocol,
      ...(hostname === undefined ? {} : { hostname }),
      allowedRoutes: { namespaces: { from: 'All' }, kinds: [] },
    })
  }
  for (const { name, port, hostnames } of byPortFirst(sections)) {
    if (name === undefined && port === undefined) continue
    const protocol = protocolOf(name, port)
    add(name ?? `port-${port}`, port ?? (protocol === 'HTTPS' ? 443 : 80), protocol, hostnames)
  }
  if (sections.some((section) => section.name === undefined && section.port === undefined)) {
    if (!taken.has('80 ')) add(unused('http', listeners), 80, 'HTTP', [])
    if (!taken.has('443 ')) add(unused('https', listeners), 443, 'HTTPS', [])
  }
  return listeners
}

/** Sections that insist on a port are placed before those that take what is left. */
function byPortFirst(sections: readonly Section[]): readonly Section[] {
  return [...sections.filter((section) => section.port !== undefined), ...sections.filter((section) => section.port === undefined)]
}

function protocolOf(name: string | undefined, port: number | undefined): 'HTTP' | 'HTTPS' {
  if (port !== undefined) return port === 443 || port === 8443 ? 'HTTPS' : 'HTTP'
  return name !== undefined && /https|tls|ssl|secure|443/.test(name) ? 'HTTPS' : 'HTTP'
}

function unused(name: string, listeners: readonly Listener[]): string {
  return listeners.some((listener) => listener.name === name) ? `gatewright-${name}` : name
}
