/**
 * A Gateway's configuration as resources that travel one by one: what changed is sent, what did not is the same object
 * on both sides, before and after. Keys travel with the certificate that they belong to.
 */
import type { GatewayConfig } from '../config/config.ts'
import type { KeyMaterial } from '../config/key-material.ts'
import type { CertificateConfig, ListenerConfig } from '../config/listener.ts'
import type { PoolConfig } from '../config/pool.ts'
import type { HttpRouteConfig } from '../config/route.ts'
import type { StreamRouteConfig } from '../config/stream-route.ts'
import { changedSpan, changeOf } from '../lib/list-change.ts'
import { Secret } from '../lib/secret.ts'

/** All that a data plane needs for one Gateway. */
export interface GatewayResources {
  readonly config: GatewayConfig
  /** Of the configuration's certificates. */
  readonly keys: KeyMaterial
}

/** One kind of resource from one version to the next. */
export interface Changes<T> {
  /** New or changed. */
  readonly put: readonly T[]
  /** Absent when neither order nor membership changed. */
  readonly span?: NameSpan
}

/** The names that took the place of others, so that a list of thousands need not travel for one that came. */
export interface NameSpan {
  /** How many there were. */
  readonly of: number
  readonly at: number
  readonly removed: number
  readonly names: readonly string[]
}

export interface ConfigDelta {
  readonly listeners: Changes<ListenerConfig>
  readonly routes: Changes<HttpRouteConfig>
  readonly streams: Changes<StreamRouteConfig>
  readonly pools: Changes<PoolConfig>
  readonly certificates: Changes<CertificateConfig & { readonly key: string }>
}

const listenerName = ({ key }: ListenerConfig): string => key
const routeName = ({ key }: HttpRouteConfig): string => key
/** A TLSRoute may be there twice under its key. */
export const streamName = ({ kind, key }: StreamRouteConfig): string => `${kind} ${key}`
const poolName = ({ key }: PoolConfig): string => key
const certificateName = ({ fingerprint }: CertificateConfig): string => fingerprint

export function emptyResources(gateway: string): GatewayResources {
  return { config: { gateway, listeners: [], routes: [], streams: [], pools: [], certificates: [] }, keys: new Map() }
}

/** The resources of one Gateway among the keys of all. */
export function resourcesOf(config: GatewayConfig, keys: KeyMaterial): GatewayResources {
  const own = new Map<string, Secret>()
  for (const { fingerprint } of config.certificates) {
    const key = keys.get(fingerprint)
    if (key !== undefined) own.set(fingerprint, key)
  }
  return { config, keys: own }
}

/** What turns `before` into `after`; compares by identity. */
export function deltaOf(before: GatewayResources, after: GatewayResources): ConfigDelta {
  const [a, b] = [before.config, after.config]
  const certificates = changesOf(a.certificates, b.certificates, certificateName)
  return {
    listeners: changesOf(a.listeners, b.listeners, listenerName),
    routes: changesOf(a.routes, b.routes, routeName),
    streams: changesOf(a.streams, b.streams, streamName),
    pools: changesOf(a.pools, b.pools, poolName),
    certificates: {
      ...certificates,
      put: certificates.put.map((certificate) => ({ ...certificate, key: after.keys.get(certificate.fingerprint)?.reveal() ?? '' })),
    },
  }
}

/** `before` with the changes. Throws when a name stands for nothing: then this is no change of `before`. */
export function withDelta(before: GatewayResources, delta: ConfigDelta): GatewayResources {
  const { config } = before
  const put = delta.certificates.put.map(({ key, ...certificate }) => ({ certificate, key: new Secret(key) }))
  const certificates = changed(
    config.certificates,
    { ...delta.certificates, put: put.map(({ certificate }) => certificate) },
    certificateName,
  )
  const keys = new Map([...before.keys, ...put.map(({ certificate, key }) => [certificate.fingerprint, key] as const)])
  const own = certificates.flatMap(({ fingerprint }) => {
    const key = keys.get(fingerprint)
    return key === undefined ? [] : [[fingerprint, key] as const]
  })
  return {
    config: {
      gateway: config.gateway,
      listeners: changed(config.listeners, delta.listeners, listenerName),
      routes: changed(config.routes, delta.routes, routeName),
      streams: changed(config.streams, delta.streams, streamName),
      pools: changed(config.pools, delta.pools, poolName),
      certificates,
    },
    keys: new Map(own),
  }
}

function changesOf<T>(before: readonly T[], after: readonly T[], nameOf: (one: T) => string): Changes<T> {
  if (before === after) return { put: [] }
  const { begin, left, came, added: put } = changeOf(before, after)
  const names = changedSpan(left.map(nameOf), came.map(nameOf))
  if (names.begin === names.beforeEnd && names.begin === names.afterEnd) return { put }
  const span: NameSpan = {
    of: before.length,
    at: begin + names.begin,
    removed: names.beforeEnd - names.begin,
    names: came.slice(names.begin, names.afterEnd).map(nameOf),
  }
  return { put, span }
}

function changed<T>(before: readonly T[], { put, span }: Changes<T>, nameOf: (one: T) => string): readonly T[] {
  if (put.length === 0 && span === undefined) return before
  const fresh = new Map(put.map((one) => [nameOf(one), one]))
  const renewed = (list: readonly T[]): readonly T[] => (fresh.size === 0 ? list : list.map((one) => take(fresh, nameOf(one)) ?? one))
  const { of, at, removed, names } = span ?? { of: before.length, at: before.length, removed: 0, names: [] }
  if (of !== before.length) throw new Error(`Cannot apply a change: there must be ${of} resources before, got ${before.length}`)
  const known = new Map(before.slice(at, at + removed).map((one) => [nameOf(one), one]))
  const between = names.map((name) => {
    const one = take(fresh, name) ?? known.get(name)
    if (one === undefined) throw new Error(`Cannot apply a change: ${name} must be there before or come with it`)
    return one
  })
  const next = renewed(before.slice(0, at)).concat(between, renewed(before.slice(at + removed)))
  if (fresh.size > 0) throw new Error(`Cannot apply a change: ${[...fresh.keys()].join(', ')} must be there before`)
  return next
}

function take<T>(from: Map<string, T>, name: string): T | undefined {
  const one = from.get(name)
  from.delete(name)
  return one
}
