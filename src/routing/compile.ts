/**
 * compile: from a configuration to a Router. Whole, every time; what did not change is taken from the previous Router
 * by identity, so that the work left for an unchanged host is to see that it is unchanged; and for an edited route
 * (recompile.ts) not even that.
 */
import type { GatewayConfig } from '../config/config.ts'
import type { ListenerConfig, ListenerKey } from '../config/listener.ts'
import type { Placement } from '../config/placement.ts'
import type { HttpRouteConfig } from '../config/route.ts'
import { compareSpecificity } from '../lib/hostname.ts'
import { changedSpan, sameItems } from '../lib/list-change.ts'
import type { FilterContext } from './filters.ts'
import { compileHostTable } from './host-table.ts'
import { newListener, newPort } from './listener.ts'
import { movedPorts, sameMoves } from './moved-ports.ts'
import type { CompiledListener, CompiledRule, PortRouter, Router } from './router.ts'
import { newRouter } from './new-router.ts'
import { recompile } from './recompile.ts'
import { compileRule } from './rule.ts'
import { attachedStreams, compileStreams, sameAttached } from './stream.ts'

/**
 * `previous`: the Router that this one replaces; unchanged host tables and rules, the counters and the balancer state
 * of every rule that keeps its key (and weights) are taken over. `placement`: where ports really listen, identity if absent.
 * `phase`: a number in [0, 1) for each rule with several backends: where its weighted choice begins.
 */
export function compile(config: GatewayConfig, previous?: Router, placement?: Placement, phase: () => number = () => 0): Router {
  return (previous && recompile(config, previous, placement, phase)) ?? compileAll(config, previous, placement, phase)
}

function compileAll(config: GatewayConfig, previous: Router | undefined, placement: Placement | undefined, phase: () => number): Router {
  const moved = movedPorts(config, placement)
  // Redirects know the moved ports: when these change nothing that was compiled with them is kept.
  const kept = previous !== undefined && sameMoves(previous.movedPorts, moved) ? previous : undefined
  const rulesOf = compileRules(config.routes, { moved, phase }, previous, kept)
  const attached = groupByHostname(config.routes)
  const keptListeners = listenersByKey(kept)
  const streams = compileStreams(config.streams, previous?.streams ?? [], phase)
  const streamsOf = attachedStreams(streams)

  function compileListener(listener: ListenerConfig): CompiledListener {
    const old = keptListeners.get(listener.key)
    const oldTables = new Map(old?.tables.map((table) => [table.hostname, table]))
    const tables = [...(attached.get(listener.key) ?? [])]
      .toSorted(([a], [b]) => compareSpecificity(a, b))
      .map(([hostname, attachedRoutes]) => {
        const table = oldTables.get(hostname)
        if (table !== undefined && sameItems(table.routes, attachedRoutes)) return table
        return compileHostTable(hostname, attachedRoutes, (route) => rulesOf.get(route) ?? [])
      })
    const attachedHere = streamsOf.get(listener.key) ?? []
    if (old?.config === listener && sameItems(old.tables, tables) && sameAttached(old.streams, attachedHere)) return old
    return newListener(listener, placement?.(config.gateway, listener.port).port ?? listener.port, tables, attachedHere)
  }

  function compilePorts(listeners: readonly ListenerConfig[]): ReadonlyMap<number, PortRouter> {
    const ports = new Map<number, PortRouter>()
    for (const { port } of listeners) {
      if (!ports.has(port)) ports.set(port, newPort(port, listeners.filter((listener) => listener.port === port).map(compileListener)))
    }
    return ports
  }

  return newRouter({
    config,
    ports: compilePorts(config.listeners.filter(({ protocol }) => protocol !== 'UDP')),
    datagramPorts: compilePorts(config.listeners.filter(({ protocol }) => protocol === 'UDP')),
    streams,
    compiled: [...rulesOf.values()],
    movedPorts: moved,
  })
}

/** In the order of the routes. */
function compileRules(
  configs: readonly HttpRouteConfig[],
  context: FilterContext,
  previous: Router | undefined,
  kept: Router | undefined,
): ReadonlyMap<HttpRouteConfig, readonly CompiledRule[]> {
  const known = new Map(kept?.config.routes.map((route, i) => [route, kept.compiled[i]]))
  const former = formerRules(configs, previous, kept !== undefined)
  return new Map(
    configs.map((route) => [
      route,
      known.get(route) ??
        route.rules.map((rule) => {
          const old = former.get(rule.key)
          return old !== undefined && kept !== undefined && old.config === rule ? old : compileRule(route, rule, context, old)
        }),
    ]),
  )
}

/** By key: the rules that are compiled anew, as they were before. @param onlyChanged routes that stayed are not asked for */
function formerRules(
  configs: readonly HttpRouteConfig[],
  previous: Router | undefined,
  onlyChanged: boolean,
): ReadonlyMap<string, CompiledRule> {
  if (previous === undefined) return new Map()
  const { begin, beforeEnd } = onlyChanged
    ? changedSpan(previous.config.routes, configs)
    : { begin: 0, beforeEnd: previous.compiled.length }
  const former = new Map<string, CompiledRule>()
  for (const rules of previous.compiled.slice(begin, beforeEnd)) for (const rule of rules) former.set(rule.config.key, rule)
  return former
}

/** Routes by listener and by their own hostname, in tie-break order. */
function groupByHostname(routes: readonly HttpRouteConfig[]): ReadonlyMap<ListenerKey, ReadonlyMap<string, readonly HttpRouteConfig[]>> {
  const byListener = new Map<ListenerKey, Map<string, HttpRouteConfig[]>>()
  for (const route of routes) {
    for (const { listener, hostnames } of route.attachments) {
      let byHostname = byListener.get(listener)
      if (byHostname === undefined) byListener.set(listener, (byHostname = new Map()))
      for (const hostname of hostnames) {
        const attached = byHostname.get(hostname)
        if (attached === undefined) byHostname.set(hostname, [route])
        else if (attached.at(-1) !== route) attached.push(route)
      }
    }
  }
  return byListener
}

function listenersByKey(router: Router | undefined): ReadonlyMap<ListenerKey, CompiledListener> {
  const listeners = new Map<ListenerKey, CompiledListener>()
  const ports = router === undefined ? [] : [...router.ports.values(), ...router.datagramPorts.values()]
  for (const port of ports) for (const listener of port.listeners) listeners.set(listener.config.key, listener)
  return listeners
}
