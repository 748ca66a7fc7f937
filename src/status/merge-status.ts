/**
 * What the status of an object becomes: our part anew, everything of others as it was. Pure.
 *
 * Gateways, GatewayClasses and ListenerSets of ours have one author, but others may add conditions of types of their own.
 * Routes and policies have an entry for each parent and controller: only entries with our name are ours.
 */
import { isOutdated, mergeConditions, type StoredCondition } from './merge-conditions.ts'

type Status = Readonly<Record<string, unknown>>

interface Entry {
  readonly controllerName?: string
  readonly conditions?: readonly StoredCondition[]
  readonly [field: string]: unknown
}

const conditionsOfOurs: Readonly<Record<string, ReadonlySet<string>>> = {
  GatewayClass: new Set(['Accepted', 'SupportedVersion']),
  Gateway: new Set(['Accepted', 'Programmed', 'ResolvedRefs', 'AddressesAssigned', 'InsecureFrontendValidationMode']),
  ListenerSet: new Set(['Accepted', 'Programmed']),
}
const listenerConditions = new Set(['Accepted', 'Programmed', 'ResolvedRefs', 'Conflicted', 'OverlappingTLSConfig'])
const entryConditions = new Set(['Accepted', 'ResolvedRefs', 'PartiallyInvalid'])
/** RouteStatus.parents. */
const mostParents = 32
/** PolicyStatus.ancestors, and BackendStatus.ancestors of an XBackend: "no more entries" beyond. */
const mostAncestors = (kind: string): number => (kind === 'XBackend' ? 32 : 16)

/** Undefined when what stands there was written for a newer generation: somebody knows more. */
export function mergeStatus(
  kind: string,
  stored: Status | undefined,
  wanted: Status,
  controllerName: string,
  now: string,
): Status | undefined {
  const before = stored ?? {}
  if (Array.isArray(wanted['parents']))
    return withEntries(before, 'parents', 'parentRef', wanted['parents'] as Entry[], controllerName, now, mostParents)
  if (Array.isArray(wanted['ancestors'])) {
    return withEntries(before, 'ancestors', 'ancestorRef', wanted['ancestors'] as Entry[], controllerName, now, mostAncestors(kind))
  }
  const conditions = conditionsIn(before)
  if (isOutdated(conditions, conditionsIn(wanted))) return undefined
  return {
    ...before,
    ...wanted,
    conditions: mergeConditions(conditions, conditionsIn(wanted), conditionsOfOurs[kind] ?? new Set(), now),
    ...(Array.isArray(wanted['listeners']) && { listeners: withListeners(before, wanted['listeners'] as Entry[], now) }),
  }
}

/** Does a status hold an entry of this controller? */
export function hasEntryOf(status: Status | undefined, controllerName: string): boolean {
  const entries = status?.['parents'] ?? status?.['ancestors']
  return Array.isArray(entries) && entries.some((entry: Entry) => entry.controllerName === controllerName)
}

/** Equal in meaning: the time of a condition means nothing where nothing else changed. */
export function sameStatus(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameStatus(item, b[i]))
  if (!isRecord(a) || !isRecord(b)) return false
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  names.delete('lastTransitionTime')
  return [...names].every((name) => sameStatus(a[name], b[name]))
}

function withListeners(before: Status, wanted: readonly Entry[], now: string): readonly Entry[] {
  const stored = new Map(listIn(before, 'listeners').map((listener) => [listener['name'], listener]))
  return wanted.map((listener) => ({
    ...listener,
    conditions: mergeConditions(stored.get(listener['name'])?.conditions ?? [], listener.conditions ?? [], listenerConditions, now),
  }))
}

function withEntries(
  before: Status,
  list: 'parents' | 'ancestors',
  ref: 'parentRef' | 'ancestorRef',
  wanted: readonly Entry[],
  controllerName: string,
  now: string,
  most: number,
): Status | undefined {
  const missing = [...wanted]
  let outdated = false
  const kept = listIn(before, list).flatMap((entry) => {
    if (entry.controllerName !== controllerName) return [entry]
    const place = missing.findIndex((one) => sameStatus(one[ref], entry[ref]))
    const [next] = place < 0 ? [] : missing.splice(place, 1)
    if (next === undefined) return []
    outdated ||= isOutdated(entry.conditions ?? [], next.conditions ?? [])
    return [{ ...next, conditions: mergeConditions(entry.conditions ?? [], next.conditions ?? [], entryConditions, now) }]
  })
  const added = missing.map((entry) => ({ ...entry, conditions: mergeConditions([], entry.conditions ?? [], entryConditions, now) }))
  return outdated ? undefined : { ...before, [list]: [...kept, ...added.slice(0, Math.max(0, most - kept.length))] }
}

function conditionsIn(status: Status): readonly StoredCondition[] {
  return Array.isArray(status['conditions']) ? (status['conditions'] as StoredCondition[]) : []
}

function listIn(status: Status, name: string): readonly Entry[] {
  return Array.isArray(status[name]) ? (status[name] as Entry[]) : []
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
