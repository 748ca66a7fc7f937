/** What passes without being looked into, as metric families: by route, and for UDP by port. */
import type { StreamCounters } from '../../routing/router.ts'
import type { MetricFamily } from '../../telemetry/metrics.ts'
import type { DataPlane } from '../data-plane.ts'
import { portMetric } from '../port-metrics.ts'

type Kind = 'counter' | 'gauge'

export function streamMetrics(dataPlane: DataPlane): readonly MetricFamily[] {
  const ofRoutes = (kind: Kind, name: string, help: string, read: (counters: StreamCounters) => number): MetricFamily => ({
    kind,
    name: `gatewright_stream_${name}`,
    help,
    labels: ['gateway', 'route', 'kind'],
    samples: () =>
      [...dataPlane.routers].flatMap(([gateway, { streams }]) =>
        streams.map(({ config, counters }) => ({ labels: { gateway, route: config.key, kind: config.kind }, value: read(counters) })),
      ),
  })
  const ofPorts = portMetric(() => dataPlane.datagramPorts)
  return [
    ofRoutes(
      'gauge',
      'active',
      'Connections and UDP sessions of TLSRoutes, TCPRoutes and UDPRoutes that are open.',
      ({ active }) => active,
    ),
    ofRoutes('counter', 'passed_total', 'Those that reached a backend.', ({ passed }) => passed),
    ofRoutes('counter', 'failed_total', 'Those that did not: no backend, or none that could be reached.', ({ failed }) => failed),
    ofRoutes('counter', 'sent_bytes_total', 'Bytes that went to backends.', ({ sent }) => sent),
    ofRoutes('counter', 'received_bytes_total', 'Bytes that came from backends.', ({ received }) => received),
    ofPorts('gauge', 'udp_sessions', 'Sessions of UDP clients.', (port) => port.open),
    ofPorts(
      'counter',
      'udp_sessions_evicted_total',
      'Sessions that ended so that another one could begin.',
      (port) => port.counters.evicted,
    ),
    ofPorts('counter', 'udp_datagrams_dropped_total', 'Datagrams of clients that went nowhere.', (port) => port.counters.dropped),
  ]
}
