/** Listeners that shall serve. One that must not serve (conflict, no certificate, unsupported) is absent, its condition says why. */

/** `Gateway/namespace/name/listener` or `ListenerSet/namespace/name/listener`: unique in a process. */
export type ListenerKey = string

export interface ListenerConfig {
  readonly key: ListenerKey
  readonly name: string
  /** The specification's port, 1-65535. Listeners of one Gateway share a port only with compatible protocols. */
  readonly port: number
  readonly protocol: 'HTTP' | 'HTTPS' | 'TLS' | 'TCP' | 'UDP'
  /** Lower case; '' for any host. */
  readonly hostname: string
  /** Present for HTTPS and TLS. */
  readonly tls?: ListenerTlsConfig
}

export type ListenerTlsConfig =
  | {
      readonly kind: 'terminate'
      /** Fingerprints, in the order of certificateRefs; never empty. */
      readonly certificates: readonly string[]
      readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
      /** Absent: clients are asked for no certificate. */
      readonly clients?: ClientValidationConfig
    }
  | { readonly kind: 'passthrough' }

/** Whose certificates clients must show. */
export interface ClientValidationConfig {
  /** A bundle in PEM. */
  readonly authorities: string
  /** 'insecure-fallback': those without a valid certificate are let in all the same. */
  readonly mode: 'valid-only' | 'insecure-fallback'
}

/** The public part of a certificate; its key is delivered apart, see `KeyMaterial`. */
export interface CertificateConfig {
  /** SHA-256 over the PEM chain and the public key of the private key, hex. Names certificate and key together. */
  readonly fingerprint: string
  /** PEM, leaf first. */
  readonly chain: string
  /** DNS names of the leaf, lower case, to choose among several certificates of one listener. */
  readonly names: readonly string[]
}
