/** TLS contexts by the fingerprint of their certificate: made once, kept while a configuration names them, and so are their keys. */
import { createSecureContext, type SecureContext } from 'node:tls'
import type { CertificateConfig } from '../../config/listener.ts'
import type { KeyMaterial } from '../../config/key-material.ts'
import type { Secret } from '../../lib/secret.ts'

export interface LoadedCertificate {
  readonly config: CertificateConfig
  readonly context: SecureContext
  /** For a server's own context, which is used when the client names no server. */
  readonly key: Secret
}

export type CertificateResult =
  | { readonly kind: 'loaded'; readonly certificate: LoadedCertificate }
  | { readonly kind: 'failed'; readonly message: string }

/** @param previous what `loadCertificates` gave before: an unchanged fingerprint keeps its context */
export function loadCertificates(
  configs: Iterable<CertificateConfig>,
  keys: KeyMaterial,
  previous: ReadonlyMap<string, CertificateResult>,
): ReadonlyMap<string, CertificateResult> {
  const results = new Map<string, CertificateResult>()
  for (const config of configs) {
    if (results.has(config.fingerprint)) continue
    const before = previous.get(config.fingerprint)
    results.set(config.fingerprint, before?.kind === 'loaded' ? before : load(config, keys))
  }
  return results
}

function load(config: CertificateConfig, keys: KeyMaterial): CertificateResult {
  const key = keys.get(config.fingerprint)
  const subject = config.names[0] ?? config.fingerprint.slice(0, 12)
  if (key === undefined)
    return { kind: 'failed', message: `Cannot use the certificate for ${subject}: its private key must be delivered with it, got none` }
  try {
    // `ca: []` keeps the system's roots out: a server's context verifies nobody.
    const context = createSecureContext({ cert: config.chain, key: key.reveal(), ca: [] })
    return { kind: 'loaded', certificate: { config, key, context } }
  } catch (error) {
    return { kind: 'failed', message: `Cannot use the certificate for ${subject}: ${(error as Error).message}` }
  }
}

/**
 * The certificate for a server name among those of one listener: one that names it exactly, else one whose wildcard
 * covers it (one label, RFC 9525 section 6.3), else the first.
 * @param certificates in the order of the listener's certificateRefs, never empty
 */
export function chooseCertificate(certificates: readonly LoadedCertificate[], serverName: string): LoadedCertificate | undefined {
  const wildcard = `*${serverName.slice(Math.max(serverName.indexOf('.'), 0))}`
  return (
    certificates.find(({ config }) => config.names.includes(serverName)) ??
    certificates.find(({ config }) => config.names.includes(wildcard)) ??
    certificates[0]
  )
}
