/** The kinds of change that a world goes through, and an order of them in which each one is possible when its turn comes. */
import type { Random } from './random.ts'
import {
  passingBackends,
  passingCalls,
  passingListeners,
  passingRoutes,
  passingRules,
  passingShares,
  rivals,
  wanderings,
  type World,
} from './world.ts'

export type ChangeKind =
  | 'route added'
  | 'route removed'
  | 'rule added'
  | 'rule removed'
  | 'rules reordered'
  | 'routes reordered'
  | 'GRPCRoute added'
  | 'GRPCRoute removed'
  | 'GRPCRoute rule added'
  | 'GRPCRoute rule removed'
  | 'GRPCRoute rules reordered'
  | 'backend added'
  | 'backend removed'
  | 'endpoint added'
  | 'endpoint removed'
  | 'weights changed'
  | 'certificate replaced'
  | 'listener added'
  | 'listener removed'
  | 'filter changed'
  | 'hostname changed'

const weights: readonly (readonly [number, number])[] = [
  [9, 1],
  [1, 1],
  [0, 1],
  [1, 9],
  [1, 0],
]

const changes: Readonly<Record<ChangeKind, (world: World, random: Random) => World>> = {
  'route added': (world, random) => ({ ...world, routes: added(world.routes, passingRoutes, random) }),
  'route removed': (world, random) => ({ ...world, routes: removed(world.routes, random) }),
  'rule added': (world, random) => ({ ...world, rules: added(world.rules, passingRules, random) }),
  'rule removed': (world, random) => ({ ...world, rules: removed(world.rules, random) }),
  'rules reordered': (world) => ({ ...world, reversed: !world.reversed }),
  'routes reordered': (world) => ({ ...world, elder: rivals.find((name) => name !== world.elder) ?? '' }),
  'GRPCRoute added': (world, random) => ({ ...world, calls: added(world.calls, passingCalls, random) }),
  'GRPCRoute removed': (world, random) => ({ ...world, calls: removed(world.calls, random) }),
  'GRPCRoute rule added': (world, random) => ({ ...world, callRules: added(world.callRules, passingRules, random) }),
  'GRPCRoute rule removed': (world, random) => ({ ...world, callRules: removed(world.callRules, random) }),
  'GRPCRoute rules reordered': (world) => ({ ...world, callsReversed: !world.callsReversed }),
  'backend added': (world, random) => ({ ...world, shares: added(world.shares, passingShares, random) }),
  'backend removed': (world, random) => ({ ...world, shares: removed(world.shares, random) }),
  'endpoint added': (world, random) => {
    const ready = passingBackends.filter((name) => world.endpoints[name] === 'ready')
    const name = random.oneOf(passingBackends.filter((one) => !ready.includes(one)))
    return { ...world, endpoints: { ...world.endpoints, [name]: 'ready' } }
  },
  // Gone at once, or first terminating: either way it gets no new request, and those under way end.
  'endpoint removed': (world, random) => {
    const name = random.oneOf(passingBackends.filter((one) => world.endpoints[one] === 'ready'))
    const { [name]: _, ...others } = world.endpoints
    return { ...world, endpoints: random.below(2) === 0 ? others : { ...others, [name]: 'terminating' } }
  },
  'weights changed': (world, random) => ({ ...world, weights: random.oneOf(weights.filter((one) => one !== world.weights)) }),
  'certificate replaced': (world) => ({ ...world, certificate: world.certificate + 1 }),
  'listener added': (world, random) => ({ ...world, listeners: added(world.listeners, passingListeners, random) }),
  'listener removed': (world, random) => ({ ...world, listeners: removed(world.listeners, random) }),
  'filter changed': (world) => ({ ...world, edition: world.edition + 1 }),
  'hostname changed': (world) => ({ ...world, wanderer: (world.wanderer + 1) % wanderings }),
}

export const changeKinds = Object.keys(changes) as readonly ChangeKind[]

export function changed(world: World, kind: ChangeKind, random: Random): World {
  return changes[kind](world, random)
}

/**
 * Rounds in which each kind comes once, in an order of their own. Every round leaves as much as it found, and of what
 * passes one is there and one is not when it begins: so there is always something to add and something to remove.
 */
export function schedule(rounds: number, random: Random): readonly ChangeKind[] {
  return Array.from({ length: rounds }, () => random.shuffled(changeKinds)).flat()
}

function added(present: readonly string[], all: readonly string[], random: Random): readonly string[] {
  return [...present, random.oneOf(all.filter((name) => !present.includes(name)))]
}

function removed(present: readonly string[], random: Random): readonly string[] {
  const name = random.oneOf(present)
  return present.filter((one) => one !== name)
}
