/**
 * What routes of every kind share: the status for each parent of ours (Gateway API v1, RouteParentStatus).
 *
 * Each parentRef is judged alone. Accepted and ResolvedRefs are written for rejected routes too; PartiallyInvalid only
 * while some rules are good and some are not.
 */
import type { Finding } from '../api/finding.ts'
import type { Condition } from '../api/meta.ts'
import type { ParentReference, Route, RouteParentStatus } from '../api/route.ts'
import { EXPERIMENTAL_GROUP } from '../api/x-backend.ts'
import type { ListenerKey } from '../config/listener.ts'
import type { HttpRouteConfig } from '../config/route.ts'
import type { StreamRouteConfig } from '../config/stream-route.ts'
import { attach, type AttachingRoute, type Attachment } from './attachment.ts'
import type { PoolUse } from './backend.ts'
import { routeConditions } from './conditions.ts'
import { GATEWAY_GROUP } from './features.ts'
import { findings } from './findings.ts'
import type { Reader } from './memo.ts'
import { labelsOf, type Labels } from './namespace-selector.ts'
import type { TranslateOptions } from './options.ts'
import { listed, withRemedies, type Remedy } from './remedy.ts'
import { ownerInWords, type GatewaySurface } from './surface.ts'
import type { Rank } from './tie-break.ts'
import type { BackendPath } from './traffic-policy.ts'
import type { StatusOf } from './translation.ts'

/** All that a pass knows of one route. */
export interface RouteResult {
  readonly rank: Rank
  /** Absent: no parent of the route is ours. */
  readonly status?: StatusOf
  /** Listeners that the route is attached to, serving or not: what attachedRoutes counts. */
  readonly attached: readonly ListenerKey[]
  readonly served: readonly ServedRoute[]
  readonly streams: readonly ServedStream[]
  readonly pools: readonly PoolUse[]
  /** `namespace/name` of the Services that its requests may reach, or would if their BackendTLSPolicy could be followed. */
  readonly services: readonly string[]
  /** All backends that it refers to and may, there or not. */
  readonly targets: readonly BackendPath[]
  /** The Gateways of ours that the route names, itself or by a ListenerSet, accepted or not. */
  readonly parents: readonly GatewaySurface[]
  readonly findings: readonly Finding[]
}

export interface ServedRoute {
  /** `namespace/name` of the Gateway */
  readonly gateway: string
  readonly config: HttpRouteConfig
}

export interface ServedStream {
  /** `namespace/name` of the Gateway */
  readonly gateway: string
  readonly config: StreamRouteConfig
}

/** The rules of a route, judged without regard to parents. */
export interface RouteBody {
  readonly ruleCount: number
  readonly invalidRules: readonly InvalidRule[]
  readonly refProblems: readonly RefProblem[]
}

export interface InvalidRule {
  /** Index in `spec.rules`. */
  readonly index: number
  readonly name?: string
  /** A clause without a final stop. */
  readonly problem: string
}

export interface RefProblem {
  readonly reason: keyof typeof REF_CONDITIONS
  /** Sentences. */
  readonly message: string
  readonly remedy?: Remedy
}

/** In the order in which they win when a route has several. */
const REF_CONDITIONS = {
  RefNotPermitted: routeConditions.refNotPermitted,
  InvalidKind: routeConditions.invalidKind,
  BackendNotFound: routeConditions.backendNotFound,
  UnsupportedProtocol: routeConditions.unsupportedProtocol,
} as const
const REF_REASONS = Object.keys(REF_CONDITIONS) as readonly RefProblem['reason'][]

export interface JudgedParents {
  readonly status?: StatusOf
  /** By `namespace/name` of the Gateway that serves the listeners; only where the route is Accepted. */
  readonly attachments: ReadonlyMap<string, readonly Attachment[]>
  /** The same where the listeners would take the route and no rule of it can be served, so that it is not Accepted. */
  readonly withheld: ReadonlyMap<string, readonly Attachment[]>
  readonly gateways: readonly GatewaySurface[]
  readonly findings: readonly Finding[]
}

export function judgeParents(read: Reader, options: TranslateOptions, route: Route, body: RouteBody): JudgedParents {
  const { namespace, name, generation } = route.metadata
  let labels: Labels | undefined
  const attaching: AttachingRoute = {
    kind: route.kind,
    namespace,
    namespaceLabels: () => (labels ??= labelsOf(read, namespace)),
    name,
    hostnames: 'hostnames' in route.spec ? route.spec.hostnames.map((hostname) => hostname.toLowerCase()) : [],
    parentRefs: route.spec.parentRefs,
  }
  const attachments = new Map<string, readonly Attachment[]>()
  const withheld = new Map<string, readonly Attachment[]>()
  const found: Finding[] = []
  const parents: RouteParentStatus[] = []
  const gateways = new Set<GatewaySurface>()

  for (const [i, ref] of route.spec.parentRefs.entries()) {
    const subject = { kind: route.kind, namespace, name, path: ['spec', 'parentRefs', i] }
    const parent = parentOf(read, ref, namespace)
    switch (parent.kind) {
      case 'missing':
        found.push(findings.parentNotFound(subject, ref.kind, ref.namespace ?? namespace, ref.name))
        break
      case 'mesh':
        found.push(findings.meshParent(subject, ref.kind, ref.namespace ?? namespace, ref.name))
        break
      case 'foreign':
        break
      case 'ours': {
        gateways.add(parent.gateway)
        if (parent.surface.refused !== undefined) {
          const refused = routeConditions.noMatchingParent(generation, parent.surface.refused)
          parents.push(parentStatus(ref, parent.surface.controllerName, [refused, resolvedRefs(body, generation)]))
          break
        }
        const outcome = attach(attaching, ref, parent.surface)
        const accepted = !outcome.attached
          ? [outcome.condition(generation, outcome.message)]
          : acceptance(body, generation, attachedTo(parent.surface, outcome.attachments))
        parents.push(
          parentStatus(ref, parent.surface.controllerName, [
            ...accepted,
            resolvedRefs(body, generation),
            ...partiallyInvalid(accepted, body, generation),
          ]),
        )
        if (outcome.attached) {
          const path = parent.surface.gateway
          const places = accepted[0]?.status === 'True' ? attachments : withheld
          places.set(path, merged(places.get(path) ?? [], outcome.attachments))
        }
        break
      }
    }
  }
  if (route.spec.useDefaultGateways === 'All') {
    found.push(findings.defaultGatewaysNotServed({ kind: route.kind, namespace, name, path: ['spec', 'useDefaultGateways'] }))
  }
  // A route that left us still carries what we wrote: an empty list tells the writer to take it back.
  const stale =
    parents.length === 0 && route.status?.parents.some(({ controllerName }) => controllerName === options.controllerName) === true
  const status: StatusOf = { apiVersion: route.apiVersion, kind: route.kind, namespace, name, status: { parents } }
  return { ...(parents.length > 0 || stale ? { status } : {}), attachments, withheld, gateways: [...gateways], findings: found }
}

type Parent =
  /** `surface` has the listeners, `gateway` serves them; they are one for a Gateway. */
  | { readonly kind: 'ours'; readonly surface: GatewaySurface; readonly gateway: GatewaySurface }
  /** It exists and is another controller's, or of a kind that is none of ours. */
  | { readonly kind: 'foreign' | 'mesh' | 'missing' }

function parentOf(read: Reader, ref: ParentReference, routeNamespace: string): Parent {
  const namespace = ref.namespace ?? routeNamespace
  if (ref.group === '' && ref.kind === 'Service') return { kind: 'mesh' }
  if (ref.group === EXPERIMENTAL_GROUP && ref.kind === 'XMesh') return { kind: 'mesh' }
  if (ref.group !== GATEWAY_GROUP) return { kind: 'foreign' }
  if (ref.kind !== 'Gateway' && ref.kind !== 'ListenerSet') return { kind: 'foreign' }
  const surface = read.surface(ref.kind, namespace, ref.name)
  const gateway = surface?.kind === 'ListenerSet' ? gatewayOf(read, surface) : surface
  if (surface !== undefined && gateway !== undefined) return { kind: 'ours', surface, gateway }
  return { kind: read.get(ref.kind, namespace, ref.name) === undefined ? 'missing' : 'foreign' }
}

function gatewayOf(read: Reader, { gateway }: GatewaySurface): GatewaySurface | undefined {
  const [namespace = '', name = ''] = gateway.split('/')
  return read.surface('Gateway', namespace, name)
}

/** The parentRef as the route has it, group and kind filled in. */
function parentStatus(
  { group, kind, namespace, name, sectionName, port }: ParentReference,
  controllerName: string,
  conditions: readonly Condition[],
): RouteParentStatus {
  return {
    parentRef: {
      group,
      kind,
      ...(namespace === undefined ? {} : { namespace }),
      name,
      ...(sectionName === undefined ? {} : { sectionName }),
      ...(port === undefined ? {} : { port }),
    },
    controllerName,
    conditions,
  }
}

function attachedTo(gateway: GatewaySurface, attachments: readonly Attachment[]): string {
  const where = `Attached to ${listed(attachments.map(({ listener }) => `listener "${listener.name}"`))}.`
  if (attachments.some(({ listener }) => listener.serves)) return where
  return `${where} Nothing is served there yet: see the status of ${ownerInWords(gateway)}.`
}

function acceptance({ ruleCount, invalidRules }: RouteBody, generation: number, message: string): readonly Condition[] {
  if (ruleCount > 0 && invalidRules.length === ruleCount) {
    return [routeConditions.unsupportedValue(generation, `No rule of the route can be served: ${inWords(invalidRules)}.`)]
  }
  return [routeConditions.accepted(generation, message)]
}

function partiallyInvalid(accepted: readonly Condition[], { invalidRules }: RouteBody, generation: number): readonly Condition[] {
  if (invalidRules.length === 0 || accepted[0]?.status !== 'True') return []
  return [routeConditions.partiallyInvalid(generation, `Dropped Rule ${inWords(invalidRules)}.`)]
}

function inWords(rules: readonly InvalidRule[]): string {
  return rules.map(({ index, name, problem }) => `${index}${name === undefined ? '' : ` (${name})`}: ${problem}`).join('; ')
}

function resolvedRefs({ refProblems }: RouteBody, generation: number): Condition {
  const reason = REF_REASONS.find((candidate) => refProblems.some((problem) => problem.reason === candidate))
  if (reason === undefined) return routeConditions.resolvedRefs(generation, 'All references are resolved.')
  const sentences = [...new Set(refProblems.map(({ message }) => message))].join(' ')
  const remedies = refProblems.flatMap(({ remedy }) => (remedy === undefined ? [] : [remedy]))
  return REF_CONDITIONS[reason](generation, withRemedies(sentences, remedies))
}

/** Two parentRefs may reach one listener, by name and by port. */
function merged(a: readonly Attachment[], b: readonly Attachment[]): readonly Attachment[] {
  return [...a, ...b.filter(({ listener }) => !a.some((other) => other.listener.key === listener.key))]
}
