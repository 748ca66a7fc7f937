/**
 * The landlords and their tenants as one tree: GatewayClass > Gateway > (ListenerSet >) listener > route > backend.
 *
 * What an object's state is, its `.status` says, whoever wrote it. Which listeners a route without a sectionName is
 * attached to no status tells; that comes from a translation.
 */
import type { Endpoint } from '../api/core.ts'
import type { Listener, ListenerSet } from '../api/gateway.ts'
import type { Condition, ObjectMeta } from '../api/meta.ts'
import type { BackendRef, ParentReference, Route, RouteParentStatus } from '../api/route.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import type { RouteResult } from '../translate/route.ts'
import { firstBad } from './condition.ts'

export interface TreeNode {
  readonly kind: string
  /** '' for what has none. */
  readonly namespace: string
  readonly name: string
  /** What tells it from others: ports, hostnames, addresses. */
  readonly detail: string
  readonly isGood: boolean
  /** 'ok', or the condition that says otherwise: type, status, reason. */
  readonly state: string
  /** Of that condition. */
  readonly message: string
  readonly children: readonly TreeNode[]
}

export interface TreeSource {
  readonly objects: Snapshot
  /** `.status` as it is written, or would be; undefined where there is none. */
  readonly statusOf: (kind: string, namespace: string, name: string) => WrittenStatus | undefined
  /** Of the translation of the same objects. */
  readonly routes: readonly Pick<RouteResult, 'status' | 'attached'>[]
}

/** All that the tree reads of a status. Controllers leave out what they do not know. */
export interface WrittenStatus {
  readonly conditions?: readonly Condition[]
  readonly addresses?: readonly { readonly value: string }[]
  readonly listeners?: readonly { readonly name: string; readonly attachedRoutes?: number; readonly conditions?: readonly Condition[] }[]
  readonly parents?: readonly RouteParentStatus[]
  /** Of XBackends; also of policies, which the tree does not show. */
  readonly ancestors?: readonly { readonly conditions?: readonly Condition[] }[]
}

const ROUTE_KINDS = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'] as const
const good = { isGood: true, state: 'ok', message: '' } as const

type Verdict = Pick<TreeNode, 'isGood' | 'state' | 'message'>
/** A route beneath one of its parents. */
interface Tenant {
  readonly parent: string
  readonly sectionName: string | undefined
  readonly listeners: readonly string[]
  readonly node: TreeNode
}

/** Sorted by name at every level; last what has no parent, since its parent does not exist. */
export function statusTree(source: TreeSource): TreeNode[] {
  const { objects } = source
  const tenants = groupBy(tenantsOf(source), ({ parent }) => parent)
  const sets = groupBy(objects.all('ListenerSet'), parentOfSet)
  const gateways = groupBy(objects.all('Gateway'), ({ spec }) => spec.gatewayClassName)
  const gatewayNodes = (className: string): TreeNode[] =>
    (gateways.get(className) ?? []).map((gateway) => {
      const { namespace, name } = gateway.metadata
      const key = `Gateway/${namespace}/${name}`
      return {
        ...parentNode(source, gateway, tenants.get(key) ?? []),
        detail: (source.statusOf('Gateway', namespace, name)?.addresses ?? []).map(({ value }) => value).join(', '),
        children: [
          ...listenerNodes(source, gateway, tenants.get(key) ?? []),
          ...(sets.get(key) ?? []).map((set) => setNode(source, set, tenants)),
        ],
      }
    })
  const classes = objects.all('GatewayClass').map((one): TreeNode => {
    const { name, generation } = one.metadata
    const verdict = verdictOf(source.statusOf('GatewayClass', '', name)?.conditions, generation)
    return { kind: one.kind, namespace: '', name, detail: one.spec.controllerName, ...verdict, children: gatewayNodes(name) }
  })
  const unknownClasses = [...gateways.keys()].filter((name) => objects.get('GatewayClass', '', name) === undefined)
  return [
    ...classes,
    ...unknownClasses.map((name) => missing('GatewayClass', '', name, gatewayNodes(name))),
    ...orphans(source, sets, tenants),
  ]
}

/** Gateways and ListenerSets that are named and do not exist, with those that name them. */
function orphans(
  source: TreeSource,
  sets: ReadonlyMap<string, readonly ListenerSet[]>,
  tenants: ReadonlyMap<string, readonly Tenant[]>,
): TreeNode[] {
  const named = [...new Set([...sets.keys(), ...tenants.keys()])].sort()
  return named.flatMap((key) => {
    const [kind = '', namespace = '', name = ''] = key.split('/')
    if ((kind === 'Gateway' || kind === 'ListenerSet') && source.objects.get(kind, namespace, name) !== undefined) return []
    const children = [
      ...(tenants.get(key) ?? []).map(({ node }) => node),
      ...(sets.get(key) ?? []).map((set) => setNode(source, set, tenants)),
    ]
    return [missing(kind, namespace, name, children)]
  })
}

function missing(kind: string, namespace: string, name: string, children: readonly TreeNode[]): TreeNode {
  const message = `No ${kind} of this name exists.`
  return { kind, namespace, name, detail: '', isGood: false, state: 'does not exist', message, children }
}

function setNode(source: TreeSource, set: ListenerSet, tenants: ReadonlyMap<string, readonly Tenant[]>): TreeNode {
  const own = tenants.get(`ListenerSet/${set.metadata.namespace}/${set.metadata.name}`) ?? []
  return { ...parentNode(source, set, own), children: listenerNodes(source, set, own) }
}

interface Parent {
  readonly kind: 'Gateway' | 'ListenerSet'
  readonly metadata: ObjectMeta
  readonly spec: { readonly listeners: readonly Listener[] }
}

function parentNode(source: TreeSource, { kind, metadata }: Parent, tenants: readonly Tenant[]): TreeNode {
  const { namespace, name, generation } = metadata
  const verdict = verdictOf(source.statusOf(kind, namespace, name)?.conditions, generation)
  return { kind, namespace, name, detail: '', ...verdict, children: tenants.map(({ node }) => node) }
}

/** Routes that are on no listener come last, beneath the parent itself. */
function listenerNodes(source: TreeSource, { kind, metadata, spec }: Parent, tenants: readonly Tenant[]): TreeNode[] {
  const { namespace, name, generation } = metadata
  const written = source.statusOf(kind, namespace, name)?.listeners ?? []
  const names = new Set(spec.listeners.map((listener) => listener.name))
  const listeners = spec.listeners.map((listener): TreeNode => {
    const status = written.find((one) => one.name === listener.name)
    const routes = status?.attachedRoutes ?? 0
    const parts = [`${listener.protocol} ${listener.port}`, listener.hostname ?? '', `${routes} ${routes === 1 ? 'route' : 'routes'}`]
    return {
      kind: 'listener',
      namespace: '',
      name: listener.name,
      detail: parts.filter((part) => part !== '').join(', '),
      ...verdictOf(status?.conditions, generation),
      children: tenants.filter((tenant) => isOn(tenant, listener.name)).map(({ node }) => node),
    }
  })
  const homeless = tenants.filter((tenant) => ![...names].some((one) => isOn(tenant, one)))
  return [...listeners, ...homeless.map(({ node }) => node)]
}

/** A refused route is shown where it wanted to be. */
function isOn({ sectionName, listeners }: Tenant, name: string): boolean {
  return sectionName === undefined ? listeners.includes(name) : sectionName === name
}

function tenantsOf(source: TreeSource): Tenant[] {
  const attached = new Map(source.routes.flatMap(({ status, attached: keys }) => (status === undefined ? [] : [[keyOf(status), keys]])))
  return ROUTE_KINDS.flatMap((kind) => source.objects.all(kind) as readonly Route[]).flatMap((route) => {
    const { kind, metadata, spec } = route
    const written = source.statusOf(kind, metadata.namespace, metadata.name)?.parents ?? []
    const children = backendNodes(source, route)
    const detail = 'hostnames' in spec ? spec.hostnames.join(', ') : ''
    return spec.parentRefs.map((ref): Tenant => {
      const parent = `${ref.kind}/${ref.namespace ?? metadata.namespace}/${ref.name}`
      const conditions = written.find(({ parentRef }) => isSameRef(parentRef, ref, metadata.namespace))?.conditions
      const { namespace, name } = metadata
      return {
        parent,
        sectionName: ref.sectionName,
        listeners: (attached.get(keyOf({ kind, namespace, name })) ?? []).flatMap((key) =>
          key.startsWith(`${parent}/`) ? [key.slice(parent.length + 1)] : [],
        ),
        node: { kind, namespace, name, detail, ...verdictOf(conditions, metadata.generation), children },
      }
    })
  })
}

function keyOf({ kind, namespace, name }: Pick<TreeNode, 'kind' | 'namespace' | 'name'>): string {
  return `${kind}/${namespace}/${name}`
}

function isSameRef(written: RouteParentStatus['parentRef'], ref: ParentReference, namespace: string): boolean {
  return (
    (written.kind ?? 'Gateway') === ref.kind &&
    (written.namespace ?? namespace) === (ref.namespace ?? namespace) &&
    written.name === ref.name &&
    written.sectionName === ref.sectionName &&
    written.port === ref.port
  )
}

/** Each backend of the rules once; its weight where all rules give it the same. */
function backendNodes(source: TreeSource, route: Route): TreeNode[] {
  const refs = route.spec.rules.flatMap(({ backendRefs }): readonly BackendRef[] => backendRefs)
  const byName = groupBy(
    refs,
    ({ kind, namespace, name, port }) => `${kind}/${namespace ?? route.metadata.namespace}/${name}/${port ?? ''}`,
  )
  return [...byName.values()].flatMap((same) => {
    const [ref] = same
    if (ref === undefined) return []
    const isShared = refs.length > byName.size || refs.length === 1
    return [backendNode(source, ref, ref.namespace ?? route.metadata.namespace, isShared ? undefined : ref.weight)]
  })
}

function backendNode(source: TreeSource, { kind, name, port }: BackendRef, namespace: string, weight: number | undefined): TreeNode {
  const { objects } = source
  const shown = { kind, namespace, name: port === undefined ? name : `${name}:${port}`, children: [] }
  const share = weight === undefined ? '' : `weight ${weight}`
  if (kind === 'XBackend') return xBackendNode(source, shown, share)
  if (kind !== 'Service') return { ...shown, detail: share, ...good }
  const service = objects.get('Service', namespace, name)
  if (service === undefined) return { ...missing(kind, namespace, shown.name, []), detail: share }
  if (service.spec.type === 'ExternalName') return { ...shown, detail: share, ...good }
  return { ...shown, ...endpointsOf(objects, `${namespace}/${name}`, 'Service', share) }
}

/** An XBackend has a status of its own, where a Service has none. */
function xBackendNode(
  { objects, statusOf }: TreeSource,
  shown: Pick<TreeNode, 'kind' | 'namespace' | 'name' | 'children'>,
  share: string,
): TreeNode {
  const { kind, namespace, name } = shown
  const backend = objects.get('XBackend', namespace, name)
  if (backend === undefined) return { ...missing(kind, namespace, name, []), detail: share }
  const { externalHostname, port } = backend.spec
  const ancestors = statusOf('XBackend', namespace, name)?.ancestors ?? []
  const conditions = ancestors.flatMap((ancestor) => ancestor.conditions ?? [])
  const verdict = verdictOf(conditions, backend.metadata.generation)
  if (externalHostname !== undefined) {
    return { ...shown, detail: listedIn(share, `${externalHostname.hostname}:${port.number}`), ...verdict }
  }
  const [service] = objects.bucket('servicesByXBackend', `${namespace}/${name}`)
  const counted = endpointsOf(objects, `${namespace}/${service?.metadata.name ?? ''}`, 'XBackend', share)
  return { ...shown, ...counted, ...(!verdict.isGood && verdict) }
}

/** @param service `namespace/name` of the Service whose EndpointSlices are counted */
function endpointsOf(objects: Snapshot, service: string, kind: string, share: string): Verdict & Pick<TreeNode, 'detail'> {
  const all = objects.bucket('slicesByService', service).flatMap(({ endpoints }) => endpoints)
  const ready = all.filter(isReady).length
  const counted = `${ready} ${ready === 1 ? 'endpoint' : 'endpoints'}${ready === all.length ? '' : ` ready of ${all.length}`}`
  const message = `${all.length === 0 ? `The ${kind} has no endpoints` : `No endpoint of the ${kind} is ready`}: requests for it get a 503.`
  return { detail: listedIn(share, counted), ...(ready > 0 ? good : { isGood: false, state: 'no ready endpoint', message }) }
}

function listedIn(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(', ')
}

/** EndpointConditions: absent counts as ready. */
function isReady({ conditions }: Endpoint): boolean {
  return conditions.ready !== false
}

/** @param generation of the object: a status of an older one says nothing of this one */
function verdictOf(conditions: readonly Condition[] | undefined, generation: number): Verdict {
  if (conditions === undefined || conditions.length === 0) {
    return { isGood: false, state: 'no status', message: 'No controller has said anything of it: is one running whose class it is?' }
  }
  const bad = firstBad(conditions) ?? conditions.find(({ type, status }) => type === 'Accepted' && status !== 'True')
  if (bad !== undefined) return { isGood: false, state: `${bad.type} ${bad.status} ${bad.reason}`, message: bad.message }
  const old = conditions.find(({ observedGeneration }) => observedGeneration < generation)
  if (old === undefined) return good
  const message = `Its status is of generation ${old.observedGeneration}, the object is at ${generation}: its controller has not looked since.`
  return { isGood: false, state: 'out of date', message }
}

function parentOfSet({ metadata, spec: { parentRef } }: ListenerSet): string {
  return `${parentRef.kind}/${parentRef.namespace ?? metadata.namespace}/${parentRef.name}`
}

function groupBy<T>(items: readonly T[], keyIn: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyIn(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}

/** What of the tree lies in a namespace, with what it hangs on. */
export function inNamespace(tree: readonly TreeNode[], namespace: string): TreeNode[] {
  return tree.flatMap((node) => {
    if (node.namespace === namespace) return [node]
    const children = inNamespace(node.children, namespace)
    return children.length === 0 ? [] : [{ ...node, children }]
  })
}
