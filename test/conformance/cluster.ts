/**
 * The cluster that the suite finds: takes manifests as an API server does (validated, with generation and time of creation),
 * and lets our parts work on them as a controller does: translate, deliver to a data plane, observe, translate again.
 * What its pods and its load balancer would do is in `pods.ts` and here.
 */
import { expect } from 'vitest'
import { formatPath, parse } from '../../src/api/parse.ts'
import type { Condition } from '../../src/api/meta.ts'
import type { ApiObject, Kind } from '../../src/api/object.ts'
import type { GatewayObservation } from '../../src/cluster/observations.ts'
import { SnapshotBuilder } from '../../src/cluster/snapshot-builder.ts'
import { InProcessDelivery } from '../../src/delivery/in-process.ts'
import { DataPlane } from '../../src/proxy/data-plane.ts'
import { silentLogger } from '../../src/telemetry/logger.ts'
import { translate, type Pass, type TranslateOptions } from '../../src/translate/translate.ts'
import type { GatewayClassStatus, GatewayStatus, ListenerSetStatus, RouteStatus, StatusOf } from '../../src/translate/translation.ts'
import { PlacedPorts } from './placed-ports.ts'
import { Pods } from './pods.ts'
import { addresses, CONTROLLER, prepared, suiteObjects } from './suite-objects.ts'
import type { Manifest, SuiteModule } from './suite-module.ts'

interface StatusByKind {
  readonly GatewayClass: GatewayClassStatus
  readonly Gateway: GatewayStatus
  readonly ListenerSet: ListenerSetStatus
  readonly HTTPRoute: RouteStatus
  readonly GRPCRoute: RouteStatus
  readonly TLSRoute: RouteStatus
  readonly TCPRoute: RouteStatus
  readonly UDPRoute: RouteStatus
}

const options: TranslateOptions = { controllerName: CONTROLLER, anyClassIsOurs: false }

export class ConformanceCluster {
  /** PEM: whom clients trust. */
  readonly authority: string
  readonly ports = new PlacedPorts()
  readonly pods = new Pods()
  readonly #dataPlane = new DataPlane({ logger: silentLogger })
  readonly #delivery = new InProcessDelivery(this.#dataPlane)
  readonly #builder = new SnapshotBuilder()
  readonly #addresses = new Map<string, string>()
  #manifests: ReadonlyMap<string, Manifest> = new Map()
  #objects: ReadonlyMap<string, ApiObject> = new Map()
  #pass: Pass | undefined
  #seconds = 0

  private constructor(authority: string) {
    this.authority = authority
  }

  /** With the suite's base manifests. */
  static async start(suite: SuiteModule): Promise<ConformanceCluster> {
    const base = suite.read('base/manifests.yaml')
    const { manifests, authority } = suiteObjects()
    const cluster = new ConformanceCluster(authority)
    await cluster.apply([...manifests, ...base])
    return cluster
  }

  async close(): Promise<void> {
    await this.#dataPlane.drain(0)
    await this.pods.close()
  }

  /** Runs with more manifests; afterwards everything is as it was. */
  async during(manifests: readonly Manifest[], run: () => Promise<void> | void): Promise<void> {
    const before = this.#manifests
    try {
      await this.apply(manifests)
      await run()
    } finally {
      await this.#replace(before)
    }
  }

  /** Creates objects, each a second younger than the one before. */
  async apply(manifests: readonly Manifest[]): Promise<void> {
    const next = new Map(this.#manifests)
    await this.pods.start(manifests)
    for (const manifest of manifests.flatMap((one) => [prepared(one), ...this.pods.endpointSlice(one)])) {
      const creationTimestamp = new Date(Date.UTC(2026, 0, 1) + 1000 * this.#seconds++).toISOString()
      next.set(idOf(manifest), { ...manifest, metadata: { ...manifest.metadata, generation: 1, creationTimestamp } })
    }
    await this.#replace(next)
  }

  /** Changes fields beside the metadata, which is a new generation. */
  async change(kind: string, namespace: string, name: string, edit: (manifest: Manifest) => object): Promise<void> {
    const id = `${kind}/${namespace}/${name}`
    const manifest = this.#manifest(id)
    const metadata = { ...manifest.metadata, generation: (manifest.metadata.generation ?? 0) + 1 }
    await this.#replace(new Map(this.#manifests).set(id, { ...manifest, ...edit(manifest), metadata }))
  }

  async remove(kind: string, namespace: string, name: string): Promise<void> {
    const next = new Map(this.#manifests)
    this.#manifest(`${kind}/${namespace}/${name}`)
    next.delete(`${kind}/${namespace}/${name}`)
    await this.#replace(next)
  }

  status<K extends keyof StatusByKind>(kind: K, namespace: string, name: string): StatusByKind[K] {
    const found = this.statuses.find((one) => one.kind === kind && one.namespace === namespace && one.name === name)
    if (found === undefined) throw new Error(`${kind} ${namespace}/${name} has no status`)
    return found.status as StatusByKind[K]
  }

  /** Of the route with that name, whatever its kind; no test has two. */
  routeStatus(namespace: string, name: string): RouteStatus {
    const kinds = ['GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'] as const
    return this.status(kinds.find((kind) => this.#manifests.has(`${kind}/${namespace}/${name}`)) ?? 'HTTPRoute', namespace, name)
  }

  /** As the Gateway's manifest has it. */
  listener(namespace: string, gateway: string, name: string): { readonly port: number; readonly protocol: string } {
    const { listeners } = this.#manifest(`Gateway/${namespace}/${gateway}`)['spec'] as {
      readonly listeners: readonly { readonly name: string; readonly port: number; readonly protocol: string }[]
    }
    const found = listeners.find((listener) => listener.name === name)
    if (found === undefined) throw new Error(`Gateway ${namespace}/${gateway} has no listener ${name}`)
    return found
  }

  get statuses(): readonly StatusOf[] {
    return this.#translation.statuses
  }

  /** What many passes have led to is what one pass makes of it, and what it makes for data planes can travel as JSON. */
  expectConsistent(): void {
    const { statuses, configs, findings, wants } = this.#translation
    const fresh = translate(this.#builder.snapshot(), options).translation
    expect({ statuses, configs, findings, wants }).toEqual({
      statuses: fresh.statuses,
      configs: fresh.configs,
      findings: fresh.findings,
      wants: fresh.wants,
    })
    expect(JSON.parse(JSON.stringify(configs))).toStrictEqual(configs)
  }

  /** What every test of the suite waits for: each status has conditions, and they are about the latest generation. */
  expectUpToDate(): void {
    const old = this.statuses.flatMap(({ kind, namespace, name, status }) => {
      const { generation } = this.#manifest(`${kind}/${namespace}/${name}`).metadata
      const conditions = conditionsIn(status)
      // Only of a policy may nothing be said: when nobody is under it.
      expect(conditions.length === 0 && !('ancestors' in status), name).toBe(false)
      return conditions.filter(({ observedGeneration }) => observedGeneration !== generation).map(({ type }) => `${kind} ${name} ${type}`)
    })
    expect(old).toEqual([])
  }

  /** What some tests wait for: every Gateway is accepted and programmed, but those that say that they never will be. */
  expectGatewaysReady(): void {
    const gateways = [...this.#manifests.values()].filter(
      ({ kind, metadata }) => kind === 'Gateway' && metadata.annotations?.['gateway-api/skip-this-for-readiness'] !== 'true',
    )
    const unready = gateways.flatMap(({ metadata: { namespace = '', name } }) => {
      const { conditions } = this.status('Gateway', namespace, name)
      const good = conditions.filter(({ type, status }) => ['Accepted', 'Programmed'].includes(type) && status === 'True')
      return good.length === 2 ? [] : [{ name, conditions }]
    })
    expect(unready).toEqual([])
  }

  get #translation() {
    if (this.#pass === undefined) throw new Error('nothing was applied yet')
    return this.#pass.translation
  }

  #manifest(id: string): Manifest {
    const found = this.#manifests.get(id)
    if (found === undefined) throw new Error(`there is no ${id}`)
    return found
  }

  async #replace(manifests: ReadonlyMap<string, Manifest>): Promise<void> {
    const objects = new Map<string, ApiObject>()
    for (const [id, manifest] of manifests) {
      const object = this.#manifests.get(id) === manifest ? this.#objects.get(id) : admitted(manifest)
      if (object !== undefined) objects.set(id, object)
    }
    for (const { kind, metadata } of this.#objects.values()) this.#builder.delete(kind satisfies Kind, metadata.namespace, metadata.name)
    for (const object of objects.values()) this.#builder.set(object)
    this.#manifests = manifests
    this.#objects = objects
    await this.#reconcile()
  }

  async #reconcile(): Promise<void> {
    this.#translate()
    const { configs, versions, keys } = this.#translation
    await this.ports.place(configs)
    const served = await this.#delivery.deliver(
      configs.map((config) => this.pods.reach(config)),
      versions,
      keys,
      this.ports.placement,
    )
    const gateways = [...served].map(([gateway, { version, failedPorts }]): [string, GatewayObservation] => [
      gateway,
      { servedVersion: version, addresses: [{ type: 'IPAddress', value: this.#addressOf(gateway) }], failedPorts },
    ])
    this.#builder.observe({ gateways: new Map(gateways), assumeProgrammed: false })
    this.#translate()
  }

  #translate(): void {
    this.#pass = translate(this.#builder.snapshot(), options, this.#pass)
  }

  /** As a load balancer would: what was asked for and can be had, or the Gateway's own. */
  #addressOf(gateway: string): string {
    const { addresses: asked = [] } = this.#manifest(`Gateway/${gateway}`)['spec'] as {
      readonly addresses?: readonly { readonly value?: string }[]
    }
    if (asked.some(({ value }) => value === addresses.PLACEHOLDER_USABLE_ADDRS)) return addresses.PLACEHOLDER_USABLE_ADDRS
    const address = this.#addresses.get(gateway) ?? `198.51.100.${this.#addresses.size + 1}`
    this.#addresses.set(gateway, address)
    return address
  }
}

/** As the API server would keep it; undefined for kinds that nobody here reads, Deployments. */
function admitted(manifest: Manifest): ApiObject | undefined {
  const parsed = parse(manifest)
  switch (parsed.kind) {
    case 'object':
      return parsed.object
    case 'unknown':
      return undefined
    case 'invalid':
      throw new Error(
        `${idOf(manifest)} is refused: ${parsed.issues.map((issue) => `${formatPath(issue.path)} ${issue.message}`).join('; ')}`,
      )
  }
}

/** Of the object and of its listeners, parents or ancestors. */
function conditionsIn(status: StatusOf['status']): readonly Condition[] {
  const parts =
    'listeners' in status ? status.listeners : 'parents' in status ? status.parents : 'ancestors' in status ? status.ancestors : []
  return [...('conditions' in status ? status.conditions : []), ...parts.flatMap(({ conditions = [] }) => conditions)]
}

function idOf({ kind, metadata }: Manifest): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`
}
