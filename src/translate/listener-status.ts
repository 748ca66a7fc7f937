/** The status of a Gateway's listener: its conditions, supported kinds and the number of attached routes (Gateway API v1, ListenerStatus). */
import type { Condition } from '../api/meta.ts'
import { listenerConditions } from './conditions.ts'
import { GATEWAY_GROUP } from './features.ts'
import type { ListenerPart } from './gateway.ts'
import { namesInWords } from './listener.ts'
import type { Conflict } from './listener-conflicts.ts'
import { withRemedies } from './remedy.ts'
import type { ListenerStatus } from './translation.ts'

/** What the data plane says about a listener that shall serve. */
export type Serving =
  | { readonly kind: 'served' }
  | { readonly kind: 'pending'; readonly message: string }
  | { readonly kind: 'port-failed'; readonly message: string }

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

export function isAccepted(part: ListenerPart, serving: Serving): boolean {
  return part.judged.problem === undefined && part.conflict === undefined && (part.config === undefined || serving.kind !== 'port-failed')
}

function acceptedAndProgrammed({ judged, conflict, config }: ListenerPart, generation: number, serving: Serving): readonly Condition[] {
  const { problem, refProblem } = judged
  if (problem !== undefined) {
    const accepted = problem.reason === 'UnsupportedProtocol' ? listenerConditions.unsupportedProtocol : listenerConditions.unsupportedValue
    return [accepted(generation, problem.message), listenerConditions.notProgrammedInvalid(generation, problem.message)]
  }
  switch (conflict?.reason) {
    case 'HostnameConflict':
      return [
        listenerConditions.notAcceptedHostnameConflict(generation, inWords(conflict.reason, conflict.with)),
        listenerConditions.notProgrammedHostnameConflict(generation, inWords(conflict.reason, conflict.with)),
      ]
    case 'ProtocolConflict':
      return [
        listenerConditions.notAcceptedProtocolConflict(generation, inWords(conflict.reason, conflict.with)),
        listenerConditions.notProgrammedProtocolConflict(generation, inWords(conflict.reason, conflict.with)),
      ]
    case undefined:
      break
  }
  const accepted = listenerConditions.accepted(generation, 'The listener is valid.')
  if (config === undefined) {
    if (refProblem?.reason === 'Pending') return [accepted, listenerConditions.notProgrammedPending(generation, refProblem.message)]
    const message = refProblem === undefined ? 'The Gateway is not accepted.' : `Nothing can be served: ${refProblem.message}`
    return [accepted, listenerConditions.notProgrammedInvalid(generation, message)]
  }
  switch (serving.kind) {
    case 'served':
      return [accepted, listenerConditions.programmed(generation, 'The data plane serves the listener.')]
    case 'pending':
      return [accepted, listenerConditions.notProgrammedPending(generation, serving.message)]
    case 'port-failed': {
      const message = `Port ${config.port} cannot be opened: ${serving.message}`
      return [listenerConditions.portUnavailable(generation, message), listenerConditions.notProgrammedInvalid(generation, message)]
    }
  }
}

function resolvedRefs({ judged: { refProblem } }: ListenerPart, generation: number): Condition {
  if (refProblem === undefined) return listenerConditions.resolvedRefs(generation, 'All references are resolved.')
  const message = withRemedies(refProblem.message, refProblem.remedies)
  switch (refProblem.reason) {
    case 'RefNotPermitted':
      return listenerConditions.refNotPermitted(generation, message)
    case 'InvalidCertificateRef':
      return listenerConditions.invalidCertificateRef(generation, message)
    case 'InvalidRouteKinds':
      return listenerConditions.invalidRouteKinds(generation, message)
    case 'Pending':
      return listenerConditions.resolvedRefsPending(generation, message)
  }
}

function conflicted({ conflict }: ListenerPart, generation: number): Condition {
  switch (conflict?.reason) {
    case 'HostnameConflict':
      return listenerConditions.hostnameConflict(generation, inWords(conflict.reason, conflict.with))
    case 'ProtocolConflict':
      return listenerConditions.protocolConflict(generation, inWords(conflict.reason, conflict.with))
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
          `The hostname overlaps with that of ${namesInWords(overlap.with)}: clients that reuse connections may be answered 421.`,
        ),
      ]
    case 'OverlappingCertificates':
      return [
        listenerConditions.overlappingCertificates(
          generation,
          `The certificates overlap with those of ${namesInWords(overlap.with)}: clients that reuse connections may be answered 421.`,
        ),
      ]
    case undefined:
      return []
  }
}

function inWords(reason: Conflict['reason'], names: readonly string[]): string {
  const others = namesInWords(names)
  switch (reason) {
    case 'HostnameConflict':
      return `The listener has the port and the hostname of ${others}; none of them is served until they differ.`
    case 'ProtocolConflict':
      return `The listener has the port of ${others} and a protocol that cannot share it; none of them is served until they differ.`
  }
}
