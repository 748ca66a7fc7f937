/** What carries one request to an endpoint, whatever the version of HTTP: a connection of HTTP/1.1, or a stream of HTTP/2. */
import type { Body } from '../http1/codec.ts'
import type { FieldList } from '../http1/field-list.ts'
import type { Endpoint } from './endpoint.ts'

/** A request as its backend gets it, before it is encoded. All strings are byte strings. */
export interface OutgoingRequest {
  readonly method: string
  /** Path and query, or `*`. */
  readonly target: string
  readonly fields: FieldList
  /** Field lines beside `fields`, each with its CRLF: made for HTTP/1.1 only, where they are cheaper than fields. */
  readonly lines: string
  readonly body: Body
  /** The client waits for a 100. */
  readonly expectContinue: boolean
  /** The client accepts trailers. */
  readonly teTrailers: boolean
  /** In lower case: the protocol that may be switched to; '' for none. */
  readonly upgrade: string
}

/** Given to one user at a time, which is told of everything by `UpstreamUser`. */
export interface Upstream {
  readonly endpoint: Endpoint
  /** True when it is older than the request, and may have been closed by the endpoint meanwhile. */
  readonly reused: boolean
  /** The answer may begin before the request has ended, and both go on (HTTP/2). */
  readonly duplex: boolean
  /** True once a byte of the answer has come. */
  readonly answered: boolean
  /** False: `UpstreamUser.onUpstreamReady` comes later. */
  readonly isReady: boolean
  /** More waits for the endpoint than may: `UpstreamUser.onUpstreamDrain` comes when it has gone. */
  readonly blocked: boolean
  /** The head. A request with a body goes on with `sendBody` and `endRequest`. */
  send(request: OutgoingRequest): void
  /** Bytes of the body or of a tunnel, taken during the call. */
  sendBody(bytes: Buffer, from: number, to: number): void
  /** The body is complete; called for a request without one too. */
  endRequest(trailers: FieldList | undefined): void
  /** Writes what waits. */
  flush(): void
  /** Half-close: the tunnel's client has said FIN. */
  endTunnel(): void
  /** Both sides of the tunnel have said FIN: what is left is to write what waits. */
  release(): void
  pause(): void
  resume(): void
  /** Ends at once. The user hears nothing more. */
  destroy(): void
}
