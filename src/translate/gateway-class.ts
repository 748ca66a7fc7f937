/** Which GatewayClasses are ours, and what their status says (Gateway API v1, GatewayClassSpec and its conditions). */
import type { Finding } from '../api/finding.ts'
import type { GatewayClass } from '../api/gateway.ts'
import { classConditions } from './conditions.ts'
import { SUPPORTED_BUNDLE, SUPPORTED_FEATURES } from './features.ts'
import { findings, refOf } from './findings.ts'
import type { Reader } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import { classParameters, type Parameters } from './parameters.ts'
import type { StatusOf } from './translation.ts'

export interface ClassResult {
  readonly status: StatusOf
  readonly findings: readonly Finding[]
}

export function isOurs({ spec }: GatewayClass, options: TranslateOptions): boolean {
  return options.anyClassIsOurs || spec.controllerName === options.controllerName
}

/** Parameters of a foreign class, which is ours only because every class is, are not ours to judge. */
export function parametersOf(read: Pick<Reader, 'get'>, gatewayClass: GatewayClass, options: TranslateOptions): Parameters {
  return gatewayClass.spec.controllerName === options.controllerName ? classParameters(read, gatewayClass) : { ok: true, spec: {} }
}

export function classOf(read: Pick<Reader, 'get'>, gatewayClass: GatewayClass, options: TranslateOptions): ClassResult {
  const { metadata, spec } = gatewayClass
  const { generation, name } = metadata
  const parameters = parametersOf(read, gatewayClass, options)
  const accepted = parameters.ok
    ? classConditions.accepted(generation, 'The class is served.')
    : classConditions.invalidParameters(generation, parameters.message)
  const foreign = spec.parametersRef !== undefined && spec.controllerName !== options.controllerName ? spec.parametersRef.kind : undefined
  return {
    status: {
      apiVersion: gatewayClass.apiVersion,
      kind: gatewayClass.kind,
      namespace: '',
      name,
      status: { conditions: [accepted, versionCondition(generation, options.bundleVersion)], supportedFeatures: SUPPORTED_FEATURES },
    },
    findings: foreign === undefined ? [] : [findings.parametersNotRead(refOf(gatewayClass), ['spec', 'parametersRef'], foreign)],
  }
}

/** With other CRDs the class is served as well as it goes: Accepted stays True (GatewayClass condition SupportedVersion). */
function versionCondition(generation: number, bundle: string | undefined) {
  if (bundle === undefined) return classConditions.supportedVersion(generation, `The rules of Gateway API ${SUPPORTED_BUNDLE} are applied.`)
  if (bundle === SUPPORTED_BUNDLE || bundle.startsWith(`${SUPPORTED_BUNDLE}.`)) {
    return classConditions.supportedVersion(generation, `The installed Gateway API CRDs are of version ${bundle}.`)
  }
  return classConditions.unsupportedVersion(
    generation,
    `The installed Gateway API CRDs are of version ${bundle}, supported is ${SUPPORTED_BUNDLE}. Install the CRDs of ${SUPPORTED_BUNDLE}; until then the class is served as well as it goes.`,
  )
}
