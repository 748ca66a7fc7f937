/**
 * x509: certificates that are made here (RFC 5280): a P-256 authority, leaves for servers and for clients, signed with ECDSA
 * and SHA-256. For development on a laptop, and between controller and proxies.
 *
 * Written out because the profile is fixed and small; the library for it wants a global reflection polyfill and a dozen packages.
 * Knows nothing of what a certificate is for, where it is kept or when it is replaced.
 */
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { bitString, boolean, context, integer, octetString, oid, sequence, set, time, utf8String } from './der.ts'

/** Both in PEM. */
export interface CertificateAndKey {
  readonly certificate: string
  readonly key: string
}

export interface Validity {
  readonly from: Date
  readonly until: Date
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))
const commonName = '2.5.4.3'

/** A self-signed certificate that may sign leaves and nothing below them. */
export function makeAuthority(name: string, validity: Validity): CertificateAndKey {
  const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const subject = distinguishedName(name)
  return seal(pair, subject, { name: subject, key: pair.privateKey, id: keyId(pair.publicKey) }, validity, [
    extension('2.5.29.19', true, sequence(boolean(true), integer(Buffer.from([0])))),
    // keyCertSign and cRLSign: bits 5 and 6.
    extension('2.5.29.15', true, bitString(Buffer.from([0b0000_0110]), 1)),
  ])
}

const serverAuth = '1.3.6.1.5.5.7.3.1'
const clientAuth = '1.3.6.1.5.5.7.3.2'

/** A server certificate for DNS names (a wildcard may lead) and IPv4 or IPv6 loopback addresses. */
export function makeLeaf(
  authority: CertificateAndKey,
  names: readonly string[],
  addresses: readonly string[],
  validity: Validity,
): CertificateAndKey {
  const [first = 'localhost'] = names
  // A common name is at most 64 characters long (RFC 5280 appendix A.1); clients read the alternative names.
  const subject = first.length <= 64 ? first : 'gatewright development'
  const alternatives = [
    ...names.map((name) => context(2, Buffer.from(name, 'latin1'), false)),
    ...addresses.map((address) => context(7, addressBytes(address), false)),
  ]
  return leaf(authority, subject, serverAuth, alternatives, validity)
}

/** A client certificate whose identity is a URI. */
export function makeClientLeaf(authority: CertificateAndKey, subject: string, uri: string, validity: Validity): CertificateAndKey {
  return leaf(authority, subject, clientAuth, [context(6, Buffer.from(uri, 'latin1'), false)], validity)
}

function leaf(
  authority: CertificateAndKey,
  subject: string,
  usage: string,
  alternatives: readonly Buffer[],
  validity: Validity,
): CertificateAndKey {
  const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const parent = new X509Certificate(authority.certificate)
  // makeAuthority gives a subject that is one common name.
  const issuerName = distinguishedName(parent.subject.replace(/^CN=/, ''))
  const issuer = { name: issuerName, key: createPrivateKey(authority.key), id: keyId(parent.publicKey) }
  return seal(pair, distinguishedName(subject), issuer, validity, [
    extension('2.5.29.19', true, sequence()),
    // digitalSignature: bit 0.
    extension('2.5.29.15', true, bitString(Buffer.from([0b1000_0000]), 7)),
    extension('2.5.29.37', false, sequence(oid(usage))),
    extension('2.5.29.17', false, sequence(...alternatives)),
  ])
}

interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

function seal(
  pair: KeyPair,
  subject: Buffer,
  issuer: { readonly name: Buffer; readonly key: KeyObject; readonly id: Buffer },
  validity: Validity,
  extensions: readonly Buffer[],
): CertificateAndKey {
  const toBeSigned = sequence(
    context(0, integer(Buffer.from([2])), true), // version 3
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    issuer.name,
    sequence(time(validity.from), time(validity.until)),
    subject,
    pair.publicKey.export({ type: 'spki', format: 'der' }),
    context(
      3,
      sequence(
        ...extensions,
        extension('2.5.29.14', false, octetString(keyId(pair.publicKey))),
        extension('2.5.29.35', false, sequence(context(0, issuer.id, false))),
      ),
      true,
    ),
  )
  const certificate = sequence(toBeSigned, ecdsaWithSha256, bitString(sign('sha256', toBeSigned, issuer.key)))
  return { certificate: pem('CERTIFICATE', certificate), key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

function distinguishedName(name: string): Buffer {
  return sequence(set(sequence(oid(commonName), utf8String(name))))
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value))
}

/** RFC 7093 section 2 method 1: the leftmost 160 bits of SHA-256 over the public key's bits, which P-256 keeps in the last 65 bytes. */
function keyId(key: KeyObject): Buffer {
  const bits = key.export({ type: 'spki', format: 'der' }).subarray(-65)
  return createHash('sha256').update(bits).digest().subarray(0, 20)
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  if (address !== '::1') throw new Error(`Cannot make a certificate: an address must be IPv4 or ::1, got ${address}`)
  return Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
