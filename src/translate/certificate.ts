/**
 * A Secret of type kubernetes.io/tls as a certificate to serve with: well-formed chain, usable key, and the two belong together.
 * Whether a certificate is still valid is not judged here, for there is no clock; the data plane and `check` see that.
 */
import { createHash, createPrivateKey, createPublicKey, type X509Certificate, type KeyObject } from 'node:crypto'
import type { KubeSecret } from '../api/core.ts'
import type { CertificateConfig } from '../config/listener.ts'
import { alternativeNames } from '../lib/alternative-names.ts'
import { Secret } from '../lib/secret.ts'
import { certificatesIn } from './pem.ts'

export type CertificateResult =
  | { readonly kind: 'certificate'; readonly certificate: CertificateConfig; readonly key: Secret }
  /** `problem` is a clause that follows the Secret's name. */
  | { readonly kind: 'malformed'; readonly problem: string }

// An EC key may come after a block of its parameters.
const PRIVATE_KEY = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[^-]+-----END (?:[A-Z]+ )?PRIVATE KEY-----/

export function certificateOf(secret: KubeSecret): CertificateResult {
  if (secret.type !== 'kubernetes.io/tls') return malformed(`must be of type kubernetes.io/tls, got ${secret.type}`)
  const chainPem = decoded(secret, 'tls.crt')
  const keyPem = decoded(secret, 'tls.key')
  if (chainPem === undefined) return malformed('has no tls.crt')
  if (keyPem === undefined) return malformed('has no tls.key')

  const { blocks: chain, certificates } = certificatesIn(chainPem)
  const leaf = certificates[0]
  if (leaf === undefined) return malformed('holds no PEM certificate in tls.crt')
  const bad = certificates.indexOf(undefined)
  if (bad !== -1) return malformed(`holds a malformed certificate in tls.crt (number ${bad + 1})`)

  const block = PRIVATE_KEY.exec(keyPem)?.[0]
  const key = block === undefined ? undefined : parsedKey(block)
  if (block === undefined || key === undefined) return malformed('holds no usable PEM private key in tls.key')
  if (!leaf.checkPrivateKey(key)) return malformed('holds a tls.key that does not belong to the first certificate of tls.crt')

  const pem = `${chain.join('\n')}\n`
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const fingerprint = createHash('sha256').update(pem).update(publicKey).digest('hex')
  return { kind: 'certificate', certificate: { fingerprint, chain: pem, names: dnsNames(leaf) }, key: new Secret(`${block}\n`) }
}

function malformed(problem: string): CertificateResult {
  return { kind: 'malformed', problem }
}

function decoded({ data }: KubeSecret, entry: string): string | undefined {
  const value = data[entry]
  return value === undefined || value === '' ? undefined : Buffer.from(value, 'base64').toString('latin1')
}

function parsedKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem)
  } catch {
    return undefined
  }
}

/** From the subject alternative names; the subject's common name only where there are none, as TLS clients once did. */
function dnsNames({ subjectAltName, subject }: X509Certificate): readonly string[] {
  if (subjectAltName !== undefined) return alternativeNames(subjectAltName).dns
  const commonName = /^CN=(.+)$/m.exec(subject ?? '')?.[1]
  return commonName === undefined ? [] : [commonName.toLowerCase()]
}
