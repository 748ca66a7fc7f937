/** What the soak has beside the world that changes: routes with every filter, and backends that die. All on one host, whose TLS connections no change touches. */
import {
  callRule,
  callServices,
  endpointSlice,
  grpcRoute,
  type Manifest,
  manifestsOf,
  matching,
  route,
  type Speech,
  service,
  services as servicesOfWorld,
  speechOf,
  type Surroundings,
  type World,
} from '../load/world.ts'

export const host = 'soak.example.com'

/** They die and come back, one at a time. */
export const mortals = ['mortal-1', 'mortal-2', 'mortal-3', 'mortal-4', 'herald-1', 'herald-2', 'herald-3', 'shadow-2']

const services: Readonly<Record<string, readonly string[]>> = {
  mortal: ['mortal-1', 'mortal-2', 'mortal-3', 'mortal-4'],
  /** Speaks gRPC. */
  herald: ['herald-1', 'herald-2', 'herald-3'],
  /** Answers 503 to the first of two requests with the same token. */
  flaky: ['flaky-1', 'flaky-2'],
  /** Allows who says `Authorization: Bearer good`. */
  guard: ['guard-1'],
  host: ['host-1', 'host-2', 'host-3'],
  /** Gets copies of requests. */
  shadow: ['shadow-1', 'shadow-2'],
}

export const callServicesOfSoak = { ...callServices, 'test.Herald': ['ask'] }

export function backendsOfSoak(): ReadonlyMap<string, Speech> {
  const own = Object.entries(services).flatMap(([name, backends]) =>
    backends.map((backend): [string, Speech] => [backend, name === 'herald' ? 'grpc' : 'http']),
  )
  const worlds = Object.values(servicesOfWorld).flatMap((backends) =>
    backends.map((backend): [string, Speech] => [backend, speechOf(backend)]),
  )
  return new Map([...worlds, ...own])
}

/** @param mark stands in the configuration, so that one can see when it is served */
export function manifestsOfSoak(world: World, surroundings: Surroundings, mark: string): ReadonlyMap<string, Manifest> {
  const own = [
    ...Object.keys(services).map(service),
    ...Object.values(services).flatMap((backends) => backends.map((backend) => endpointSlice(surroundings, backend, 'ready'))),
    route('soak', [host], [...rules, { matches: matching(mark), backendRefs: to('gift') }]),
    grpcRoute('soak', [callRule('test.Herald', 'herald'), callRule('test.Shop', 'gold')], host),
  ]
  return new Map([
    ...manifestsOf(world, surroundings),
    ...own.map((manifest): [string, Manifest] => [`${manifest.kind}/${manifest.metadata.name}`, manifest]),
  ])
}

const to = (name: string) => [{ name, port: 80 }]
const mirror = (percent: number) => ({ type: 'RequestMirror', requestMirror: { backendRef: { name: 'shadow', port: 80 }, percent } })

const rules = [
  { matches: matching('/ws'), backendRefs: to('stable') },
  { matches: matching('/mirrored'), filters: [mirror(100), mirror(50)], backendRefs: to('gift') },
  { matches: matching('/retried'), retry: { codes: [503], attempts: 3, backoff: '10ms' }, backendRefs: to('flaky') },
  { matches: matching('/frail'), backendRefs: to('mortal') },
  { matches: matching('/mortal'), retry: { codes: [502], attempts: 3, backoff: '10ms' }, backendRefs: to('mortal') },
  {
    matches: matching('/cors'),
    filters: [
      {
        type: 'CORS',
        cors: { allowOrigins: ['https://www.example.com'], allowMethods: ['GET', 'PUT'], allowCredentials: true, maxAge: 60 },
      },
    ],
    backendRefs: to('gift'),
  },
  {
    matches: matching('/guarded'),
    filters: [
      {
        type: 'ExternalAuth',
        externalAuth: {
          protocol: 'HTTP',
          backendRef: { name: 'guard', port: 80 },
          http: { path: '/check', allowedResponseHeaders: ['X-Edition'] },
        },
      },
    ],
    backendRefs: to('gift'),
  },
  {
    matches: matching('/session'),
    sessionPersistence: { type: 'Cookie', cookie: { name: 'soak', lifetimeType: 'Session' }, absoluteTimeout: '1h' },
    backendRefs: to('host'),
  },
]
