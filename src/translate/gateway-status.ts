/**
 * The status of a Gateway: what was judged, joined with what the data plane says (Gateway API v1, GatewayStatus).
 *
 * Programmed is true only when every ready data plane serves the version that was translated from this generation.
 * What the data plane could not do (a port in use) shows in the status alone: the configuration stays, so that it can try again.
 */
import type { Condition } from '../api/meta.ts'
import type { Gateway } from '../api/gateway.ts'
import type { GatewayObservation, Observations } from '../cluster/observations.ts'
import type { ListenerKey } from '../config/listener.ts'
import { addressesAssigned, assumedAddresses, grantedAddresses, ungranted, unnamedInWords } from './addresses.ts'
import { gatewayConditions } from './conditions.ts'
import type { GatewayPart, GatewayResult } from './gateway.ts'
import type { ListenerPart } from './listener-part.ts'
import { namesInWords } from './listener.ts'
import { isAccepted, listenerStatus, type Serving } from './listener-status.ts'
import { listed, withRemedies } from './remedy.ts'
import { HELD, PENDING, servingOf } from './serving.ts'
import type { GatewayStatus, StatusOf } from './translation.ts'

/** What is attached: routes by listener, accepted ListenerSets by `namespace/name` of the Gateway. */
export interface Attached {
  readonly routes: ReadonlyMap<ListenerKey, number>
  readonly sets: ReadonlyMap<string, number>
}

export function statusesOfGateways(
  observations: Observations,
  gateways: readonly GatewayResult[],
  versions: ReadonlyMap<string, string>,
  attached: Attached,
): readonly StatusOf[] {
  return gateways.flatMap((gateway) => {
    switch (gateway.kind) {
      case 'foreign':
        return []
      case 'ours':
        return [gatewayStatus(gateway, observations, versions.get(gateway.surface.gateway), attached)]
    }
  })
}

function gatewayStatus(part: GatewayPart, observations: Observations, version: string | undefined, attached: Attached): StatusOf {
  const { gateway, listeners } = part
  const { namespace, name, generation } = gateway.metadata
  const assumed = observations.assumeProgrammed
  const observation = assumed ? undefined : observations.gateways.get(`${namespace}/${name}`)
  const servings = listeners.map((listener) => (part.problem === undefined ? servingOf(listener, assumed, observation, version) : HELD))
  const good = listeners.filter((listener, i) => isAccepted(listener, servings[i] ?? { kind: 'served' }))
  const usable = part.infra !== undefined
  // What was granted before stays granted, whatever was done to the Gateway since.
  const addresses = !assumed ? grantedAddresses(observation) : usable ? assumedAddresses(gateway) : []
  const accepted = acceptance(part, good)
  const status: GatewayStatus = {
    addresses,
    conditions: [
      accepted,
      programmed(part, accepted, servings, assumed, observation, version),
      resolvedRefs(part),
      ...((usable && observation !== undefined) || addresses.length > 0 ? [addressesAssigned(gateway, addresses)] : []),
      ...insecureFrontend(gateway),
    ],
    listeners: listeners.map((listener, i) =>
      listenerStatus(listener, generation, attached.routes.get(listener.judged.key) ?? 0, servings[i] ?? { kind: 'served' }),
    ),
    attachedListenerSets: attached.sets.get(`${namespace}/${name}`) ?? 0,
  }
  return { apiVersion: gateway.apiVersion, kind: gateway.kind, namespace, name, status }
}

function acceptance({ gateway, listeners, problem }: GatewayPart, good: readonly ListenerPart[]): Condition {
  const { generation } = gateway.metadata
  if (problem !== undefined) return problemConditions[problem.reason](generation, problem.message)
  const namesOf = (parts: readonly ListenerPart[]) => namesInWords(parts.map(({ judged }) => judged.listener.name))
  const bad = listeners.filter((listener) => !good.includes(listener))
  if (bad.length === 0) return gatewayConditions.accepted(generation, 'The Gateway is valid.')
  if (good.length === 0)
    return gatewayConditions.listenersNotValid(generation, `No listener is valid: see the conditions of ${namesOf(bad)}.`)
  return gatewayConditions.acceptedWithInvalidListeners(
    generation,
    `Not valid: ${namesOf(bad)}, see the conditions there. Accepted: ${namesOf(good)}.`,
  )
}

const problemConditions = {
  InvalidParameters: gatewayConditions.invalidParameters,
  UnsupportedAddress: gatewayConditions.unsupportedAddress,
  ClassNotAccepted: gatewayConditions.waitingForClass,
} as const

function programmed(
  { gateway, listeners, configs, problem }: GatewayPart,
  accepted: Condition,
  servings: readonly Serving[],
  assumed: boolean,
  observation: GatewayObservation | undefined,
  version: string | undefined,
): Condition {
  const { generation } = gateway.metadata
  if (problem !== undefined) {
    const make = problem.reason === 'ClassNotAccepted' ? gatewayConditions.programmedUnknown : gatewayConditions.notProgrammedInvalid
    return make(generation, `The Gateway is not accepted${problem.servesOn ? '; what was made for it before stays and serves on' : ''}.`)
  }
  if (accepted.status !== 'True') return gatewayConditions.notProgrammedInvalid(generation, 'The Gateway is not accepted.')
  // One without listeners of its own is there for its ListenerSets.
  if (configs.length === 0 || (listeners.length > 0 && !listeners.some(({ config }) => config !== undefined))) {
    const isPending = listeners.some(({ judged }) => judged.refProblem?.reason === 'Pending')
    const make = isPending ? gatewayConditions.notProgrammedPending : gatewayConditions.notProgrammedInvalid
    return make(generation, `No listener can be served${isPending ? ' yet' : ''}: see their conditions.`)
  }
  if (assumed) return gatewayConditions.programmed(generation, 'The data plane serves this configuration.')
  if (observation === undefined) return gatewayConditions.notProgrammedPending(generation, PENDING)
  const { addresses, infraFailure } = observation
  const { values, unnamed } = ungranted(gateway, addresses)
  if (values.length > 0) {
    const why = infraFailure === undefined ? '' : ` ${infraFailure.message}.`
    return gatewayConditions.addressNotUsable(
      generation,
      `Not granted: ${listed(values)}.${why} Ask for addresses that the network can give, or take them out of spec.addresses.`,
    )
  }
  if (infraFailure !== undefined) return infraConditions[infraFailure.reason](generation, `${infraFailure.message}.`)
  if (addresses.length === 0) return gatewayConditions.addressNotAssigned(generation, 'No address was assigned to the Gateway yet.')
  if (unnamed > 0) return gatewayConditions.addressNotAssigned(generation, `Not assigned yet: ${unnamedInWords(unnamed)}.`)
  if (servings.some(({ kind }) => kind === 'pending') || observation.servedVersion !== version)
    return gatewayConditions.notProgrammedPending(generation, PENDING)
  return gatewayConditions.programmed(generation, 'The data plane serves this configuration.')
}

const infraConditions = {
  Invalid: gatewayConditions.notProgrammedInvalid,
  NoResources: gatewayConditions.noResources,
  Pending: gatewayConditions.notProgrammedPending,
} as const

/** Its own references first, then the summary of its listeners' (experimental condition). */
function resolvedRefs({ gateway, listeners, clientCertificate }: GatewayPart): Condition {
  const { generation } = gateway.metadata
  if (clientCertificate !== undefined) {
    return clientCertificateConditions[clientCertificate.reason](
      generation,
      withRemedies(clientCertificate.message, clientCertificate.remedy === undefined ? [] : [clientCertificate.remedy]),
    )
  }
  const unresolved = listeners.filter(({ judged }) => judged.refProblem !== undefined)
  if (unresolved.length === 0) return gatewayConditions.resolvedRefs(generation, 'All references are resolved.')
  const isPending = unresolved.every(({ judged }) => judged.refProblem?.reason === 'Pending')
  const make = isPending ? gatewayConditions.resolvedRefsPending : gatewayConditions.listenersNotResolved
  const names = namesInWords(unresolved.map(({ judged }) => judged.listener.name))
  return make(generation, `References of ${names} are not resolved${isPending ? ' yet' : ''}: see the listeners' conditions.`)
}

const clientCertificateConditions = {
  RefNotPermitted: gatewayConditions.refNotPermitted,
  InvalidCertificateRef: gatewayConditions.invalidClientCertificateRef,
  Pending: gatewayConditions.resolvedRefsPending,
} as const

/** Present only while some frontend validation lets clients without a valid certificate in. */
function insecureFrontend({ metadata, spec }: Gateway): readonly Condition[] {
  const frontend = spec.tls?.frontend
  const validations = frontend === undefined ? [] : [frontend.default.validation, ...frontend.perPort.map(({ tls }) => tls.validation)]
  return validations.some((validation) => validation?.mode === 'AllowInsecureFallback')
    ? [
        gatewayConditions.insecureFrontendValidationMode(
          metadata.generation,
          'Clients without a valid certificate are let in where tls.frontend says AllowInsecureFallback.',
        ),
      ]
    : []
}
