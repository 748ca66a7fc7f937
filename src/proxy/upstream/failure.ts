/** Why an exchange cannot go on. */
export type UpstreamFailure =
  /** No connection came to be: another endpoint may be tried, nothing was sent. */
  | 'connect-refused'
  | 'connect-timeout'
  /** The endpoint was there, and TLS with it did not come to be: its certificate, its name, its versions. */
  | 'connect-tls'
  /** The endpoint took the connection, and does not speak the HTTP/2 that its port is said to. */
  | 'connect-http2'
  /** HTTP/2: the endpoint did nothing about the request (REFUSED_STREAM, or above the last stream of its GOAWAY). */
  | 'refused'
  /** Closed or reset before the end of the answer. */
  | 'closed'
  /** The answer broke a rule of the wire. */
  | 'protocol'
  /** Head or body stood still, or the endpoint took no bytes. */
  | 'timeout'

const connectFailures: ReadonlySet<UpstreamFailure> = new Set(['connect-refused', 'connect-timeout', 'connect-tls', 'connect-http2'])

/** No connection came to be: nothing was sent. */
export function neverConnected(failure: UpstreamFailure): boolean {
  return connectFailures.has(failure)
}
