/** What a Service port's appProtocol means for HTTP backends (Kubernetes standard application protocols, KEP-3726). */

export type BackendProtocol =
  | { readonly kind: 'served'; readonly protocol: 'http' }
  | { readonly kind: 'unserved'; readonly why: string }
  /** Not a name that we know: HTTP/1.1 is spoken, and a finding says so. */
  | { readonly kind: 'unknown'; readonly protocol: 'http' }

const HTTP: BackendProtocol = { kind: 'served', protocol: 'http' }
const H2C: BackendProtocol = { kind: 'unserved', why: 'HTTP/2 to backends is not served' }
const TLS: BackendProtocol = { kind: 'unserved', why: 'TLS to backends needs a BackendTLSPolicy, which is not served' }

/** By lower-case name: the standard ones, and what Services commonly say for the same. */
const PROTOCOLS: ReadonlyMap<string, BackendProtocol> = new Map<string, BackendProtocol>([
  ['http', HTTP],
  ['http/1.1', HTTP],
  ['tcp', HTTP],
  ['ws', HTTP],
  ['kubernetes.io/ws', HTTP],
  ['h2c', H2C],
  ['http2', H2C],
  ['grpc', H2C],
  ['kubernetes.io/h2c', H2C],
  ['https', TLS],
  ['tls', TLS],
  ['wss', TLS],
  ['kubernetes.io/wss', TLS],
])

export function backendProtocol(appProtocol: string | undefined): BackendProtocol {
  if (appProtocol === undefined || appProtocol === '') return HTTP
  return PROTOCOLS.get(appProtocol.toLowerCase()) ?? { kind: 'unknown', protocol: 'http' }
}
