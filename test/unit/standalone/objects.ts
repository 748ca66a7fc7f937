/** Objects as sources give them, for the tests of the overlay. */
import type { EndpointSlice, KubeSecret, Service } from '../../../src/api/core.ts'
import type { Gateway, GatewayClass, Listener, ReferenceGrant } from '../../../src/api/gateway.ts'
import type { ObjectMeta } from '../../../src/api/meta.ts'
import type { ApiObject } from '../../../src/api/object.ts'
import type { GrpcRoute, HttpRoute, HttpRouteFilter } from '../../../src/api/route.ts'
import { SnapshotBuilder } from '../../../src/cluster/snapshot-builder.ts'
import type { Snapshot } from '../../../src/cluster/snapshot.ts'
import type { Translation } from '../../../src/translate/translation.ts'

export function meta(path: string, labels: Record<string, string> = {}): ObjectMeta {
  const [namespace = '', name = ''] = path.split('/')
  return { name, namespace, generation: 1, labels, annotations: {} }
}

export function snapshotOf(...objects: readonly ApiObject[]): Snapshot {
  const builder = new SnapshotBuilder()
  for (const object of objects) builder.set(object)
  return builder.snapshot()
}

export function gatewayClass(name: string): GatewayClass {
  const spec = { controllerName: 'example.com/controller' }
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'GatewayClass', metadata: meta(`/${name}`), spec }
}

export function gateway(path: string, ...listeners: readonly Listener[]): Gateway {
  const spec = { gatewayClassName: 'class', listeners, addresses: [] }
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: meta(path), spec }
}

export function listener(name: string, port: number, protocol: string, more: Partial<Listener> = {}): Listener {
  return { name, port, protocol, allowedRoutes: { namespaces: { from: 'Same' }, kinds: [] }, ...more }
}

export function withSecret(name: string, namespace?: string): Partial<Listener> {
  const ref = { group: '', kind: 'Secret', name, ...(namespace === undefined ? {} : { namespace }) }
  return { tls: { mode: 'Terminate', certificateRefs: [ref], options: {} } }
}

export interface Parent {
  readonly gateway: string
  readonly sectionName?: string
  readonly port?: number
}

/** A route to `Service namespace/name:port` (or `name:port` of its own namespace). */
export function route(path: string, parents: readonly Parent[], hostnames: readonly string[], backends: readonly string[]): HttpRoute {
  const matches = [{ path: { type: 'PathPrefix' as const, value: '/' }, headers: [], queryParams: [] }]
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: meta(path),
    spec: { parentRefs: parents.map(parentRef), hostnames, rules: [{ matches, filters: [], backendRefs: backends.map(backendRef) }] },
  }
}

/** The same for gRPC. */
export function grpcRoute(path: string, parents: readonly Parent[], hostnames: readonly string[], backends: readonly string[]): GrpcRoute {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GRPCRoute',
    metadata: meta(path),
    spec: { parentRefs: parents.map(parentRef), hostnames, rules: [{ matches: [], filters: [], backendRefs: backends.map(backendRef) }] },
  }
}

/** The route with filters on its rules, or on their backends. */
export function withFilters(
  of: HttpRoute,
  filters: { rule?: readonly HttpRouteFilter[]; backend?: readonly HttpRouteFilter[] },
): HttpRoute {
  const { rule = [], backend = [] } = filters
  const rules = of.spec.rules.map((one) => ({
    ...one,
    filters: rule,
    backendRefs: one.backendRefs.map((ref) => ({ ...ref, filters: backend })),
  }))
  return { ...of, spec: { ...of.spec, rules } }
}

export function mirrorTo(backend: string): HttpRouteFilter & { readonly type: 'RequestMirror' } {
  return { type: 'RequestMirror', requestMirror: { backendRef: backendRef(backend) } }
}

export function authorisedBy(backend: string): HttpRouteFilter {
  return { type: 'ExternalAuth', externalAuth: { protocol: 'HTTP', backendRef: backendRef(backend) } }
}

function parentRef({ gateway: named, ...rest }: Parent): HttpRoute['spec']['parentRefs'][number] {
  const [namespace, name] = named.includes('/') ? named.split('/') : [undefined, named]
  const group = 'gateway.networking.k8s.io'
  return { group, kind: 'Gateway', name: name ?? '', ...(namespace === undefined ? {} : { namespace }), ...rest }
}

function backendRef(backend: string) {
  const [, namespace, name = '', port] = /^(?:(.+)\/)?(.+):(\d+)$/.exec(backend) ?? []
  return {
    group: '',
    kind: 'Service',
    name,
    ...(namespace === undefined ? {} : { namespace }),
    port: Number(port),
    weight: 1,
    filters: [],
  }
}

export function service(path: string, ...ports: readonly (number | { readonly name: string; readonly port: number })[]): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta(path),
    spec: {
      type: 'ClusterIP',
      ports: ports.map((port) => (typeof port === 'number' ? { port, protocol: 'TCP' } : { ...port, protocol: 'TCP' })),
    },
  }
}

/** Ports by name; '' for the unnamed one. */
export function slice(path: string, serviceName: string, ports: Record<string, number>): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: meta(path, { 'kubernetes.io/service-name': serviceName }),
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }],
    ports: Object.entries(ports).map(([name, port]) => ({ ...(name === '' ? {} : { name }), port, protocol: 'TCP' })),
  }
}

export function secret(path: string, data: Readonly<Record<string, string>>): KubeSecret {
  return { apiVersion: 'v1', kind: 'Secret', metadata: meta(path), type: 'kubernetes.io/tls', data }
}

export function grant(namespace: string, from: { kind: string; namespace: string }, to: string): ReferenceGrant {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'ReferenceGrant',
    metadata: meta(`${namespace}/grant`),
    spec: { from: [{ group: 'gateway.networking.k8s.io', ...from }], to: [{ group: '', kind: to }] },
  }
}

/** What translate says, as far as the overlay looks at it. */
export const nothingSaid: Translation = {
  statuses: [],
  configs: [],
  versions: new Map(),
  keys: new Map(),
  infra: [],
  endpointServices: [],
  findings: [],
  wants: [],
}
