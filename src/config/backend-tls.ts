/** TLS towards the endpoints of a pool: what is asked of their certificates, and by which name. */

export interface BackendTlsConfig {
  /** For SNI, and for the certificate where `names` is empty. Lower case. */
  readonly serverName: string
  /** Who may have signed: a bundle in PEM, or the authorities of the system. */
  readonly authorities: { readonly kind: 'bundle'; readonly pem: string } | { readonly kind: 'system' }
  /** One of them must be among the certificate's alternative names. Empty: `serverName` must. */
  readonly names: readonly BackendName[]
  /** Fingerprint of the certificate that is shown to endpoints that ask for one; absent: none is. */
  readonly clientCertificate?: string
}

export type BackendName =
  /** Lower case; a leading `*.` matches the certificate's name of the same spelling. */
  { readonly kind: 'dns'; readonly value: string } | { readonly kind: 'uri'; readonly value: string }
