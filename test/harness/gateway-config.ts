/** Configurations for tests in a few words: one listener for any host unless said otherwise, a route for each rule. */
import type { BackendTlsConfig } from '../../src/config/backend-tls.ts'
import type { GatewayConfig } from '../../src/config/config.ts'
import type { FilterConfig } from '../../src/config/filter.ts'
import type { ListenerConfig } from '../../src/config/listener.ts'
import type { EndpointConfig, PoolConfig, RetryBudgetConfig } from '../../src/config/pool.ts'
import type { BackendConfig, HttpMatchConfig, HttpRouteConfig, RetryConfig, SessionConfig } from '../../src/config/route.ts'

export interface RuleSketch {
  /** A GRPCRoute's. */
  readonly grpc?: boolean
  /** A prefix; '/' by default. */
  readonly path?: string
  readonly match?: Partial<HttpMatchConfig>
  readonly hostnames?: readonly string[]
  /** Names of pools, or whole backends. */
  readonly backends?: readonly (string | BackendConfig)[]
  readonly filters?: readonly FilterConfig[]
  readonly backendFilters?: readonly FilterConfig[]
  readonly request?: number
  readonly backendRequest?: number
  readonly retry?: RetryConfig
  readonly session?: SessionConfig
}

export interface ConfigSketch {
  /** Hostnames of listeners. */
  readonly listeners?: readonly string[]
  readonly rules: readonly RuleSketch[]
  /** Endpoints by name of the pool: ports on 127.0.0.1, or whole endpoints. */
  readonly pools: Readonly<Record<string, readonly (number | EndpointConfig)[]>>
  /** Pools to which HTTP/2 is spoken. */
  readonly h2c?: readonly string[]
  /** Pools that are reached over TLS. */
  readonly tls?: Readonly<Record<string, BackendTlsConfig>>
  /** Budgets of retries by name of the pool. */
  readonly retryBudgets?: Readonly<Record<string, RetryBudgetConfig>>
  /** Names of the backends whose pools they are, where these are not their own. */
  readonly backendOf?: Readonly<Record<string, string>>
}

export function gatewayConfig({
  listeners = [''],
  rules,
  pools,
  h2c = [],
  tls = {},
  retryBudgets = {},
  backendOf = {},
}: ConfigSketch): GatewayConfig {
  const listenerConfigs = listeners.map((hostname, index): ListenerConfig => ({
    key: listenerKey(index),
    name: `l${index}`,
    port: 80,
    protocol: 'HTTP',
    hostname,
  }))
  return {
    gateway: 'test/gate',
    listeners: listenerConfigs,
    routes: rules.map((rule, index) => routeConfig(rule, index, listenerConfigs)),
    streams: [],
    pools: Object.entries(pools).map(([name, endpoints]) => ({
      ...poolConfig(name, endpoints),
      protocol: h2c.includes(name) ? 'h2c' : 'http',
      ...(tls[name] !== undefined && { tls: tls[name] }),
      ...(retryBudgets[name] !== undefined && { retryBudget: retryBudgets[name] }),
      backend: { kind: 'Service', namespace: 'test', name: backendOf[name] ?? name, port: 80 },
    })),
    certificates: [],
  }
}

export function listenerKey(index: number): string {
  return `Gateway/test/gate/l${index}`
}

export function poolConfig(name: string, endpoints: readonly (number | EndpointConfig)[]): PoolConfig {
  return {
    key: name,
    backend: { kind: 'Service', namespace: 'test', name, port: 80 },
    protocol: 'http',
    endpoints: endpoints.map((endpoint) =>
      typeof endpoint === 'number' ? { address: '127.0.0.1', port: endpoint, state: 'ready' } : endpoint,
    ),
  }
}

function routeConfig(rule: RuleSketch, index: number, listeners: readonly ListenerConfig[]): HttpRouteConfig {
  const key = `HTTPRoute/test/r${index}`
  const filters = rule.backendFilters ?? []
  return {
    kind: rule.grpc === true ? 'grpc' : 'http',
    key,
    attachments: listeners.map((listener) => ({ listener: listener.key, hostnames: rule.hostnames ?? [''] })),
    rules: [
      {
        key: `${key}/0`,
        index: 0,
        matches: [{ path: { kind: 'prefix', value: rule.path ?? '/' }, headers: [], query: [], ...rule.match }],
        filters: rule.filters ?? [],
        ...(rule.retry !== undefined && { retry: rule.retry }),
        ...(rule.session !== undefined && { session: rule.session }),
        backends: (rule.backends ?? []).map((backend) =>
          typeof backend === 'string' ? { kind: 'pool', pool: backend, weight: 1, filters } : backend,
        ),
        timeouts: {
          ...(rule.request !== undefined && { request: rule.request }),
          ...(rule.backendRequest !== undefined && { backendRequest: rule.backendRequest }),
        },
      },
    ],
  }
}
