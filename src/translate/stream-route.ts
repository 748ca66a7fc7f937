/**
 * TLSRoute, TCPRoute and UDPRoute: a rule and its backends, for connections and datagrams that nobody looks into
 * (Gateway API v1, TLSRouteSpec, TCPRouteSpec and UDPRouteSpec). Several of them on one listener are all accepted and counted; who gets
 * the traffic is decided by hostname and then by age, where the configuration is compiled.
 *
 * A route that asks for something that is not served keeps its place without backends: its connections are refused, and none falls
 * through to a route that asks for less.
 */
import type { TcpRoute, TlsRoute, UdpRoute } from '../api/route.ts'
import type { StreamBackendConfig, StreamRouteConfig } from '../config/stream-route.ts'
import { transportOfRoute } from '../lib/transport.ts'
import type { Speech } from './app-protocol.ts'
import type { Attachment } from './attachment.ts'
import { mayBeSecured, refProblemOf, resolveBackend, type Resolved, serviceOf } from './backend.ts'
import { keep } from './keep.ts'
import type { Reader } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import { proxyProtocolOf } from './proxy-protocol.ts'
import { judgeParents, type RouteResult } from './route.ts'
import { rankOf } from './tie-break.ts'

type StreamRoute = TlsRoute | TcpRoute | UdpRoute
type Kind = StreamRouteConfig['kind']

interface ResolvedBackend {
  readonly resolved: Resolved
  readonly weight: number
}

export function streamRouteOf(read: Reader, options: TranslateOptions, route: StreamRoute, last: RouteResult | undefined): RouteResult {
  const { namespace, name } = route.metadata
  const key = `${route.kind}/${namespace}/${name}`
  const resolvedFor = new Map<Kind, readonly ResolvedBackend[]>()
  const backendsFor = (kind: Kind): readonly ResolvedBackend[] => {
    let backends = resolvedFor.get(kind)
    if (backends === undefined) resolvedFor.set(kind, (backends = backendsOf(read, options, route, SPEECH[kind])))
    return backends
  }
  // A reference is good or bad whatever is spoken to what it leads to.
  const [usual] = KINDS[route.kind]
  const refProblems = backendsFor(usual).flatMap(({ resolved }) => (resolved.kind === 'fail' ? (refProblemOf(resolved.problem) ?? []) : []))
  const proxyProtocol = proxyProtocolOf(route)
  const invalidRules =
    proxyProtocol.kind === 'problem' ? route.spec.rules.map((_rule, index) => ({ index, problem: proxyProtocol.problem })) : []
  const parents = judgeParents(read, options, route, { ruleCount: route.spec.rules.length, invalidRules, refProblems })
  const isServed = proxyProtocol.kind !== 'problem'
  const served = [...(isServed ? parents.attachments : parents.withheld)].flatMap(([gateway, attachments]) =>
    KINDS[route.kind].flatMap((kind) => {
      const serving = attachments.filter(({ listener }) => listener.serves && kindAt(route, listener) === kind)
      if (serving.length === 0) return []
      const config: StreamRouteConfig = {
        kind,
        key,
        attachments: serving.map(({ listener, hostnames }) => ({ listener: listener.key, hostnames })),
        backends: isServed ? backendsFor(kind).map(backendConfig) : [],
        ...(proxyProtocol.kind === 'header' && { proxyProtocol: proxyProtocol.version }),
      }
      const before = last?.streams.find((other) => other.gateway === gateway && other.config.kind === kind)?.config
      return [{ gateway, config: keep(before, config) }]
    }),
  )
  const backends = [...resolvedFor.values()].flat()
  const secured = [...resolvedFor].flatMap(([kind, ofKind]) => (mayBeSecured(SPEECH[kind]) ? ofKind : []))
  return {
    rank: rankOf(route),
    ...(parents.status === undefined ? {} : { status: keep(last?.status, parents.status) }),
    attached: [...parents.attachments.values()].flatMap((attachments) => attachments.map(({ listener }) => listener.key)),
    served: [],
    streams: served,
    pools: isServed ? backends.flatMap(({ resolved }) => (resolved.kind === 'pool' ? [resolved.pool] : [])) : [],
    services: [...new Set(secured.flatMap(({ resolved }) => serviceOf(resolved) ?? []))],
    targets: [...new Set(backends.flatMap(({ resolved }) => resolved.target ?? []))],
    parents: parents.gateways,
    findings: keep(last?.findings, [...parents.findings, ...backendsFor(usual).flatMap(({ resolved }) => resolved.findings)]),
  }
}

/** What a route of the kind can be at its listeners. */
const KINDS: { readonly [K in StreamRoute['kind']]: readonly [Kind, ...Kind[]] } = {
  TLSRoute: ['passthrough', 'terminate'],
  TCPRoute: ['tcp'],
  UDPRoute: ['udp'],
}

/** What passes through is TLS already: a BackendTLSPolicy has nothing to add. */
const SPEECH: { readonly [K in Kind]: Speech } = { passthrough: 'tls', terminate: 'tcp', tcp: 'tcp', udp: 'udp' }

function kindAt({ kind }: StreamRoute, { passthrough }: Attachment['listener']): Kind {
  switch (kind) {
    case 'TLSRoute':
      return passthrough ? 'passthrough' : 'terminate'
    case 'TCPRoute':
      return 'tcp'
    case 'UDPRoute':
      return 'udp'
  }
}

/** Of the first rule: there is no second one, and where an older version let one be, nothing says which connections would be its own. */
function backendsOf(
  read: Reader,
  options: TranslateOptions,
  { kind, metadata, spec }: StreamRoute,
  speech: Speech,
): readonly ResolvedBackend[] {
  const { namespace, name } = metadata
  const transport = transportOfRoute(kind)
  return (spec.rules[0]?.backendRefs ?? []).map((ref, i) => ({
    resolved: resolveBackend(
      read,
      options,
      { kind, namespace, name, path: ['spec', 'rules', 0, 'backendRefs', i], transport, speech },
      ref,
    ),
    weight: ref.weight,
  }))
}

function backendConfig({ resolved, weight }: ResolvedBackend): StreamBackendConfig {
  if (resolved.kind === 'pool') return { kind: 'pool', pool: resolved.pool.key, weight }
  const { backend, reason, message } = resolved.problem
  return { kind: 'fail', backend, reason, message, weight }
}
