/** Certificates in PEM: the blocks of a text, and what they parse to. */
import { X509Certificate } from 'node:crypto'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

export interface PemCertificates {
  readonly blocks: readonly string[]
  /** undefined for a block that is no certificate. */
  readonly certificates: readonly (X509Certificate | undefined)[]
}

export function certificatesIn(text: string): PemCertificates {
  const blocks: readonly string[] = text.match(CERTIFICATE) ?? []
  return { blocks, certificates: blocks.map(parsed) }
}

function parsed(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}
