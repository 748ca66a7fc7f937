/** Backends to connect to. A pool changes with its endpoints; the routes that name it do not. */
import type { BackendTlsConfig } from './backend-tls.ts'

/** `Service/namespace/name:port` or `XBackend/namespace/name:port`, then `;protocol` where it is not http, then `;tls=` and a digest of what TLS asks for. Never a rule's index. */
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
  /** An XBackend's ExternalHostname: the data plane finds its addresses, and `endpoints` is empty. Lower case. */
  readonly hostname?: string
  /** Absent: the data plane's own bound for retries holds. The same for all pools of a backend. */
  readonly retryBudget?: RetryBudgetConfig
}

/** RetryConstraint of an XBackendTrafficPolicy (GEP-3388). Times in milliseconds. */
export interface RetryBudgetConfig {
  /** Of the requests in `interval` that may be retries. */
  readonly percent: number
  readonly interval: number
  /** So many retries in their own interval are allowed whatever the percentage. */
  readonly minRetries: { readonly count: number; readonly interval: number }
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
