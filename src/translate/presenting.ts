/**
 * A Gateway that shows a certificate to its backends (Gateway API v1, GatewayBackendTLS.clientCertificateRef) has pools of its
 * own: what a connection was allowed with this certificate no other Gateway's requests may use. Its routes name these.
 * An XBackend says itself whether and what is shown (BackendTLS.mode): its pools are left alone.
 */
import type { FilterConfig } from '../config/filter.ts'
import type { PoolConfig, PoolKey } from '../config/pool.ts'
import type { BackendConfig, HttpRouteConfig } from '../config/route.ts'
import type { StreamRouteConfig } from '../config/stream-route.ts'

/** Of one certificate. What came out of an object once comes out again: identity is kept from pass to pass. */
export class Presenting {
  readonly fingerprint: string
  readonly #routes = new WeakMap<HttpRouteConfig, HttpRouteConfig>()
  readonly #streams = new WeakMap<StreamRouteConfig, StreamRouteConfig>()
  readonly #pools = new WeakMap<PoolConfig, PoolConfig>()

  constructor(fingerprint: string) {
    this.fingerprint = fingerprint
  }

  route(config: HttpRouteConfig): HttpRouteConfig {
    return remembered(this.#routes, config, () => ({
      ...config,
      rules: config.rules.map((rule) => ({
        ...rule,
        filters: rule.filters.map((filter) => this.#filter(filter)),
        backends: rule.backends.map((backend) => this.#backend(backend)),
      })),
    }))
  }

  stream(config: StreamRouteConfig): StreamRouteConfig {
    return remembered(this.#streams, config, () => ({
      ...config,
      backends: config.backends.map((backend) => (backend.kind === 'pool' ? { ...backend, pool: this.#key(backend.pool) } : backend)),
    }))
  }

  pool(config: PoolConfig): PoolConfig {
    const { key, tls, backend } = config
    if (tls === undefined || backend.kind === 'XBackend') return config
    return remembered(this.#pools, config, () => ({ ...config, key: this.#key(key), tls: { ...tls, clientCertificate: this.fingerprint } }))
  }

  #backend(backend: BackendConfig): BackendConfig {
    if (backend.kind !== 'pool') return backend
    return { ...backend, pool: this.#key(backend.pool), filters: backend.filters.map((filter) => this.#filter(filter)) }
  }

  #filter(filter: FilterConfig): FilterConfig {
    if (filter.kind !== 'mirror' && filter.kind !== 'externalAuth') return filter
    const { target } = filter
    return target.kind === 'pool' ? { ...filter, target: { ...target, pool: this.#key(target.pool) } } : filter
  }

  /** The key of a pool says whether it speaks TLS, and to what. */
  #key(key: PoolKey): PoolKey {
    return key.includes(';tls=') && !key.startsWith('XBackend/') ? `${key};client=${this.fingerprint.slice(0, 16)}` : key
  }
}

function remembered<T extends object>(known: WeakMap<T, T>, from: T, make: () => T): T {
  let made = known.get(from)
  if (made === undefined) known.set(from, (made = make()))
  return made
}
