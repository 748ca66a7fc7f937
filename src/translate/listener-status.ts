/** The status of a listener, a Gateway's or a ListenerSet's: its conditions, supported kinds and the number of attached routes (Gateway API v1, ListenerStatus and ListenerEntryStatus). */
import type { Condition } from '../api/meta.ts'
import { listenerConditions } from './conditions.ts'
import { GATEWAY_GROUP } from './features.ts'
import type { ListenerPart } from './listener-part.ts'
import { namesInWords } from './listener.ts'
import type { Conflict } from './listener-conflicts.ts'
import { listed, withRemedies } from './remedy.ts'
import type { ListenerStatus } from './translation.ts'

/** What the data plane says about a listener that shall serve. */
export type Serving =
  | { readonly kind: 'served' }
  | { readonly kind: 'pending'; readonly message: string }
  /** The Gateway is not accepted: there is a configuration for proxies that it has already. */
  | { readonly kind: 'held' }
  | { readonly kind: 'port-failed'; readonly message: string }

const NOT_ACCEPTED = 'The Gateway is not accepted.'

export function listenerStatus(part: ListenerPart, generation: number, attachedRoutes: number, serving: Serving): ListenerStatus {
  const { listener, routeKinds } = part.judged
  return {
    name: listener.name,
    supportedKinds: routeKinds.map((kind) => ({ group: GATEWAY_GROUP, kind })),
    attachedRoutes,
    conditions: [
      ...acceptedAndProgrammed(part, generation, serving),
      resolvedRefs(part, generation),
      conflicted(part, generation),
      ...overlapping(part, generation),
    ],
  }
}

/** Whether the listener is as good as it can be by itself; what it refers to is another matter. */
export function isAccepted(part: ListenerPart, serving: Serving): boolean {
  return part.judged.problem === undefined && part.conflict === undefined && (part.config === undefined || serving.kind !== 'port-failed')
}

function acceptedAndProgrammed({ judged, conflict, config }: ListenerPart, generation: number, serving: Serving): readonly Condition[] {
  const { problem, refProblem } = judged
  const ofSet = isOfSet(judged)
  if (problem !== undefined && conflict?.takenBy === undefined) {
    const accepted = {
      UnsupportedProtocol: listenerConditions.unsupportedProtocol,
      NoValidCACertificate: listenerConditions.noValidCaCertificate,
      UnsupportedValue: ofSet ? listenerConditions.notAcceptedInvalid : listenerConditions.unsupportedValue,
    }[problem.reason]
    return [accepted(generation, problem.message), listenerConditions.notProgrammedInvalid(generation, problem.message)]
  }
  switch (conflict?.reason) {
    case 'HostnameConflict':
      return [
        listenerConditions.notAcceptedHostnameConflict(generation, inWords(conflict)),
        listenerConditions.notProgrammedHostnameConflict(generation, inWords(conflict)),
      ]
    case 'ProtocolConflict':
      return [
        listenerConditions.notAcceptedProtocolConflict(generation, inWords(conflict)),
        listenerConditions.notProgrammedProtocolConflict(generation, inWords(conflict)),
      ]
    case undefined:
      break
  }
  const accepted = listenerConditions.accepted(generation, 'The listener is valid.')
  if (config === undefined) {
    if (refProblem?.reason === 'Pending') return [accepted, listenerConditions.notProgrammedPending(generation, refProblem.message)]
    const message = refProblem === undefined ? NOT_ACCEPTED : `Nothing can be served: ${refProblem.message}`
    return [accepted, listenerConditions.notProgrammedInvalid(generation, message)]
  }
  switch (serving.kind) {
    case 'served':
      return [accepted, listenerConditions.programmed(generation, 'The data plane serves the listener.')]
    case 'pending':
      return [accepted, listenerConditions.notProgrammedPending(generation, serving.message)]
    case 'held':
      return [accepted, listenerConditions.notProgrammedInvalid(generation, NOT_ACCEPTED)]
    case 'port-failed': {
      const message = `Port ${config.port} cannot be opened: ${serving.message}`
      const programmed = ofSet ? listenerConditions.notProgrammedPortUnavailable : listenerConditions.notProgrammedInvalid
      return [listenerConditions.portUnavailable(generation, message), programmed(generation, message)]
    }
  }
}

/** The two kinds differ in their reasons. */
function isOfSet({ key }: ListenerPart['judged']): boolean {
  return key.startsWith('ListenerSet/')
}

function resolvedRefs({ judged: { refProblem } }: ListenerPart, generation: number): Condition {
  if (refProblem === undefined) return listenerConditions.resolvedRefs(generation, 'All references are resolved.')
  const message = withRemedies(refProblem.message, refProblem.remedies)
  switch (refProblem.reason) {
    case 'RefNotPermitted':
      return listenerConditions.refNotPermitted(generation, message)
    case 'InvalidCertificateRef':
      return listenerConditions.invalidCertificateRef(generation, message)
    case 'InvalidCACertificateRef':
      return listenerConditions.invalidCaCertificateRef(generation, message)
    case 'InvalidCACertificateKind':
      return listenerConditions.invalidCaCertificateKind(generation, message)
    case 'InvalidRouteKinds':
      return listenerConditions.invalidRouteKinds(generation, message)
    case 'Pending':
      return listenerConditions.resolvedRefsPending(generation, message)
  }
}

function conflicted({ conflict }: ListenerPart, generation: number): Condition {
  switch (conflict?.reason) {
    case 'HostnameConflict':
      return listenerConditions.hostnameConflict(generation, inWords(conflict))
    case 'ProtocolConflict':
      return listenerConditions.protocolConflict(generation, inWords(conflict))
    case undefined:
      return listenerConditions.noConflicts(generation, 'No other listener conflicts with this one.')
  }
}

function overlapping({ overlap }: ListenerPart, generation: number): readonly Condition[] {
  switch (overlap?.reason) {
    case 'OverlappingHostnames':
      return [
        listenerConditions.overlappingHostnames(
          generation,
          `The hostname overlaps with that of ${listed(overlap.with)}: clients that reuse connections may be answered 421.`,
        ),
      ]
    case 'OverlappingCertificates':
      return [
        listenerConditions.overlappingCertificates(
          generation,
          `The certificates overlap with those of ${listed(overlap.with)}: clients that reuse connections may be answered 421.`,
        ),
      ]
    case undefined:
      return []
  }
}

function inWords({ reason, with: names, takenBy }: Conflict): string {
  const others = namesInWords(names)
  switch (reason) {
    case 'HostnameConflict':
      if (takenBy !== undefined)
        return `The port and the hostname are taken: ${takenBy} came first. Ask for another hostname or port; this one follows when that one goes.`
      return `The listener has the port and the hostname of ${others}; none of them is served until they differ.`
    case 'ProtocolConflict':
      if (takenBy !== undefined)
        return `The port is taken, and the protocol cannot share it: ${takenBy} came first. Ask for another port; this one follows when that one goes.`
      return `The listener has the port of ${others} and a protocol that cannot share it; none of them is served until they differ.`
  }
}
