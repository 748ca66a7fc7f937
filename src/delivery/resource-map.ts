/**
 * What was delivered last, resource by resource: listeners, routes, pools and certificates by name.
 *
 * A configuration travels as the resources that changed. Whoever receives it puts them beside those that he has, so
 * that whatever did not change is the same object as before; compiling a configuration relies on that. Delivery within
 * a process holds the same promise by the same map.
 */
import type { GatewayConfig } from '../config/config.ts'
import { changedSpan, sameItems } from '../lib/list-change.ts'
import { streamName } from './gateway-resources.ts'

export class ResourceMap {
  /** By Gateway and part. */
  #lists = new Map<string, Adopted>()
  #configs = new Map<string, GatewayConfig>()

  /** The same configurations, in which everything that equals what was there before is that very object. Forgets what is no longer named. */
  adopt(configs: readonly GatewayConfig[]): readonly GatewayConfig[] {
    const before = this.#lists
    const after = new Map<string, Adopted>()
    const adoptAll = <T extends object>(list: string, items: readonly T[], nameOf: (item: T) => string): readonly T[] => {
      // Whatever stands under this name was adopted from resources of the same kind.
      const adopted = adoptList(items, before.get(list) as Adopted<T> | undefined, nameOf)
      after.set(list, adopted)
      return adopted.items
    }
    const adopted = configs.map((config) => {
      const { gateway } = config
      const next: GatewayConfig = {
        ...config,
        listeners: adoptAll(`listeners ${gateway}`, config.listeners, ({ key }) => key),
        routes: adoptAll(`routes ${gateway}`, config.routes, ({ key }) => key),
        streams: adoptAll(`streams ${gateway}`, config.streams, streamName),
        pools: adoptAll(`pools ${gateway}`, config.pools, ({ key }) => key),
        certificates: adoptAll(`certificates ${gateway}`, config.certificates, ({ fingerprint }) => fingerprint),
      }
      const previous = this.#configs.get(gateway)
      return previous !== undefined && sameParts(previous, next) ? previous : next
    })
    this.#lists = after
    this.#configs = new Map(adopted.map((config) => [config.gateway, config]))
    return adopted
  }
}

interface Adopted<T = object> {
  /** As it was delivered. */
  readonly source: readonly T[]
  /** What it became, element by element. */
  readonly items: readonly T[]
}

/** Between what both lists begin and end with, most stand where their names stood: only for others a map by name is made. */
function adoptList<T extends object>(source: readonly T[], before: Adopted<T> | undefined, nameOf: (item: T) => string): Adopted<T> {
  if (before === undefined) return { source, items: source }
  if (before.source === source) return before
  const { begin, beforeEnd, afterEnd } = changedSpan(before.source, source)
  let byName: Map<string, T> | undefined
  const named = (name: string, place: number): T | undefined => {
    const there = before.items[place]
    if (there !== undefined && nameOf(there) === name) return there
    byName ??= new Map(before.items.slice(begin, beforeEnd).map((item) => [nameOf(item), item]))
    return byName.get(name)
  }
  const between = source.slice(begin, afterEnd).map((item, i) => {
    const known = named(nameOf(item), begin + i)
    return known !== undefined && equal(known, item) ? known : item
  })
  const items = before.items.slice(0, begin).concat(between, before.items.slice(beforeEnd))
  return { source, items: sameItems(items, before.items) ? before.items : items }
}

function sameParts(a: GatewayConfig, b: GatewayConfig): boolean {
  return (
    sameItems(a.listeners, b.listeners) &&
    sameItems(a.routes, b.routes) &&
    sameItems(a.streams, b.streams) &&
    sameItems(a.pools, b.pools) &&
    sameItems(a.certificates, b.certificates)
  )
}

/** Deep equality of plain JSON; objects that are identical are not walked. */
function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false
  const names = Object.keys(a)
  const others = b as Record<string, unknown>
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && equal((a as Record<string, unknown>)[name], others[name]))
  )
}
