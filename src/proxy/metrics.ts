/** The data plane's numbers as metric families. Labels are Gateways, routes, rules and pools: what is configured, never what a client sends. */
import type { InProcesses, Labels, MetricFamily } from '../telemetry/metrics.ts'
import type { DataPlane } from './data-plane.ts'
import { policyMetrics } from './http/policy-metrics.ts'
import { streamMetrics } from './stream/stream-metrics.ts'
import { portMetric } from './port-metrics.ts'
import type { Pool } from './upstream/pool.ts'

/** Seconds: every second of the bounds that rules count by, 2^(i-4) ms, from 1/8 ms to 33 s. */
const durationBounds = Array.from({ length: 10 }, (_, i) => 2 ** (2 * i - 3) / 1000)

const codeClasses = ['none', '1xx', '2xx', '3xx', '4xx', '5xx']

export function dataPlaneMetrics(dataPlane: DataPlane): readonly MetricFamily[] {
  const { counters, mirrors, pools } = dataPlane.runtime
  const ofProcess = (
    kind: 'counter' | 'gauge',
    name: string,
    help: string,
    read: () => number,
    inProcesses: InProcesses = 'sum',
  ): MetricFamily => ({
    kind,
    inProcesses,
    name: `gatewright_${name}`,
    help,
    labels: [],
    samples: () => [{ labels: {}, value: read() }],
  })
  const ofPorts = portMetric(() => dataPlane.ports)
  const ofPools = (
    kind: 'counter' | 'gauge',
    name: string,
    help: string,
    read: (pool: Pool) => number,
    inProcesses: InProcesses = 'sum',
  ): MetricFamily => ({
    kind,
    inProcesses,
    name: `gatewright_upstream_${name}`,
    help,
    labels: ['pool'],
    samples: () => [...pools.all()].map((pool) => ({ labels: { pool: pool.config.key }, value: read(pool) })),
  })
  return [
    {
      kind: 'counter',
      name: 'gatewright_requests_total',
      help: 'Requests that have ended, by rule and class of the status code; without a rule: those that none took.',
      labels: ['gateway', 'route', 'rule', 'code'],
      samples: () => [
        ...byClass({ gateway: '', route: '', rule: '' }, counters.unrouted),
        ...rules(dataPlane).flatMap(({ gateway, rule }) =>
          byClass({ gateway, route: rule.route, rule: rule.config.key }, rule.counters.byClass),
        ),
      ],
    },
    {
      kind: 'histogram',
      name: 'gatewright_request_duration_seconds',
      help: 'From the first byte of a request to the last of its answer, by route.',
      labels: ['gateway', 'route'],
      bounds: durationBounds,
      samples: () => durations(dataPlane),
    },
    {
      kind: 'counter',
      name: 'gatewright_flagged_requests_total',
      help: 'Requests that the gateway answered itself or that ended early, by the reason that the access log shows as flag.',
      labels: ['flag'],
      samples: () => [...counters.flags].map(([flag, value]) => ({ labels: { flag }, value })),
    },
    ...policyMetrics(() => dataPlane.routers, counters),
    ofProcess('counter', 'connections_total', 'Connections of clients that were served.', () => counters.connectionsTotal),
    ofProcess('counter', 'mirrored_requests_total', 'Copies of requests that were sent to mirrors.', () => mirrors.sent),
    ofProcess('counter', 'mirrored_requests_failed_total', 'Copies that were sent and not answered.', () => mirrors.failed),
    ofProcess(
      'counter',
      'mirrored_requests_dropped_total',
      'Copies that were not sent: the body was too large or broke off, or too much was held.',
      () => mirrors.dropped,
    ),
    ofProcess('gauge', 'active_requests', 'Requests and streams of clients that are under way.', () => counters.active),
    {
      kind: 'counter',
      name: 'gatewright_requests_shed_total',
      help: 'Requests that got a 503 at once: memory was short, or too many requests were under way.',
      labels: ['reason'],
      samples: () => byReason({}, counters.shed),
    },
    ofProcess('gauge', 'tunnels', 'Upgraded connections that are open.', () => counters.tunnels),
    ofProcess(
      'gauge',
      'overloaded',
      '1 while new requests are refused for want of memory.',
      () => Number(dataPlane.runtime.overloaded),
      'greatest',
    ),
    ofPorts('gauge', 'connections', 'Open connections of clients, those in their handshake included.', (port) => port.open),
    {
      kind: 'counter',
      name: 'gatewright_connections_shed_total',
      help: 'Connections that were closed at once: too many for the port, the process or its file descriptors, or not acceptable.',
      labels: ['gateway', 'port', 'reason'],
      samples: () =>
        dataPlane.ports.flatMap(({ plan, counters: { shed } }) => byReason({ gateway: plan.gateway, port: String(plan.port) }, shed)),
    },
    ofPorts('counter', 'tls_handshakes_total', 'TLS handshakes that were completed.', (port) => port.counters.handshakes),
    ofPorts('counter', 'tls_handshakes_failed_total', 'TLS handshakes that began and failed.', (port) => port.counters.handshakesFailed),
    ofPorts(
      'counter',
      'tls_hellos_refused_total',
      'Connections that ended before TLS began: no ClientHello, or a server name that no listener has.',
      (port) => port.counters.hellosRefused,
    ),
    ofPorts(
      'counter',
      'proxy_headers_refused_total',
      'Connections that were closed because they did not begin with a header of the PROXY protocol, as those of their peer must.',
      (port) => port.counters.proxyHeadersRefused,
    ),
    ...streamMetrics(dataPlane),
    ofPools('counter', 'requests_total', 'Requests for which a connection was sought.', (pool) => pool.counters.requests),
    ofPools('counter', 'connections_opened_total', 'Connections that were begun.', (pool) => pool.counters.connectionsOpened),
    ofPools('counter', 'connect_failures_total', 'Connections that could not be made.', (pool) => pool.counters.connectFailures),
    ofPools('counter', 'failures_total', 'Requests that failed after a connection was there.', (pool) => pool.counters.failures),
    ofPools('counter', 'retries_total', 'Requests that were sent again on another connection.', (pool) => pool.counters.retries),
    ofPools(
      'counter',
      'retries_refused_total',
      'Retries that a route asked for, while too many requests were retried already, or the budget of a policy was spent.',
      (pool) => pool.counters.retriesRefused,
    ),
    {
      kind: 'counter',
      name: 'gatewright_upstream_shed_total',
      help: 'Requests that got a 503 for want of a connection: those of all endpoints, or of the process, were taken.',
      labels: ['pool', 'reason'],
      samples: () =>
        [...pools.all()].flatMap(({ config, counters: { shed, shedByProcess } }) =>
          byReason({ pool: config.key }, { endpoint: shed, process: shedByProcess }),
        ),
    },
    {
      kind: 'counter',
      name: 'gatewright_upstream_name_lookups_total',
      help: 'Looks for the addresses of backends that are a name, by what came of them: found, absent, failed, or refused since a name must not lead there.',
      labels: ['pool', 'result'],
      samples: () =>
        [...pools.all()].flatMap(({ config, counters: { lookups } }) =>
          [...lookups].map(([result, value]) => ({ labels: { pool: config.key, result }, value })),
        ),
    },
    {
      kind: 'counter',
      name: 'gatewright_upstream_ejections_total',
      help: 'Endpoints that were ejected, by the failure that came last.',
      labels: ['pool', 'reason'],
      samples: () =>
        [...pools.all()].flatMap(({ config, counters: { ejections } }) =>
          [...ejections].map(([reason, value]) => ({ labels: { pool: config.key, reason }, value })),
        ),
    },
    {
      kind: 'gauge',
      inProcesses: 'greatest',
      name: 'gatewright_upstream_endpoint_ejected',
      help: '1 for each endpoint that is ejected now or on trial, by the failure that came last; others have no series.',
      labels: ['pool', 'endpoint', 'reason'],
      samples: () => [...pools.all()].flatMap(ejectedOf),
    },
    ofPools(
      'gauge',
      'panic',
      '1 while ejections are ignored, because too few endpoints are left.',
      (pool) => Number(pool.panic),
      'greatest',
    ),
    ofPools('gauge', 'endpoints', 'Endpoints, ready and serving.', (pool) => pool.config.endpoints.length, 'greatest'),
    ofPools(
      'gauge',
      'endpoints_used',
      'Endpoints over which requests are balanced now: near ones, without those that are ejected.',
      (pool) => pool.candidates.length,
      'greatest',
    ),
    ofPools('gauge', 'connections', 'Open connections.', (pool) => sum(pool.endpoints, ({ connections }) => connections)),
    ofPools('gauge', 'active_requests', 'Requests under way.', (pool) => sum(pool.endpoints, ({ active }) => active)),
  ]
}

function rules(dataPlane: DataPlane) {
  return [...dataPlane.routers].flatMap(([gateway, router]) => [...router.rules.values()].map((rule) => ({ gateway, rule })))
}

/** Only what has happened: a rule that serves well has one series. */
function byClass(labels: Labels, counts: Float64Array): { labels: Labels; value: number }[] {
  return codeClasses.flatMap((code, index) => {
    const value = counts[index] ?? 0
    return value === 0 ? [] : [{ labels: { ...labels, code }, value }]
  })
}

/** All of them, so that a rate can be taken from the first one on. */
function byReason(labels: Labels, counts: Readonly<Record<string, number>>): { labels: Labels; value: number }[] {
  return Object.entries(counts).map(([reason, value]) => ({ labels: { ...labels, reason }, value }))
}

function ejectedOf({ config, endpoints }: Pool): { labels: Labels; value: number }[] {
  return [...endpoints].flatMap(({ name, health }) =>
    health.kind === 'available' ? [] : [{ labels: { pool: config.key, endpoint: name, reason: health.reason }, value: 1 }],
  )
}

/** The rules of a route together, in two fine buckets for each coarse one. */
function durations(dataPlane: DataPlane): Iterable<{ labels: Labels; counts: Float64Array; sum: number }> {
  const routes = new Map<string, { labels: Labels; counts: Float64Array; sum: number }>()
  for (const { gateway, rule } of rules(dataPlane)) {
    const { durations: fine, durationSum } = rule.counters
    if (durationSum === 0) continue
    const key = `${gateway} ${rule.route}`
    const route = routes.get(key) ?? { labels: { gateway, route: rule.route }, counts: new Float64Array(durationBounds.length + 1), sum: 0 }
    routes.set(key, route)
    route.sum += durationSum / 1000
    for (const [index, count] of fine.entries()) {
      const bucket = Math.min(index >> 1, durationBounds.length)
      route.counts[bucket] = (route.counts[bucket] ?? 0) + count
    }
  }
  return routes.values()
}

function sum<T>(items: Iterable<T>, read: (item: T) => number): number {
  let total = 0
  for (const item of items) total += read(item)
  return total
}
