/**
 * config: what a data plane must do. Plain JSON, discriminated unions, no logic.
 *
 * translate makes it, routing compiles it, proxy serves it, delivery carries it. Everything is resolved and parsed:
 * durations are milliseconds, references are pool keys, invalid input is a value of kind 'fail'. It holds the
 * specification's ports (the edge decides by `Placement` where a socket really listens), no time, no key material
 * (certificates are named by fingerprint), and is safe to print.
 *
 * Identity matters: an unchanged listener, route, pool or certificate stays the same object from one configuration
 * to the next, and what is compiled from it is kept for as long as it does.
 */
import type { CertificateConfig, ListenerConfig } from './listener.ts'
import type { PoolConfig } from './pool.ts'
import type { HttpRouteConfig } from './route.ts'
import type { StreamRouteConfig } from './stream-route.ts'

export interface GatewayConfig {
  /** `namespace/name` */
  readonly gateway: string
  /** The generation of the Gateway that this configuration was made from is not part of it: see Translation. */
  readonly listeners: readonly ListenerConfig[]
  /** In tie-break order (age, then `namespace/name`), so that a stable sort keeps the specification's order. */
  readonly routes: readonly HttpRouteConfig[]
  /** In tie-break order: of several on one listener that would take a connection the first one does. */
  readonly streams: readonly StreamRouteConfig[]
  /** Sorted by key. Every pool that a route names is here. */
  readonly pools: readonly PoolConfig[]
  /** Sorted by fingerprint. Every certificate that a listener names is here. */
  readonly certificates: readonly CertificateConfig[]
}
