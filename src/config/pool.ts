/** Backends to connect to. A pool changes with its endpoints; the routes that name it do not. */
import type { BackendTlsConfig } from './backend-tls.ts'

/** `Service/namespace/name:port`, then `;protocol` where it is not http, then `;tls=` and a digest of what TLS asks for. Never a rule's index. */
export type PoolKey = string

export interface PoolConfig {
  readonly key: PoolKey
  readonly backend: { readonly kind: string; readonly namespace: string; readonly name: string; readonly port: number }
  /**
   * What is spoken to the endpoints. 'http' is HTTP/1.1; 'h2c' is HTTP/2 (appProtocol kubernetes.io/h2c, and gRPC): by prior
   * knowledge in clear text, by ALPN over TLS.
   */
  readonly protocol: 'http' | 'h2c' | 'tcp' | 'udp'
  /** Absent: in clear text. */
  readonly tls?: BackendTlsConfig
  /** Sorted by address and port, without duplicates. Empty: nothing is ready (503). */
  readonly endpoints: readonly EndpointConfig[]
}

export interface EndpointConfig {
  readonly address: string
  readonly port: number
  /**
   * ready: takes new requests. serving: terminating but still answering, used only while no endpoint is ready.
   * Endpoints that are neither are absent.
   */
  readonly state: 'ready' | 'serving'
  readonly zone?: string
  /** Zones that this endpoint should serve (EndpointSlice hints). */
  readonly forZones?: readonly string[]
}
