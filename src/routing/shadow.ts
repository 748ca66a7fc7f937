/**
 * shadowed: matches that can never win, because of others that come first and take every request they could take.
 *
 * Only what one match alone covers is claimed (two that cover it together are not looked for), so that every finding is
 * true: the same or a wider set of hosts on each listener, a path that covers the other's, and nothing asked for beyond
 * what the other asks for as well.
 */
import type { GatewayConfig } from '../config/config.ts'
import type { ListenerKey } from '../config/listener.ts'
import { compareSpecificity, intersection } from '../lib/hostname.ts'
import { sameItems } from '../lib/list-change.ts'
import { compile } from './compile.ts'
import { describeMatch } from './describe.ts'
import { isPathPrefix, pathSatisfied, type PathPredicate, valueSatisfied, type ValuePredicate } from './predicate.ts'
import type { CompiledListener, CompiledMatch, HostTable, PortRouter, Router } from './router.ts'

export interface Shadowed extends MatchName {
  /** What stands before it; one entry for each different one on its listeners and hostnames. */
  readonly by: readonly Shadow[]
  readonly text: string
}

export interface MatchName {
  readonly route: string
  /** The rule's key. */
  readonly rule: string
  /** Index in the rule's matches. */
  readonly match: number
}

export type Shadow =
  | ({ readonly kind: 'match' } & MatchName)
  /** Every host of the route is served by this more specific listener of the port. */
  | { readonly kind: 'listener'; readonly listener: ListenerKey }
  /** No request can satisfy it. */
  | { readonly kind: 'itself'; readonly problem: string }

/** What was found in a table, and what that depended on beside it. Handed from one call to the next, so that a table is judged once. */
export type TableShadows = WeakMap<HostTable, { readonly by: Surroundings; readonly found: readonly TableShadow[] }>

type TableShadow = readonly [CompiledMatch, Shadow | undefined]

interface Surroundings {
  /** A listener that stands before all of the table. */
  readonly isolation: Shadow | undefined
  readonly earlier: readonly HostTable[]
}

/** In the order of the configuration's routes. `router`: the compiled configuration, where there is one already. */
export function shadowed(
  config: GatewayConfig,
  router: Router = compile(config),
  known: TableShadows = new WeakMap(),
): readonly Shadowed[] {
  const tables: (readonly TableShadow[])[] = []
  for (const port of router.ports.values()) {
    for (const listener of port.listeners) {
      for (const table of listener.tables) tables.push(shadowsOf(port, listener, table, known))
    }
  }
  // The usual case, for which nothing else needs a look.
  return tables.every(isClean) ? [] : shadowedIn(router, tables)
}

function isClean(found: readonly TableShadow[]): boolean {
  return found.every(([, shadow]) => shadow === undefined)
}

function shadowedIn(router: Router, tables: readonly (readonly TableShadow[])[]): readonly Shadowed[] {
  const shadows = new Map<CompiledMatch, readonly Shadow[] | 'reachable'>()
  for (const found of tables) {
    for (const [match, shadow] of found) {
      const before = shadows.get(match) ?? []
      shadows.set(match, shadow === undefined || before === 'reachable' ? 'reachable' : [...before, shadow])
    }
  }
  return router.compiled.flatMap((rules) =>
    rules.flatMap((rule) =>
      rule.matches.flatMap((match) => {
        const by = shadows.get(match)
        return by === undefined || by === 'reachable' ? [] : [describe(match, by)]
      }),
    ),
  )
}

function shadowsOf(port: PortRouter, listener: CompiledListener, table: HostTable, known: TableShadows): readonly TableShadow[] {
  const by = { isolation: isolatingListener(port, listener, table), earlier: earlierTables(listener, table) }
  const before = known.get(table)
  if (before !== undefined && sameSurroundings(before.by, by)) return before.found
  const found = [...shadowsIn(table, by)]
  known.set(table, { by, found })
  return found
}

function sameSurroundings(a: Surroundings, b: Surroundings): boolean {
  const isSame = a.isolation === b.isolation || (a.isolation && b.isolation && shadowText(a.isolation) === shadowText(b.isolation))
  return isSame === true && sameItems(a.earlier, b.earlier)
}

/** What stands before each match of one table; undefined for a match that can win there. Places that say nothing new are left out. */
function* shadowsIn(table: HostTable, { isolation, earlier: tables }: Surroundings): Generator<TableShadow> {
  const earlier = tables.flatMap((other) => other.ranked.map(({ match }) => match))
  const before = new MatchesByPath()
  for (const { match } of table.ranked) {
    const whole = isolation ?? unsatisfiable(match)
    if (whole === undefined) {
      const cover = earlier.find((other) => coversMatch(other, match)) ?? before.likely(match).find((other) => coversMatch(other, match))
      // Covered by its own rule, under another of the route's hostnames or by a wider match: the rule is no worse off for it.
      if (cover?.rule !== match.rule) yield [match, cover && { kind: 'match', ...nameOf(cover) }]
    } else yield [match, whole]
    before.add(match)
  }
}

/** The listener that serves every host which listener and table have in common, because it is more specific. */
function isolatingListener(port: PortRouter, listener: CompiledListener, table: HostTable): Shadow | undefined {
  if (port.listeners.length === 1) return undefined
  const hosts = intersection(listener.config.hostname, table.hostname)
  const other = port.listeners.find(
    ({ config }) =>
      compareSpecificity(config.hostname, listener.config.hostname) < 0 &&
      hosts !== undefined &&
      intersection(config.hostname, hosts) === hosts,
  )
  return other && { kind: 'listener', listener: other.config.key }
}

/**
 * More specific hostnames that cover no fewer of the listener's hosts. There are some only where the listener's hostname
 * narrows both: on a listener for `a.example.com`, `*.example.com` stands before `*.com` for the same single host.
 */
function earlierTables(listener: CompiledListener, table: HostTable): readonly HostTable[] {
  const { hostname } = listener.config
  if (intersection(hostname, table.hostname) !== hostname) return []
  return listener.tables.slice(0, listener.tables.indexOf(table)).filter((other) => intersection(hostname, other.hostname) === hostname)
}

/** Matches of a table so far, by what could cover a later one: the same path, or a regular expression. */
class MatchesByPath {
  readonly #same = new Map<string, CompiledMatch[]>()
  readonly #regexes: CompiledMatch[] = []

  likely(match: CompiledMatch): readonly CompiledMatch[] {
    const same = this.#same.get(pathKey(match.path)) ?? []
    return match.path.kind === 'exact' ? same : [...this.#regexes, ...same]
  }

  add(match: CompiledMatch): void {
    const key = pathKey(match.path)
    const same = this.#same.get(key)
    if (match.path.kind === 'regex') this.#regexes.push(match)
    else if (same === undefined) this.#same.set(key, [match])
    else same.push(match)
  }
}

function pathKey(path: PathPredicate): string {
  return path.kind === 'never' ? path.kind : `${path.kind} ${path.value}`
}

function unsatisfiable({ path, headers, query }: CompiledMatch): Shadow | undefined {
  for (const predicate of [path, ...headers, ...query]) {
    if (predicate.kind === 'never') return { kind: 'itself', problem: predicate.problem }
  }
  return undefined
}

/** True when every request that satisfies `narrow` satisfies `wide`. */
function coversMatch(wide: CompiledMatch, narrow: CompiledMatch): boolean {
  return (
    (wide.config.grpc === undefined || narrow.config.grpc !== undefined) &&
    coversPath(wide.path, narrow.path) &&
    (wide.method === undefined || wide.method === narrow.method) &&
    wide.headers.every((header) => narrow.headers.some((other) => coversValue(header, other))) &&
    wide.query.every((parameter) => narrow.query.some((other) => coversValue(parameter, other)))
  )
}

function coversPath(wide: PathPredicate, narrow: PathPredicate): boolean {
  if (wide.kind === 'never' || narrow.kind === 'never') return false
  switch (narrow.kind) {
    case 'exact':
      return pathSatisfied(wide, narrow.value)
    case 'prefix':
      if (wide.kind === 'regex') return wide.value === '.*' || (wide.value === '/.*' && narrow.value !== '')
      return wide.kind === 'prefix' && isPathPrefix(wide.value, narrow.value)
    case 'regex':
      if (wide.kind === 'regex') return wide.value === '.*' || wide.value === narrow.value
      return wide.kind === 'prefix' && wide.value === ''
  }
}

function coversValue(wide: ValuePredicate, narrow: ValuePredicate): boolean {
  if (wide.kind === 'never' || narrow.kind === 'never' || wide.name !== narrow.name) return false
  return narrow.kind === 'exact' ? valueSatisfied(wide, narrow.value) : wide.kind === 'regex' && wide.value === narrow.value
}

function nameOf(match: CompiledMatch): MatchName {
  const { rule } = match
  return { route: rule.route, rule: rule.config.key, match: rule.matches.indexOf(match) }
}

function describe(match: CompiledMatch, shadows: readonly Shadow[]): Shadowed {
  const by = shadows.filter((shadow, i) => shadows.findIndex((other) => shadowText(other) === shadowText(shadow)) === i)
  const name = nameOf(match)
  return { ...name, by, text: `${name.rule} (${describeMatch(match.config)}) never gets a request: ${by.map(shadowText).join(', and ')}` }
}

function shadowText(shadow: Shadow): string {
  switch (shadow.kind) {
    case 'match':
      return `match ${shadow.match + 1} of ${shadow.rule} comes first and takes everything that it could take`
    case 'listener':
      return `the more specific listener ${shadow.listener} serves all of its hosts`
    case 'itself':
      return shadow.problem
  }
}
