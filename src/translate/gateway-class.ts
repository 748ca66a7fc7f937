/** Which GatewayClasses are ours, and what their status says (Gateway API v1, GatewayClassSpec and its conditions). */
import type { Finding } from '../api/finding.ts'
import type { GatewayClass } from '../api/gateway.ts'
import { classConditions } from './conditions.ts'
import { SUPPORTED_BUNDLE, SUPPORTED_FEATURES } from './features.ts'
import { findings, refOf } from './findings.ts'
import type { TranslateOptions } from './options.ts'
import type { StatusOf } from './translation.ts'

export interface ClassResult {
  readonly status: StatusOf
  readonly findings: readonly Finding[]
}

export function isOurs({ spec }: GatewayClass, options: TranslateOptions): boolean {
  return options.anyClassIsOurs || spec.controllerName === options.controllerName
}

/**
 * Parameters of a class that names us must be of a kind that we read, and there is none yet. Those of a foreign class,
 * which is ours only because every class is, are not ours to judge.
 */
export function parametersProblem({ spec }: GatewayClass, options: TranslateOptions): string | undefined {
  if (spec.parametersRef === undefined || spec.controllerName !== options.controllerName) return undefined
  const { group, kind, name } = spec.parametersRef
  return `The parametersRef names ${kind} ${name} (group ${group === '' ? 'core' : group}); no kind of parameters is supported.`
}

export function classOf(gatewayClass: GatewayClass, options: TranslateOptions): ClassResult {
  const { metadata, spec } = gatewayClass
  const { generation, name } = metadata
  const problem = parametersProblem(gatewayClass, options)
  const accepted =
    problem === undefined
      ? classConditions.accepted(generation, 'The class is served.')
      : classConditions.invalidParameters(generation, problem)
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
