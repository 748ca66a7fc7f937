import { describe, expect, it } from 'vitest'
import type { EndpointConfig, PoolConfig } from '../../../src/config/pool.ts'
import { defaultBounds } from '../../../src/config/bounds.ts'
import { createSocketBuffers } from '../../../src/proxy/byte-socket.ts'
import { Sweep } from '../../../src/proxy/sweep.ts'
import { PoolRegistry } from '../../../src/proxy/upstream/registry.ts'

function registry(): PoolRegistry {
  return new PoolRegistry({
    bounds: defaultBounds,
    sweep: new Sweep(() => 0),
    random: () => 0,
    buffers: createSocketBuffers(),
    connections: { open: 0, most: 100 },
  })
}

function pool(key: string, ...endpoints: readonly (number | EndpointConfig)[]): PoolConfig {
  return {
    key,
    backend: { kind: 'Service', namespace: 'test', name: key, port: 80 },
    protocol: 'http',
    endpoints: endpoints.map((endpoint) =>
      typeof endpoint === 'number' ? { address: '10.0.0.1', port: endpoint, state: 'ready' } : endpoint,
    ),
  }
}

describe('the registry of pools', () => {
  it('keeps pools by key, and endpoints by address, through updates', () => {
    const pools = registry()
    pools.update([pool('a', 1, 2), pool('b', 1)])
    const a = pools.get('a')
    const kept = [...(a?.endpoints ?? [])][1]
    kept?.failed('closed', 0)
    pools.update([pool('c', 1), pool('a', 3, 2)])
    expect(pools.get('a')).toBe(a)
    expect([...(a?.endpoints ?? [])].map(({ name }) => name)).toEqual(['10.0.0.1:3', '10.0.0.1:2'])
    expect([...(a?.endpoints ?? [])][1]).toBe(kept)
    expect(kept?.load(0)).toBeGreaterThan(0)
    expect(pools.get('b')).toBeUndefined()
    expect([...pools.all()]).toHaveLength(2)
  })

  it('uses serving endpoints only while none is ready', () => {
    const pools = registry()
    const serving = { address: '10.0.0.1', port: 9, state: 'serving' } as const
    pools.update([pool('a', 1, 2, serving)])
    expect(pools.get('a')?.size).toBe(2)
    pools.update([pool('a', serving)])
    expect(pools.get('a')?.size).toBe(1)
    pools.update([pool('a')])
    expect(pools.get('a')?.size).toBe(0)
  })

  it('retires endpoints that are gone, with their pool or alone', () => {
    const pools = registry()
    pools.update([pool('a', 1, 2)])
    const [one, two] = [...(pools.get('a')?.endpoints ?? [])]
    pools.update([pool('a', 2)])
    expect([one?.retired, two?.retired]).toEqual([true, false])
    pools.close()
    expect(two?.retired).toBe(true)
  })
})
