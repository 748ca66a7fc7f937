/** What the process itself uses: the few numbers that an operator looks at first. */
import { readdirSync } from 'node:fs'
import type { Labels, MetricFamily, NumberFamily } from './metrics.ts'

export function processMetrics(version: string): readonly MetricFamily[] {
  const started = Date.now() / 1000 - process.uptime()
  const one = (kind: 'counter' | 'gauge', name: string, help: string, read: () => number): NumberFamily => ({
    kind,
    name,
    help,
    labels: [],
    samples: () => [{ labels: {}, value: read() }],
  })
  return [
    one('counter', 'process_cpu_seconds_total', 'CPU time of the process, user and system.', () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    }),
    one('gauge', 'process_resident_memory_bytes', 'Resident memory of the process.', () => process.memoryUsage.rss()),
    one('gauge', 'process_heap_bytes', 'JavaScript heap in use.', () => process.memoryUsage().heapUsed),
    {
      ...one('gauge', 'process_start_time_seconds', 'When the process started, seconds since the epoch.', () => started),
      inProcesses: 'first',
    },
    {
      kind: 'gauge',
      name: 'process_open_fds',
      help: 'Open file descriptors; no series where the system does not tell.',
      labels: [],
      samples: openDescriptors,
    },
    {
      kind: 'gauge',
      name: 'nodejs_active_resources',
      help: 'What keeps the event loop alive, by type: sockets, listeners, timers.',
      labels: ['type'],
      samples: () => process.getActiveResourcesInfo().map((type) => ({ labels: { type }, value: 1 })),
    },
    {
      kind: 'gauge',
      inProcesses: 'first',
      name: 'gatewright_build_info',
      help: 'Always 1; the labels tell the versions of the program and of Node.',
      labels: ['version', 'node'],
      samples: () => [{ labels: { version, node: process.version }, value: 1 }],
    },
  ]
}

function openDescriptors(): { labels: Labels; value: number }[] {
  try {
    // One of them is open only for the look.
    return [{ labels: {}, value: readdirSync('/proc/self/fd').length - 1 }]
  } catch {
    return []
  }
}
