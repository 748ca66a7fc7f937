/**
 * Where each port of each Gateway really listens on this machine.
 *
 * A port below 1024 that cannot be bound is moved (80 to 8080, 443 to 8443, any other by 8000, then the next free one). Gateways that want
 * the same port get loopback addresses of their own; where the system has only one, the next free port. A place is kept as long as its
 * Gateway has the port, whatever comes and goes around it.
 *
 * Planning is a generator: it yields the sockets that it would like to know about and is told what became of a trial, so that it needs no I/O itself.
 */
import type { GatewayConfig } from '../config/config.ts'
import type { Placement } from '../config/placement.ts'
import { type Transport, transportOf } from '../lib/transport.ts'

/** free: could be bound. taken: somebody listens. denied: not without privileges. no-address: the system has not this address. */
export type BindTrial = 'free' | 'taken' | 'denied' | 'no-address'

export interface Place {
  readonly address: string
  readonly port: number
  /** Why it is not the specification's port: a `--port`, no privilege, in use by another program, wanted by another Gateway. */
  readonly moved?: 'asked' | 'denied' | 'taken' | 'shared'
}

/** By `namespace/name` of the Gateway, then by the specification's port. */
export type Places = ReadonlyMap<string, ReadonlyMap<number, Place>>

export interface PlacementOptions {
  /** Tried in order for Gateways that collide: `loopbackAddresses`, or the one that the user named. */
  readonly addresses: readonly string[]
  /** The specification's port -> the port to use (`--port 80=9080`). */
  readonly overrides: ReadonlyMap<number, number>
}

/** All of the transports must be free. */
export interface Trial {
  readonly address: string
  readonly port: number
  readonly transports: ReadonlySet<Transport>
}

export type Planning = Generator<Trial, Places, BindTrial>

export const loopbackAddresses: readonly string[] = Array.from({ length: 254 }, (_, index) => `127.0.0.${index + 1}`)

/** Plans for all ports that `configs` name. `previous` holds the places of the pass before; those still named stay. */
export function* planPlaces(configs: readonly GatewayConfig[], options: PlacementOptions, previous: Places): Planning {
  const places = new Map<string, Map<number, Place>>()
  const taken = new Set<string>()
  for (const { gateway, listeners } of configs) {
    const kept = new Map<number, Place>()
    places.set(gateway, kept)
    for (const { port } of listeners) {
      const place = previous.get(gateway)?.get(port)
      if (place === undefined) continue
      kept.set(port, place)
      taken.add(keyOf(place.address, place.port))
    }
  }
  for (const { gateway, listeners } of configs) {
    const kept = places.get(gateway) ?? new Map<number, Place>()
    const ports = [...new Set(listeners.map((listener) => listener.port))].filter((port) => !kept.has(port))
    if (ports.length === 0) continue
    // What need not move comes first, so that a moved port does not sit where another port of the Gateway belongs.
    ports.sort((a, b) => Number(a < 1024) - Number(b < 1024) || a - b)
    const transportsOf = (port: number): ReadonlySet<Transport> =>
      new Set(listeners.filter((listener) => listener.port === port).map(({ protocol }) => transportOf(protocol)))
    const added = yield* placeTogether(ports, [...kept.values()], { ...options, transportsOf }, taken)
    for (const [port, place] of added) {
      kept.set(port, place)
      taken.add(keyOf(place.address, place.port))
    }
  }
  return places
}

/** The placement that proxies are given. A port that no plan knew of is served as it is. */
export function placementOf(places: Places, fallbackAddress: string): Placement {
  return (gateway, port) => places.get(gateway)?.get(port) ?? { address: fallbackAddress, port }
}

/** Without the places that somebody else took between trial and binding, as far as they are new and may move; the same when there are none. */
export function withoutLost(places: Places, before: Places, isClosed: (gateway: string, port: number) => boolean): Places {
  let lost = 0
  const kept = new Map<string, ReadonlyMap<number, Place>>()
  for (const [gateway, own] of places) {
    const open = [...own].filter(
      ([port, place]) => !isMovable(port, place) || before.get(gateway)?.has(port) === true || !isClosed(gateway, port),
    )
    lost += own.size - open.length
    kept.set(gateway, open.length === own.size ? own : new Map(open))
  }
  return lost === 0 ? places : kept
}

/** A port that was asked for, or that needs no privilege, is not moved: the user shall learn that it is in use. */
function isMovable(port: number, { moved }: Place): boolean {
  return moved === 'shared' || (port < 1024 && moved !== 'asked')
}

type Step<T> = Generator<Trial, T, BindTrial>

/** What one Gateway asks for. */
interface Wishes extends PlacementOptions {
  readonly transportsOf: (port: number) => ReadonlySet<Transport>
}

/** All ports of a Gateway on one address, its own before others; ports that collide everywhere are moved on the first address. */
function* placeTogether(
  ports: readonly number[],
  own: readonly Place[],
  options: Wishes,
  taken: ReadonlySet<string>,
): Step<ReadonlyMap<number, Place>> {
  const addresses = new Set([...own.map((place) => place.address), ...options.addresses])
  for (const address of addresses) {
    const places = yield* placeOn(address, ports, options, taken)
    if (places === 'no-address') break
    if (places !== 'collision') return places
  }
  const [first = '127.0.0.1'] = addresses
  const places = new Map<number, Place>()
  const used = new Set(taken)
  for (const port of ports) {
    const place = yield* placePort(first, port, options, used, used)
    const kept =
      typeof place === 'string' ? yield* moveOn(first, options.overrides.get(port) ?? port, options.transportsOf(port), used) : place
    places.set(port, kept)
    used.add(keyOf(first, kept.port))
  }
  return places
}

function* placeOn(
  address: string,
  ports: readonly number[],
  options: Wishes,
  taken: ReadonlySet<string>,
): Step<ReadonlyMap<number, Place> | 'collision' | 'no-address'> {
  const places = new Map<number, Place>()
  const used = new Set(taken)
  for (const port of ports) {
    const place = yield* placePort(address, port, options, taken, used)
    if (typeof place === 'string') return place
    places.set(port, place)
    used.add(keyOf(address, place.port))
  }
  return places
}

/** `taken` are the sockets of other Gateways, `used` has this Gateway's too: those are no reason to look for another address. */
function* placePort(
  address: string,
  port: number,
  options: Wishes,
  taken: ReadonlySet<string>,
  used: ReadonlySet<string>,
): Step<Place | 'collision' | 'no-address'> {
  const asked = options.overrides.get(port)
  const wanted = asked ?? port
  if (taken.has(keyOf(address, wanted))) return 'collision'
  if (used.has(keyOf(address, wanted))) return yield* moveOn(address, wanted, options.transportsOf(port), used)
  const transports = options.transportsOf(port)
  const trial = yield { address, port: wanted, transports }
  if (trial === 'no-address' && address !== options.addresses[0]) return 'no-address'
  // As in isMovable.
  if (asked !== undefined) return { address, port: asked, moved: 'asked' }
  if (trial === 'free' || trial === 'no-address' || port >= 1024) return { address, port }
  if (taken.has(keyOf(address, movedPort(port)))) return 'collision'
  return { address, port: yield* nextFree(address, movedPort(port), transports, used), moved: trial }
}

function* moveOn(address: string, wanted: number, transports: ReadonlySet<Transport>, used: ReadonlySet<string>): Step<Place> {
  const from = wanted < 1024 ? movedPort(wanted) : wanted
  return { address, port: yield* nextFree(address, from, transports, used), moved: 'shared' }
}

function movedPort(port: number): number {
  return port === 443 ? 8443 : 8000 + port
}

function* nextFree(address: string, from: number, transports: ReadonlySet<Transport>, used: ReadonlySet<string>): Step<number> {
  for (let port = from; port <= 65_535; port += 1) {
    if (used.has(keyOf(address, port))) continue
    const trial = yield { address, port, transports }
    if (trial === 'free') return port
    if (trial === 'no-address') return from
  }
  return from
}

function keyOf(address: string, port: number): string {
  return `${address} ${port}`
}
