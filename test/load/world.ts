/**
 * The world that changes under load: what a cluster would hold at one moment, as a plain value, and the manifests that say it.
 *
 * One Gateway, `edge`, with a clear and a TLS listener that stay and four that come and go; the HTTPRoute `shop` and the
 * GRPCRoute `calls` on the same hostname, with rules that are added, removed and reordered; routes of both kinds beside
 * them; Services over one EndpointSlice for each of their backends.
 * `expectation.ts` tells what such a world must answer, without a look at the manifests.
 */
export interface World {
  /** Which of `passingRoutes` exist. */
  readonly routes: readonly string[]
  /** Which of `passingRules` the route `shop` has. */
  readonly rules: readonly string[]
  /** The rules of `shop` stand in reverse order: of two that match alike the other one is first. */
  readonly reversed: boolean
  /** Which of `passingCalls` exist, GRPCRoutes. */
  readonly calls: readonly string[]
  /** Which of `passingRules` the GRPCRoute `calls` has. */
  readonly callRules: readonly string[]
  /** The rules of `calls` stand in reverse order. */
  readonly callsReversed: boolean
  /** Which of the two `rivals` is older, HTTPRoute and GRPCRoute alike: of two routes that match alike it wins. */
  readonly elder: string
  /** Services that take a share of `/shop` beside stable and canary. */
  readonly shares: readonly string[]
  /** Backends of `passingBackends`; those absent here have no EndpointSlice. */
  readonly endpoints: Readonly<Record<string, 'ready' | 'terminating'>>
  /** Of stable and canary, and of gold and silver. */
  readonly weights: readonly [number, number]
  /** Index in the certificates of the run. */
  readonly certificate: number
  /** Which of `passingListeners` the Gateway has. */
  readonly listeners: readonly string[]
  /** What the filters of `/shop` write into the request, its path and the answer, and those of `test.Shop` into the call and the answer. */
  readonly edition: number
  /** The route `wanderer` has the hostname `w<number>.example.com`. */
  readonly wanderer: number
}

export const passingRoutes = ['red', 'green', 'blue']
export const passingCalls = ['amber', 'ivory', 'jade']
/** Rule `tea` is for `/shop/tea` or the method `tea` of `test.Shop`; without it `/shop` or the service's rule takes the request. */
export const passingRules = ['tea', 'coffee']
export const rivals = ['rival-a', 'rival-b']
export const passingShares = ['guest', 'visitor']
export const passingBackends = ['stable-3', 'canary-2', 'gold-2']
/**
 * `side` has a port of its own; `alias` shares the clear one and takes a name of the listener for all; `extra` shares the TLS
 * port, and so does `exact`, which takes the shop's name from the wildcard listener.
 */
export const passingListeners = ['side', 'alias', 'extra', 'exact']
export const wanderings = 3

/** Services and their backends; a backend that does not pass is always ready. */
export const services: Readonly<Record<string, readonly string[]>> = {
  stable: ['stable-1', 'stable-2', 'stable-3'],
  canary: ['canary-1', 'canary-2'],
  gift: ['gift-1'],
  bulk: ['bulk-1', 'bulk-2'],
  // Nothing but the passing route or share of their name refers to these, so that whole pools come and go.
  red: ['red-1'],
  green: ['green-1'],
  blue: ['blue-1'],
  guest: ['guest-1'],
  visitor: ['visitor-1'],
  // Those below speak HTTP/2 by prior knowledge.
  swift: ['swift-1', 'swift-2'],
  gold: ['gold-1', 'gold-2'],
  silver: ['silver-1'],
  amber: ['amber-1'],
  ivory: ['ivory-1'],
  jade: ['jade-1'],
}

export type Speech = 'http' | 'h2c' | 'grpc'

/** Of a Service or a backend of it. */
export function speechOf(name: string): Speech {
  const service = name.replace(/-\d+$/, '')
  if (service === 'swift') return 'h2c'
  return ['gold', 'silver', ...passingCalls].includes(service) ? 'grpc' : 'http'
}

/** Unary methods by service; each service has the method `chat`, a stream both ways, beside them. */
export const callServices: Readonly<Record<string, readonly string[]>> = {
  'test.Shop': ['buy', ...passingRules],
  'test.Twin': ['ask'],
  'test.Rival': ['ask'],
  ...Object.fromEntries(passingCalls.map((name) => [`test.${name}`, ['ask']])),
}

/** Ports of the specification. */
export const webPort = 80
export const securePort = 443
export const sidePort = 8081

export const firstWorld: World = {
  routes: ['red'],
  rules: ['tea'],
  reversed: false,
  calls: ['amber'],
  callRules: ['tea'],
  callsReversed: false,
  elder: 'rival-a',
  shares: ['guest'],
  endpoints: { 'stable-3': 'ready', 'gold-2': 'ready' },
  weights: [9, 1],
  certificate: 0,
  listeners: ['side'],
  edition: 0,
  wanderer: 0,
}

/** Undefined for a backend that has no endpoint in this world. */
export function stateOf(world: World, backend: string): 'ready' | 'terminating' | undefined {
  return passingBackends.includes(backend) ? world.endpoints[backend] : 'ready'
}

export interface Surroundings {
  /** By backend. */
  readonly ports: ReadonlyMap<string, number>
  /** PEM, by number of the certificate. */
  readonly certificates: readonly { readonly chain: string; readonly key: string }[]
  /** Of all backends; absent: one for documentation (RFC 5737), because an API server takes no loopback address. */
  readonly address?: string
}

export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly creationTimestamp?: string
  }
  readonly [field: string]: unknown
}

const gatewayApi = 'gateway.networking.k8s.io/v1'

/** By `kind/name`. */
export function manifestsOf(world: World, surroundings: Surroundings): ReadonlyMap<string, Manifest> {
  const backends = Object.values(services).flat()
  const manifests: Manifest[] = [
    {
      apiVersion: gatewayApi,
      kind: 'GatewayClass',
      metadata: { name: 'test' },
      spec: { controllerName: 'gatewright.dev/gateway-controller' },
    },
    gateway(world),
    secret(world, surroundings),
    ...Object.keys(services).map(service),
    ...backends.flatMap((backend) => slice(world, surroundings, backend)),
    shop(world),
    ...world.routes.map((name) => route(name, ['shop.example.com'], [rule(`/${name}`, name)])),
    calls(world),
    ...world.calls.map((name) => grpcRoute(name, [callRule(`test.${name}`, name)])),
    ...rivals.flatMap((name, index) => [
      { ...route(name, ['shop.example.com'], [rule('/rival', ['gift', 'bulk'][index] ?? '')]), metadata: rival(world, name) },
      { ...grpcRoute(name, [callRule('test.Rival', ['gold', 'silver'][index] ?? '')]), metadata: rival(world, name) },
    ]),
    route('wanderer', [`w${world.wanderer}.example.com`], [rule('/', 'bulk')]),
    route('extra', ['extra.example.net'], [rule('/', 'gift')]),
  ]
  return new Map(manifests.map((manifest) => [`${manifest.kind}/${manifest.metadata.name}`, manifest]))
}

function gateway(world: World): Manifest {
  const tls = { certificateRefs: [{ name: 'edge' }] }
  const passing = [
    { name: 'side', port: sidePort, protocol: 'HTTP' },
    { name: 'alias', port: webPort, protocol: 'HTTP', hostname: 'extra.example.net' },
    { name: 'extra', port: securePort, protocol: 'HTTPS', hostname: 'extra.example.net', tls },
    { name: 'exact', port: securePort, protocol: 'HTTPS', hostname: 'shop.example.com', tls },
  ]
  const listeners = [
    { name: 'web', port: webPort, protocol: 'HTTP' },
    { name: 'secure', port: securePort, protocol: 'HTTPS', hostname: '*.example.com', tls },
    ...passing.filter(({ name }) => world.listeners.includes(name)),
  ]
  return { apiVersion: gatewayApi, kind: 'Gateway', metadata: { name: 'edge' }, spec: { gatewayClassName: 'test', listeners } }
}

function shop(world: World): Manifest {
  const [stable, canary] = world.weights
  const edition = { set: [{ name: 'X-Edition', value: String(world.edition) }] }
  const main = {
    matches: matching('/shop'),
    filters: [
      { type: 'RequestHeaderModifier', requestHeaderModifier: edition },
      { type: 'ResponseHeaderModifier', responseHeaderModifier: edition },
      {
        type: 'URLRewrite',
        urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: `/edition-${world.edition}` } },
      },
    ],
    backendRefs: [
      { name: 'stable', port: 80, weight: stable },
      { name: 'canary', port: 80, weight: canary },
      ...world.shares.map((name) => ({ name, port: 80, weight: 1 })),
    ],
  }
  const passing: Readonly<Record<string, string>> = { tea: 'gift', coffee: 'bulk' }
  const rules = [
    main,
    rule('/twin', 'stable'),
    ...world.rules.map((name) => rule(`/shop/${name}`, passing[name] ?? '')),
    rule('/ws', 'stable'),
    rule('/swift', 'swift'),
    rule('/twin', 'canary'),
  ]
  return route('shop', ['shop.example.com'], world.reversed ? rules.toReversed() : rules)
}

function calls(world: World): Manifest {
  const [gold, silver] = world.weights
  const edition = { set: [{ name: 'X-Edition', value: String(world.edition) }] }
  const main = {
    ...callRule('test.Shop', 'gold'),
    filters: [
      { type: 'RequestHeaderModifier', requestHeaderModifier: edition },
      { type: 'ResponseHeaderModifier', responseHeaderModifier: edition },
    ],
    backendRefs: [
      { name: 'gold', port: 80, weight: gold },
      { name: 'silver', port: 80, weight: silver },
    ],
  }
  const rules = [
    main,
    callRule('test.Twin', 'gold'),
    ...world.callRules.map((name) => callRule('test.Shop', name === 'tea' ? 'gold' : 'silver', name)),
    callRule('test.Twin', 'silver'),
  ]
  return grpcRoute('calls', world.callsReversed ? rules.toReversed() : rules)
}

export function grpcRoute(name: string, rules: readonly object[], hostname = 'shop.example.com'): Manifest {
  const spec = { parentRefs: [{ name: 'edge' }], hostnames: [hostname], rules }
  return { apiVersion: gatewayApi, kind: 'GRPCRoute', metadata: { name }, spec }
}

export function callRule(service: string, backend: string, method?: string): object {
  return { matches: [{ method: { service, ...(method === undefined ? {} : { method }) } }], backendRefs: [{ name: backend, port: 80 }] }
}

function rival(world: World, name: string): Manifest['metadata'] {
  return { name, creationTimestamp: name === world.elder ? '2024-01-01T00:00:00Z' : '2025-01-01T00:00:00Z' }
}

export function route(name: string, hostnames: readonly string[], rules: readonly object[]): Manifest {
  return { apiVersion: gatewayApi, kind: 'HTTPRoute', metadata: { name }, spec: { parentRefs: [{ name: 'edge' }], hostnames, rules } }
}

function rule(path: string, backend: string): object {
  return { matches: matching(path), backendRefs: [{ name: backend, port: 80 }] }
}

export function matching(path: string): readonly object[] {
  return [{ path: { type: 'PathPrefix', value: path } }]
}

/** gRPC needs no word: it is spoken where a GRPCRoute says so. */
export function service(name: string): Manifest {
  const port = { name: 'http', port: 80, targetPort: 'http', ...(speechOf(name) === 'h2c' ? { appProtocol: 'kubernetes.io/h2c' } : {}) }
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [port] } }
}

/** None while the backend is absent. */
function slice(world: World, surroundings: Surroundings, backend: string): readonly Manifest[] {
  const state = stateOf(world, backend)
  return state === undefined ? [] : [endpointSlice(surroundings, backend, state)]
}

export function endpointSlice({ ports, address = '192.0.2.1' }: Surroundings, backend: string, state: 'ready' | 'terminating'): Manifest {
  const terminating = state === 'terminating'
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: backend, labels: { 'kubernetes.io/service-name': backend.replace(/-\d+$/, '') } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: !terminating, serving: true, terminating } }],
    ports: [{ name: 'http', port: ports.get(backend) }],
  }
}

function secret(world: World, { certificates }: Surroundings): Manifest {
  const pair = certificates[world.certificate]
  const base64 = (text = ''): string => Buffer.from(text).toString('base64')
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'edge' },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(pair?.chain), 'tls.key': base64(pair?.key) },
  }
}
