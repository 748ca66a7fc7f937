import { describe, expect, it } from 'vitest'
import { defaultBounds } from '../../../src/config/bounds.ts'
import { createSocketBuffers } from '../../../src/proxy/byte-socket.ts'
import { Sweep } from '../../../src/proxy/sweep.ts'
import { poolState } from '../../../src/proxy/upstream/pool-state.ts'
import { PoolRegistry } from '../../../src/proxy/upstream/registry.ts'
import { poolConfig } from '../../harness/gateway-config.ts'

describe('the state of a pool', () => {
  it('says which endpoints get requests, and of each other one why not', () => {
    const pools = new PoolRegistry({
      bounds: { ...defaultBounds, panicPercent: 0 },
      sweep: new Sweep(() => 0),
      random: () => 0.5,
      buffers: createSocketBuffers(),
      connections: { open: 0, most: 100 },
      zone: 'a',
    })
    const hints = { state: 'ready', address: '10.0.0.1', zone: 'a', forZones: ['a'] } as const
    const far = { ...hints, forZones: ['b'] }
    pools.update([
      poolConfig('web', [
        { ...hints, port: 1 },
        { ...hints, port: 2 },
        { ...hints, port: 3 },
        { ...far, port: 4 },
      ]),
    ])
    const pool = pools.get('web')
    if (pool === undefined) throw new Error('the pool must be there')
    const [, second, third] = pool.endpoints
    second?.failed('connect-refused', 0)
    third?.failed('connect-timeout', 0)
    third?.probed(true, 500)
    const common = { activeRequests: 0, connections: 0, zone: 'a', forZones: ['a'], state: 'ready' }
    const until = new Date(performance.timeOrigin + 1_000).toISOString()
    expect(poolState(pool, 400)).toEqual({
      pool: 'web',
      protocol: 'http',
      panic: false,
      endpoints: [
        { ...common, endpoint: '10.0.0.1:1', takesRequests: true, health: 'available' },
        { ...common, endpoint: '10.0.0.1:2', takesRequests: false, health: 'ejected', reason: 'connect-refused', until, left: 600 },
        { ...common, endpoint: '10.0.0.1:3', takesRequests: false, health: 'trial', reason: 'connect-timeout' },
        { ...common, endpoint: '10.0.0.1:4', takesRequests: false, health: 'available', forZones: ['b'] },
      ],
    })
    // Its time has come, and its connection is on the way.
    expect(poolState(pool, 2_000).endpoints[1]?.left).toBe(0)
    pools.close()
  })
})
