/** The annotation by which a TCPRoute or TLSRoute has connections to its backends begin with a header of HAProxy's PROXY protocol. */
import type { Route } from '../api/route.ts'
import type { ProxyProtocolVersion } from '../config/stream-route.ts'

export const PROXY_PROTOCOL = 'gatewright.dev/proxy-protocol'

/** The problem is a clause. A value is spelled exactly: what a backend expects is not to be guessed. */
export type ProxyProtocol =
  | { readonly kind: 'none' }
  | { readonly kind: 'header'; readonly version: ProxyProtocolVersion }
  | { readonly kind: 'problem'; readonly problem: string }

export function proxyProtocolOf({ kind, metadata }: Pick<Route, 'kind' | 'metadata'>): ProxyProtocol {
  const value = metadata.annotations[PROXY_PROTOCOL]
  if (value === undefined) return { kind: 'none' }
  if (kind !== 'TCPRoute' && kind !== 'TLSRoute')
    return { kind: 'problem', problem: `the annotation ${PROXY_PROTOCOL} is for TCPRoutes and TLSRoutes, not for a ${kind}` }
  if (value === 'v1' || value === 'v2') return { kind: 'header', version: value }
  return { kind: 'problem', problem: `the annotation ${PROXY_PROTOCOL} must be v1 or v2, got ${JSON.stringify(value)}` }
}
