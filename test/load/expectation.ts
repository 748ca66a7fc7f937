/** What a world must answer, written apart from the gateway's own rules on purpose. */
import { services, stateOf, type World } from './world.ts'

export interface Asked {
  /** By gRPC: the path names service and method. */
  readonly isCall?: boolean
  readonly host: string
  /** Without query. */
  readonly path: string
  /** Of the connection; absent for clear text. */
  readonly serverName?: string
}

/** The status of an answer of the gateway's own, or what a backend must have seen and who it may have been. */
export type Expectation =
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'served'; readonly backends: readonly string[]; readonly path: string; readonly edition: string | undefined }

export function expectationOf(world: World, { host, path, serverName, isCall = false }: Asked): Expectation {
  // The connection belongs to the listener for its server name alone, the request to the wildcard's.
  if (serverName !== undefined && serverName !== host && world.listeners.includes('exact')) return { kind: 'refused', status: 421 }
  // A connection that its listener did not outlive may still be told so.
  if (host === 'extra.example.net' && serverName !== undefined && !world.listeners.includes('extra')) return notFound
  if (host === 'extra.example.net') return servedBy(world, ['gift'], path)
  if (host !== 'shop.example.com') return host === `w${world.wanderer}.example.com` ? servedBy(world, ['bulk'], path) : notFound
  const [, first = '', second = ''] = path.split('/')
  if (isCall) return callExpectationOf(world, first, second)
  if (first === 'swift') return servedBy(world, ['swift'], path)
  if (first === 'rival') return servedBy(world, [world.elder === 'rival-a' ? 'gift' : 'bulk'], path)
  if (first === 'twin') return servedBy(world, [world.reversed ? 'canary' : 'stable'], path)
  if (world.routes.includes(first)) return servedBy(world, [first], path)
  if (first !== 'shop') return notFound
  if (world.rules.includes(second)) return servedBy(world, [second === 'tea' ? 'gift' : 'bulk'], path)
  return servedBy(
    world,
    [...weighted(world, ['stable', 'canary']), ...world.shares],
    path.replace('/shop', `/edition-${world.edition}`),
    String(world.edition),
  )
}

function callExpectationOf(world: World, service: string, method: string): Expectation {
  const path = `/${service}/${method}`
  if (service === 'test.Twin') return servedBy(world, [world.callsReversed ? 'silver' : 'gold'], path)
  if (service === 'test.Rival') return servedBy(world, [world.elder === 'rival-a' ? 'gold' : 'silver'], path)
  if (service !== 'test.Shop') return world.calls.includes(service.slice(5)) ? servedBy(world, [service.slice(5)], path) : notFound
  if (world.callRules.includes(method)) return servedBy(world, [method === 'tea' ? 'gold' : 'silver'], path)
  return servedBy(world, weighted(world, ['gold', 'silver']), path, String(world.edition))
}

/** Those whose weight is not 0. */
function weighted({ weights }: World, names: readonly string[]): readonly string[] {
  return names.filter((_, index) => (weights[index] ?? 0) > 0)
}

/** Of gRPC it is UNIMPLEMENTED. */
const notFound: Expectation = { kind: 'refused', status: 404 }

function servedBy(world: World, names: readonly string[], path: string, edition?: string): Expectation {
  const backends = names.flatMap((name) => services[name] ?? []).filter((backend) => stateOf(world, backend) === 'ready')
  return { kind: 'served', backends, path, edition }
}

/** What an answer said, as far as it depends on the world. */
export interface Observed {
  readonly status: number
  /** What the backend says of itself and of the request; undefined for an answer of the gateway's own. */
  readonly testimony: Testimony | undefined
  /** What the filter wrote into the answer. */
  readonly edition: string | undefined
}

/** The first line of a backend's body, as JSON. */
export interface Testimony {
  readonly backend: string
  readonly host: string
  readonly path: string
  readonly edition?: string
}

export function meets({ status, testimony, edition }: Observed, asked: Asked, expected: Expectation): boolean {
  if (expected.kind === 'refused') return status === expected.status && testimony === undefined
  return (
    status === 200 &&
    testimony !== undefined &&
    expected.backends.includes(testimony.backend) &&
    testimony.host === asked.host &&
    testimony.path === expected.path &&
    testimony.edition === expected.edition &&
    edition === expected.edition
  )
}
