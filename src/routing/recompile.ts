/**
 * The usual change to a configuration: routes were edited and kept their place, their listeners and their hostnames.
 * Then the tables of those hostnames are compiled anew, and nothing else is looked at, however many there are.
 */
import type { GatewayConfig } from '../config/config.ts'
import type { ListenerKey } from '../config/listener.ts'
import type { Placement } from '../config/placement.ts'
import type { HttpRouteConfig } from '../config/route.ts'
import { changedSpan, sameItems } from '../lib/list-change.ts'
import type { FilterContext } from './filters.ts'
import { compileHostTable } from './host-table.ts'
import { newListener, newPort } from './listener.ts'
import { newRouter } from './new-router.ts'
import type { CompiledListener, CompiledRule, HostTable, PortRouter, Router } from './router.ts'
import { compileRule } from './rule.ts'

interface Edit {
  readonly place: number
  readonly before: HttpRouteConfig
  readonly after: HttpRouteConfig
}

/** Undefined when more has changed than that. */
export function recompile(
  config: GatewayConfig,
  previous: Router,
  placement: Placement | undefined,
  phase: () => number,
): Router | undefined {
  const { listeners, streams } = previous.config
  if (!sameItems(config.listeners, listeners) || !sameItems(config.streams, streams) || !samePlaces(config, previous, placement))
    return undefined
  const edits = editsOf(previous.config.routes, config.routes)
  if (edits === undefined) return undefined
  const compiled = [...previous.compiled]
  const context = { moved: previous.movedPorts, phase }
  for (const { place, after } of edits) compiled[place] = rulesOf(after, previous.compiled[place] ?? [], context)
  const touched = new Map<ListenerKey, Set<string>>()
  for (const { after } of edits) {
    for (const { listener, hostnames } of after.attachments) {
      const known = touched.get(listener) ?? new Set()
      for (const hostname of hostnames) known.add(hostname)
      touched.set(listener, known)
    }
  }
  const renew = tableRenewer(config, edits, compiled)
  const ports = new Map<number, PortRouter>()
  for (const [number, port] of previous.ports) {
    const listeners = port.listeners.map((listener) => withHosts(listener, touched.get(listener.config.key), renew))
    ports.set(number, sameItems(listeners, port.listeners) ? port : newPort(number, listeners))
  }
  const { datagramPorts, movedPorts } = previous
  return newRouter({ config, ports, datagramPorts, streams: previous.streams, compiled, movedPorts })
}

/** Undefined when routes came, went or changed places, or are attached otherwise. */
function editsOf(before: readonly HttpRouteConfig[], after: readonly HttpRouteConfig[]): readonly Edit[] | undefined {
  if (before.length !== after.length) return undefined
  const edits: Edit[] = []
  const { begin, afterEnd } = changedSpan(before, after)
  for (let place = begin; place < afterEnd; place++) {
    const [old, one] = [before[place], after[place]]
    if (old === one) continue
    if (old === undefined || one === undefined || old.key !== one.key || !sameAttachments(old, one)) return undefined
    edits.push({ place, before: old, after: one })
  }
  return edits
}

function sameAttachments(a: HttpRouteConfig, b: HttpRouteConfig): boolean {
  return (
    a.attachments === b.attachments ||
    (a.attachments.length === b.attachments.length &&
      a.attachments.every(({ listener, hostnames }, i) => {
        const other = b.attachments[i]
        return other !== undefined && other.listener === listener && sameItems(other.hostnames, hostnames)
      }))
  )
}

/** Whether every port listens where it did: redirects and listeners are compiled with that. */
function samePlaces(config: GatewayConfig, { ports, datagramPorts, movedPorts }: Router, placement: Placement | undefined): boolean {
  const placeOf = (port: number): number => placement?.(config.gateway, port).port ?? port
  const listeners = [...ports.values(), ...datagramPorts.values()].flatMap((port) => port.listeners)
  return (
    listeners.every(({ config: { port }, placedPort }) => placeOf(port) === placedPort) &&
    config.listeners.every(({ port }) => placeOf(port) === (movedPorts.find((moved) => moved.port === port)?.placed ?? port))
  )
}

function rulesOf(route: HttpRouteConfig, before: readonly CompiledRule[], context: FilterContext): readonly CompiledRule[] {
  return route.rules.map((rule) => {
    const old = before.find(({ config }) => config.key === rule.key)
    return old !== undefined && old.config === rule ? old : compileRule(route, rule, context, old)
  })
}

function withHosts(
  listener: CompiledListener,
  hostnames: ReadonlySet<string> | undefined,
  renew: (table: HostTable) => HostTable,
): CompiledListener {
  if (hostnames === undefined) return listener
  const tables = listener.tables.map((table) => (hostnames.has(table.hostname) ? renew(table) : table))
  return newListener(listener.config, listener.placedPort, tables, listener.streams)
}

function tableRenewer(
  config: GatewayConfig,
  edits: readonly Edit[],
  compiled: readonly (readonly CompiledRule[])[],
): (table: HostTable) => HostTable {
  const successors = new Map(edits.map(({ before, after }) => [before, after]))
  const edited = new Map(edits.map(({ place, after }) => [after, compiled[place]]))
  // Only for a hostname that unchanged routes have too.
  let all: ReadonlyMap<HttpRouteConfig, readonly CompiledRule[] | undefined> | undefined
  const rules = (route: HttpRouteConfig): readonly CompiledRule[] => {
    const found = edited.get(route)
    if (found !== undefined) return found
    all ??= new Map(config.routes.map((one, i) => [one, compiled[i]]))
    return all.get(route) ?? []
  }
  return ({ hostname, routes }) =>
    compileHostTable(
      hostname,
      routes.map((route) => successors.get(route) ?? route),
      rules,
    )
}
