/** What a Service port's appProtocol means for a route (Kubernetes standard application protocols, KEP-3726; HTTPBackendRef and GRPCBackendRef). */
import type { PoolConfig } from '../config/pool.ts'

/**
 * What the route sends: requests of any kind, gRPC, which needs HTTP/2, a stream of bytes, one that is TLS already, or datagrams.
 * What is in the last three is not looked at, so that no appProtocol is wrong for them.
 */
export type Speech = 'http' | 'grpc' | 'tcp' | 'tls' | 'udp'

export type BackendProtocol =
  | { readonly kind: 'served'; readonly protocol: PoolConfig['protocol'] }
  | { readonly kind: 'unserved'; readonly why: string }
  /** Not a name that we know: what the route speaks is spoken, and a finding says so. */
  | { readonly kind: 'unknown'; readonly protocol: 'http' | 'h2c' }

const TLS = 'what their certificates must be is not known: add a BackendTLSPolicy for the Service'

/** `any`: what the route speaks. The standard names, and what Services commonly say for the same; lower case. */
const PROTOCOLS: ReadonlyMap<string, 'any' | 'http' | 'h2c' | 'tls'> = new Map([
  ['', 'any'],
  ['http', 'any'],
  ['tcp', 'any'],
  ['http/1.1', 'http'],
  ['ws', 'http'],
  ['kubernetes.io/ws', 'http'],
  ['h2c', 'h2c'],
  ['http2', 'h2c'],
  ['grpc', 'h2c'],
  ['kubernetes.io/h2c', 'h2c'],
  ['https', 'tls'],
  ['tls', 'tls'],
  ['wss', 'tls'],
  ['kubernetes.io/wss', 'tls'],
])

/** @param secured a BackendTLSPolicy holds for the port */
export function backendProtocol(appProtocol: string | undefined, speech: Speech, secured: boolean): BackendProtocol {
  if (speech === 'udp') return { kind: 'served', protocol: 'udp' }
  if (speech === 'tcp' || speech === 'tls') return { kind: 'served', protocol: 'tcp' }
  const own = speech === 'grpc' ? 'h2c' : 'http'
  const meant = PROTOCOLS.get((appProtocol ?? '').toLowerCase())
  switch (meant) {
    case undefined:
      return { kind: 'unknown', protocol: own }
    case 'any':
      return { kind: 'served', protocol: own }
    case 'http':
      return speech === 'grpc' ? { kind: 'unserved', why: 'gRPC needs HTTP/2' } : { kind: 'served', protocol: 'http' }
    case 'h2c':
      return { kind: 'served', protocol: 'h2c' }
    case 'tls':
      return secured ? { kind: 'served', protocol: own } : { kind: 'unserved', why: TLS }
  }
}
