/**
 * The usual change to a configuration: routes came, went or were edited, and all others kept their order and their listeners. Then
 * the tables of the hostnames that these routes have are compiled anew, and nothing else, however many there are.
 */
import type { GatewayConfig } from '../config/config.ts'
import type { ListenerKey } from '../config/listener.ts'
import type { Placement } from '../config/placement.ts'
import type { HttpRouteConfig } from '../config/route.ts'
import { type Change, changeOf, sameItems } from '../lib/list-change.ts'
import type { FilterContext } from './filters.ts'
import { compileHostTable } from './host-table.ts'
import { newPort } from './listener.ts'
import { newRouter } from './new-router.ts'
import type { CompiledListener, CompiledRule, HostTable, PortRouter, Router } from './router.ts'
import { compileRule } from './rule.ts'

type RouteChange = Change<HttpRouteConfig>

/** Undefined when more has changed than that. */
export function recompile(
  config: GatewayConfig,
  previous: Router,
  placement: Placement | undefined,
  phase: () => number,
): Router | undefined {
  const { listeners, streams } = previous.config
  if (!sameItems(config.listeners, listeners) || !sameItems(config.streams, streams)) return undefined
  if (!samePlaces(config, previous, placement)) return undefined
  const change = changeOf(previous.config.routes, config.routes)
  if (!keepsOrder(change)) return undefined
  // Redirects know which hosts the moved ports serve.
  if (previous.movedPorts.length > 0 && !sameAttachmentsAll(change)) return undefined
  const compiled = compileChanged(change, previous, { moved: previous.movedPorts, phase })
  const tables = new Tables(config.routes, compiled, change)
  const ports = new Map<number, PortRouter>()
  for (const [number, port] of previous.ports) {
    const renewed = port.listeners.map((listener) => tables.renew(listener))
    ports.set(number, sameItems(renewed, port.listeners) ? port : newPort(number, renewed))
  }
  const { datagramPorts, movedPorts } = previous
  return newRouter({ config, ports, datagramPorts, streams: previous.streams, compiled, movedPorts })
}

/** Those that stayed did not change places among each other. */
function keepsOrder({ left, came, removed, added }: RouteChange): boolean {
  const [gone, fresh] = [new Set(removed), new Set(added)]
  const stayed = came.filter((route) => !fresh.has(route))
  return sameItems(
    left.filter((route) => !gone.has(route)),
    stayed,
  )
}

function sameAttachmentsAll({ removed, added }: RouteChange): boolean {
  return (
    removed.length === added.length &&
    removed.every((old, i) => {
      const one = added[i]
      return one !== undefined && one.key === old.key && sameAttachments(old, one)
    })
  )
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

/** The rules of all routes: those of what stayed are what they were. */
function compileChanged(
  { begin, beforeEnd, left, came }: RouteChange,
  { compiled }: Router,
  context: FilterContext,
): readonly (readonly CompiledRule[])[] {
  const former = compiled.slice(begin, beforeEnd)
  const stayed = new Map(left.map((route, i) => [route, former[i]]))
  const rules = new Map<string, CompiledRule>()
  for (const ofRoute of former) for (const rule of ofRoute) rules.set(rule.config.key, rule)
  const between = came.map(
    (route) =>
      stayed.get(route) ??
      route.rules.map((rule) => {
        const old = rules.get(rule.key)
        return old !== undefined && old.config === rule ? old : compileRule(route, rule, context, old)
      }),
  )
  return compiled.slice(0, begin).concat(between, compiled.slice(beforeEnd))
}

/** A look for its place in the list of all routes costs a walk: after so many, a map of all places is made. */
const FEW_LOOKS = 64

/** The tables of those hostnames that routes which came or went have. */
class Tables {
  readonly #routes: readonly HttpRouteConfig[]
  readonly #compiled: readonly (readonly CompiledRule[])[]
  readonly #removed: ReadonlySet<HttpRouteConfig>
  /** By listener and hostname: the routes that came, in their order. */
  readonly #touched = new Map<ListenerKey, Map<string, HttpRouteConfig[]>>()
  #looks = 0
  #places: ReadonlyMap<HttpRouteConfig, number> | undefined

  constructor(routes: readonly HttpRouteConfig[], compiled: readonly (readonly CompiledRule[])[], { removed, added }: RouteChange) {
    this.#routes = routes
    this.#compiled = compiled
    this.#removed = new Set(removed)
    for (const { attachments } of removed) {
      for (const { listener, hostnames } of attachments) for (const hostname of hostnames) this.#touch(listener, hostname)
    }
    for (const route of added) {
      for (const { listener, hostnames } of route.attachments) {
        for (const hostname of hostnames) {
          const came = this.#touch(listener, hostname)
          if (came.at(-1) !== route) came.push(route)
        }
      }
    }
  }

  renew(listener: CompiledListener): CompiledListener {
    const touched = this.#touched.get(listener.config.key)
    if (touched === undefined) return listener
    const edits = new Map<string, HostTable | undefined>()
    for (const [hostname, came] of touched) edits.set(hostname, this.#table(hostname, listener.tableOf(hostname)?.routes ?? [], came))
    return listener.withTables(edits)
  }

  #touch(listener: ListenerKey, hostname: string): HttpRouteConfig[] {
    let ofListener = this.#touched.get(listener)
    if (ofListener === undefined) this.#touched.set(listener, (ofListener = new Map<string, HttpRouteConfig[]>()))
    let came = ofListener.get(hostname)
    if (came === undefined) ofListener.set(hostname, (came = []))
    return came
  }

  #table(hostname: string, before: readonly HttpRouteConfig[], came: readonly HttpRouteConfig[]): HostTable | undefined {
    const stayed = before.filter((route) => !this.#removed.has(route))
    const routes = came.length === 0 ? stayed : this.#merged(stayed, came)
    return routes.length === 0 ? undefined : compileHostTable(hostname, routes, (route) => this.#compiled[this.#placeOf(route)] ?? [])
  }

  /** Both are in the order of all routes, and so is what comes of them. */
  #merged(stayed: readonly HttpRouteConfig[], came: readonly HttpRouteConfig[]): readonly HttpRouteConfig[] {
    if (stayed.length === 0) return came
    return [...stayed, ...came].sort((a, b) => this.#placeOf(a) - this.#placeOf(b))
  }

  #placeOf(route: HttpRouteConfig): number {
    this.#looks += 1
    if (this.#looks > FEW_LOOKS) this.#places ??= new Map(this.#routes.map((one, i) => [one, i]))
    return this.#places?.get(route) ?? this.#routes.indexOf(route)
  }
}
