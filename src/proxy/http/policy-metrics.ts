/** Numbers of what the API can ask for beyond routing (gRPC, authorisation, sessions), and of HTTP/2. */
import type { Router } from '../../routing/router.ts'
import type { Labels, MetricFamily } from '../../telemetry/metrics.ts'
import type { DownstreamCounters } from './connection-context.ts'

/** @param routers what is served now, by Gateway */
export function policyMetrics(routers: () => ReadonlyMap<string, Router>, counters: DownstreamCounters): readonly MetricFamily[] {
  const { flags, sessions } = counters
  const single = (name: string, help: string, read: () => number): MetricFamily => ({
    kind: 'counter',
    name: `gatewright_${name}`,
    help,
    labels: [],
    samples: () => [{ labels: {}, value: read() }],
  })
  const byResult = (name: string, help: string, results: () => Readonly<Record<string, number>>): MetricFamily => ({
    kind: 'counter',
    name: `gatewright_${name}`,
    help,
    labels: ['result'],
    samples: () => Object.entries(results()).map(([result, value]) => ({ labels: { result }, value })),
  })
  return [
    {
      kind: 'counter',
      name: 'gatewright_grpc_calls_total',
      help: 'gRPC calls by route and the status that the client was told; without a route: those that none took.',
      labels: ['gateway', 'route', 'status'],
      samples: () => [
        ...byStatus({ gateway: '', route: '' }, counters.grpc),
        ...[...routers()].flatMap(([gateway, router]) =>
          [...router.rules.values()].flatMap((rule) => byStatus({ gateway, route: rule.route }, rule.counters.grpc)),
        ),
      ],
    },
    byResult('external_auth_total', 'Requests about which an authorisation server was asked.', () => ({
      allowed: counters.authAllowed,
      denied: flags.get('auth-denied') ?? 0,
      failed: flags.get('auth-failed') ?? 0,
    })),
    byResult(
      'session_requests_total',
      'Answered requests of routes with session persistence: by new clients, back at their endpoint, or moved to another one.',
      () => ({ ...sessions }),
    ),
    single('http2_connections_total', 'Connections of clients that spoke HTTP/2.', () => counters.http2Connections),
    single('http2_requests_total', 'Requests that came over HTTP/2.', () => counters.http2Requests),
    single(
      'http2_floods_total',
      'HTTP/2 connections that were ended because of what their clients did on them.',
      () => counters.http2Floods,
    ),
  ]
}

/** Only what has happened. */
function byStatus(labels: Labels, counts: Float64Array | undefined): { labels: Labels; value: number }[] {
  if (counts === undefined) return []
  return [...counts].flatMap((value, status) => (value === 0 ? [] : [{ labels: { ...labels, status: String(status) }, value }]))
}
