/** One rule of a route, compiled: its matches, filters and backends, with the counters and the balancer state that outlive it. */
import type { BackendConfig, HttpMatchConfig, HttpRouteConfig, HttpRuleConfig, RetryConfig, SessionConfig } from '../config/route.ts'
import { longestTimer } from '../lib/longest-timer.ts'
import { newCounters } from './counters.ts'
import { compileFilters, type FilterContext } from './filters.ts'
import { toByteString } from './byte-string.ts'
import { compilePath, compileValue } from './predicate.ts'
import type { CompiledBackend, CompiledFilters, CompiledMatch, CompiledRetry, CompiledRule, RuleCounters } from './router.ts'
import { WeightedChoice } from './weighted-choice.ts'

export function compileRule(
  route: HttpRouteConfig,
  config: HttpRuleConfig,
  context: FilterContext,
  previous: CompiledRule | undefined,
): CompiledRule {
  return new Rule(route, config, context, previous instanceof Rule ? previous : undefined)
}

class Rule implements CompiledRule {
  readonly config: HttpRuleConfig
  readonly kind: HttpRouteConfig['kind']
  readonly route: string
  readonly matches: readonly CompiledMatch[]
  readonly filters: CompiledFilters | undefined
  readonly requestTimeout: number
  readonly backendRequestTimeout: number
  readonly retry: CompiledRetry | undefined
  readonly session: SessionConfig | undefined
  readonly counters: RuleCounters
  readonly backends: readonly CompiledBackend[]
  readonly #weights: readonly number[]
  readonly #choice: WeightedChoice | undefined

  constructor(route: HttpRouteConfig, config: HttpRuleConfig, context: FilterContext, previous: Rule | undefined) {
    this.config = config
    this.kind = route.kind
    this.route = route.key
    this.matches = config.matches.map((match) => compileMatch(this, match))
    this.filters = compileFilters(config.filters, context, previous?.filters)
    this.requestTimeout = Math.min(config.timeouts.request ?? 0, longestTimer)
    this.backendRequestTimeout = Math.min(config.timeouts.backendRequest ?? 0, longestTimer)
    this.retry = config.retry && compileRetry(config.retry)
    this.session = config.session
    this.counters = previous?.counters ?? newCounters()
    const chosen = config.backends.filter((backend) => backend.weight > 0)
    this.#weights = chosen.map((backend) => backend.weight)
    const kept = previous !== undefined && sameNumbers(previous.#weights, this.#weights) ? previous : undefined
    this.backends = chosen.map((backend, i) => compileBackend(backend, context, kept === undefined ? undefined : kept.backends[i]))
    this.#choice = kept === undefined ? newChoice(this.#weights, context.phase) : kept.#choice
  }

  chooseBackend(): CompiledBackend | undefined {
    return this.backends[this.#choice?.next() ?? 0]
  }
}

function compileMatch(rule: CompiledRule, config: HttpMatchConfig): CompiledMatch {
  const path = compilePath(config.path)
  return {
    rule,
    config,
    prefixLength: path.kind === 'prefix' ? path.value.length : 0,
    path,
    method: config.method === undefined ? undefined : toByteString(config.method),
    headers: config.headers.map(compileValue),
    query: config.query.map(compileValue),
  }
}

function compileBackend(config: BackendConfig, context: FilterContext, previous: CompiledBackend | undefined): CompiledBackend {
  const same = previous !== undefined && nameOf(previous) === nameOf(config) ? previous : undefined
  const requests = same?.requests ?? 0
  switch (config.kind) {
    case 'pool': {
      const filters = compileFilters(config.filters, context, same?.kind === 'pool' ? same.filters : undefined)
      return { kind: 'pool', pool: config.pool, filters, session: config.session, requests }
    }
    case 'fail':
      return { kind: 'fail', backend: config.backend, reason: config.reason, message: config.message, requests }
  }
}

function nameOf(backend: BackendConfig | CompiledBackend): string {
  switch (backend.kind) {
    case 'pool':
      return backend.pool
    case 'fail':
      return backend.backend
  }
}

/** Of a route that names none. */
const defaultBackoff = 25

function compileRetry({ codes, attempts, backoff = defaultBackoff }: RetryConfig): CompiledRetry {
  return { codes: new Set(codes), attempts, backoff }
}

/** None for a single backend, which needs no choice. */
function newChoice(weights: readonly number[], phase: () => number): WeightedChoice | undefined {
  return weights.length < 2 ? undefined : new WeightedChoice(weights, phase())
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((number, i) => number === b[i])
}
