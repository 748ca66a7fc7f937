/** One rule of an HTTPRoute or GRPCRoute, whose matches are resolved already (Gateway API v1, HTTPRouteRule and GRPCRouteRule). */
import type { Finding } from '../api/finding.ts'
import type { BackendObjectReference, GrpcRoute, HttpBackendRef, HttpRoute, HttpRouteFilter, HttpRouteRule } from '../api/route.ts'
import type { BackendConfig, HttpMatchConfig, HttpRuleConfig, RetryConfig } from '../config/route.ts'
import { parseDuration } from '../lib/duration.ts'
import type { Speech } from './app-protocol.ts'
import { type PoolUse, refProblemOf, resolveBackend, serviceOf } from './backend.ts'
import { findings } from './findings.ts'
import { failFilter, translateFilter, type TranslatedFilter } from './http-filter.ts'
import type { Reader } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import type { InvalidRule, RefProblem } from './route.ts'
import { sessionOf } from './session.ts'
import { type BackendPath, backendSessionOf } from './traffic-policy.ts'

/** A GRPCRoute's rule has no timeouts and no retry. */
export interface ServedRule extends Pick<HttpRouteRule, 'name' | 'filters' | 'backendRefs' | 'timeouts' | 'retry' | 'sessionPersistence'> {
  readonly matches: readonly HttpMatchConfig[]
  /** Why a match is not understood: a clause. */
  readonly matchProblem: string | undefined
}

/** What a rule is judged with. */
export interface RuleContext {
  readonly read: Reader
  readonly options: TranslateOptions
  readonly route: HttpRoute | GrpcRoute
  readonly speech: Speech
}

export interface TranslatedRule {
  /** Absent: dropped, its matches are not understood. */
  readonly config?: HttpRuleConfig
  readonly invalid?: InvalidRule
  readonly refProblems: readonly RefProblem[]
  readonly pools: readonly PoolUse[]
  /** See RouteResult. */
  readonly services: readonly string[]
  readonly targets: readonly BackendPath[]
  readonly findings: readonly Finding[]
}

type Path = readonly (string | number)[]

export function translateRule(context: RuleContext, rule: ServedRule, index: number): TranslatedRule {
  const { kind, metadata } = context.route
  const routeKey = `${kind}/${metadata.namespace}/${metadata.name}`
  // A name may look like an index, but holds no "#".
  const key = rule.name === undefined ? `${routeKey}#${index}` : `${routeKey}/${rule.name}`
  const path: Path = ['spec', 'rules', index]
  const filters = translateFilters(context, rule.filters, 'rule', path)
  const ownSession = rule.sessionPersistence !== undefined
  const backends = rule.backendRefs.map((ref, i) => translateBackend(context, ref, [...path, 'backendRefs', i], ownSession))
  const session = rule.sessionPersistence && sessionOf(rule.sessionPersistence, key, metadata.annotations)
  const badSession = session !== undefined && 'problem' in session ? session.problem : undefined
  const all = [...filters, ...backends.flatMap((backend) => backend.filters)]
  const problems = new Set(
    [rule.matchProblem, ...all.map(({ unserved }) => unserved), tooManyAuths(rule.filters), badSession].filter((one) => one !== undefined),
  )
  const problem = problems.size === 0 ? undefined : [...problems].join(', ')
  const config: HttpRuleConfig = {
    key,
    index,
    matches: rule.matches,
    filters: problem === undefined ? filters.map(({ filter }) => filter) : [failFilter('rule', problem)],
    backends: problem === undefined ? backends.map(({ config: backend }) => backend) : [],
    timeouts: timeoutsOf(rule),
    ...(rule.retry === undefined ? {} : { retry: retryOf(rule.retry) }),
    ...(session === undefined || 'problem' in session ? {} : { session }),
  }
  return {
    ...(rule.matchProblem === undefined ? { config } : {}),
    ...(problem === undefined ? {} : { invalid: { index, ...(rule.name === undefined ? {} : { name: rule.name }), problem } }),
    refProblems: [...all, ...backends].flatMap(({ refProblem }) => refProblem ?? []),
    pools: problem === undefined ? [...backends, ...all].flatMap(({ pool }) => pool ?? []) : [],
    services: [...backends, ...all].flatMap(({ service }) => service ?? []),
    targets: [...backends, ...all].flatMap(({ target }) => target ?? []),
    findings: [...[...all, ...backends].flatMap(({ findings: found }) => found ?? []), ...unreachableCors(context, rule, path)],
  }
}

function translateFilters(
  context: RuleContext,
  filters: readonly HttpRouteFilter[],
  at: 'rule' | 'backend',
  path: Path,
): readonly TranslatedFilter[] {
  return filters.map((filter, i) =>
    translateFilter(filter, at, (ref, field, speech = context.speech) =>
      resolve(context, ref, [...path, 'filters', i, field, 'backendRef'], speech),
    ),
  )
}

function resolve({ read, options, route }: RuleContext, ref: BackendObjectReference, path: Path, speech: Speech) {
  const { namespace, name } = route.metadata
  return resolveBackend(read, options, { kind: route.kind, namespace, name, path, transport: 'TCP', speech }, ref)
}

interface TranslatedBackend {
  readonly config: BackendConfig
  readonly filters: readonly TranslatedFilter[]
  readonly pool?: PoolUse
  readonly service: string | undefined
  readonly target: BackendPath | undefined
  readonly refProblem?: RefProblem
  readonly findings: readonly Finding[]
}

/** @param ownSession the rule says of sessions what holds */
function translateBackend(context: RuleContext, ref: HttpBackendRef, path: Path, ownSession: boolean): TranslatedBackend {
  const resolved = resolve(context, ref, path, context.speech)
  const filters = translateFilters(context, ref.filters, 'backend', path)
  const { findings, target } = resolved
  switch (resolved.kind) {
    case 'pool': {
      const { pool } = resolved
      const session = ownSession ? undefined : backendSessionOf(context.read, pool.backend)
      return {
        config: {
          kind: 'pool',
          pool: pool.key,
          weight: ref.weight,
          filters: filters.map(({ filter }) => filter),
          ...(session !== undefined && { session }),
        },
        filters,
        pool,
        service: serviceOf(resolved),
        target,
        findings,
      }
    }
    case 'fail': {
      const { backend, reason, message } = resolved.problem
      const refProblem = refProblemOf(resolved.problem)
      const config = { kind: 'fail', backend, reason, message, weight: ref.weight } as const
      return { config, filters, service: serviceOf(resolved), target, ...(refProblem !== undefined && { refProblem }), findings }
    }
  }
}

/** A preflight has the method OPTIONS, whatever method it asks about (Fetch, CORS-preflight request). */
function unreachableCors({ route }: RuleContext, rule: ServedRule, path: Path): readonly Finding[] {
  const index = rule.filters.findIndex(({ type }) => type === 'CORS')
  if (index < 0 || rule.matches.some(({ method }) => method === undefined || method === 'OPTIONS')) return []
  const { namespace, name } = route.metadata
  return [findings.preflightsElsewhere({ kind: route.kind, namespace, name, path: [...path, 'filters', index] })]
}

/** "Specifying the same filter multiple times is not supported unless explicitly indicated" (HTTPRouteRule.filters): both could not be asked at once. */
function tooManyAuths(filters: readonly HttpRouteFilter[]): string | undefined {
  return filters.filter(({ type }) => type === 'ExternalAuth').length > 1 ? 'a second filter ExternalAuth is not served' : undefined
}

/** `0s` switches a timeout off (HTTPRouteTimeouts), as its absence does. */
function timeoutsOf({ timeouts }: ServedRule): HttpRuleConfig['timeouts'] {
  const request = millisecondsOf(timeouts?.request)
  const backendRequest = millisecondsOf(timeouts?.backendRequest)
  return { ...(request === 0 ? {} : { request }), ...(backendRequest === 0 ? {} : { backendRequest }) }
}

/** One attempt where the route does not say (HTTPRouteRetry.attempts); "an explicit zero value MUST disable retries". */
function retryOf({ codes, attempts = 1, backoff }: NonNullable<HttpRouteRule['retry']>): RetryConfig {
  return { codes, attempts, ...(backoff === undefined ? {} : { backoff: millisecondsOf(backoff) }) }
}

function millisecondsOf(duration: string | undefined): number {
  return duration === undefined ? 0 : (parseDuration(duration) ?? 0)
}
