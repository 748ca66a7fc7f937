/**
 * The listeners of a Gateway and of its ListenerSets as one list (Gateway API v1, ListenerSetSpec.listeners; GEP-1713): who holds which
 * port and hostname, what overlaps, and all that the Gateway serves with them.
 *
 * Order: the Gateway's own, then the sets by age, then by `namespace/name`. A listener that somebody before it stands in the way of
 * loses; what is left of one object is judged as a Gateway's own listeners are. What is refused for itself holds nothing.
 * A Gateway is merged again only when it or one of its sets changed; a few sets that stand in nobody's way are put in without a look at the
 * others (see crowd.ts), and a set whose listeners come out as before stays the same object.
 */
import type { ListenerConfig } from '../config/listener.ts'
import { sameItems } from '../lib/list-change.ts'
import { Claims } from './claims.ts'
import { Crowd } from './crowd.ts'
import { certificatesOf, type GatewayPart, type GatewayResult } from './gateway.ts'
import { infraOf } from './infra.ts'
import { equal, keep, keepArray } from './keep.ts'
import { listenerConfig, type JudgedListener } from './listener.ts'
import { conflictsOf } from './listener-conflicts.ts'
import { claimOf, listenerPart, listenerSurface, type ListenerOwner, type ListenerPart, withOverlaps } from './listener-part.ts'
import type { ListenerSetPart, ListenerSetResult } from './listener-set.ts'
import { sortedFrom, type Sorted } from './sorted.ts'
import { ownerInWords, type GatewaySurface } from './surface.ts'
import { compareRank } from './tie-break.ts'

/** Why the Gateway as a whole is not accepted. */
export interface ParentProblem {
  readonly message: string
  /** It may be, as soon as its class is. */
  readonly isPending: boolean
  /** Its proxies serve on, this set's listeners too (GatewayProblem.servesOn). */
  readonly serves: boolean
}

export interface MergedSet {
  readonly part: ListenerSetPart
  readonly surface: GatewaySurface
  readonly parentProblem?: ParentProblem
  readonly listeners: readonly ListenerPart[]
}

export interface Merged {
  /** As they were judged, with what their sets add. */
  readonly gateways: readonly GatewayPart[]
  /** In the order in which they were judged. */
  readonly sets: readonly MergedSet[]
  /** For the next pass. */
  readonly source: { readonly gateways: readonly GatewayPart[]; readonly sets: readonly ListenerSetResult[] }
  readonly byGateway: ReadonlyMap<string, MergedGateway>
}

interface MergedGateway {
  readonly source: GatewayPart
  readonly parts: readonly ListenerSetPart[]
  readonly gateway: GatewayPart
  readonly sets: ReadonlyMap<ListenerSetPart, MergedSet>
  /** For the next pass. */
  readonly sorted: Sorted<ListenerSetPart>
  readonly crowd: Crowd
}

export function mergeListeners(gateways: readonly GatewayPart[], results: readonly ListenerSetResult[], last: Merged | undefined): Merged {
  if (last !== undefined && last.source.sets === results && sameItems(last.source.gateways, gateways)) return last
  const byGateway = new Map<string, MergedGateway>()
  const partsOf = new Map<string, ListenerSetPart[]>()
  for (const result of results) {
    if (result.kind !== 'ours') continue
    const parts = partsOf.get(result.gateway)
    if (parts === undefined) partsOf.set(result.gateway, [result])
    else parts.push(result)
  }
  const merged = gateways.map((gateway) => {
    const path = gateway.surface.gateway
    const parts = partsOf.get(path)
    if (parts === undefined) return gateway
    const before = last?.byGateway.get(path)
    const one = before?.source === gateway && sameItems(before.parts, parts) ? before : mergeOne(gateway, parts, before)
    byGateway.set(path, one)
    return one.gateway
  })
  const sets = results.flatMap((result) => (result.kind === 'ours' ? (byGateway.get(result.gateway)?.sets.get(result) ?? []) : []))
  return {
    gateways: keepArray(last?.gateways, merged),
    sets: keepArray(last?.sets, sets),
    source: { gateways, sets: results },
    byGateway,
  }
}

/** What was judged, with the merged in place of those that have sets. */
export function withMerged(results: readonly GatewayResult[], { gateways }: Merged): readonly GatewayResult[] {
  let next = 0
  return results.map((result) => {
    const gateway = result.kind === 'ours' ? gateways[next++] : undefined
    return gateway === undefined ? result : { kind: 'ours', ...gateway }
  })
}

/** So many changed sets are put in one by one; more are merged with all the others. */
const FEW = 32

function mergeOne(source: GatewayPart, parts: readonly ListenerSetPart[], last: MergedGateway | undefined): MergedGateway {
  const sorted = sortedFrom(last?.sorted, parts, (a, b) => compareRank(a.rank, b.rank))
  const kept = last === undefined ? undefined : withFewChanged(source, sorted, last)
  const { own, sets, crowd } = kept ?? mergeAll(source, sorted.sorted, last)
  const inOrder = sorted.sorted.flatMap((part) => sets.get(part) ?? [])
  const made: MergedGateway = { source, parts, sorted, sets, crowd, gateway: together(source, own, inOrder, last?.gateway) }
  crowd.handTo(made)
  return made
}

interface MergedParts {
  readonly own: readonly ListenerPart[]
  readonly sets: ReadonlyMap<ListenerSetPart, MergedSet>
  readonly crowd: Crowd
}

/** undefined: what changed stands in somebody's way, or did. */
function withFewChanged(source: GatewayPart, { removed, added }: Sorted<ListenerSetPart>, last: MergedGateway): MergedParts | undefined {
  const { crowd, gateway } = last
  if (last.source !== source || !crowd.isOf(last) || removed.length > FEW || added.length > FEW) return undefined
  crowd.handTo(undefined)
  let touches = false
  for (const listener of removed.flatMap(({ judged }) => judged)) {
    crowd.remove(listener)
    touches ||= crowd.touches(listener)
  }
  for (const listener of added.flatMap(({ judged }) => judged)) {
    touches ||= crowd.touches(listener)
    crowd.add(listener)
  }
  if (touches) return undefined
  const parentProblem = whyNotAccepted(source)
  const sets = new Map(last.sets)
  const before = new Map<string, MergedSet>()
  for (const part of removed) {
    const set = sets.get(part)
    if (set !== undefined) before.set(pathOf(part), set)
    sets.delete(part)
  }
  for (const part of added) {
    const lastSet = before.get(pathOf(part))
    const listeners = listenersOf(part, new Claims(), parentProblem?.serves ?? true, lastSet)
    sets.set(part, withListeners(part, listeners, parentProblem, lastSet))
  }
  return { own: gateway.listeners, sets, crowd }
}

function mergeAll(source: GatewayPart, sorted: readonly ListenerSetPart[], last: MergedGateway | undefined): MergedParts {
  const parentProblem = whyNotAccepted(source)
  const claims = new Claims()
  for (const { judged, conflict } of source.listeners)
    if (judged.problem === undefined && conflict === undefined) claims.hold(claimOf(judged), inWords(source.surface, judged))

  const lastOf = new Map([...(last?.sets.values() ?? [])].map((set) => [pathOf(set.part), set]))
  const judged = sorted.map((part) => ({
    part,
    listeners: listenersOf(part, claims, parentProblem?.serves ?? true, lastOf.get(pathOf(part))),
  }))
  const all = withOverlaps([
    ...source.listeners.map((listener) => ({ owner: source.surface, listener })),
    ...judged.flatMap(({ part, listeners }) => listeners.map((listener) => ({ owner: ownerOf(part), listener }))),
  ])
  const own = keepEqual(last?.gateway.listeners ?? source.listeners, all.slice(0, source.listeners.length))
  const crowd = new Crowd()
  for (const listener of all) crowd.add(listener.judged)
  let next = source.listeners.length
  const sets = new Map<ListenerSetPart, MergedSet>()
  for (const { part, listeners } of judged) {
    sets.set(part, withListeners(part, all.slice(next, (next += listeners.length)), parentProblem, lastOf.get(pathOf(part))))
  }
  return { own, sets, crowd }
}

/** The Gateway as its own listeners leave it ("An exception to this is when the parent Gateway's Accepted transitions to False"). */
function whyNotAccepted({ surface, problem, listeners }: GatewayPart): ParentProblem | undefined {
  const isGood = listeners.length === 0 || listeners.some(({ judged, conflict }) => judged.problem === undefined && conflict === undefined)
  if (isGood && problem === undefined) return undefined
  const serves = isGood && problem?.servesOn === true
  const isPending = problem?.reason === 'ClassNotAccepted'
  return { message: isPending ? problem.message : `${ownerInWords(surface)} is not accepted: see its status.`, isPending, serves }
}

function listenersOf(part: ListenerSetPart, claims: Claims, serves: boolean, last: MergedSet | undefined): readonly ListenerPart[] {
  const lost = part.judged.map((judged) => (isConflictable(judged) ? claims.conflictOf(claimOf(judged)) : undefined))
  const left = part.judged.filter((judged, i) => lost[i] === undefined && judged.problem === undefined)
  const among = conflictsOf(left.map(claimOf))
  const listeners = part.judged.map((judged, i): ListenerPart => {
    const conflict = lost[i] ?? among.get(judged.listener.name)
    const config = serves && conflict === undefined ? listenerConfig(judged) : undefined
    const lastConfig = last?.listeners.find((other) => other.judged.key === judged.key)?.config
    return listenerPart(judged, conflict, config && keep(lastConfig, config))
  })
  for (const { judged, conflict } of listeners)
    if (judged.problem === undefined && conflict === undefined) claims.hold(claimOf(judged), inWords(ownerOf(part), judged))
  return listeners
}

/** A protocol of somebody's own is refused for that; one that is not served is told of the port first, which no later version would mend. */
function isConflictable({ listener: { protocol } }: JudgedListener): boolean {
  return ['HTTP', 'HTTPS', 'TLS', 'TCP', 'UDP'].includes(protocol)
}

function withListeners(
  part: ListenerSetPart,
  made: readonly ListenerPart[],
  parentProblem: ParentProblem | undefined,
  last: MergedSet | undefined,
): MergedSet {
  const listeners = keepEqual(last?.listeners, made)
  if (last?.part === part && equal(last.parentProblem, parentProblem) && last.listeners === listeners) return last
  return {
    part,
    surface: keep(last?.surface, surfaceOf(part, listeners)),
    ...(parentProblem === undefined ? {} : { parentProblem }),
    listeners,
  }
}

function surfaceOf(part: ListenerSetPart, listeners: readonly ListenerPart[]): GatewaySurface {
  const { gateway, controllerName, notAllowed } = part
  return {
    ...ownerOf(part),
    gateway,
    controllerName,
    ...(notAllowed === undefined
      ? {}
      : { refused: `Gateway ${gateway} does not take ${ownerInWords(ownerOf(part))}: see the status of the ListenerSet.` }),
    listeners: listeners.map(listenerSurface),
  }
}

/** All that the Gateway serves; its own listeners alone make its conditions. */
function together(
  source: GatewayPart,
  listeners: readonly ListenerPart[],
  sets: readonly MergedSet[],
  last: GatewayPart | undefined,
): GatewayPart {
  const all = [...listeners, ...sets.flatMap((set) => set.listeners)]
  const configs: readonly ListenerConfig[] = keepArray(
    last?.configs ?? source.configs,
    all.flatMap(({ config }) => (config === undefined ? [] : [config])),
  )
  const infra = configs.length === 0 || source.problem !== undefined ? undefined : infraOf(source.gateway, configs, source.parameters)
  const { infra: _, ...rest } = source
  return {
    ...rest,
    listeners,
    configs,
    certificates: keepArray(last?.certificates, certificatesOf(all, source.backendCertificate, last?.certificates ?? source.certificates)),
    ...(infra === undefined ? {} : { infra: keep(last?.infra ?? source.infra, infra) }),
    wants: [...source.wants, ...sets.flatMap(({ part }) => part.wants)],
  }
}

/** `last` where nothing in it differs; certificates are compared by identity of what was judged. */
function keepEqual(last: readonly ListenerPart[] | undefined, next: readonly ListenerPart[]): readonly ListenerPart[] {
  const kept = next.map((part, i) => {
    const before = last?.[i]
    const isSame =
      before !== undefined &&
      before.judged === part.judged &&
      before.config === part.config &&
      equal(before.conflict, part.conflict) &&
      equal(before.overlap, part.overlap)
    return isSame ? before : part
  })
  return keepArray(last, kept)
}

function ownerOf({ set: { metadata } }: ListenerSetPart): ListenerOwner & { readonly kind: 'ListenerSet' } {
  return { kind: 'ListenerSet', namespace: metadata.namespace, name: metadata.name }
}

function inWords(owner: ListenerOwner, { listener }: JudgedListener): string {
  return `listener "${listener.name}" of ${ownerInWords(owner)}`
}

function pathOf({ set: { metadata } }: ListenerSetPart): string {
  return `${metadata.namespace}/${metadata.name}`
}
