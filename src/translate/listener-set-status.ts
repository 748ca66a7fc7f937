/**
 * The status of a ListenerSet: what was judged and merged, joined with what the data plane says (Gateway API v1, ListenerSetStatus;
 * GEP-1713, ListenerSet Conditions). Its conditions sum up its own listeners alone, unless the Gateway itself is not accepted or not programmed.
 */
import type { Condition } from '../api/meta.ts'
import { compareObjects } from '../cluster/order.ts'
import type { Observations } from '../cluster/observations.ts'
import type { ListenerKey } from '../config/listener.ts'
import { hasItsAddresses } from './addresses.ts'
import { listenerSetConditions } from './conditions.ts'
import type { GatewayPart } from './gateway.ts'
import { keep } from './keep.ts'
import { namesInWords } from './listener.ts'
import type { ListenerPart } from './listener-part.ts'
import { isAccepted, listenerStatus, type Serving } from './listener-status.ts'
import type { Merged, MergedSet } from './merged-listeners.ts'
import { HELD, PENDING, servingOf } from './serving.ts'
import type { ListenerSetStatus, ListenerStatus, StatusOf } from './translation.ts'

/** What the status of a set follows from. */
interface Inputs {
  readonly set: MergedSet
  readonly servings: readonly Serving[]
  readonly counts: readonly number[]
  /** Why the Gateway as a whole is not programmed, whatever its listeners. */
  readonly unreachable: string | undefined
}

/** A status with what it was made from, for the next pass. */
export interface SetStatus extends Inputs {
  readonly status: StatusOf & { readonly status: ListenerSetStatus }
  /** Accepted is True. */
  readonly isAttached: boolean
}

export function statusesOfSets(
  observations: Observations,
  { gateways, sets }: Pick<Merged, 'gateways' | 'sets'>,
  versions: ReadonlyMap<string, string>,
  attachedRoutes: ReadonlyMap<ListenerKey, number>,
  last: readonly SetStatus[] | undefined,
): readonly SetStatus[] {
  const unreachable = new Map(gateways.map((gateway) => [gateway.surface.gateway, whyUnreachable(gateway, observations)]))
  // Both lists are in the order of a snapshot: a walk along the two finds what each set had.
  let next = 0
  return sets.map((set) => {
    while (isBefore(last?.[next], set)) next += 1
    const { gateway } = set.part
    const observation = observations.gateways.get(gateway)
    const inputs: Inputs = {
      set,
      servings: set.listeners.map((listener) =>
        set.parentProblem === undefined ? servingOf(listener, observations.assumeProgrammed, observation, versions.get(gateway)) : HELD,
      ),
      counts: set.listeners.map(({ judged }) => attachedRoutes.get(judged.key) ?? 0),
      unreachable: unreachable.get(gateway),
    }
    const before = last?.[next]
    if (before !== undefined && sameInputs(before, inputs)) return before
    const status = keep(before?.status, statusOf(inputs))
    const isAttached = status.status.conditions.some(({ type, status: is }) => type === 'Accepted' && is === 'True')
    return { ...inputs, status, isAttached }
  })
}

/** By `namespace/name` of the Gateway: its ListenerSets that are accepted (GatewayStatus.attachedListenerSets). */
export function attachedSets(statuses: readonly SetStatus[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { set, isAttached } of statuses) {
    if (isAttached) counts.set(set.part.gateway, (counts.get(set.part.gateway) ?? 0) + 1)
  }
  return counts
}

function isBefore(last: SetStatus | undefined, set: MergedSet): boolean {
  return last !== undefined && last.set !== set && compareObjects(last.set.part.set, set.part.set) < 0
}

function sameInputs(a: Inputs, b: Inputs): boolean {
  return (
    a.set === b.set &&
    a.unreachable === b.unreachable &&
    a.servings.every((serving, i) => sameServing(serving, b.servings[i])) &&
    a.counts.every((count, i) => count === b.counts[i])
  )
}

function whyUnreachable({ gateway }: GatewayPart, { assumeProgrammed, gateways }: Observations): string | undefined {
  const { namespace, name } = gateway.metadata
  const observation = gateways.get(`${namespace}/${name}`)
  if (assumeProgrammed || observation === undefined) return undefined
  return hasItsAddresses(gateway, observation.addresses)
    ? undefined
    : `Gateway ${namespace}/${name} has not all of its addresses: see its status.`
}

function sameServing(a: Serving, b: Serving | undefined): boolean {
  return a.kind === b?.kind && ('message' in a ? a.message : '') === ('message' in b ? b.message : '')
}

function statusOf(inputs: Inputs): SetStatus['status'] {
  const { apiVersion, kind, metadata } = inputs.set.part.set
  const { namespace, name, generation } = metadata
  const listeners = inputs.set.listeners.map((listener, i): ListenerStatus =>
    listenerStatus(listener, generation, inputs.counts[i] ?? 0, inputs.servings[i] ?? { kind: 'served' }),
  )
  return { apiVersion, kind, namespace, name, status: { conditions: conditionsOf(inputs), listeners } }
}

function conditionsOf({ set: { part, parentProblem, listeners }, servings, unreachable }: Inputs): readonly Condition[] {
  const { generation } = part.set.metadata
  if (part.notAllowed !== undefined)
    return [
      listenerSetConditions.notAllowed(generation, part.notAllowed),
      listenerSetConditions.notProgrammedNotAllowed(generation, 'The Gateway does not take the ListenerSet.'),
    ]
  if (parentProblem?.isPending === true)
    return [
      listenerSetConditions.waitingForParent(generation, parentProblem.message),
      listenerSetConditions.programmedPending(generation, parentProblem.message),
    ]
  if (parentProblem !== undefined)
    return [
      listenerSetConditions.parentNotAccepted(generation, parentProblem.message),
      listenerSetConditions.parentNotProgrammed(generation, parentProblem.message),
    ]
  const valid = listeners.filter((listener, i) => isValid(listener, servings[i] ?? { kind: 'served' }))
  const bad = namesOf(listeners.filter((listener) => !valid.includes(listener)))
  if (valid.length === 0) {
    const message = `No listener is valid: see the conditions of ${bad}.`
    return [
      listenerSetConditions.listenersNotValid(generation, message),
      listenerSetConditions.notProgrammedListenersNotValid(generation, message),
    ]
  }
  const accepted =
    valid.length === listeners.length
      ? listenerSetConditions.accepted(generation, 'The ListenerSet is valid.')
      : listenerSetConditions.acceptedWithInvalidListeners(
          generation,
          `Not valid: ${bad}, see the conditions there. Accepted: ${namesOf(valid)}.`,
        )
  const isPending = listeners.some(
    (listener, i) => valid.includes(listener) && (listener.config === undefined || servings[i]?.kind === 'pending'),
  )
  if (unreachable !== undefined) return [accepted, listenerSetConditions.parentNotProgrammed(generation, unreachable)]
  return [
    accepted,
    isPending
      ? listenerSetConditions.programmedPending(generation, PENDING)
      : listenerSetConditions.programmed(generation, 'The data plane serves the listeners.'),
  ]
}

/** One whose certificates are all refused serves nothing, whatever its own condition Accepted says. */
function isValid(listener: ListenerPart, serving: Serving): boolean {
  return isAccepted(listener, serving) && (listener.config !== undefined || listener.judged.refProblem?.reason === 'Pending')
}

function namesOf(listeners: readonly ListenerPart[]): string {
  return namesInWords(listeners.map(({ judged }) => judged.listener.name))
}
