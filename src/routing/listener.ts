/** Listeners of a port, and the host tables of a listener: both are asked from the most specific hostname on. */
import type { ListenerConfig } from '../config/listener.ts'
import { compareSpecificity } from '../lib/hostname.ts'
import type { Patches } from '../lib/patched-map.ts'
import { sortedPlace } from '../lib/sorted-place.ts'
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
  const index = HostIndex.of(tables.map((table) => [table.hostname, table] as const))
  const streamIndex = HostIndex.of(streams.map(({ hostname, stream }) => [hostname, stream] as const))
  return listenerWith({ config, placedPort, streams, streamFor: (name) => streamIndex.first(name, (stream) => stream) }, tables, index)
}

type Fixed = Pick<CompiledListener, 'config' | 'placedPort' | 'streams' | 'streamFor'>

function listenerWith(fixed: Fixed, tables: readonly HostTable[], index: HostIndex<HostTable>): CompiledListener {
  return {
    ...fixed,
    tables,
    tableOf: (hostname) => index.at(hostname),
    withTables: (edits) => listenerWith(fixed, editedTables(tables, index, edits), index.edited(edits)),
    decide(request) {
      const subject = new LazySubject(request)
      return index.first(request.host, (table) => table.lookUp(subject))
    },
  }
}

/** Up to so many tables find their places one by one; more are sorted with all others. */
const FEW = 32

function editedTables(tables: readonly HostTable[], index: HostIndex<HostTable>, edits: Patches<HostTable>): readonly HostTable[] {
  const edited = tables.slice()
  const made: HostTable[] = []
  const gone = new Set<HostTable>()
  for (const [hostname, table] of edits) {
    const old = index.at(hostname)
    if (old === undefined && table !== undefined) made.push(table)
    else if (old !== undefined && edits.size > FEW) {
      gone.add(old)
      if (table !== undefined) made.push(table)
    } else if (old !== undefined) edited.splice(edited.indexOf(old), 1, ...(table === undefined ? [] : [table]))
  }
  if (edits.size > FEW)
    return edited
      .filter((table) => !gone.has(table))
      .concat(made)
      .sort(bySpecificity)
  // Behind all that are as specific.
  for (const table of made)
    edited.splice(
      sortedPlace(edited, (other) => bySpecificity(other, table) <= 0),
      0,
      table,
    )
  return edited
}

function bySpecificity(a: HostTable, b: HostTable): number {
  return compareSpecificity(a.hostname, b.hostname)
}

/**
 * The listeners that serve one port. Only the most specific one that covers a host is asked, whether or not it has a
 * route for the request (Listener isolation, prose of GatewaySpec.listeners).
 */
export function newPort(port: number, listeners: readonly CompiledListener[]): PortRouter {
  const sorted = listeners.toSorted((a, b) => compareSpecificity(a.config.hostname, b.config.hostname))
  const index = HostIndex.of(sorted.map((listener) => [listener.config.hostname, listener] as const))
  return { port, listeners: sorted, listenerFor: (host) => index.first(host, (listener) => listener) }
}
