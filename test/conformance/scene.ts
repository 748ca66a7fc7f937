/** A test of the suite while it runs: the cluster with that test's manifests, and the claims that the suite's helpers make. */
import type { Condition } from '../../src/api/meta.ts'
import { expect } from 'vitest'
import { transportOf } from '../../src/lib/transport.ts'
import type { ConformanceCluster } from './cluster.ts'
import { type Agents, exchange, type Exchange, type HttpVersion } from './exchange.ts'
import { callGrpc, type CallAnswer, type Call, type CallRow } from './grpc-call.ts'
import { type GrpcEcho, grpcMethod } from './grpc-echo-pod.ts'
import { type Entrance, judge, type Row } from './request-table.ts'
import { askStream } from './stream-exchange.ts'
import { CONTROLLER, INFRA } from './suite-objects.ts'

/** `Type=Status`, or `Type=Status Reason` where the suite looks at the reason too. */
export type Claim = string

export interface ListenerClaim {
  /** Kinds that must be among `supportedKinds`; none: it must be empty. `any`: nobody looks. */
  readonly kinds: readonly string[] | 'any'
  readonly attached: number
  readonly conditions: readonly Claim[]
}

const HTTPS = 443

/** Gateways, routes and backends without a namespace (`namespace/name`) are in the suite's infrastructure. */
export class Scene {
  readonly cluster: ConformanceCluster
  readonly #agents: Agents

  constructor(cluster: ConformanceCluster, agents: Agents) {
    this.cluster = cluster
    this.#agents = agents
  }

  /** The Gateway has an address, all of its listeners serve, and it accepts the routes. */
  accepted(gateway: string, ...routes: readonly string[]): void {
    const [namespace, name] = located(gateway)
    const { addresses, listeners } = this.cluster.status('Gateway', namespace, name)
    expect(addresses).toEqual([{ type: 'IPAddress', value: expect.any(String) as string }])
    const serving = ['Accepted=True', 'Programmed=True', 'ResolvedRefs=True']
    const claims = listeners.map((listener) => [listener.name, held(listener.conditions, serving)])
    expect(claims).toEqual(listeners.map((listener) => [listener.name, serving]))
    for (const route of routes) this.route(gateway, route, 'Accepted=True Accepted')
  }

  /** And their references are resolved. */
  served(gateway: string, ...routes: readonly string[]): void {
    this.accepted(gateway, ...routes)
    for (const route of routes) this.route(gateway, route, 'ResolvedRefs=True ResolvedRefs')
  }

  /** What the route's status says of the Gateway. */
  route(gateway: string, route: string, ...claims: readonly Claim[]): void {
    this.#route('Gateway', gateway, route, claims)
  }

  /** What the route's status says of the ListenerSet. */
  setRoute(listenerSet: string, route: string, ...claims: readonly Claim[]): void {
    this.#route('ListenerSet', listenerSet, route, claims)
  }

  #route(kind: 'Gateway' | 'ListenerSet', owner: string, route: string, claims: readonly Claim[]): void {
    const [namespace, name] = located(owner)
    const [routeNamespace, routeName] = located(route)
    const { parents } = this.cluster.routeStatus(routeNamespace, routeName)
    const parent = parents.find(({ parentRef }) => parentRef.name === name)
    expect(parent?.parentRef).toMatchObject({ group: 'gateway.networking.k8s.io', kind, name })
    // The suite lets a parentRef leave out the route's own namespace.
    expect(parent?.parentRef.namespace ?? routeNamespace).toBe(namespace)
    expect(parent?.controllerName).toBe(CONTROLLER)
    expect(held(parent?.conditions ?? [], claims)).toEqual(claims)
  }

  /** The Gateway refuses its only route. */
  refused(gateway: string, route: string, reason: string): void {
    this.route(gateway, route, `Accepted=False ${reason}`)
    expect(this.cluster.routeStatus(...located(route)).parents).toHaveLength(1)
    expect(this.cluster.status('Gateway', ...located(gateway)).listeners.map(({ attachedRoutes }) => attachedRoutes)).toEqual([0])
  }

  /** No listener of the Gateway has a route. */
  nothingAttached(gateway: string): void {
    expect(this.cluster.status('Gateway', ...located(gateway)).listeners.filter(({ attachedRoutes }) => attachedRoutes > 0)).toEqual([])
  }

  /** Who answers on the listener, as `namespace/name`; '' for nobody. */
  answer(gateway: string, listener: string): Promise<string> {
    const [namespace, name] = located(gateway)
    const { port, protocol } = this.cluster.listener(namespace, name, listener)
    return askStream(transportOf(protocol), this.entrance(gateway, port).listenPort)
  }

  /** The route's status is about one parent alone. */
  onlyParent(route: string): void {
    expect(this.cluster.routeStatus(...located(route)).parents).toHaveLength(1)
  }

  gateway(gateway: string, ...claims: readonly Claim[]): void {
    expect(held(this.cluster.status('Gateway', ...located(gateway)).conditions, claims)).toEqual(claims)
  }

  listenerSet(listenerSet: string, ...claims: readonly Claim[]): void {
    expect(held(this.cluster.status('ListenerSet', ...located(listenerSet)).conditions, claims)).toEqual(claims)
  }

  /** How many ListenerSets the Gateway has taken. */
  attachedSets(gateway: string, count: number): void {
    expect(this.cluster.status('Gateway', ...located(gateway)).attachedListenerSets).toBe(count)
  }

  /** All listeners of the Gateway, by name. */
  listeners(gateway: string, claims: Readonly<Record<string, ListenerClaim>>): void {
    this.#listeners('Gateway', gateway, claims)
  }

  /** All listeners of the ListenerSet, by name. */
  setListeners(listenerSet: string, claims: Readonly<Record<string, ListenerClaim>>): void {
    this.#listeners('ListenerSet', listenerSet, claims)
  }

  #listeners(kind: 'Gateway' | 'ListenerSet', owner: string, claims: Readonly<Record<string, ListenerClaim>>): void {
    const shown = this.cluster.status(kind, ...located(owner)).listeners.map(({ name, supportedKinds, attachedRoutes, conditions }) => {
      const claim = claims[name]
      const kinds = supportedKinds.filter(({ group }) => group === 'gateway.networking.k8s.io').map(({ kind }) => kind)
      // A listener may support more than the suite asks for, but not where it asks for nothing.
      const looked =
        claim?.kinds === 'any'
          ? 'any'
          : claim === undefined || claim.kinds.length === 0
            ? kinds
            : kinds.filter((kind) => claim.kinds.includes(kind))
      return [name, { kinds: looked, attached: attachedRoutes, conditions: held(conditions, claim?.conditions ?? []) }] as const
    })
    expect(Object.fromEntries(shown)).toEqual(claims)
  }

  /** Sends the requests to the Gateway, by TLS to port 443, and compares what becomes of them. */
  async answers(gateway: string, rows: readonly Row[], port = 80, version: HttpVersion = 'HTTP/1.1'): Promise<void> {
    const { came, wanted } = await judge({ ...this.entrance(gateway, port), version }, this.#agents, rows)
    expect(came).toEqual(wanted)
  }

  /** Makes the calls to the Gateway, by clear text. */
  async calls(gateway: string, rows: readonly CallRow[]): Promise<void> {
    const came = await Promise.all(rows.map(async ([call]) => [call, shownOf(await this.call(gateway, call))]))
    const wanted = rows.map(([call, outcome]) => {
      const { path } = grpcMethod(typeof call === 'string' ? call : call.method)
      return [call, /^[A-Z_]+$/.test(outcome) ? outcome : { namespace: INFRA, pod: outcome, path }]
    })
    expect(came).toEqual(wanted)
  }

  call(gateway: string, call: Call): Promise<CallAnswer> {
    const { address, listenPort } = this.entrance(gateway, 80)
    return callGrpc(listenPort, `${address}:80`, call)
  }

  /** By clear text. */
  send(gateway: string, path: string, method = 'GET', fields: Exchange['fields'] = []): Promise<Exchange> {
    const { address, listenPort } = this.entrance(gateway, 80)
    return exchange({ port: listenPort, method, path, host: address, fields, version: 'HTTP/1.1' }, this.#agents)
  }

  entrance(gateway: string, port: number): Omit<Entrance, 'version'> {
    const [namespace, name] = located(gateway)
    const { ports, authority } = this.cluster
    const key = `${namespace}/${name}`
    return {
      address: this.cluster.status('Gateway', namespace, name).addresses[0]?.value ?? '',
      port,
      listenPort: ports.placement(key, port).port,
      specified: (placed: number) => ports.specified(key, placed),
      ...(port === HTTPS && { tls: { authority } }),
    }
  }
}

/** What a row of calls says of an outcome. */
function shownOf({ code, echo }: CallAnswer): string | Pick<GrpcEcho, 'namespace' | 'pod' | 'path'> {
  return echo === undefined ? code : { namespace: echo.namespace, pod: echo.pod, path: echo.path }
}

/** The claims that hold, the others as what is said instead. */
function held(conditions: readonly Condition[], claims: readonly Claim[]): readonly Claim[] {
  return claims.map((claim) => {
    const [type = ''] = claim.split('=')
    const condition = conditions.find((one) => one.type === type)
    if (condition === undefined) return `${type} is not there`
    const brief = `${type}=${condition.status}`
    return claim === brief ? brief : `${brief} ${condition.reason}`
  })
}

function located(name: string): readonly [namespace: string, name: string] {
  const slash = name.indexOf('/')
  return slash < 0 ? [INFRA, name] : [name.slice(0, slash), name.slice(slash + 1)]
}
