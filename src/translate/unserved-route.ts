/**
 * Routes of kinds that are not served yet (TLSRoute, TCPRoute, UDPRoute): their references are judged as for any
 * route, no listener has their kind among its supportedKinds, and so the status says why nothing comes of them.
 */
import type { BackendRef, TcpRoute, TlsRoute, UdpRoute } from '../api/route.ts'
import { refProblemOf, resolveBackend } from './backend.ts'
import { keep } from './keep.ts'
import type { Reader } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import { judgeParents, type RouteResult } from './route.ts'
import { rankOf } from './tie-break.ts'

export function unservedRouteOf(
  read: Reader,
  options: TranslateOptions,
  route: TlsRoute | TcpRoute | UdpRoute,
  last: RouteResult | undefined,
): RouteResult {
  const { kind } = route
  const { namespace, name } = route.metadata
  const rules: readonly { readonly backendRefs: readonly BackendRef[] }[] = route.spec.rules
  const transport = kind === 'UDPRoute' ? 'UDP' : 'TCP'
  const resolved = rules.flatMap(({ backendRefs }, rule) =>
    backendRefs.map((ref, i) =>
      resolveBackend(
        read,
        options,
        { kind, namespace, name, path: ['spec', 'rules', rule, 'backendRefs', i], transport, speech: 'http' },
        ref,
      ),
    ),
  )
  const refProblems = resolved.flatMap((backend) => (backend.kind === 'fail' ? (refProblemOf(backend.problem) ?? []) : []))
  const parents = judgeParents(read, options, route, { ruleCount: rules.length, invalidRules: [], refProblems })
  return {
    rank: rankOf(route),
    ...(parents.status === undefined ? {} : { status: keep(last?.status, parents.status) }),
    attached: [],
    served: [],
    pools: [],
    services: [],
    parents: parents.gateways,
    findings: keep(last?.findings, [...parents.findings, ...resolved.flatMap((backend) => backend.findings)]),
  }
}
