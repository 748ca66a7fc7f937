/** TLSRoute, TCPRoute and UDPRoute as the data plane sees them: connections and datagrams go to backends as they are. */
import type { PoolKey } from './pool.ts'
import type { AttachmentConfig } from './route.ts'

export interface StreamRouteConfig {
  /**
   * 'passthrough' and 'terminate' are a TLSRoute's, at listeners of that mode: one that is attached to both is here twice, since what
   * is spoken to its backends differs.
   */
  readonly kind: 'passthrough' | 'terminate' | 'tcp' | 'udp'
  /** `TLSRoute/namespace/name`, `TCPRoute/namespace/name` or `UDPRoute/namespace/name` */
  readonly key: string
  /** One for each listener that accepted the route; never empty. Hostnames are a TLSRoute's, `['']` for others. */
  readonly attachments: readonly AttachmentConfig[]
  /** Empty, or all of weight 0: connections are ended, datagrams dropped. */
  readonly backends: readonly StreamBackendConfig[]
  /** What connections to the backends begin with; never there for 'udp'. Absent: nothing. */
  readonly proxyProtocol?: ProxyProtocolVersion
}

/** Of the header of HAProxy's PROXY protocol: a line of text, or a block of bytes. */
export type ProxyProtocolVersion = 'v1' | 'v2'

export type StreamBackendConfig =
  | { readonly kind: 'pool'; readonly pool: PoolKey; readonly weight: number }
  /** Its share of connections is ended, of datagrams dropped. */
  | { readonly kind: 'fail'; readonly backend: string; readonly reason: string; readonly message: string; readonly weight: number }
