/**
 * A ListenerSet that names a Gateway of ours, judged without regard to its siblings: whether the Gateway takes it, and each of its
 * listeners by itself (Gateway API v1, ListenerSet and GatewaySpec.allowedListeners; GEP-1713).
 */
import type { Finding } from '../api/finding.ts'
import type { Gateway, ListenerSet } from '../api/gateway.ts'
import { GATEWAY_GROUP } from './features.ts'
import { findings } from './findings.ts'
import { keep } from './keep.ts'
import { judgeListener, type JudgedListener } from './listener.ts'
import { allowanceProblem } from './listener-set-allowance.ts'
import type { Reader } from './memo.ts'
import { rankOf, type Rank } from './tie-break.ts'

/** Another controller's, or of a Gateway that is in no file: no status, nothing served. */
export type ListenerSetResult =
  | { readonly kind: 'foreign'; readonly findings: readonly Finding[] }
  | ({ readonly kind: 'ours' } & ListenerSetPart)

export interface ListenerSetPart {
  readonly set: ListenerSet
  readonly rank: Rank
  /** `namespace/name` */
  readonly gateway: string
  readonly controllerName: string
  /** Why the Gateway does not take the set, with the YAML that would mend it. */
  readonly notAllowed?: string
  /** Empty while the Gateway does not take the set. */
  readonly judged: readonly JudgedListener[]
  readonly wants: readonly string[]
  readonly findings: readonly Finding[]
}

export function listenerSetOf(read: Reader, set: ListenerSet, last: ListenerSetResult | undefined): ListenerSetResult {
  const { parentRef } = set.spec
  const namespace = parentRef.namespace ?? set.metadata.namespace
  if (parentRef.group !== GATEWAY_GROUP || parentRef.kind !== 'Gateway') return { kind: 'foreign', findings: [] }
  const gateway = read.get('Gateway', namespace, parentRef.name)
  if (gateway === undefined) {
    const subject = { kind: set.kind, namespace: set.metadata.namespace, name: set.metadata.name, path: ['spec', 'parentRef'] }
    return { kind: 'foreign', findings: keep(last?.findings, [findings.parentNotFound(subject, 'Gateway', namespace, parentRef.name)]) }
  }
  const surface = read.surface('Gateway', namespace, parentRef.name)
  if (surface === undefined) return { kind: 'foreign', findings: [] }
  const base = {
    kind: 'ours' as const,
    set,
    rank: rankOf(set),
    gateway: surface.gateway,
    controllerName: surface.controllerName,
    judged: [],
    wants: [],
    findings: [],
  }
  const notAllowed = allowanceProblem(read, gateway, set)
  return notAllowed === undefined ? { ...base, ...judgedListeners(read, gateway, set, last) } : { ...base, notAllowed }
}

function judgedListeners(
  read: Reader,
  gateway: Gateway,
  set: ListenerSet,
  last: ListenerSetResult | undefined,
): Pick<ListenerSetPart, 'judged' | 'wants' | 'findings'> {
  const judged = set.spec.listeners.map((listener) => judgeListener(read, gateway, listener, set))
  return {
    judged,
    wants: judged.flatMap(({ wants }) => wants),
    findings: keep(
      last?.findings,
      judged.flatMap((one) => one.findings),
    ),
  }
}
