import { describe, expect, it } from 'vitest'
import type { GatewayConfig } from '../../../src/config/config.ts'
import { ResourceMap } from '../../../src/delivery/resource-map.ts'
import { gatewayConfig, httpListener, pool, routeTo } from '../../harness/data-plane.ts'

/** The same configuration in new objects, as a stream or a parser would give it. */
function copied(config: GatewayConfig): GatewayConfig {
  return structuredClone(config)
}

function sample(): GatewayConfig {
  const listeners = [httpListener(80), httpListener(81)]
  const pools = [pool('one', 3000), pool('two', 3001)]
  return gatewayConfig({ listeners, pools, routes: pools.map((target) => routeTo(target, listeners)) })
}

describe('the resource map', () => {
  it('gives the very objects of the last delivery back for what equals them', () => {
    const map = new ResourceMap()
    const [first] = map.adopt([sample()])
    const [second] = map.adopt([copied(sample())])
    expect(second).toBe(first)
  })

  it('changes only what changed', () => {
    const map = new ResourceMap()
    const [first] = map.adopt([sample()])
    const changed = copied(sample())
    const [second] = map.adopt([{ ...changed, pools: [changed.pools[0] ?? pool('none'), pool('two', 4000)] }])
    expect(second?.pools[0]).toBe(first?.pools[0])
    expect(second?.pools[1]).not.toBe(first?.pools[1])
    expect(second?.routes.map((route, i) => route === first?.routes[i])).toEqual([true, true])
    expect(second?.listeners[1]).toBe(first?.listeners[1])
  })

  it('takes a new order of the same resources as a change of the configuration alone', () => {
    const map = new ResourceMap()
    const [first] = map.adopt([sample()])
    const turned = copied(sample())
    const [second] = map.adopt([{ ...turned, routes: turned.routes.toReversed() }])
    expect(second).not.toBe(first)
    expect(second?.routes).toEqual(first?.routes.toReversed())
    expect(second?.routes[0]).toBe(first?.routes[1])
  })

  it('forgets what was gone for one delivery', () => {
    const map = new ResourceMap()
    const [first] = map.adopt([sample()])
    map.adopt([])
    const [third] = map.adopt([copied(sample())])
    expect(third).toEqual(first)
    expect(third?.routes[0]).not.toBe(first?.routes[0])
  })

  it('takes a property more, or one less, as a change', () => {
    const map = new ResourceMap()
    const config = sample()
    const [first] = map.adopt([config])
    const more = { ...httpListener(80), tls: { kind: 'passthrough' as const } }
    const [second] = map.adopt([{ ...copied(config), listeners: [more] }])
    expect(second?.listeners[0]).toBe(more)
    const [third] = map.adopt([copied(config)])
    expect(third?.listeners[0]).toEqual(first?.listeners[0])
  })
})
