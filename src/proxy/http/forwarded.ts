/**
 * What the backend is told about the client. Nobody is believed by default: what a client says of itself is removed
 * and set anew; a trusted peer's `X-Forwarded-For` is continued, and what else it says is kept.
 */
import { FORWARDED, FORWARDED_ALIAS, kindOfName } from '../http1/field-kind.ts'
import type { RequestHead } from '../http1/request-head.ts'
import type { ConnectionContext } from './connection-context.ts'

const CLAIMS_OF_ANYBODY: readonly number[] = [FORWARDED_ALIAS, FORWARDED]
const CLAIMS_OF_TRUSTED: readonly number[] = [FORWARDED_ALIAS]

/** Kinds of fields in which a client speaks of itself, or that could be taken for what the gateway says. */
function claimKinds(trusted: boolean): readonly number[] {
  return trusted ? CLAIMS_OF_TRUSTED : CLAIMS_OF_ANYBODY
}

/** Takes the claims out. Before the route is chosen, so that no claim chooses it. */
export function dropClaims(head: RequestHead, { trusted, clientCertificate }: ConnectionContext): void {
  for (const kind of claimKinds(trusted)) head.fields.removeKind(kind)
  // Who speaks for others cannot have seen the certificate that is verified here.
  if (trusted && clientCertificate !== undefined) head.fields.remove('x-forwarded-client-cert')
}

/** Whether `dropClaims` takes a field of this name out. */
export function isClaim(name: string, trusted: boolean): boolean {
  return claimKinds(trusted).includes(kindOfName(name.toLowerCase()))
}

/** Lines that are the same for every request of a connection, with CRLF, up to the value of X-Forwarded-Host. */
export function forwardedPrefix(context: ConnectionContext): string {
  const { clientCertificate = '' } = context
  const certificate = clientCertificate === '' ? '' : `X-Forwarded-Client-Cert: ${clientCertificate}\r\n`
  return `${certificate}X-Forwarded-For: ${context.clientAddress}\r\nX-Forwarded-Proto: ${context.scheme}\r\nX-Forwarded-Host: `
}

/**
 * The lines to append for a request that no filter edits: one string, most of it made once for the connection. The
 * client's own claims are gone from `head`, see dropClaims.
 */
export function forwardedLines(head: RequestHead, prefix: string, requestId: string): string {
  return `${prefix}${head.authority}\r\nX-Request-Id: ${requestId}\r\n`
}

/** The same as fields: for requests that filters edit, since they may change these too, and for trusted peers. */
export function setForwarded(head: Pick<RequestHead, 'fields' | 'authority'>, context: ConnectionContext, requestId: string): void {
  const { fields } = head
  let addresses = context.clientAddress
  if (context.trusted) {
    const before = fields.get('x-forwarded-for')
    if (before !== undefined) addresses = `${lastOf(before, context.runtime.trustedHops)}, ${addresses}`
  }
  fields.set('X-Forwarded-For', 'x-forwarded-for', addresses)
  if (!fields.has('x-forwarded-proto')) fields.add('X-Forwarded-Proto', 'x-forwarded-proto', context.scheme)
  if (!fields.has('x-forwarded-host')) fields.add('X-Forwarded-Host', 'x-forwarded-host', head.authority)
  const { clientCertificate = '' } = context
  if (clientCertificate !== '') fields.set('X-Forwarded-Client-Cert', 'x-forwarded-client-cert', clientCertificate)
  fields.set('X-Request-Id', 'x-request-id', requestId)
}

/** The end of a list, which the proxies before this one wrote: what stands before it is a client's word. */
function lastOf(list: string, hops: number): string {
  return hops === 0
    ? list
    : list
        .split(',')
        .slice(-hops)
        .map((entry) => entry.trim())
        .join(', ')
}
