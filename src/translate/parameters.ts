/**
 * GatewayParameters of a class and of a Gateway (GatewayClassSpec.parametersRef, GatewayInfrastructure.parametersRef): found,
 * or why not, and what both say together. Those of the Gateway win, field by field.
 */
import type { Gateway, GatewayClass } from '../api/gateway.ts'
import type { ParametersSpec } from '../api/parameters.ts'
import { parseBound } from '../config/bounds.ts'
import type { Reader } from './memo.ts'

export type Parameters = { readonly ok: true; readonly spec: ParametersSpec } | { readonly ok: false; readonly message: string }

const none: Parameters = { ok: true, spec: {} }
const GROUP = 'gatewright.dev'
const KIND = 'GatewayParameters'

export function classParameters(read: Pick<Reader, 'get'>, { spec }: GatewayClass): Parameters {
  const ref = spec.parametersRef
  if (ref === undefined) return none
  if (ref.namespace === undefined && ref.group === GROUP && ref.kind === KIND)
    return { ok: false, message: `The parametersRef names ${KIND} ${ref.name} without its namespace: set parametersRef.namespace.` }
  return named(read, 'The parametersRef', ref, ref.namespace ?? '')
}

export function gatewayParameters(read: Pick<Reader, 'get'>, { spec, metadata }: Gateway): Parameters {
  const ref = spec.infrastructure?.parametersRef
  return ref === undefined ? none : named(read, 'infrastructure.parametersRef', ref, metadata.namespace)
}

export function together(ofClass: ParametersSpec, ofGateway: ParametersSpec): ParametersSpec {
  const { replicas, autoscaling, ...rest } = ofClass
  const scales = ofGateway.replicas !== undefined || ofGateway.autoscaling !== undefined
  return {
    ...rest,
    // The one replaces the other.
    ...(scales || replicas === undefined ? {} : { replicas }),
    ...(scales || autoscaling === undefined ? {} : { autoscaling }),
    ...ofGateway,
    ...both('service', ofClass, ofGateway),
    ...both('pod', ofClass, ofGateway),
    ...both('log', ofClass, ofGateway),
    ...both('drain', ofClass, ofGateway),
    ...both('bounds', ofClass, ofGateway),
  }
}

function both<K extends 'service' | 'pod' | 'log' | 'drain' | 'bounds'>(name: K, one: ParametersSpec, other: ParametersSpec) {
  return one[name] === undefined && other[name] === undefined ? {} : { [name]: { ...one[name], ...other[name] } }
}

function named(
  read: Pick<Reader, 'get'>,
  what: string,
  { group, kind, name }: { readonly group: string; readonly kind: string; readonly name: string },
  namespace: string,
): Parameters {
  if (group !== GROUP || kind !== KIND) {
    const got = `${kind} ${name} (group ${group === '' ? 'core' : group})`
    return { ok: false, message: `${what} names ${got}; it must name a ${KIND} (group ${GROUP}).` }
  }
  const found = read.get(KIND, namespace, name)
  if (found === undefined) {
    return { ok: false, message: `${what} names ${KIND} ${namespace}/${name}, which is not there or is not valid. Create it, or mend it.` }
  }
  const wrong = found.invalid ?? wrongBound(found.spec)
  if (wrong !== undefined) return { ok: false, message: `${KIND} ${namespace}/${name} is not valid: ${wrong}.` }
  return { ok: true, spec: found.spec }
}

/** A bound that the proxies would refuse to start with. */
function wrongBound({ bounds = {} }: ParametersSpec): string | undefined {
  for (const [name, value] of Object.entries(bounds)) {
    try {
      parseBound(name, String(value))
    } catch (error) {
      return (error as Error).message
    }
  }
  return undefined
}
