/** The statuses of XBackends: one entry for each Gateway whose routes refer to it, at most 32 (apisx/v1alpha1, BackendStatus). */
import type { Condition } from '../api/meta.ts'
import type { XBackend } from '../api/x-backend.ts'
import type { Snapshot } from '../cluster/snapshot.ts'
import { type Ancestors, ancestorsBy, entriesOf } from './ancestors.ts'
import { backendConditions } from './conditions.ts'
import { withRemedies } from './remedy.ts'
import type { RouteResult } from './route.ts'
import type { StatusOf } from './translation.ts'
import { judgeXBackend, type JudgedXBackend } from './x-backend.ts'

const MOST_ANCESTORS = 32

/** Of one that no route of ours refers to nothing is said; what was said before is taken back by the writer. */
export function statusesOfXBackends(snapshot: Snapshot, routes: readonly RouteResult[]): readonly StatusOf[] {
  const backends = snapshot.all('XBackend')
  if (backends.length === 0) return []
  const byTarget = ancestorsBy(routes, ({ targets }) => targets)
  return backends.flatMap((backend) => {
    const ancestors = byTarget.get(`XBackend/${backend.metadata.namespace}/${backend.metadata.name}`)
    return ancestors === undefined || ancestors.size === 0 ? [] : [statusOf(backend, judgeXBackend(snapshot, backend), ancestors)]
  })
}

/** Secrets and ConfigMaps that XBackends refer to, as in Translation. */
export function wantsOfXBackends(snapshot: Snapshot): readonly string[] {
  return snapshot.all('XBackend').flatMap((backend) => judgeXBackend(snapshot, backend).wants)
}

function statusOf({ apiVersion, kind, metadata, spec }: XBackend, judged: JudgedXBackend, ancestors: Ancestors): StatusOf {
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
