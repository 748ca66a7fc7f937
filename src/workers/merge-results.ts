/** What became of a configuration in all workers, as one result: a port serves when every worker that is to serve it does. */
import type { GatewayResult } from '../delivery/in-process.ts'
import type { FailedPort, OpenPort } from '../lib/served-ports.ts'
import type { Results } from './messages.ts'

/** @param workers each worker's; never empty */
export function mergeResults(workers: readonly Results[]): ReadonlyMap<string, GatewayResult> {
  const merged = new Map<string, GatewayResult>()
  for (const results of workers) {
    for (const [gateway, result] of results) {
      const before = merged.get(gateway)
      merged.set(gateway, before === undefined ? result : together(before, result))
    }
  }
  return merged
}

function together(a: GatewayResult, b: GatewayResult): GatewayResult {
  const failedPorts = distinct([...a.failedPorts, ...b.failedPorts], (one) => `${portKey(one)} ${one.message}`)
  const failed = new Set(failedPorts.map(portKey))
  const ports = distinct([...a.ports, ...b.ports], portKey).filter((port) => !failed.has(portKey(port)))
  return {
    // UDP ports come from one worker each.
    ports: ports.sort((one, other) => one.port - other.port),
    failedPorts,
    failedListeners: distinct([...a.failedListeners, ...b.failedListeners], ({ listener, message }) => `${listener} ${message}`),
  }
}

function portKey({ port, transport }: OpenPort | FailedPort): string {
  return `${transport} ${port}`
}

function distinct<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const byKey = new Map<string, T>()
  for (const item of items) if (!byKey.has(keyOf(item))) byKey.set(keyOf(item), item)
  return [...byKey.values()]
}
