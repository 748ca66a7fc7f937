/**
 * The value of `X-Forwarded-Client-Cert` for a connection, in the form that Envoy gave it:
 * `Hash=…;Subject="CN=somebody";URI=spiffe://a/b;DNS=a.example`, one pair for each alternative name.
 */
import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { alternativeNames } from '../../lib/alternative-names.ts'
import { distinguishedName } from '../../lib/distinguished-name.ts'

/** What backends are told of a client's certificate: what it says, or the certificate as well. */
export type ForwardedCertificate = 'details' | 'with-certificate'

/** '' for a client whose certificate was not verified: one without, and one that the insecure fallback let in. */
export function clientCertificateField(socket: TLSSocket, forwarded: ForwardedCertificate): string {
  const certificate = socket.authorized ? socket.getPeerX509Certificate() : undefined
  if (certificate === undefined) return ''
  const { dns, uris } = alternativeNames(certificate.subjectAltName)
  return [
    `Hash=${createHash('sha256').update(certificate.raw).digest('hex')}`,
    ...(forwarded === 'with-certificate' ? [`Cert="${encodeURIComponent(certificate.toString())}"`] : []),
    `Subject="${distinguishedName(certificate.subject)}"`,
    ...uris.map((uri) => `URI=${pairValue(uri)}`),
    ...dns.map((name) => `DNS=${pairValue(name)}`),
  ].join(';')
}

/** Neither a URI nor a DNS name may hold a space, a quote, a `\` or what is no ASCII: such a one must not end the value or the line. */
const unprintable = /[^!-~]|["\\]/gu
const separators = /[,;=]/

function pairValue(name: string): string {
  const safe = name.replace(unprintable, encodeURIComponent)
  return separators.test(safe) ? `"${safe}"` : safe
}
