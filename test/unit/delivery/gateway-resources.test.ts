import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PoolConfig } from '../../../src/config/pool.ts'
import { deltaOf, emptyResources, type GatewayResources, withDelta } from '../../../src/delivery/gateway-resources.ts'
import { Secret } from '../../../src/lib/secret.ts'

const pools = new Map<string, PoolConfig>()

/** The same object for the same name and content, as translate keeps them. */
function pool(name: string, content: number): PoolConfig {
  const id = `${name} ${content}`
  const backend = { kind: 'Service', namespace: 'default', name, port: 80 }
  const known: PoolConfig = pools.get(id) ?? {
    key: name,
    backend,
    protocol: 'http',
    endpoints: [{ address: '10.0.0.1', port: content, state: 'ready' }],
  }
  pools.set(id, known)
  return known
}

const entries = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.integer({ min: 1, max: 3 })), {
  selector: ([name]) => name,
})

function resources(list: readonly (readonly [string, number])[]): GatewayResources {
  const { config } = emptyResources('default/test')
  const certificates = list.map(([name, content]) => ({ fingerprint: `${name}${content}`, chain: `chain ${name}`, names: [name] }))
  return {
    config: { ...config, pools: list.map(([name, content]) => pool(name, content)), certificates },
    keys: new Map(certificates.map(({ fingerprint }) => [fingerprint, new Secret(`key of ${fingerprint}`)])),
  }
}

const revealed = ({ keys }: GatewayResources): object => Object.fromEntries([...keys].map(([name, key]) => [name, key.reveal()]))

describe('the change from one configuration to the next', () => {
  it('makes the next one of the one before, through JSON, and leaves what is unchanged the same object', () => {
    fc.assert(
      fc.property(entries, entries, (one, other) => {
        const [before, after] = [resources(one), resources(other)]
        const delta = JSON.parse(JSON.stringify(deltaOf(before, after))) as ReturnType<typeof deltaOf>
        const made = withDelta(before, delta)
        expect(made.config).toEqual(after.config)
        expect(revealed(made)).toEqual(revealed(after))
        for (const [i, item] of after.config.pools.entries())
          if (before.config.pools.includes(item)) expect(made.config.pools[i]).toBe(item)
      }),
    )
  })

  it('holds what changed and nothing else', () => {
    const before = resources([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ])
    const after: GatewayResources = { ...before, config: { ...before.config, pools: [pool('a', 1), pool('b', 2), pool('c', 1)] } }
    expect(deltaOf(before, after)).toEqual({
      listeners: { put: [] },
      routes: { put: [] },
      streams: { put: [] },
      pools: { put: [pool('b', 2)] },
      certificates: { put: [] },
    })
  })

  it('names one that came among thousands, and no other', () => {
    const many = Array.from({ length: 2_000 }, (_, i) => [`pool-${i}`, 1] as const)
    const { pools: changes } = deltaOf(resources(many), resources([...many.slice(0, 1_000), ['new', 1], ...many.slice(1_000)]))
    expect(changes).toEqual({ put: [pool('new', 1)], span: { of: 2_000, at: 1_000, removed: 0, names: ['new'] } })
  })

  it('that is no change of what is there is refused', () => {
    const delta = deltaOf(
      resources([['a', 1]]),
      resources([
        ['a', 1],
        ['b', 1],
      ]),
    )
    expect(() => withDelta(emptyResources('default/test'), delta)).toThrow('Cannot apply a change: there must be 1 resources before, got 0')
    const changed = deltaOf(resources([['a', 1]]), resources([['a', 2]]))
    expect(() => withDelta(emptyResources('default/test'), changed)).toThrow('Cannot apply a change: ')
  })

  it('shows no key to those who print the configuration', () => {
    expect(JSON.stringify([...resources([['a', 1]]).keys])).not.toContain('key of')
  })
})
