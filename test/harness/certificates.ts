/** Certificates for tests: an authority and its leaves, made in memory, valid around now. */
import { createHash } from 'node:crypto'
import type { CertificateConfig } from '../../src/config/listener.ts'
import { Secret } from '../../src/lib/secret.ts'
import { makeAuthority, makeLeaf } from '../../src/x509/certificate.ts'

export interface TestCertificate {
  readonly config: CertificateConfig
  readonly key: Secret
}

export interface TestAuthority {
  /** PEM, for the client's `ca`. */
  readonly certificate: string
  /** Two calls give two certificates, also for equal names. */
  issue(...names: string[]): TestCertificate
}

const day = 24 * 60 * 60 * 1000

/** @param until milliseconds since 1970: when it and its leaves expire */
export function createTestAuthority(until: number = Date.now() + day): TestAuthority {
  const validity = { from: new Date(until - 2 * day), until: new Date(until) }
  const authority = makeAuthority('test authority', validity)
  return {
    certificate: authority.certificate,
    issue: (...names) => {
      const leaf = makeLeaf(authority, names, [], validity)
      const fingerprint = createHash('sha256').update(leaf.certificate).digest('hex')
      return { config: { fingerprint, chain: leaf.certificate, names }, key: new Secret(leaf.key) }
    },
  }
}

export function keysOf(...certificates: readonly TestCertificate[]): ReadonlyMap<string, Secret> {
  return new Map(certificates.map(({ config, key }) => [config.fingerprint, key]))
}
