import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EndpointConfig } from '../../../src/config/pool.ts'
import { defaultBounds } from '../../../src/config/bounds.ts'
import { candidatesOf } from '../../../src/proxy/upstream/candidates.ts'
import { Endpoint } from '../../../src/proxy/upstream/endpoint.ts'

const owner = { policy: defaultBounds, random: () => 0, healthChanged: () => {} }

/** `+`: available, `-`: ejected; a letter before it: the zone of its hint. */
function endpoints(...sketches: readonly string[]): Endpoint[] {
  return sketches.map((sketch, i) => {
    const zone = sketch.slice(0, -1)
    const config: EndpointConfig = { address: '10.0.0.1', port: i, state: 'ready', ...(zone !== '' && { forZones: [zone] }) }
    const endpoint = new Endpoint(config, 0, owner)
    if (sketch.endsWith('-')) endpoint.failed('connect-refused', 0)
    return endpoint
  })
}

/** Ports of the candidates, and `panic`. */
function chosen(sketches: readonly string[], zone?: string): string {
  const { endpoints: candidates, panic } = candidatesOf(endpoints(...sketches), zone, 30)
  return `${candidates.map(({ config }) => config.port).join(' ')}${panic ? ' panic' : ''}`
}

describe('those that may be chosen', () => {
  it('[wire:upstream-eject] are the endpoints that have not been ejected', () => {
    expect(chosen(['+', '-', '+', '-'])).toBe('0 2')
  })

  it('[wire:upstream-panic] are all of them when fewer than 30 percent are left', () => {
    expect(chosen(['-', '-', '+'])).toBe('2')
    expect(chosen(['-', '-', '-', '+'])).toBe('0 1 2 3 panic')
    expect(chosen(['-'])).toBe('0 panic')
    expect(chosen([])).toBe('')
  })

  it('[wire:upstream-zone] are those whose hints name the zone of the proxy', () => {
    expect(chosen(['a+', 'b+', 'a+'], 'a')).toBe('0 2')
    expect(chosen(['a+', 'b+'])).toBe('0 1')
  })

  it('[wire:upstream-zone] are those of every zone when no hint names ours, when one has no hint, or when ours has too few left', () => {
    expect(chosen(['a+', 'b+'], 'c')).toBe('0 1')
    expect(chosen(['a+', 'b+', '+'], 'a')).toBe('0 1 2')
    expect(chosen(['a-', 'b+', 'b+'], 'a')).toBe('1 2')
    expect(chosen(['a+', 'a-', 'b+'], 'a')).toBe('0')
  })

  it('[wire:upstream-panic] are never none while there is an endpoint, and never ejected ones while enough are left', () => {
    const sketch = fc.constantFrom('+', '-', 'a+', 'a-', 'b+', 'b-')
    fc.assert(
      fc.property(fc.array(sketch, { minLength: 1, maxLength: 20 }), fc.constantFrom(undefined, 'a'), fc.nat(100), (all, zone, percent) => {
        const usable = endpoints(...all)
        const { endpoints: candidates, panic } = candidatesOf(usable, zone, percent)
        expect(candidates.length).toBeGreaterThan(0)
        const available = usable.filter(({ health }) => health.kind === 'available')
        if (available.length > 0 && available.length * 100 >= usable.length * percent) expect(panic).toBe(false)
        if (!panic) for (const one of candidates) expect(available).toContain(one)
      }),
    )
  })
})
