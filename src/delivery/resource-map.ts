/**
 * What was delivered last, resource by resource: listeners, routes, pools and certificates by name.
 *
 * A configuration travels as the resources that changed. Whoever receives it puts them beside those that he has, so
 * that whatever did not change is the same object as before; compiling a configuration relies on that. Delivery within
 * a process holds the same promise by the same map.
 */
import type { GatewayConfig } from '../config/config.ts'

export class ResourceMap {
  #values = new Map<string, object>()
  #configs = new Map<string, GatewayConfig>()

  /** The same configurations, in which everything that equals what was there before is that very object. Forgets what is no longer named. */
  adopt(configs: readonly GatewayConfig[]): readonly GatewayConfig[] {
    const before = this.#values
    const after = new Map<string, object>()
    const adoptAll = <T extends object>(items: readonly T[], nameOf: (item: T) => string): readonly T[] =>
      items.map((item) => {
        const name = nameOf(item)
        const known = before.get(name)
        // Whatever has this name was adopted from a resource of the same kind.
        const one = known !== undefined && equal(known, item) ? (known as T) : item
        after.set(name, one)
        return one
      })
    const adopted = configs.map((config) => {
      const { gateway } = config
      const next: GatewayConfig = {
        ...config,
        listeners: adoptAll(config.listeners, ({ key }) => `listener ${gateway} ${key}`),
        routes: adoptAll(config.routes, ({ key }) => `route ${gateway} ${key}`),
        pools: adoptAll(config.pools, ({ key }) => `pool ${gateway} ${key}`),
        certificates: adoptAll(config.certificates, ({ fingerprint }) => `certificate ${fingerprint}`),
      }
      const previous = this.#configs.get(gateway)
      return previous !== undefined && sameParts(previous, next) ? previous : next
    })
    this.#values = after
    this.#configs = new Map(adopted.map((config) => [config.gateway, config]))
    return adopted
  }
}

function sameParts(a: GatewayConfig, b: GatewayConfig): boolean {
  const same = (one: readonly object[], other: readonly object[]): boolean =>
    one.length === other.length && one.every((item, i) => item === other[i])
  return same(a.listeners, b.listeners) && same(a.routes, b.routes) && same(a.pools, b.pools) && same(a.certificates, b.certificates)
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
