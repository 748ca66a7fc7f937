/**
 * HTTPRoute: its rules become configuration, its parents get their conditions (Gateway API v1, HTTPRouteSpec).
 *
 * A rule that cannot be served as written is invalid: with others that are good the route is PartiallyInvalid, alone it is not
 * accepted. An invalid rule whose matches are understood stays in the configuration with a filter that fails, because
 * without it its requests would fall through to a rule that lacks, say, the authentication that this one asks for.
 */
import type { Finding } from '../api/finding.ts'
import type { HttpBackendRef, HttpRoute, HttpRouteRule } from '../api/route.ts'
import type { BackendConfig, HttpRouteConfig, HttpRuleConfig } from '../config/route.ts'
import { parseDuration } from '../lib/duration.ts'
import { resolveBackend, type PoolUse } from './backend.ts'
import { failFilter, translateFilter, type TranslatedFilter } from './http-filter.ts'
import { matchConfig, matchProblem } from './http-match.ts'
import { keep } from './keep.ts'
import type { Reader } from './memo.ts'
import type { TranslateOptions } from './options.ts'
import { judgeParents, type InvalidRule, type RefProblem, type RouteResult } from './route.ts'
import { rankOf } from './tie-break.ts'

export function httpRouteOf(read: Reader, options: TranslateOptions, route: HttpRoute, last: RouteResult | undefined): RouteResult {
  const key = `HTTPRoute/${route.metadata.namespace}/${route.metadata.name}`
  const rules = route.spec.rules.map((rule, index) => translateRule(read, options, route, key, rule, index))
  const parents = judgeParents(read, options, route, {
    ruleCount: rules.length,
    invalidRules: rules.flatMap(({ invalid }) => (invalid === undefined ? [] : [invalid])),
    refProblems: rules.flatMap(({ refProblems }) => refProblems),
  })
  const configs = rules.flatMap(({ config }) => (config === undefined ? [] : [config]))
  const served = [...parents.attachments].flatMap(([gateway, attachments]) => {
    const serving = attachments.filter(({ listener }) => listener.serves)
    if (serving.length === 0) return []
    const config: HttpRouteConfig = {
      kind: 'http',
      key,
      attachments: serving.map(({ listener, hostnames }) => ({ listener: listener.key, hostnames })),
      rules: configs,
    }
    return [{ gateway, config: keep(last?.served.find((other) => other.gateway === gateway)?.config, config) }]
  })
  return {
    rank: rankOf(route.metadata),
    ...(parents.status === undefined ? {} : { status: keep(last?.status, parents.status) }),
    attached: [...parents.attachments.values()].flatMap((attachments) => attachments.map(({ listener }) => listener.key)),
    served,
    pools: rules.flatMap(({ pools }) => pools),
    policies: [...new Set(rules.flatMap(({ policies }) => policies))],
    parents: parents.gateways,
    findings: keep(last?.findings, [...parents.findings, ...rules.flatMap(({ findings }) => findings)]),
  }
}

interface TranslatedRule {
  /** Absent: dropped, its matches are not understood. */
  readonly config?: HttpRuleConfig
  readonly invalid?: InvalidRule
  readonly refProblems: readonly RefProblem[]
  readonly pools: readonly PoolUse[]
  readonly policies: readonly string[]
  readonly findings: readonly Finding[]
}

function translateRule(
  read: Reader,
  options: TranslateOptions,
  route: HttpRoute,
  routeKey: string,
  rule: HttpRouteRule,
  index: number,
): TranslatedRule {
  const filters = rule.filters.map((filter) => translateFilter(filter, 'rule'))
  const backends = rule.backendRefs.map((ref, i) => translateBackend(read, options, route, ref, ['spec', 'rules', index, 'backendRefs', i]))
  const notMatched = rule.matches.map(matchProblem).find((problem) => problem !== undefined)
  const allFilters = [...filters, ...backends.flatMap((backend) => backend.filters)]
  const problem = problemOf(rule, allFilters, notMatched)
  const config: HttpRuleConfig = {
    // A name may look like an index, but holds no "#".
    key: rule.name === undefined ? `${routeKey}#${index}` : `${routeKey}/${rule.name}`,
    index,
    matches: rule.matches.length === 0 ? [MATCH_ALL] : rule.matches.map(matchConfig),
    filters: problem === undefined ? filters.map(({ filter }) => filter) : [failFilter('rule', problem)],
    backends: problem === undefined ? backends.map(({ config: backend }) => backend) : [],
    timeouts: timeoutsOf(rule),
  }
  return {
    ...(notMatched === undefined ? { config } : {}),
    ...(problem === undefined ? {} : { invalid: { index, ...(rule.name === undefined ? {} : { name: rule.name }), problem } }),
    refProblems: [...allFilters.flatMap(unresolvedFilter), ...backends.flatMap((backend) => backend.problem ?? [])],
    pools: problem === undefined ? backends.flatMap(({ pool }) => pool ?? []) : [],
    policies: backends.flatMap((backend) => backend.problem?.policy ?? []),
    findings: backends.flatMap((backend) => backend.findings),
  }
}

/** Why the rule cannot be served as it is written: all that is wrong with it, as clauses. */
function problemOf(rule: HttpRouteRule, filters: readonly TranslatedFilter[], notMatched: string | undefined): string | undefined {
  const problems = new Set([
    ...(notMatched === undefined ? [] : [notMatched]),
    ...filters.flatMap((filter) => (filter.kind === 'unserved' ? [filter.problem] : [])),
    ...(rule.retry === undefined ? [] : ['retry is not served']),
    ...(rule.sessionPersistence === undefined ? [] : ['sessionPersistence is not served']),
  ])
  return problems.size === 0 ? undefined : [...problems].join(', ')
}

function unresolvedFilter(filter: TranslatedFilter): readonly RefProblem[] {
  return filter.kind === 'unresolved' ? [{ reason: 'InvalidKind', message: filter.problem }] : []
}

/** A rule without matches takes every request (HTTPRouteRule.matches). */
const MATCH_ALL = matchConfig({ path: { type: 'PathPrefix', value: '/' }, headers: [], queryParams: [] })

function translateBackend(
  read: Reader,
  options: TranslateOptions,
  route: HttpRoute,
  ref: HttpBackendRef,
  path: readonly (string | number)[],
) {
  const { namespace, name } = route.metadata
  const resolved = resolveBackend(read, options, { kind: route.kind, namespace, name, path, transport: 'TCP' }, ref)
  const filters = ref.filters.map((filter) => translateFilter(filter, 'backend'))
  switch (resolved.kind) {
    case 'pool': {
      const config: BackendConfig = {
        kind: 'pool',
        pool: resolved.pool.key,
        weight: ref.weight,
        filters: filters.map(({ filter }) => filter),
      }
      return { config, filters, pool: resolved.pool, problem: undefined, findings: resolved.findings }
    }
    case 'fail': {
      const { backend, reason, message } = resolved.problem
      const config: BackendConfig = { kind: 'fail', backend, reason, message, weight: ref.weight }
      return { config, filters, pool: undefined, problem: resolved.problem, findings: resolved.findings }
    }
  }
}

/** `0s` switches a timeout off (HTTPRouteTimeouts), as its absence does. */
function timeoutsOf({ timeouts }: HttpRouteRule): HttpRuleConfig['timeouts'] {
  const request = timeouts?.request === undefined ? 0 : (parseDuration(timeouts.request) ?? 0)
  const backendRequest = timeouts?.backendRequest === undefined ? 0 : (parseDuration(timeouts.backendRequest) ?? 0)
  return { ...(request === 0 ? {} : { request }), ...(backendRequest === 0 ? {} : { backendRequest }) }
}
