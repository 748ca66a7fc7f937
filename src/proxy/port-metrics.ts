/** Numbers of ports as metric families, one sample for each. */
import type { MetricFamily } from '../telemetry/metrics.ts'
import type { PortPlan } from './listener/plan.ts'

/** @param ports asked at each scrape */
export function portMetric<P extends { readonly plan: Pick<PortPlan, 'gateway' | 'port'> }>(ports: () => readonly P[]) {
  return (kind: 'counter' | 'gauge', name: string, help: string, read: (port: P) => number): MetricFamily => ({
    kind,
    name: `gatewright_${name}`,
    help,
    labels: ['gateway', 'port'],
    samples: () => ports().map((port) => ({ labels: { gateway: port.plan.gateway, port: String(port.plan.port) }, value: read(port) })),
  })
}
