/**
 * Configurations on their way to a worker: what changed since the last one, resource by resource, as between controller
 * and proxy. What did not change is the same object in the worker, before and after: compiling relies on that.
 */
import type { GatewayConfig } from '../config/config.ts'
import type { Placement } from '../config/placement.ts'
import { deltaOf, emptyResources, type GatewayResources, withDelta } from '../delivery/gateway-resources.ts'
import type { ConfigMessage, Place } from './messages.ts'

/** What a worker has, by Gateway and in order. */
export type Delivered = ReadonlyMap<string, GatewayResources>

/** @param before what the worker has now @param number tells its answer from others */
export function configMessage(before: Delivered, after: Delivered, placement: Placement, number: number): ConfigMessage {
  return {
    kind: 'config',
    number,
    gateways: [...after].map(([gateway, resources]) => {
      const known = before.get(gateway)
      if (known?.config === resources.config) return { gateway }
      return { gateway, delta: deltaOf(known ?? emptyResources(gateway), resources) }
    }),
    places: [...after.values()].flatMap(({ config }) => placesOf(config, placement)),
  }
}

/** What the worker has after the message. Throws when it is no message to what it has. */
export function withMessage(before: Delivered, { gateways }: ConfigMessage): Delivered {
  return new Map(
    gateways.map(({ gateway, delta }) => {
      const known = before.get(gateway) ?? emptyResources(gateway)
      return [gateway, delta === undefined ? known : withDelta(known, delta)]
    }),
  )
}

export function placementFrom(places: readonly Place[]): Placement {
  const byPort = new Map(places.map(([gateway, port, address, listenPort]) => [`${gateway} ${port}`, { address, port: listenPort }]))
  return (gateway, port) => {
    const place = byPort.get(`${gateway} ${port}`)
    if (place === undefined) throw new Error(`Cannot place port ${port} of ${gateway}: a listener must have it, got none`)
    return place
  }
}

function placesOf({ gateway, listeners }: GatewayConfig, placement: Placement): Place[] {
  return [...new Set(listeners.map(({ port }) => port))].map((port) => {
    const place = placement(gateway, port)
    return [gateway, port, place.address, place.port]
  })
}
