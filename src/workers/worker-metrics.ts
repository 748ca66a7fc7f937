/** What is to be said of workers as such; what they serve is said as if there were one. */
import type { MetricFamily } from '../telemetry/metrics.ts'

/** Asked at each scrape. */
export interface WorkersState {
  readonly serving: () => number
  /** How many have ended unasked. */
  readonly ends: () => number
  /** Connections that none could take. */
  readonly refused: () => number
  readonly connections: () => readonly { readonly worker: number; readonly open: number }[]
}

export function workerMetrics({ serving, ends, refused, connections }: WorkersState): MetricFamily[] {
  const one = (kind: 'counter' | 'gauge', name: string, help: string, read: () => number): MetricFamily => ({
    kind,
    name: `gatewright_${name}`,
    help,
    labels: [],
    samples: () => [{ labels: {}, value: read() }],
  })
  return [
    one('gauge', 'workers', 'Worker processes that serve.', serving),
    one('counter', 'worker_ends_total', 'Worker processes that ended unasked and were replaced.', ends),
    one('counter', 'worker_connections_refused_total', 'Connections that were closed at once, because no worker could take them.', refused),
    {
      kind: 'gauge',
      name: 'gatewright_worker_connections',
      help: 'Open connections of clients, by worker process.',
      labels: ['worker'],
      samples: () => connections().map(({ worker, open }) => ({ labels: { worker: String(worker) }, value: open })),
    },
  ]
}
