/** What the data plane says about a listener that shall serve. */
import type { GatewayObservation } from '../cluster/observations.ts'
import { type Transport, transportOf } from '../lib/transport.ts'
import type { ListenerPart } from './listener-part.ts'
import type { Serving } from './listener-status.ts'

export const PENDING = 'Waiting for the data plane to serve this configuration.'

/** Of a Gateway that is not accepted: what its proxies serve, if it has any, is not what was asked for. */
export const HELD: Serving = { kind: 'held' }
const SERVED: Serving = { kind: 'served' }
const NOT_YET: Serving = { kind: 'pending', message: PENDING }
const CLOSED: Serving = {
  kind: 'pending',
  message: 'The Service does not have this port yet: see the condition Programmed of the Gateway.',
}

export function servingOf(
  { judged }: ListenerPart,
  assumed: boolean,
  observation: GatewayObservation | undefined,
  version: string | undefined,
): Serving {
  if (assumed) return SERVED
  const isIts = ({ port, transport }: { readonly port: number; readonly transport: Transport }): boolean =>
    port === judged.listener.port && transport === transportOf(judged.listener.protocol)
  const failed = observation?.failedPorts.find(isIts)
  if (failed !== undefined) return { kind: 'port-failed', message: failed.message }
  if (observation?.infraFailure?.closedPorts.some(isIts) === true) return CLOSED
  return observation !== undefined && observation.servedVersion === version ? SERVED : NOT_YET
}
