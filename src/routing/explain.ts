/**
 * explain: why a request goes where it goes, and for everything that might have taken it why it did not.
 *
 * A second evaluator, slow and plain, over the same predicates and the same sorted lists as the Router: listeners by
 * how specifically they cover the host, their tables from the most specific hostname on, matches by precedence. That
 * both find the same winner is held by a property test.
 */
import type { FilterConfig } from '../config/filter.ts'
import type { ListenerKey } from '../config/listener.ts'
import type { HttpMatchConfig, HttpRuleConfig, SessionConfig } from '../config/route.ts'
import { covers } from '../lib/hostname.ts'
import { isGrpc } from './grpc.ts'
import { type LossReason, lossText, missText } from './loss.ts'
import { decidingStep } from './precedence.ts'
import { pathSatisfied, valueSatisfied } from './predicate.ts'
import { LazySubject } from './query.ts'
import type { CompiledFilters, CompiledListener, CompiledMatch, HostTable, RankedMatch, RequestView, Router, Subject } from './router.ts'

/** Plain data, safe to print as JSON. */
export interface Explanation {
  readonly port: number
  /** What nothing takes is answered with UNIMPLEMENTED, not 404. */
  readonly grpc: boolean
  /** The one listener that is asked; undefined when none of the port covers the host. */
  readonly listener: ListenerName | undefined
  /** The other listeners of the port, and why they are not asked. */
  readonly misses: readonly ListenerMiss[]
  /** undefined: 404, or its like in gRPC. */
  readonly winner: Winner | undefined
  /** Every match of every other rule on that port whose hostname covers the host, in the order in which they were considered. */
  readonly losers: readonly Loser[]
}

export interface ListenerName {
  readonly listener: ListenerKey
  readonly hostname: string
}

export interface ListenerMiss extends ListenerName {
  readonly reason: Extract<LossReason, { kind: 'listener-host' | 'listener-isolation' }>
  readonly text: string
}

/** A match, where it is attached. */
export interface Place {
  readonly listener: ListenerKey
  /** The route's own hostname that covers the host, `''` for any. */
  readonly hostname: string
  readonly route: string
  /** The rule's key. */
  readonly rule: string
  readonly match: HttpMatchConfig
}

export interface Winner extends Place {
  /** The filter that answers this very request in place of a backend: one that cannot be served, CORS, a redirect. */
  readonly answeredBy: 'fail' | 'preflight' | 'redirect' | undefined
  readonly filters: readonly FilterConfig[]
  readonly backends: readonly BackendShare[]
  readonly timeouts: HttpRuleConfig['timeouts']
  readonly retry: HttpRuleConfig['retry']
  readonly session: HttpRuleConfig['session']
}

export interface BackendShare {
  readonly kind: 'pool' | 'fail'
  /** Pool key, or the backend as the route names it. */
  readonly name: string
  readonly weight: number
  /** 0 to 1. */
  readonly share: number
  /** Its own, which apply after the rule's; absent: none. */
  readonly filters?: readonly FilterConfig[]
  /** The backend's own, where the rule has none. */
  readonly session?: SessionConfig
}

export interface Loser extends Place {
  readonly reason: LossReason
  readonly text: string
}

interface Candidate {
  readonly listener: CompiledListener
  readonly table: HostTable
  readonly ranked: RankedMatch
}

/** `port` is the specification's. */
export function explain(router: Router, port: number, request: RequestView): Explanation {
  const listeners = router.ports.get(port)?.listeners ?? []
  // Most specific first, so the first one that covers the host is the best.
  const listener = listeners.find(({ config }) => covers(config.hostname, request.host))
  const subject = new LazySubject(request)
  const candidates = listener === undefined ? [] : candidatesOf(listener, request.host)
  const winner = candidates.find(({ ranked }) => firstFailure(ranked.match, subject) === undefined)
  const elsewhere = listeners.filter((other) => other !== listener)

  const losers: Loser[] = []
  const seen = new Set<CompiledMatch>(winner?.ranked.match.rule.matches)
  function lose(candidate: Candidate, reason: LossReason): void {
    if (seen.has(candidate.ranked.match)) return
    seen.add(candidate.ranked.match)
    losers.push({ ...placeOf(candidate), reason, text: lossText(reason) })
  }
  for (const candidate of candidates) {
    const reason = firstFailure(candidate.ranked.match, subject) ?? (winner && precedenceLoss(candidate, winner))
    if (reason !== undefined) lose(candidate, reason)
  }
  for (const other of elsewhere) {
    for (const candidate of candidatesOf(other, request.host)) lose(candidate, listenerLoss(other, listener, request.host))
  }
  return {
    port,
    grpc: isGrpc(request),
    listener: listener && nameOf(listener),
    misses: elsewhere.map((other) => {
      const reason = listenerLoss(other, listener, request.host)
      return { ...nameOf(other), reason, text: missText(reason) }
    }),
    winner: winner && describeWinner(winner, request),
    losers,
  }
}

function candidatesOf(listener: CompiledListener, host: string): readonly Candidate[] {
  return listener.tables
    .filter((table) => covers(table.hostname, host))
    .flatMap((table) => table.ranked.map((ranked) => ({ listener, table, ranked })))
}

/** The first thing that the match asks for and the request does not have. */
function firstFailure(match: CompiledMatch, subject: Subject): LossReason | undefined {
  const { request } = subject
  if (match.path.kind === 'never') return { kind: 'unusable', problem: match.path.problem }
  if (match.config.grpc !== undefined && !isGrpc(request)) {
    const got = request.header('content-type')
    return { kind: 'grpc', ...(got === undefined ? {} : { got }) }
  }
  if (!pathSatisfied(match.path, request.path)) return { kind: 'path', wanted: match.config.path, got: request.path }
  if (match.method !== undefined && match.method !== request.method) return { kind: 'method', wanted: match.method, got: request.method }
  for (const [i, header] of match.headers.entries()) {
    const got = request.header(header.name)
    if (!valueSatisfied(header, got)) return valueLoss('header', match.config.headers[i], header, got)
  }
  for (const [i, parameter] of match.query.entries()) {
    const got = subject.queryValue(parameter.name)
    if (!valueSatisfied(parameter, got)) return valueLoss('query', match.config.query[i], parameter, got)
  }
  return undefined
}

function valueLoss(
  kind: 'header' | 'query',
  wanted: HttpMatchConfig['headers'][number] | undefined,
  predicate: CompiledMatch['headers'][number],
  got: string | undefined,
): LossReason {
  if (predicate.kind === 'never') return { kind: 'unusable', problem: predicate.problem }
  const { name, value } = predicate
  return { kind, wanted: wanted ?? { kind: predicate.kind, name, value }, ...(got === undefined ? {} : { got }) }
}

/** Both match; undefined when they are matches of one rule. */
function precedenceLoss(loser: Candidate, winner: Candidate): LossReason | undefined {
  const by = { route: winner.ranked.match.rule.route, rule: winner.ranked.match.rule.config.key }
  if (loser.table !== winner.table) {
    return { kind: 'precedence', step: 'hostname', winning: winner.table.hostname, losing: loser.table.hostname, by }
  }
  const step = decidingStep(winner.ranked.precedence, loser.ranked.precedence)
  return step && { kind: 'precedence', step, winning: winner.ranked.precedence[step], losing: loser.ranked.precedence[step], by }
}

function listenerLoss(other: CompiledListener, chosen: CompiledListener | undefined, host: string): ListenerMiss['reason'] {
  const { key, hostname } = other.config
  if (chosen === undefined || !covers(hostname, host)) return { kind: 'listener-host', listener: key, hostname, host }
  return { kind: 'listener-isolation', listener: key, hostname, by: nameOf(chosen) }
}

function nameOf(listener: CompiledListener): ListenerName {
  return { listener: listener.config.key, hostname: listener.config.hostname }
}

function placeOf({ listener, table, ranked }: Candidate): Place {
  const { rule, config } = ranked.match
  return { listener: listener.config.key, hostname: table.hostname, route: rule.route, rule: rule.config.key, match: config }
}

function describeWinner(winner: Candidate, request: RequestView): Winner {
  const { filters, backends, timeouts, retry, session } = winner.ranked.match.rule.config
  const total = backends.reduce((sum, backend) => sum + backend.weight, 0)
  return {
    ...placeOf(winner),
    answeredBy: answeringFilter(winner.ranked.match.rule.filters, request),
    filters,
    backends: backends.map((backend) => ({
      kind: backend.kind,
      name: backend.kind === 'pool' ? backend.pool : backend.backend,
      weight: backend.weight,
      share: total === 0 ? 0 : backend.weight / total,
      ...(backend.kind === 'pool' && backend.filters.length > 0 && { filters: backend.filters }),
      ...(backend.kind === 'pool' && backend.session !== undefined && { session: backend.session }),
    })),
    timeouts,
    retry,
    session,
  }
}

/** In the order in which filters apply, see CompiledFilters. External authorisation may refuse a redirect; nobody knows that here. */
function answeringFilter(filters: CompiledFilters | undefined, request: RequestView): Winner['answeredBy'] {
  if (filters?.answer?.kind === 'fail') return 'fail'
  if (filters?.cors?.preflight(request) !== undefined) return 'preflight'
  return filters?.answer?.kind
}
