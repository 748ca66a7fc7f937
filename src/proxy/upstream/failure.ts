/** Why an exchange cannot go on. */
export type UpstreamFailure =
  /** No connection came to be: another endpoint may be tried, nothing was sent. */
  | 'connect-refused'
  | 'connect-timeout'
  /** The endpoint was there, and TLS with it did not come to be: its certificate, its name, its versions. */
  | 'connect-tls'
  /** HTTP/2: the endpoint did nothing about the request (REFUSED_STREAM, or above the last stream of its GOAWAY). */
  | 'refused'
  /** Closed or reset before the end of the answer. */
  | 'closed'
  /** The answer broke a rule of the wire. */
  | 'protocol'
  /** Head or body stood still, or the endpoint took no bytes. */
  | 'timeout'

/** No connection came to be: nothing was sent. */
export function neverConnected(failure: UpstreamFailure): boolean {
  return failure === 'connect-refused' || failure === 'connect-timeout' || failure === 'connect-tls'
}
