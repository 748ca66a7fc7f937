/** The statuses of XBackends: one entry for each Gateway whose routes refer to it, at most 32 (apisx/v1alpha1, BackendStatus). */
import type { Condition } from '../api/meta.ts'
import type { XBackend } from '../api/x-backend.ts'
import { type Ancestors, ancestorsBy, entriesOf } from './ancestors.ts'
import { backendConditions } from './conditions.ts'
import { withRemedies } from './remedy.ts'
import type { RouteResult } from './route.ts'
import type { StatusOf } from './translation.ts'
import type { JudgedXBackend } from './x-backend.ts'

const MOST_ANCESTORS = 32

/** Of one that no route of ours refers to nothing is said; what was said before is taken back by the writer. */
export function statusesOfXBackends(backends: readonly JudgedXBackend[], routes: readonly RouteResult[]): readonly StatusOf[] {
  if (backends.length === 0) return []
  const byTarget = ancestorsBy(routes, ({ targets }) => targets)
  return backends.flatMap((judged) => {
    const { namespace, name } = judged.backend.metadata
    const ancestors = byTarget.get(`XBackend/${namespace}/${name}`)
    return ancestors === undefined || ancestors.size === 0 ? [] : [statusOf(judged, ancestors)]
  })
}

function statusOf(judged: JudgedXBackend, ancestors: Ancestors): StatusOf {
  const { apiVersion, kind, metadata, spec } = judged.backend
  const { namespace, name, generation } = metadata
  const conditions = [conditionOf(spec, judged, generation)]
  return {
    apiVersion,
    kind,
    namespace,
    name,
    status: { ancestors: entriesOf(ancestors, MOST_ANCESTORS).map((ancestor) => ({ ...ancestor, conditions })) },
  }
}

function conditionOf(spec: XBackend['spec'], { problem, remedy, pending, tls }: JudgedXBackend, generation: number): Condition {
  if (pending) return backendConditions.pending(generation, problem ?? '')
  if (problem !== undefined)
    return backendConditions.invalid(generation, withRemedies(`${problem} Requests to it fail.`, remedy === undefined ? [] : [remedy]))
  const where = spec.type === 'ExternalHostname' ? `The addresses of ${spec.externalHostname?.hostname}` : 'The selected endpoints'
  const how = tls === undefined ? 'in clear text' : 'over TLS'
  const risk = spec.type === 'ExternalHostname' && tls === undefined ? ' Whoever is between may read and change it: set tls.' : ''
  return backendConditions.accepted(generation, `${where} are reached ${how}.${risk}`)
}
