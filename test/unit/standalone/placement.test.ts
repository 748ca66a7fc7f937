import { describe, expect, it } from 'vitest'
import type { GatewayConfig } from '../../../src/config/config.ts'
import type { BindTrial, PlacementOptions, Places } from '../../../src/standalone/placement.ts'
import { loopbackAddresses, placementOf, planPlaces, withoutLost } from '../../../src/standalone/placement.ts'

const config = (gateway: string, ...ports: readonly number[]): GatewayConfig => ({
  gateway,
  listeners: ports.map((port) => ({ key: `Gateway/${gateway}/${port}`, name: `l${port}`, port, protocol: 'HTTP', hostname: '' })),
  routes: [],
  streams: [],
  pools: [],
  certificates: [],
})

/** A machine: what became of a trial, everything else is free. */
interface Machine {
  readonly privileged?: boolean
  readonly oneAddress?: boolean
  readonly taken?: readonly string[]
}

function plan(
  configs: readonly GatewayConfig[],
  machine: Machine = {},
  options: Partial<PlacementOptions> = {},
  previous: Places = new Map(),
) {
  const planning = planPlaces(configs, { addresses: loopbackAddresses, overrides: new Map(), ...options }, previous)
  const trials: string[] = []
  const answer = ({ address, port }: { address: string; port: number }): BindTrial => {
    trials.push(`${address}:${port}`)
    if (machine.oneAddress === true && address !== '127.0.0.1') return 'no-address'
    if (machine.privileged !== true && port < 1024) return 'denied'
    return machine.taken?.includes(`${address}:${port}`) === true ? 'taken' : 'free'
  }
  let step = planning.next()
  while (step.done !== true) step = planning.next(answer(step.value))
  return { places: step.value, trials, shown: show(step.value) }
}

function show(places: Places): readonly string[] {
  return [...places].flatMap(([gateway, ports]) =>
    [...ports].map(
      ([port, place]) => `${gateway} ${port} ${place.address}:${place.port}${place.moved === undefined ? '' : ` ${place.moved}`}`,
    ),
  )
}

describe('a port that somebody else takes between trial and binding', () => {
  const configs = [config('a/g', 80, 9000)]
  const always = (): boolean => true

  it('is planned again when it may move, and only then', () => {
    const { places } = plan(configs)
    const kept = withoutLost(places, new Map(), (_, port) => port !== 81)
    expect(show(kept)).toEqual(['a/g 9000 127.0.0.1:9000'])
    expect(plan(configs, { taken: ['127.0.0.1:8080'] }, {}, kept).shown).toEqual([
      'a/g 9000 127.0.0.1:9000',
      'a/g 80 127.0.0.1:8081 denied',
    ])
  })

  it('stays where it was asked for, where it was before, and where nothing went wrong', () => {
    const asked = plan(configs, {}, { overrides: new Map([[80, 9080]]) }).places
    expect(withoutLost(asked, new Map(), always)).toBe(asked)
    const { places } = plan(configs)
    expect(withoutLost(places, places, always)).toBe(places)
    expect(withoutLost(places, new Map(), () => false)).toBe(places)
  })
})

describe('placement', () => {
  it('keeps a port below 1024 that can be bound', () => {
    expect(plan([config('a/g', 80, 443, 9000)], { privileged: true }).shown).toEqual([
      'a/g 9000 127.0.0.1:9000',
      'a/g 80 127.0.0.1:80',
      'a/g 443 127.0.0.1:443',
    ])
  })

  it('moves ports below 1024 that need a privilege or are in use: 80 to 8080, 443 to 8443, others by 8000', () => {
    expect(plan([config('a/g', 80, 443, 81)]).shown).toEqual([
      'a/g 80 127.0.0.1:8080 denied',
      'a/g 81 127.0.0.1:8081 denied',
      'a/g 443 127.0.0.1:8443 denied',
    ])
    expect(plan([config('a/g', 80)], { privileged: true, taken: ['127.0.0.1:80'] }).shown).toEqual(['a/g 80 127.0.0.1:8080 taken'])
  })

  it('takes the next free port where a moved one would sit on another program or on a port of the same Gateway', () => {
    expect(plan([config('a/g', 80)], { taken: ['127.0.0.1:8080', '127.0.0.1:8081'] }).shown).toEqual(['a/g 80 127.0.0.1:8082 denied'])
    expect(plan([config('a/g', 80, 8080)]).shown).toEqual(['a/g 8080 127.0.0.1:8080', 'a/g 80 127.0.0.1:8081 denied'])
    const overrides = new Map([[80, 8080]])
    expect(plan([config('a/g', 80, 8080)], {}, { overrides }).shown).toEqual(['a/g 8080 127.0.0.1:8080', 'a/g 80 127.0.0.1:8081 shared'])
  })

  it('leaves a port that needs no privilege where it is: that it is in use is for the user to know', () => {
    expect(plan([config('a/g', 8080)], { taken: ['127.0.0.1:8080'] }).shown).toEqual(['a/g 8080 127.0.0.1:8080'])
  })

  it('does as it is told', () => {
    const overrides = new Map([[80, 9080]])
    expect(plan([config('a/g', 80, 443)], { privileged: true, taken: ['127.0.0.1:9080'] }, { overrides }).shown).toEqual([
      'a/g 80 127.0.0.1:9080 asked',
      'a/g 443 127.0.0.1:443',
    ])
  })

  it('gives Gateways that want the same port addresses of their own, each with all its ports', () => {
    expect(plan([config('a/g', 80, 443), config('b/g', 443, 9000), config('c/g', 8443)]).shown).toEqual([
      'a/g 80 127.0.0.1:8080 denied',
      'a/g 443 127.0.0.1:8443 denied',
      'b/g 9000 127.0.0.2:9000',
      'b/g 443 127.0.0.2:8443 denied',
      'c/g 8443 127.0.0.3:8443',
    ])
  })

  it('gives them the next free port where the system has one address', () => {
    expect(plan([config('a/g', 80), config('b/g', 80), config('c/g', 80)], { oneAddress: true }).shown).toEqual([
      'a/g 80 127.0.0.1:8080 denied',
      'b/g 80 127.0.0.1:8081 shared',
      'c/g 80 127.0.0.1:8082 shared',
    ])
    expect(plan([config('a/g', 9000), config('b/g', 9000)], {}, { addresses: ['192.0.2.1'] }).shown).toEqual([
      'a/g 9000 192.0.2.1:9000',
      'b/g 9000 192.0.2.1:9001 shared',
    ])
  })

  it('keeps every place while its Gateway has the port, without trying it again', () => {
    const first = plan([config('b/g', 80)])
    const second = plan([config('a/g', 80), config('b/g', 80, 81)], {}, {}, first.places)
    expect(second.shown).toEqual(['a/g 80 127.0.0.2:8080 denied', 'b/g 80 127.0.0.1:8080 denied', 'b/g 81 127.0.0.1:8081 denied'])
    expect(second.trials).not.toContain('127.0.0.1:8080')
    const third = plan([config('a/g', 80)], {}, {}, second.places)
    expect(third.shown).toEqual(['a/g 80 127.0.0.2:8080 denied'])
    expect(third.trials).toEqual([])
  })

  it('gives a port that is free again to who comes next', () => {
    const first = plan([config('a/g', 80)])
    const second = plan([config('b/g', 80)], {}, {}, first.places)
    expect(second.shown).toEqual(['b/g 80 127.0.0.1:8080 denied'])
  })

  it('gives up at once on an address that the system has not', () => {
    const planning = planPlaces([config('a/g', 80), config('b/g', 80)], { addresses: ['192.0.2.1'], overrides: new Map() }, new Map())
    let trials = 0
    let step = planning.next()
    for (; step.done !== true; trials += 1) step = planning.next('no-address')
    expect(trials).toBeLessThan(5)
    expect(show(step.value)).toContain('a/g 80 192.0.2.1:80')
  })

  it('is what proxies are given; a port that no plan knew of is served as it is', () => {
    const placement = placementOf(plan([config('a/g', 80)]).places, '127.0.0.1')
    expect(placement('a/g', 80)).toMatchObject({ address: '127.0.0.1', port: 8080 })
    expect(placement('a/g', 81)).toEqual({ address: '127.0.0.1', port: 81 })
  })
})
