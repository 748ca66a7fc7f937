/** Listeners of a port, and the host tables of a listener: both are asked from the most specific hostname on. */
import type { ListenerConfig } from '../config/listener.ts'
import { compareSpecificity } from '../lib/hostname.ts'
import { HostIndex } from './host-index.ts'
import { LazySubject } from './query.ts'
import type { AttachedStream, CompiledListener, HostTable, PortRouter } from './router.ts'

/** `tables`: most specific hostname first. A request that no match of one hostname wants falls through to the next. */
export function newListener(
  config: ListenerConfig,
  placedPort: number,
  tables: readonly HostTable[],
  streams: readonly AttachedStream[],
): CompiledListener {
  const index = new HostIndex(tables.map((table) => [table.hostname, table]))
  const streamIndex = new HostIndex(streams.map(({ hostname, stream }) => [hostname, stream]))
  return {
    config,
    placedPort,
    tables,
    streams,
    streamFor: (serverName) => streamIndex.first(serverName, (stream) => stream),
    decide(request) {
      const subject = new LazySubject(request)
      return index.first(request.host, (table) => table.lookUp(subject))
    },
  }
}

/**
 * The listeners that serve one port. Only the most specific one that covers a host is asked, whether or not it has a
 * route for the request (Listener isolation, prose of GatewaySpec.listeners).
 */
export function newPort(port: number, listeners: readonly CompiledListener[]): PortRouter {
  const sorted = listeners.toSorted((a, b) => compareSpecificity(a.config.hostname, b.config.hostname))
  const index = new HostIndex(sorted.map((listener) => [listener.config.hostname, listener]))
  return { port, listeners: sorted, listenerFor: (host) => index.first(host, (listener) => listener) }
}
